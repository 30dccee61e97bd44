"""The auditor's readings: the log in codes and digests, and what was held as of any past moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from litestar import get
from litestar.di import NamedDependency
from msgspec import structs

from rilon.api.access import Node, needs
from rilon.api.pages import After, Instant, Limit, Position
from rilon.api.requests import reads
from rilon.audit.history import HistoryLine, history
from rilon.audit.replay import Held
from rilon.domain.oversight import Tally, tally
from rilon.domain.permissions import Action
from rilon.domain.values import Value

LOOK_BACK = timedelta(days=30)


class HistoryQuery(Value, frozen=True, kw_only=True):
    """A page of the log, in its order.

    Attributes:
        after: the position read last; 0: from the beginning.
    """

    after: Position = 0
    limit: Limit = 50


class HistoryPage(Value, frozen=True):
    """A page of the log.

    Attributes:
        next: what to give as ``after`` for the next page; None at the end.
    """

    rows: tuple[HistoryLine, ...]
    next: int | None


class OpeningsQuery(After, frozen=True, kw_only=True):
    """Openings from an instant on, and before another; unless told, those of the last 30 days."""

    since: Instant | None = None
    until: Instant | None = None


class ReplayQuery(Value, frozen=True, kw_only=True):
    """A page of what was held.

    Attributes:
        as_of: a position of the log, or an instant.
    """

    as_of: Position | Instant
    cursor: Position | None = None
    limit: Limit = 50


class ReplayPage(Value, frozen=True):
    """What this node held at a moment, who could see it, and who had opened it.

    Attributes:
        position: of the last event that had happened. at: the moment.
    """

    position: int
    at: datetime
    rows: tuple[Held, ...]
    next: int | None


@get("/history", opt=needs(Action.SEE_HISTORY), dependencies={"asked": reads(HistoryQuery)})
async def read_history(asked: NamedDependency[HistoryQuery], services: Node) -> HistoryPage:
    """Read what happened at this node, in codes, ids, times and digests; never what anybody wrote."""
    rows = tuple(await history(services.log, asked.after, asked.limit))
    return HistoryPage(rows, rows[-1].position if len(rows) == asked.limit else None)


@get("/replay/board", opt=needs(Action.REPLAY), dependencies={"asked": reads(ReplayQuery)})
async def replay_board(asked: NamedDependency[ReplayQuery], services: Node) -> ReplayPage:
    """Show what this node held at a past moment, who could see it by the rules and roles of that day, and who did.

    The log is folded up to there by the code that keeps the live views, so it is what was shown and not a report of it.
    """
    past = await services.replays.at(asked.as_of)
    held = past.held(asked.cursor, asked.limit)
    rows = tuple(structs.replace(each, origin=each.origin or services.me) for each in held)
    return ReplayPage(past.position, past.at, rows, held[-1].position if len(held) == asked.limit else None)


@get("/openings", opt=needs(Action.SEE_OPENINGS), dependencies={"asked": reads(OpeningsQuery)})
async def read_openings(asked: NamedDependency[OpeningsQuery], services: Node) -> list[Tally]:
    """Count who opened sections for which purposes, and mark what is unusual; no content, and no names."""
    await services.caught_up(asked.after)
    until = asked.until or services.clock.now() + timedelta(seconds=1)
    return list(tally(await services.views.openings(asked.since or until - LOOK_BACK, until)))


HANDLERS = (read_history, replay_board, read_openings)
