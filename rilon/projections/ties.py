"""What belongs together: facts of the log that tie an item to other items, Members and desks. Codes and ids only.

Where an item went, and came from, is told by deliveries and board; what it is for, by its sealed marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import ClassVar
from uuid import UUID

from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.onward import Onward
from rilon.domain.values import Code
from rilon.projections.changes import Change, Row

_REPLY = "reply."


class Tie(Row, frozen=True):
    """Something that ties an item of this node to others. ``stream``: of the alert or holding; ``n``: position.

    Attributes:
        kind: ``quotes``, ``corrected``, ``referred``, ``onward``, or ``reply.…``.
        others: of *quotes*: ids of the items it is made of.
        parties: of *quotes*: their originators, in the same order; of *referred*: readers as ``Caller.readers`` names
            them; of *onward* and replies: the Members who asked, for whom, or who replied.
    """

    TABLE: ClassVar[str] = "tie"

    kind: Code
    others: tuple[UUID, ...]
    parties: tuple[Code, ...]
    at: datetime


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say what became tied. Pure."""
    return ()


@changes.register
def _(event: Alert.Quoted, position: int) -> Iterable[Change]:
    origins, items = tuple(s.origin for s in event.sources), tuple(s.item for s in event.sources)
    return (_tie(event, position, "quotes", origins, items),)


@changes.register
def _(event: Alert.Corrected, position: int) -> Iterable[Change]:
    return (_tie(event, position, "corrected"),)


@changes.register(Alert.Referred)
@changes.register(Holding.Referred)
def _(event: Alert.Referred | Holding.Referred, position: int) -> Iterable[Change]:
    return (_tie(event, position, "referred", event.readers),)


@changes.register
def _(event: Holding.Replied, position: int) -> Iterable[Change]:
    return (_tie(event, position, event.kind),)


@changes.register
def _(event: Entry.Accepted, position: int) -> Iterable[Change]:
    if event.item is None or not event.line.kind.startswith(_REPLY):
        return ()
    return (Tie(event.item, position, event.line.kind, (), (event.peer,), event.timestamp),)


@changes.register
def _(event: Onward.Received, position: int) -> Iterable[Change]:
    asked = event.request
    return (Tie(event.item, position, "onward", (), (asked.asker, asked.member), event.timestamp),)


def _tie(
    event: Event, position: int, kind: Code, parties: tuple[Code, ...] = (), others: tuple[UUID, ...] = ()
) -> Change:
    return Tie(event.originator_id, position, kind, others, parties, event.timestamp)
