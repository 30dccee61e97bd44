"""Any view as of any past moment: the log folded up to there by the very code that keeps the live views.

So an auditor is not told what a report says was shown, but what was: who could see which item, opened by which basis,
on that day, by the roles of that day; and who did open it. Rows hold codes, ids and times; no content is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final, TypeVar
from uuid import UUID

from msgspec import structs

from rilon.app.ports import EventLog
from rilon.domain.permissions import Caller
from rilon.domain.values import OfficerId, Purpose, Sensitivity, Value
from rilon.errors import InvalidError
from rilon.projections import board, openings
from rilon.projections.board import Edition, Entry, Item
from rilon.projections.changes import Row, Tables
from rilon.projections.officers import Enrolled
from rilon.projections.views import VIEWS, View, fold

R = TypeVar("R", bound=Row)

_BEGINNING: Final = datetime.fromtimestamp(0, UTC)


class Sight(Value, frozen=True):
    """What an officer could open of an item."""

    officer: OfficerId
    sensitivities: tuple[Sensitivity, ...]


class Opened(Value, frozen=True):
    """What an officer did open, when, and what for."""

    officer: OfficerId
    sensitivity: Sensitivity
    purpose: Purpose
    at: datetime
    position: int


class Held(Entry, frozen=True, kw_only=True):
    """An item as this node held it: its newest version that stood then, and everything that was granted of it.

    Attributes:
        seen_by: who could see it, and open what of it. opened: who had done so.
    """

    seen_by: tuple[Sight, ...]
    opened: tuple[Opened, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """This node's views at a moment of the past.

    Attributes:
        position: of the last event that had happened. at: the moment; what had ended by then is not shown.
    """

    position: int
    at: datetime
    tables: Tables

    def board(self, caller: Caller) -> list[Entry]:
        """What an officer's board showed, newest first."""
        editions = self._editions()
        lines = (board.entry(i, editions[i.stream], caller, self.at) for i in self._items())
        return _newest(line for line in lines if line is not None)

    def held(self, before: int | None = None, limit: int | None = None) -> list[Held]:
        """What this node held and who could see it, newest first; a page of it, cut by position."""
        editions = self._editions()
        lines = [e for i in self._items() if (e := board.whole(i, editions[i.stream], self.at))]
        page = [e for e in _newest(lines) if before is None or e.position < before][:limit]
        read = _by_stream(self.tables.rows(openings.Opened).values())
        return [self._held(e, editions[e.id], read[e.id]) for e in page]

    def officers(self) -> list[Enrolled]:
        """The officers of that day, with the roles of that day."""
        return list(self.tables.rows(Enrolled).values())

    def _held(self, entry: Entry, editions: Iterable[Edition], read: Iterable[openings.Opened]) -> Held:
        item = self.tables.rows(Item)[entry.id, 0]
        views = ((o.ref, board.entry(item, editions, o.caller(self.at), self.at)) for o in self.officers())
        seen_by = tuple(Sight(ref, seen.sensitivities) for ref, seen in views if seen is not None)
        opened = tuple(Opened(o.officer, o.sensitivity, o.purpose, o.at, o.n) for o in read)
        return Held(**structs.asdict(entry), seen_by=seen_by, opened=opened)

    def _items(self) -> Iterable[Item]:
        return self.tables.rows(Item).values()

    def _editions(self) -> Mapping[UUID, list[Edition]]:
        return _by_stream(self.tables.rows(Edition).values())


async def as_of(log: EventLog, position: int, views: Sequence[View] = VIEWS) -> Past:
    """The views when the event at ``position`` had happened, at the time of that event.

    Raises:
        InvalidError: ``replay.position``: the log is not that long.
        UnavailableError: the log is away.
    """
    past = await _replay(log, views, upto=position)
    if past.position != position:
        raise InvalidError("replay.position", f"The log ends at {past.position}.", field="as_of")
    return past


async def as_of_time(log: EventLog, at: datetime, views: Sequence[View] = VIEWS) -> Past:
    """The views at an instant: of everything before the first event that is later.

    Raises:
        UnavailableError: the log is away.
    """
    past = await _replay(log, views, until=at)
    return Past(past.position, at, past.tables)


async def _replay(
    log: EventLog, views: Sequence[View], *, upto: int | None = None, until: datetime | None = None
) -> Past:
    """Clocks may step back a little, order never does: the moment is the latest time seen on the way."""
    past = Past(0, _BEGINNING, Tables())
    async with aclosing(log.pages(upto=upto)) as pages:
        async for page in pages:
            happened = [*takewhile(lambda r: until is None or r.event.timestamp <= until, page)]
            fold(happened, past.tables, views)
            latest = max((r.event.timestamp for r in happened), default=_BEGINNING)
            position = happened[-1].position if happened else past.position
            past = Past(position, max(past.at, latest), past.tables)
            if len(happened) < len(page):
                break
    return past


def _newest(lines: Iterable[Entry]) -> list[Entry]:
    return sorted(lines, key=lambda e: -e.position)


def _by_stream(rows: Iterable[R]) -> defaultdict[UUID, list[R]]:
    found: defaultdict[UUID, list[R]] = defaultdict(list)
    for row in rows:
        found[row.stream].append(row)
    return found
