"""``rilon demo``: a network on one machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rich_click as click

from rilon.node.commands.common import say
from rilon.node.demo.run import run_demo


@click.command()
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-data"),
    show_default=True,
    help="Where the demo lives; a second start goes on there.",
)
@click.option("--exit", "exit_after", is_flag=True, help="End when the story is told.")
def demo(path: Path, exit_after: bool) -> None:
    """Run six nodes on this machine, and a short story."""
    asyncio.run(run_demo(path, say, exit_after=exit_after))
