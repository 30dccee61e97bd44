"""``rilon keys``: the keys that others seal to, and a new log after a restore. Ids and ages are shown, never a key."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import rich_click as click

from rilon.app.keys_desk import HeldKey
from rilon.node.commands.common import answer_json, home_option, json_option, note, say, table
from rilon.node.commands.secret import home_and_passphrase, passphrase_option, read_passphrase
from rilon.node.config import home_of
from rilon.node.core import alone, open_core
from rilon.node.founding import read_root_key
from rilon.node.founding import renew_log as renew


@click.group()
def keys() -> None:
    """This node's keys: turn them, and begin a new log after a restore."""


@keys.command("list")
@home_option
@json_option
def list_(home: Path | None, as_json: bool) -> None:
    """List the KEM keys that still open frames: id, age, and when the older ones go."""

    async def held() -> tuple[list[HeldKey], datetime]:
        async with open_core(*home_and_passphrase(home)) as core:
            return await core.desks.epochs.held(), core.desks.clock.now()

    found, now = asyncio.run(held())
    if as_json:
        answer_json([{"kid": h.kid.hex(), "since": _iso(h.since), "until": _iso(h.until)} for h in found])
        return
    rows = [(h.kid.hex(), f"{(now - h.since).days} days" if h.since else "not published", _state(h)) for h in found]
    table(("KEY", "AGE", "STATE"), rows, "The keyring holds none.")


@keys.command()
@home_option
def rotate(home: Path | None) -> None:
    """Give this node a new KEM key, and tell every peer; a running node does it every month."""

    async def turn() -> bytes:
        async with open_core(*home_and_passphrase(home)) as core:
            return await core.desks.epochs.rotate()

    say(asyncio.run(turn()).hex())
    note("In force. The older key opens what is under way, and is destroyed when every peer knows the new one.")


@keys.command("renew-log")
@click.option(
    "--root-key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The root key's file, fetched from where it is safe.",
)
@passphrase_option
@home_option
def renew_log(root_key: Path, passphrase_file: Path | None, home: Path | None) -> None:
    """Begin a new log after a restore or a failover; stop the node first. Peers must confirm this node again."""
    root = read_root_key(root_key, read_passphrase(passphrase_file, "Passphrase of the root key"))

    async def begin() -> bytes:
        async with open_core(*home_and_passphrase(home)) as core:
            return await renew(core, root)

    with alone(home_of(home)):
        say(asyncio.run(begin()).hex())
    note(
        "The log goes on under this id. Take the root key away again, and start the node.",
        "Every peer holds its mail to you back until its focal point has confirmed your words: rilon link words.",
    )


def _state(held: HeldKey) -> str:
    return f"destroyed by {held.until:%Y-%m-%d}" if held.until else "in force"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
