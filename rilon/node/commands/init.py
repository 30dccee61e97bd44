"""``rilon init``: a node from nothing, or nothing at all."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import rich_click as click

from rilon.app.directory_desk import fingerprint
from rilon.crypto.approval import MIN_PASSPHRASE
from rilon.domain.book_file import parse_book
from rilon.domain.members import member as known_member
from rilon.domain.rules import RuleBook
from rilon.domain.values import Role
from rilon.domain.words import words
from rilon.errors import ConflictError, InvalidError, RefusedError
from rilon.node.commands.common import answer_json, ask, home_option, json_option, note, say
from rilon.node.commands.secret import node_passphrase
from rilon.node.config import FILE, Config, Database, Home, Http, HubAccess, home_of, write_private
from rilon.node.core import Core, open_core
from rilon.node.founding import found, make_keys

_FIRST = frozenset({Role.FOCAL_POINT})
_FEWEST = 2
_given = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is asked for: configuration, credentials for the hub, first rule book, and the first focal points."""

    config: Config
    creds: Path | None
    book: RuleBook | None
    names: tuple[str, ...]
    agency: str
    desk: str


@click.command()
@click.argument("member")
@home_option
@click.option("--exercise", is_flag=True, help="In the exercise network, which has keys of its own.")
@click.option("--database-url", default="", metavar="URL", help="A Postgres of yours.  [default: one of its own]")
@click.option("--hub-url", default="", metavar="URL", help="The courier; without one the node works alone.")
@click.option("--hub-creds", type=_given, help="The credentials that the hub's administrator gave you.")
@click.option("--port", default=8400, show_default=True, type=click.IntRange(0, 65535), help="Where the API answers.")
@click.option("--rules", type=_given, help="Your sharing rules (TOML).  [default: a careful book]")
@click.option(
    "--focal-point",
    "focal_points",
    multiple=True,
    metavar="NAME",
    help="Name of a first focal point; there must be two.  [default: asked for]",
)
@click.option("--agency", default="nfp", show_default=True, metavar="CODE", help="The focal points' agency.")
@click.option("--desk", default="nfp", show_default=True, metavar="CODE", help="The focal points' desk.")
@json_option
def init(
    member: str,
    home: Path | None,
    exercise: bool,
    database_url: str,
    hub_url: str,
    hub_creds: Path | None,
    port: int,
    rules: Path | None,
    focal_points: Sequence[str],
    agency: str,
    desk: str,
    as_json: bool,
) -> None:
    """Make a node: its keys, its log, its first focal points."""
    me = known_member(member.lower()).id
    config = Config(
        member=me,
        world="exercise" if exercise else "real",
        database=Database(database_url),
        hub=HubAccess(url=hub_url),
        http=Http(port=port, names=(f"{me}.localhost", "localhost", "127.0.0.1")),
    )
    book = parse_book(rules.read_bytes(), me, 1) if rules else None
    names = _two(focal_points)
    made, passphrase = home_of(home), _new_passphrase()
    with _whole_or_not(made):
        told = asyncio.run(_make(made, passphrase, _Plan(config, hub_creds, book, names, agency, desk)))
    if as_json:
        answer_json(told)
    else:
        _tell(made, told)


async def _make(home: Home, passphrase: str, plan: _Plan) -> dict[str, Any]:
    home.write(plan.config)
    if plan.creds is not None:
        write_private(home.path / plan.config.hub.creds, plan.creds.read_bytes())
    root = make_keys(home, passphrase)
    async with open_core(home, passphrase) as core:
        if (await core.log.head()).size:
            raise ConflictError("init.database-used", "This database holds a log already.", fix="Give an empty one.")
        await found(core.desks, plan.config, root, await core.log.log_id(), plan.book)
        enrolled = [await _enrol(core, name, plan) for name in plan.names]
    return {
        "member": plan.config.member,
        "home": str(home.path),
        "focal_points": enrolled,
        "words": words(fingerprint(root.public.raw)),
        "root_key": str(home.root_key),
    }


async def _enrol(core: Core, name: str, plan: _Plan) -> dict[str, str]:
    enrolled = await core.desks.members.enrol(None, name, plan.agency, plan.desk, _FIRST)
    officer = UUID(bytes=enrolled.answer)
    made = await core.desks.members.issue_token(None, officer, _FIRST)
    return {"name": name, "officer": officer.hex, "token": made.text}


def _two(named: Sequence[str]) -> tuple[str, ...]:
    """The first focal points. One alone could make approvers of nobody: that takes two (docs/adr)."""
    names = tuple(named) or tuple(ask(f"Name of the {nth} focal point", "--focal-point") for nth in ("first", "second"))
    if len(names) < _FEWEST:
        fix = "Give --focal-point twice."
        raise InvalidError("init.two-focal-points", "A node begins with two focal points.", fix=fix)
    return names


@contextmanager
def _whole_or_not(home: Home) -> Iterator[None]:
    """Leave nothing of a node that could not be made; what was in the folder before stays.

    Raises:
        RefusedError: ``init.exists``.
    """
    before = set(home.path.iterdir()) if home.path.exists() else None
    if before is not None and {home.path / FILE, home.keyring, home.root_key} & before:
        raise RefusedError("init.exists", f"There is a node in {home.path} already.", fix="Choose another --home.")
    try:
        yield
    except BaseException:
        for path in set(home.path.iterdir()) - (before or set()) if home.path.exists() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if before is None and home.path.exists():
            home.path.rmdir()
        raise


def _new_passphrase() -> str:
    found = node_passphrase(new=True)
    if len(found) < MIN_PASSPHRASE:
        raise InvalidError("init.passphrase-short", f"A passphrase has at least {MIN_PASSPHRASE} characters.")
    return found


def _tell(home: Home, told: dict[str, Any]) -> None:
    note(
        f"{told['member'].upper()} is founded in {told['home']}.",
        f"Take {told['root_key']} offline now: on paper, or on a disk in a safe. Whoever has it can be this Member.",
        f"Back up {home.keyring} by replication, never in versions (docs/operate.md).",
    )
    say("", "This node's fingerprint, to be read to other focal points by telephone:")
    named = told["words"]
    say(*(f"  {' '.join(named[at : at + 4])}" for at in range(0, len(named), 4)))
    for each in told["focal_points"]:
        say("", f"{each['name']} is officer {each['officer']}. Their token, shown this once:", each["token"])
    note(
        "",
        "Each makes a key of their own first: rilon officer enrol-key. Until then a token would do to put one there.",
    )
    note(f"Next: rilon serve --home {told['home']}")
