"""``rilon import``: files that become alerts."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import rich_click as click

from rilon.errors import RefusedError
from rilon.node.cli import EXIT_REFUSED
from rilon.node.client import NodeClient
from rilon.node.commands.common import Watermark, answer_json, json_option, note, progress, table
from rilon.node.config import token_of
from rilon.node.demo.world import DemoWorld, enterable
from rilon.node.incidents import Tally, import_rows, read_rows

DEMO = Path("demo-data")
"""Where ``rilon demo`` lives unless told otherwise: its nodes are meant when none are named."""


@click.group("import")
def import_() -> None:
    """Import files as alerts."""


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--demo",
    "demo",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Post at the nodes of the demo in this folder; demo-data, if it is there and no node is named.",
)
@click.option(
    "--at",
    "places",
    nargs=3,
    multiple=True,
    metavar="MEMBER URL TOKENFILE",
    help="A node to post at, and a file with an officer's token there; once for each node.",
)
@json_option
@click.pass_context
def incidents(
    ctx: click.Context, file: Path, demo: Path | None, places: tuple[tuple[str, str, str], ...], as_json: bool
) -> None:
    """Import fatal incidents (IOM Missing Migrants' columns): each at the node where it happened, the others at IOM's.

    A second import adds nothing. The exit code is 1 when a row was refused; the others are posted.
    """
    nodes = {member.lower(): (url, token_of(Path(token))) for member, url, token in places}
    if not nodes and demo is None and (enterable(DEMO) / "demo.json").exists():
        demo = enterable(DEMO)
    if demo is not None:
        world = DemoWorld(demo)
        nodes |= {m: (world.url(m), world.persona(m, "officer").token) for m in world.members}
    if not nodes:
        raise click.UsageError("Say where to post: --demo PATH, or --at MEMBER URL TOKENFILE.")
    tallies = asyncio.run(_import(file, nodes))
    if as_json:
        answer_json(
            {
                m: {"posted": t.posted, "already_there": t.already_there, "refused": t.refused}
                for m, t in tallies.items()
            }
        )
    else:
        _show(tallies)
    if any(tally.refused for tally in tallies.values()):
        ctx.exit(EXIT_REFUSED)


async def _import(file: Path, nodes: dict[str, tuple[str, str]]) -> dict[str, Tally]:
    rows, mark = read_rows(file), Watermark()
    async with AsyncExitStack() as stack:
        clients = {m: await stack.enter_async_context(NodeClient(*where, mark)) for m, where in nodes.items()}

        async def post(member: str, draft: dict[str, Any], key: str) -> bool:
            if member not in clients:
                raise RefusedError("import.no-node", f"No node of {member.upper()} was named to post it at.")
            placed = await clients[member].post("alerts", draft, key=key)
            return not placed["repeated"]

        with progress("Incidents", len(rows)) as advance:
            return await import_rows(rows, clients, post, advance)


def _show(tallies: dict[str, Tally]) -> None:
    counts = {m.upper(): (t.posted, t.already_there, len(t.refused), t.total) for m, t in tallies.items()}
    totals = tuple(map(sum, zip(*counts.values(), strict=True)))
    rows = [(name, *row) for name, row in (counts | {"ALL": totals}).items()] if counts else []
    table(("NODE", "POSTED", "ALREADY THERE", "REFUSED", "ROWS"), rows, "The file has no rows.")
    for member, tally in tallies.items():
        note(*(f"{member.upper()}, line {line}: {why}" for line, why in tally.refused))
