"""``rilon link``: getting to know other Members' nodes, and how the links to them do."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path
from typing import BinaryIO

import rich_click as click

from rilon.app.directory_desk import INTRODUCTION_BYTES, Introduction, fingerprint, read_introduction
from rilon.crypto import strict
from rilon.crypto.approval import reset_digest
from rilon.domain.words import words
from rilon.errors import MalformedError, RefusedError
from rilon.network.bag import MAX_BAG_BYTES
from rilon.node.commands.common import (
    Api,
    answer_json,
    api_options,
    ask,
    confirm,
    home_option,
    json_option,
    key_option,
    note,
    say,
    table,
)
from rilon.node.commands.secret import (
    approval_key_option,
    given_key,
    home_and_passphrase,
    passphrase_option,
    unlock_approval_key,
)
from rilon.node.core import open_core
from rilon.node.signing import consented

_member = click.argument("member", metavar="MEMBER")


@click.group()
def link() -> None:
    """Introduce, verify and watch other Members' nodes."""


@link.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, allow_dash=True))
@home_option
def introduce(file: str, home: Path | None) -> None:
    """Write this node's introduction to FILE: public keys, signed. Hand it to the other Member any way you like."""

    async def introduction() -> Introduction:
        async with open_core(*home_and_passphrase(home)) as core:
            return await core.desks.directory.introduction()

    own = asyncio.run(introduction())
    with click.open_file(file, "wb") as out:
        out.write(strict.encode(own))
    note("Written. Then read your fingerprint to their focal point by telephone: rilon link words.")


@link.command()
@click.argument("file", type=click.File("rb"))
@home_option
def add(file: BinaryIO, home: Path | None) -> None:
    """Take in another node's introduction; it stays unverified until you have compared fingerprints."""
    try:
        found = read_introduction(file.read(INTRODUCTION_BYTES + 1))
    except MalformedError as error:
        fix = "Take the file that `rilon link introduce` made over there, whole."
        raise MalformedError(error.code, f"{file.name} is no introduction of a node.", fix=fix) from error

    async def take_in() -> tuple[str, bytes]:
        async with open_core(*home_and_passphrase(home)) as core:
            listing = await core.desks.directory.take_in(found)
            if listing.identity.member == core.config.member:
                fix = "Add the file that the other Member handed to you."
                raise RefusedError("link.own", "This is the introduction of this node itself.", fix=fix)
            return listing.identity.member, fingerprint(listing.identity.root)

    member, print_ = asyncio.run(take_in())
    say(f"{member.upper()}: {' '.join(words(print_))}")
    note(f"Let their focal point read you their words, then: rilon link verify {member}")


@link.command("words")
@home_option
def words_(home: Path | None) -> None:
    """Say this node's own fingerprint, to be read to others."""

    async def own() -> bytes:
        async with open_core(*home_and_passphrase(home)) as core:
            return (await core.desks.directory.current()).own.identity.root

    say(" ".join(words(fingerprint(asyncio.run(own())))))


@link.command()
@_member
@click.option("--words", "spoken", metavar="WORDS", help="The sixteen words they read to you.  [default: asked for]")
@key_option
@api_options
def verify(api: Api, member: str, spoken: str | None, key: str | None) -> None:
    """Trust a node after its focal point has read its fingerprint to you; from now on things are sealed to it."""
    told = spoken or ask("The words that were read to you", "--words")
    api.post(f"links/{member.lower()}/verify", {"words": told}, key=key)
    note(f"{member.upper()} is verified.")


@link.command()
@_member
@click.option("--yes", is_flag=True, help="Do not ask.")
@key_option
@api_options
def revoke(api: Api, member: str, yes: bool, key: str | None) -> None:
    """Cut a node off: nothing is sealed to it or taken from it any more."""
    confirm(f"Cut {member.upper()} off?", "--yes", given=yes)
    api.post(f"links/{member.lower()}/revoke", key=key)
    note(f"{member.upper()} is cut off.")


@link.command()
@_member
@approval_key_option
@passphrase_option
@click.option("--yes", is_flag=True, help="Sign without being asked, having looked before.")
@key_option
@api_options
def reset(
    api: Api, member: str, key_file: Path | None, passphrase_file: Path | None, yes: bool, key: str | None
) -> None:
    """Let a frozen link go on, when its evidence was looked at: two focal points sign it with their own keys."""
    found = api.get(f"links/{member.lower()}/reset")
    evidence, *logs = (b64decode(found[name]) for name in ("evidence", "ours", "theirs"))
    note(
        f"Fork {found['number']} of the link to {member.upper()}: {found['code']}.",
        f"Evidence (SHA-256): {evidence.hex()}",
        f"Signed by {len(found['signed'])} of {found['needed']}.",
    )
    given = given_key(key_file)
    confirm("Sign that this link goes on?", "--yes", given=yes)
    own = unlock_approval_key(given, passphrase_file)
    digest = reset_digest(found["member"], member.lower(), found["number"], found["code"], (logs[0], logs[1]), evidence)
    done = api.post(f"links/{member.lower()}/reset", {"approval": consented(digest, own)}, key=key)
    waiting = "Signed. It waits for a second, different focal point."
    note(f"The link to {member.upper()} goes on." if done["outcome"] == "reset" else waiting)


@link.command("export")
@_member
@click.argument("file", type=click.Path(dir_okay=False, writable=True, allow_dash=True))
@api_options
def export_(api: Api, member: str, file: str) -> None:
    """Write a courier bag to FILE: all that a Member's node lacks, sealed, for the way that no hub serves."""
    made = api.get(f"links/{member.lower()}/bag")
    with click.open_file(file, "wb") as out:
        out.write(b64decode(made["bag"]))
    note(made["sentence"])


@link.command("import")
@click.argument("file", type=click.File("rb"))
@api_options
def import_(api: Api, file: BinaryIO) -> None:
    """Take in the courier bag in FILE, and say what to carry back."""
    raw = file.read(MAX_BAG_BYTES + 1)
    if len(raw) > MAX_BAG_BYTES:
        raise MalformedError("bag.too-large", f"A bag has at most {MAX_BAG_BYTES >> 20} MiB.")
    told = api.post("links/bag", {"bag": b64encode(raw).decode()})
    say(f"{told['member'].upper()}: {told['entries']} new entries, {told['receipted']} of ours receipted")
    for code, count in told["refused"].items():
        note(f"{count} of {told['frames']} frames were not believed: {code}")
    note(told["sentence"])


@link.command("list")
@api_options
@json_option
def list_(api: Api, as_json: bool) -> None:
    """List the other nodes: how far they are trusted, and how the links do."""
    found = api.get("links")
    if as_json:
        answer_json(found)
        return
    rows = [(each["member"].upper(), each["standing"], *_health(each.get("health"))) for each in found]
    table(("MEMBER", "STANDING", "SENT", "RECEIPTED", "RECEIVED", "HOW IT DOES"), rows, "No other node is known.")
    for refusal in (r for each in found if each.get("health") for r in each["health"]["refusals"]):
        note(refusal["sentence"])


def _health(health: dict[str, object] | None) -> tuple[object, ...]:
    if health is None:
        return "", "", "", "no courier runs"
    return health["sent"], health["receipted"], health["received"], health["sentence"]
