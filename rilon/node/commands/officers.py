"""``rilon officer``: who works here, with which token, and with which key of their own they approve."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import rich_click as click

from rilon.app.directory_desk import fingerprint
from rilon.app.membership_desk import TOKEN_DAYS
from rilon.crypto import approval
from rilon.domain.officer import LONGEST_STAND_IN
from rilon.domain.values import Role
from rilon.domain.words import COUNT, heard, words
from rilon.errors import ProofError, RefusedError
from rilon.node.commands.common import (
    Api,
    answer,
    answer_json,
    api_options,
    ask,
    home_option,
    json_option,
    key_option,
    note,
    say,
)
from rilon.node.commands.secret import (
    approval_key_option,
    given_key,
    home_and_passphrase,
    passphrase_option,
    read_passphrase,
    unlock_approval_key,
)
from rilon.node.commands.show import show_accounts, show_officers, when
from rilon.node.config import write_private
from rilon.node.core import open_core
from rilon.node.signing import consented
from rilon.node.system import SystemClock

_ROLES = click.Choice([*map(str, Role)])
_days = click.option("--days", type=click.IntRange(1, TOKEN_DAYS), default=TOKEN_DAYS, show_default=True)
_STAND_IN_HOURS = LONGEST_STAND_IN // timedelta(hours=1)
_officer = click.argument("officer", type=click.UUID)


@click.group()
def officer() -> None:
    """Enrol officers; their tokens and approval keys."""


@officer.command()
@click.argument("name")
@click.option("--agency", required=True, metavar="CODE", help="Where they work, as a code: immigration, navy …")
@click.option("--desk", required=True, metavar="CODE", help="Their desk, as a code.")
@click.option("--role", "roles", multiple=True, default=["officer"], show_default=True, type=_ROLES)
@_days
@key_option
@api_options
@json_option
def add(
    api: Api, name: str, agency: str, desk: str, roles: Sequence[str], days: int, key: str | None, as_json: bool
) -> None:
    """Enrol a person and make their token, which is shown this once."""
    body = {"name": name, "agency": agency, "desk": desk, "roles": sorted(set(roles))}
    enrolled = api.post("officers", body, key=key)
    _show_token(_issue(api, UUID(enrolled["id"]), roles, days, key and f"{key}-token"), as_json=as_json)


@officer.command("list")
@api_options
@json_option
def list_(api: Api, as_json: bool) -> None:
    """List the officers of this Member."""
    found = api.get("officers")
    answer(found, show_officers, as_json=as_json)


@officer.command()
@_officer
@key_option
@api_options
def suspend(api: Api, officer: UUID, key: str | None) -> None:
    """Stop an officer's access at once."""
    api.post(f"officers/{officer}/suspend", key=key)
    note("Suspended.")


@officer.command()
@_officer
@key_option
@api_options
def reinstate(api: Api, officer: UUID, key: str | None) -> None:
    """Give a suspended officer access again."""
    api.post(f"officers/{officer}/reinstate", key=key)
    note("Reinstated.")


@officer.command()
@_officer
@click.argument("role", type=_ROLES)
@click.option("--revoke", is_flag=True, help="Take it away instead.")
@key_option
@api_options
def role(api: Api, officer: UUID, role: str, revoke: bool, key: str | None) -> None:
    """Give an officer a role, or take it away."""
    api.post(f"officers/{officer}/roles" + ("/revoke" if revoke else ""), {"role": role}, key=key)
    note("Taken away." if revoke else "Given.")


@officer.command("call-upon")
@_officer
@click.option("--hours", type=click.IntRange(1, _STAND_IN_HOURS), default=12, show_default=True, help="For how long.")
@key_option
@api_options
def call_upon(api: Api, officer: UUID, hours: int, key: str | None) -> None:
    """Let a deputy decide in your place: out of hours, or while you are away."""
    until = SystemClock().now() + timedelta(hours=hours)
    api.post(f"officers/{officer}/call-upon", {"until": until.isoformat()}, key=key)
    note(f"They decide in your place until {when(until.isoformat())}, about nothing that you wrote or signed.")


@officer.command()
@_officer
@click.option("--principal", type=click.UUID, help="For whom they stand in.  [default: you]")
@key_option
@api_options
def relieve(api: Api, officer: UUID, principal: UUID | None, key: str | None) -> None:
    """End a deputy's standing in before its time."""
    whom = principal or UUID(hex=api.get("me")["officer"])
    api.send("DELETE", f"officers/{officer}/call-upon/{whom}", key=key)
    note("Relieved.")


@officer.command()
@_officer
@click.option("--role", "roles", multiple=True, required=True, type=_ROLES, help="What it may be used as.")
@_days
@click.option("--local", is_flag=True, help="Make it on the node's own machine: the way in when no token is left.")
@home_option
@key_option
@api_options
@json_option
def token(
    api: Api,
    officer: UUID,
    roles: Sequence[str],
    days: int,
    local: bool,
    home: Path | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Make a token for an officer; it is shown this once."""
    made = _issue_here(home, officer, roles, days) if local else _issue(api, officer, roles, days, key)
    _show_token(made, as_json=as_json)


@officer.command()
@_officer
@click.option("--local", is_flag=True, help="Make it on the node's own machine: the way in when nobody can invite.")
@home_option
@key_option
@api_options
@json_option
def invite(api: Api, officer: UUID, local: bool, home: Path | None, key: str | None, as_json: bool) -> None:
    """Make a one-time link into the pages, with which an officer makes a passkey."""
    made = _invite_here(home, officer) if local else api.post(f"officers/{officer}/invitations", key=key)
    if as_json:
        answer_json(made)
        return
    note("This link is shown this once, works once and for a day: hand it over on a safe way.")
    say(str(made["link"]))


@officer.command()
@_officer
@api_options
@json_option
def accounts(api: Api, officer: UUID, as_json: bool) -> None:
    """List an officer's accounts at the identity provider."""
    found = api.get(f"officers/{officer}/accounts")
    answer(found, show_accounts, as_json=as_json)


@officer.command()
@_officer
@click.argument("account")
@key_option
@api_options
def unbind(api: Api, officer: UUID, account: str, key: str | None) -> None:
    """Take an ACCOUNT away by its id, and end what it opened; one's own, or anybody's by a focal point."""
    api.send("DELETE", f"officers/{officer}/accounts/{account}", key=key)
    note("Taken away.")


@officer.command("revoke-token")
@_officer
@click.argument("token")
@key_option
@api_options
def revoke_token(api: Api, officer: UUID, token: str, key: str | None) -> None:
    """Revoke a TOKEN by its id (its second part); one's own, or anybody's by a focal point."""
    api.send("DELETE", f"officers/{officer}/tokens/{token}", key=key)
    note("Revoked.")


@officer.command("enrol-key")
@click.option(
    "--file",
    "path",
    default="approval-key.rilon",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the key is kept; one that is there is used.",
)
@passphrase_option
@key_option
@api_options
def enrol_key(api: Api, path: Path, passphrase_file: Path | None, key: str | None) -> None:
    """Make an approval key of your own, and enrol its public half; the private half stays in the file."""
    me = api.get("me")["officer"]
    made = not path.exists()
    secret = read_passphrase(passphrase_file, "Passphrase for your approval key", twice=made)
    if made:
        data, public = approval.create(secret, me)
        write_private(path, data)
    else:
        own = approval.unlock(path.read_bytes(), secret)
        public = own.public
        if own.officer != me:
            raise RefusedError("approval.officer", "This approval key is somebody else's.", fix="Give another --file.")
    api.post("me/approval-key", {"public_key": base64.b64encode(public.raw).decode()}, key=key)
    note(
        f"Enrolled. Keep {path} and its passphrase; nobody can make them again.",
        "If the founding did not name you, a focal point who neither enrolled you nor made your token confirms it.",
        "Read them these words:",
        " ".join(words(fingerprint(public.raw))),
    )


@officer.command()
@_officer
@click.option("--words", "spoken", metavar="WORDS", help="The sixteen words they read to you.  [default: asked for]")
@approval_key_option
@passphrase_option
@key_option
@api_options
def confirm(
    api: Api, officer: UUID, spoken: str | None, key_file: Path | None, passphrase_file: Path | None, key: str | None
) -> None:
    """Let a colleague approve, after they have read the words of their key to you; signed with your own key."""
    found = api.get(f"officers/{officer}/confirmation")
    public = base64.b64decode(found["key"])
    told = spoken or ask(f"The words that {', '.join(found['roles'])} {officer.hex} read to you", "--words")
    if heard(told) != fingerprint(public)[:COUNT]:
        fix = "Do not confirm: somebody may have put a key of their own in its place."
        raise ProofError("officer.fingerprint", "These are not the words of this key.", fix=fix)
    mine = unlock_approval_key(given_key(key_file), passphrase_file)
    digest = approval.confirm_digest(found["member"], officer.hex, found["roles"], public)
    api.post(f"officers/{officer}/confirmation", {"approval": consented(digest, mine)}, key=key)
    note("Confirmed. They approve from now on.")


def _issue(api: Api, officer: UUID, roles: Sequence[str], days: int, key: str | None) -> dict[str, object]:
    made = api.post(f"officers/{officer}/tokens", {"roles": sorted(set(roles)), "days": days}, key=key)
    return {"officer": officer.hex, **made}


def _issue_here(home: Path | None, officer: UUID, roles: Sequence[str], days: int) -> dict[str, object]:
    async def issue() -> dict[str, object]:
        async with open_core(*home_and_passphrase(home)) as core:
            made = await core.desks.members.issue_token(None, officer, frozenset(map(Role, roles)), days)
            return {"officer": officer.hex, "id": made.id, "token": made.text, "position": made.position}

    return asyncio.run(issue())


def _invite_here(home: Path | None, officer: UUID) -> dict[str, object]:
    async def issue() -> dict[str, object]:
        async with open_core(*home_and_passphrase(home)) as core:
            made = await core.desks.access.invite(None, officer)
            link = f"{core.config.http.origin}/join#{made.code}"
            ends = made.expires_at.isoformat()
            return {"officer": str(officer), "link": link, "expires_at": ends, "position": made.position}

    return asyncio.run(issue())


def _show_token(made: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        answer_json(made)
        return
    note(f"Officer {made['officer']}. This token is shown this once: hand it over on a safe way.")
    say(str(made["token"]))
