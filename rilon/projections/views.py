"""Every view of this node: what changes it, and which tables it is made of. One list, for live, rebuild and replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from rilon.app.ports import Recorded
from rilon.projections import approvals, board, contact, deliveries, officers, openings, ties, times
from rilon.projections.changes import Change, Changes, Row, Tables


class View(NamedTuple):
    """A view that can be rebuilt by itself."""

    name: str
    changes: Changes
    tables: tuple[type[Row], ...]


VIEWS: tuple[View, ...] = (
    View("board", board.changes, (board.Item, board.Edition)),
    View("approvals", approvals.changes, (approvals.Approval,)),
    View("deliveries", deliveries.changes, (deliveries.Sent, deliveries.Receipt, deliveries.Answer, deliveries.Erased)),
    View("contact", contact.changes, (contact.Spoken, contact.Heard, contact.Turn)),
    View("officers", officers.changes, (officers.Enrolled,)),
    View("openings", openings.changes, (openings.Opened,)),
    View("ties", ties.changes, (ties.Tie,)),
    View("times", times.changes, (times.Posted, times.Asking)),
)


class _Concerned(dict[type, list[Callable[[Any, int], Iterable[Change]]]]):
    """What the views that a kind of event concerns make of it; found when its first event comes."""

    def __init__(self, views: Sequence[View]) -> None:
        super().__init__()
        self._views = views

    def __missing__(self, kind: type) -> list[Callable[[Any, int], Iterable[Change]]]:
        found = [(view.changes.dispatch(kind), view.changes.dispatch(object)) for view in self._views]
        self[kind] = [change for change, default in found if change is not default]
        return self[kind]


_concerned = cache(_Concerned)  # for each part of a page anew it is a twentieth of a replay


def changes(recorded: Iterable[Recorded], views: Sequence[View] = VIEWS) -> Iterator[Change]:
    """All changes that follow from events, in order."""
    concerned = _concerned(tuple(views))
    for place in recorded:
        for change in concerned[type(place.event)]:
            yield from change(place.event, place.position)


def fold(recorded: Iterable[Recorded], tables: Tables, views: Sequence[View] = VIEWS) -> None:
    """Make all changes that follow from events. Folding a prefix and then the rest equals folding all."""
    for change in changes(recorded, views):
        tables.apply(change)
