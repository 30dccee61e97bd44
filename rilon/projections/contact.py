"""Contact with the other nodes over time: what was addressed to each, when it was heard, and how it stood.

Lines about items stand in the deliveries' own table (``deliveries.Sent``), and receipts in theirs; here is the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, singledispatch
from typing import Any, ClassVar, Final, NamedTuple

from rilon.domain.alert import Alert
from rilon.domain.base import lines_of
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.directory import Directory
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.recall import Recall
from rilon.domain.values import Code
from rilon.projections.changes import Change, Row

_DELIVERIES: Final = frozenset({Disclosure.Released, Alert.Corrected, Alert.Withdrawn, Alert.Closed, Recall.Ordered})
"""Whose lines stand in ``deliveries.Sent``."""


class Spoken(Row, frozen=True):
    """A line to a node that is about no item of ours. ``stream``: of the link; ``n``: position."""

    TABLE: ClassVar[str] = "spoken"

    at: datetime


class Heard(Row, frozen=True):
    """A day on which lines came from a node. ``stream``: of the link; ``n``: the day (UTC); ``at``: the last of it."""

    TABLE: ClassVar[str] = "heard"

    at: datetime


class Turn(Row, frozen=True):
    """How a node stands from here on: ``unverified``, ``verified``, ``revoked`` or ``frozen``.

    Attributes:
        stream: of the link. n: position.
    """

    TABLE: ClassVar[str] = "turn"

    state: Code
    at: datetime


class Contact(NamedTuple):
    """A link as it was at an instant.

    Attributes:
        state: as ``Turn.state``; "": the node was not known yet.
        oldest_at: since when the oldest line without a receipt waited; None: none waited.
        heard_at: when it was heard last, by a line or a receipt; None: never before.
    """

    member: str
    at: datetime
    state: str
    oldest_at: datetime | None
    heard_at: datetime | None


def day_of(at: datetime) -> int:
    """A day as a number, in UTC."""
    return at.astimezone(UTC).toordinal()


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say what contact there was. Pure."""
    return ()


def _spoken(event: Any, position: int) -> Iterable[Change]:
    return [Spoken(_link(peer), position, event.timestamp) for peer in lines_of(event)]


for _event in CATALOGUE.values():
    if _event not in _DELIVERIES and any(field.name == "to" for field in fields(_event)):
        changes.register(_event)(_spoken)


@changes.register(Entry.Accepted)
@changes.register(Entry.Refused)
@changes.register(Entry.Unknown)
def _(event: Entry.Accepted | Entry.Refused | Entry.Unknown, _position: int) -> Iterable[Change]:
    return (Heard(_link(event.peer), day_of(event.timestamp), event.timestamp),)


@changes.register
def _(event: Directory.Met, position: int) -> Iterable[Change]:
    return (Turn(_link(event.member), position, "unverified", event.timestamp),)


@changes.register
def _(event: Directory.Verified, position: int) -> Iterable[Change]:
    turn = Turn(_link(event.member), position, "verified", event.timestamp)
    return (turn, *_spoken(event, position))


@changes.register
def _(event: Directory.Revoked, position: int) -> Iterable[Change]:
    return (Turn(_link(event.member), position, "revoked", event.timestamp),)


@changes.register
def _(event: PeerLink.Frozen, position: int) -> Iterable[Change]:
    return (Turn(event.originator_id, position, "frozen", event.timestamp),)


@changes.register
def _(event: PeerLink.Reset, position: int) -> Iterable[Change]:
    return (Turn(event.originator_id, position, "verified", event.timestamp),)


_link = cache(link_stream)
