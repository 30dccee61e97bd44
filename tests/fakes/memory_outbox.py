"""Notices on their way out, in memory; and a way out that only remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from rilon.app.outbox import Message, Queued
from rilon.domain.reach import Way
from rilon.errors import ConflictError, RefusedError, RilonError

Key = tuple[UUID, Way, int]


class MemoryOutbox:
    """Implements ``Outbox``."""

    def __init__(self) -> None:
        self.position: int | None = None
        self.rows: dict[Key, Queued] = {}

    async def load(self) -> int | None:
        return self.position

    async def add(self, after: int | None, upto: int, queued: Sequence[Queued]) -> None:
        if after != self.position:
            raise ConflictError("outbox.moved", "Another process sends this node's notices.")
        self.position = upto
        self.rows |= {(q.officer, q.way, q.position): q for q in queued}

    async def due(self, way: Way, now: datetime) -> list[Queued]:
        found = [q for q in self.rows.values() if q.way is way and q.due <= now]
        return sorted(found, key=lambda q: (q.due, q.position))

    async def bind(self, queued: Sequence[Queued], message: UUID) -> None:
        for q in queued:
            key = q.officer, q.way, q.position
            self.rows[key] = replace(self.rows[key], message=message)

    async def postpone(self, message: UUID, until: datetime) -> None:
        self.rows = {
            key: replace(q, due=until, tries=q.tries + 1) if q.message == message else q for key, q in self.rows.items()
        }

    async def settle(self, message: UUID) -> None:
        self.rows = {key: q for key, q in self.rows.items() if q.message != message}

    async def drop(self, officer: UUID) -> None:
        self.rows = {key: q for key, q in self.rows.items() if q.officer != officer}

    async def waiting(self, since: datetime) -> int:
        return sum(q.due < since or q.tries > 0 for q in self.rows.values())


class MemoryPager:
    """Implements ``Pager``. ``broken`` is what it raises; addresses that begin with ``nobody`` are refused."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.broken: RilonError | None = None

    async def send(self, message: Message) -> None:
        if self.broken:
            raise self.broken
        if message.to.startswith("nobody"):
            raise RefusedError("pager.refused", "Nobody is there.")
        self.sent.append(message)
