"""``rilon history`` and ``rilon replay``: what an auditor reads."""

from __future__ import annotations

import rich_click as click

from rilon.node.commands.board import limit_option
from rilon.node.commands.common import Api, answer_json, api_options, json_option
from rilon.node.commands.show import show_history


@click.command()
@click.option("--after", default=0, type=click.IntRange(0), help="From behind this position.")
@limit_option
@api_options
@json_option
def history(api: Api, after: int, limit: int, as_json: bool) -> None:
    """Read the events of the log.

    They hold codes, times and digests, never what anybody wrote; --json tells each event's facts.
    """
    found = api.get("history", after=after, limit=limit)
    if as_json:
        answer_json(found)
    else:
        show_history(found)
