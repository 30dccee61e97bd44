"""Every view of this node: what changes it, and which tables it is made of. One list, for live, rebuild and replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rilon.app.ports import Recorded
from rilon.projections import approvals, board, contact, deliveries, officers, openings, ties, times
from rilon.projections.changes import Change, Changes, Row, Tables


class View(NamedTuple):
    """A view that can be rebuilt by itself."""

    name: str
    changes: Changes
    tables: tuple[type[Row], ...]


VIEWS: Sequence[View] = (
    View("board", board.changes, (board.Item, board.Edition)),
    View("approvals", approvals.changes, (approvals.Approval,)),
    View("deliveries", deliveries.changes, (deliveries.Sent, deliveries.Receipt, deliveries.Answer, deliveries.Erased)),
    View("contact", contact.changes, (contact.Spoken, contact.Heard, contact.Turn)),
    View("officers", officers.changes, (officers.Enrolled,)),
    View("openings", openings.changes, (openings.Opened,)),
    View("ties", ties.changes, (ties.Tie,)),
    View("times", times.changes, (times.Posted, times.Asking)),
)


def changes(recorded: Iterable[Recorded], views: Sequence[View] = VIEWS) -> Iterator[Change]:
    """All changes that follow from events, in order."""
    concerned: dict[type, list[Callable[[Any, int], Iterable[Change]]]] = {}
    for place in recorded:
        kind = type(place.event)
        if kind not in concerned:
            concerned[kind] = [f for view in views if (f := view.changes.dispatch(kind)) is not _default(view)]
        for change in concerned[kind]:
            yield from change(place.event, place.position)


def _default(view: View) -> Callable[[Any, int], Iterable[Change]]:
    return view.changes.dispatch(object)


def fold(recorded: Iterable[Recorded], tables: Tables, views: Sequence[View] = VIEWS) -> None:
    """Make all changes that follow from events. Folding a prefix and then the rest equals folding all."""
    for change in changes(recorded, views):
        tables.apply(change)
