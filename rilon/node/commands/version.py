"""``rilon version``."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed

import rich_click as click

from rilon.node.commands.common import answer_json, json_option, say


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Say which version this is."""
    found = {"rilon": installed("rilon"), "python": sys.version.split()[0]}
    if as_json:
        answer_json(found)
    else:
        say(f"rilon {found['rilon']} (Python {found['python']})")
