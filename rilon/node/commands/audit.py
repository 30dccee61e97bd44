"""``rilon history`` and ``rilon replay``: what an auditor reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import rich_click as click

from rilon.node.commands.board import limit_option
from rilon.node.commands.common import Api, answer, api_options, json_option
from rilon.node.commands.show import show_history, show_openings, show_replay


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
    answer(found, show_history, as_json=as_json)


class _Moment(click.ParamType):  # type: ignore[type-arg] # click 8.5 made it generic, rich-click has not
    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """A position as it is; a time in RFC 3339, UTC unless it says otherwise."""
        text = str(value)
        if text.isascii() and text.isdigit():
            return text
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"“{text}” is neither a position of the log nor a time such as 2026-05-03T10:00.", param, ctx)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


MOMENT: Final = _Moment()


@click.command()
@click.option("--as-of", required=True, type=MOMENT, help="A position of the log, or a time (UTC unless it says).")
@click.option("--cursor", type=click.IntRange(0), help="From behind this, as the page before said.")
@limit_option
@api_options
@json_option
def replay(api: Api, as_of: str, cursor: int | None, limit: int, as_json: bool) -> None:
    """Show the board as it was.

    What this Member held, on which basis, who could open it by the roles of that day, and who had. Rows hold codes, ids
    and times, never what anybody wrote.
    """
    found = api.get("replay/board", as_of=as_of, cursor=cursor, limit=limit)
    answer(found, show_replay, as_json=as_json)


@click.command()
@click.option("--since", type=click.DateTime(), help="From this day or time on (UTC).  [default: 30 days back]")
@click.option("--until", type=click.DateTime(), help="Before this day or time (UTC).")
@api_options
@json_option
def openings(api: Api, since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Count who opened what and for which purpose; mark what is unusual.

    Unusual is no accusation: it says where to ask first. Rows hold ids and counts, never what anybody read.
    """
    found = api.get("openings", since=_utc(since), until=_utc(until))
    answer(found, show_openings, as_json=as_json)


def _utc(moment: datetime | None) -> str | None:
    return moment.replace(tzinfo=UTC).isoformat() if moment else None
