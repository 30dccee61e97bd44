"""``rilon history`` and ``rilon replay``: what an auditor reads."""

from __future__ import annotations

import rich_click as click

from rilon.node.commands.board import limit_option
from rilon.node.commands.common import Api, answer_json, api_options, json_option
from rilon.node.commands.show import show_history, show_replay


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


@click.command()
@click.option("--as-of", required=True, metavar="POSITION|TIME", help="Such as 1204, or 2026-05-03T10:00:00Z.")
@limit_option
@api_options
@json_option
def replay(api: Api, as_of: str, limit: int, as_json: bool) -> None:
    """Show the board as it was.

    What this Member held, who could see it by which basis, and who had opened it. Rows hold codes, ids and times, never
    what anybody wrote; --json tells the sections and readers of each.
    """
    found = api.get("replay/board", as_of=as_of, limit=limit)
    if as_json:
        answer_json(found)
    else:
        show_replay(found)
