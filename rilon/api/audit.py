"""The auditor's readings: the log in codes and digests, and any view as of any past position."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency

from rilon.api.access import Node, needs
from rilon.api.pages import Limit, Position
from rilon.api.requests import reads
from rilon.audit.history import HistoryLine, history
from rilon.domain.permissions import Action
from rilon.domain.values import Value


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


@get("/history", opt=needs(Action.SEE_HISTORY), dependencies={"asked": reads(HistoryQuery)})
async def read_history(asked: NamedDependency[HistoryQuery], services: Node) -> HistoryPage:
    """Read what happened at this node, in codes, ids, times and digests; never what anybody wrote."""
    rows = tuple(await history(services.log, asked.after, asked.limit))
    return HistoryPage(rows, rows[-1].position if len(rows) == asked.limit else None)


HANDLERS = (read_history,)
