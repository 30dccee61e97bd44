"""What every aggregate and every event of RILON stands on: the domain layer of the eventsourcing library, made strict.

An aggregate's class and each of its events carry an explicit ``TOPIC`` (``rilon.<aggregate>.<event>.<n>``), because the
stored name must outlive modules. Deciding methods validate first and trigger then; ``apply`` only folds, because replay
runs it again and may never refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import AggregateCreated, AggregateEvent, BaseAggregate

from rilon.errors import UnavailableError

NAMESPACE = UUID("6f0d7c8e-52a1-5b1c-9d0e-3c2f0c6b7a11")
"""Root of every name-based stream id; a constant of the format."""


def natural_id(kind: str, *parts: str) -> UUID:
    """Id of a stream where uniqueness is the rule: version 1 of it can be stored once.

    Args:
        kind: the aggregate's short name, so that equal keys of two kinds never meet.
        parts: the natural key. What is guessable and personal goes in as an HMAC, never bare.
    """
    return uuid5(NAMESPACE, "\0".join((kind, *parts)))


class Opening(AggregateCreated):
    """The first event of a stream. Outside ``Root``, or the library asks every aggregate for a TOPIC of its copy."""


class Root(BaseAggregate[UUID]):
    """An aggregate of this node's log."""

    class Event(AggregateEvent):
        """Something that happened to an aggregate after its opening."""

    def __repr__(self) -> str:
        """Name and id only: state may hold what must not reach a log line."""
        return f"{type(self).__name__}({self.id}, version={self.version})"


Event = Root.Event | Opening
"""Any domain event: frozen, with ``originator_id``, ``originator_version``, ``timestamp`` and its own fields."""


@dataclass(frozen=True)
class Unknown(Root.Event):
    """An event a newer program stored: verified, kept whole, counted, shown as newer than this node; never guessed.

    Its ``timestamp`` is the epoch: the real one cannot be read. Who must not skip a line (the courier) stops at it.
    """

    position: int
    topic: str
    state: bytes = field(repr=False)

    def apply(self, aggregate: Root) -> None:
        """Nothing is decided on a stream that is only half understood: it may have been withdrawn since."""
        raise UnavailableError(
            "log.newer-than-this-node",
            f"{aggregate!r} was changed by a newer version of RILON.",
            fix="Update this node; nothing is lost until then.",
        )


def lines_of(event: object) -> dict[str, Any]:
    """The lines an event addresses to peers, ``{member: line}``; empty for most events (protocol.md, Links)."""
    to: dict[str, Any] | None = getattr(event, "to", None)
    return to or {}
