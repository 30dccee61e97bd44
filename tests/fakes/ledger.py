"""A small aggregate with every type of field an event may have, for tests that need events of no meaning."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rilon.domain.base import Event, Opening, Root
from rilon.domain.values import Code, Digest, Line, MemberId, Sealed, Urgency

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SEALED = Sealed(slot=b"s" * 32, digest=b"d" * 32, commitment=b"c" * 32)


class Ledger(Root):
    TOPIC = "rilon.ledger"

    class Opened(Opening):
        TOPIC = "rilon.ledger.opened.1"
        urgency: Urgency
        owner: UUID
        sealed: Sealed

    class Noted(Root.Event):
        TOPIC = "rilon.ledger.noted.1"
        amount: int
        final: bool
        code: Code
        digests: tuple[Digest, ...]
        due: datetime | None
        to: dict[MemberId, Line]

        def apply(self, aggregate: Ledger) -> None:
            aggregate.amounts.append(self.amount)

    def __init__(self, urgency: Urgency, owner: UUID, sealed: Sealed) -> None:
        self.urgency, self.owner, self.sealed = urgency, owner, sealed
        self.amounts: list[int] = []


CATALOGUE: dict[str, type[Any]] = {cls.TOPIC: cls for cls in (Ledger.Opened, Ledger.Noted)}


def opened(stream: UUID, version: int = 1, **changes: Any) -> Ledger.Opened:
    facts: dict[str, Any] = {
        "urgency": Urgency.HIGH,
        "owner": UUID(int=5),
        "sealed": SEALED,
        "timestamp": START,
    } | changes
    return Ledger.Opened(originator_id=stream, originator_version=version, originator_topic=Ledger.TOPIC, **facts)


def noted(stream: UUID, version: int = 2, amount: int = 1, **changes: Any) -> Ledger.Noted:
    line = Line(kind="status", digests=(b"e" * 32,))
    facts: dict[str, Any] = {
        "amount": amount,
        "final": False,
        "code": "a.b",
        "digests": (b"f" * 32,),
        "to": {"th": line, "id": line},
    }
    facts |= {"due": START + timedelta(days=1), "timestamp": START} | changes
    return Ledger.Noted(originator_id=stream, originator_version=version, **facts)


def amounts(events: Iterable[Event]) -> list[int]:
    return [event.amount for event in events if isinstance(event, Ledger.Noted)]
