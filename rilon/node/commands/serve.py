"""``rilon serve``: the whole node, until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import rich_click as click
import uvloop

from rilon.node.commands.common import home_option, note
from rilon.node.commands.secret import node_passphrase
from rilon.node.config import home_of
from rilon.node.serve import serve as run


@click.command()
@home_option
def serve(home: Path | None) -> None:
    """Run the node of this home."""
    found = home_of(home)
    config, passphrase = found.read(), node_passphrase()
    if config.demo:
        note("This is a demo: its node signs in the stead of invented people. Nothing of it is fit for real data.")
    words = f"{config.member.upper()} answers at http://{config.http.host}:{config.http.port}. Ctrl-C stops it."
    uvloop.run(run(found, passphrase, ready=lambda: note(words)))
