"""``rilon doctor``."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import rich_click as click

from rilon.node.commands.common import answer_json, home_option, json_option, note, table
from rilon.node.config import home_of
from rilon.node.doctor import Grade, Sign, examine
from rilon.node.system import SystemClock


@click.command()
@home_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, home: Path | None, as_json: bool) -> None:
    """Look for what is wrong with a node, and say what to do."""
    signs = asyncio.run(_look(home))
    if as_json:
        answer_json([asdict(sign) for sign in signs])
    else:
        table(("", "PART", "WHAT WAS SEEN"), [(s.grade, s.part, s.sentence) for s in signs], "Nothing was looked at.")
        note(*(f"{s.part}: {s.fix}" for s in signs if s.fix))
    if any(sign.grade is Grade.WRONG for sign in signs):
        ctx.exit(1)


async def _look(home: Path | None) -> list[Sign]:
    return [sign async for sign in examine(home_of(home), SystemClock())]
