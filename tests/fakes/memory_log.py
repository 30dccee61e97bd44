"""The log in memory: the port's whole behaviour, real bytes and real root included, without a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from uuid import UUID

from eventsourcing.persistence import Notification

from rilon.app.ports import Head, Recorded, Wrap
from rilon.crypto import merkle
from rilon.domain.base import Event
from rilon.store.batch import Command, conflict
from rilon.store.codec import Codec
from rilon.store.reading import PAGE
from rilon.store.recorder import RawEvent


class MemoryEventLog:
    """Implements ``EventLog``.

    Args:
        codec: events are kept as stored bytes, so that a fake log refuses what the real one refuses.
        wraps: where keys go; share the dict with a ``MemoryBlobs``.
        keks: the key-encryption keys that exist; None: all.
    """

    def __init__(self, codec: Codec, wraps: dict[bytes, Wrap] | None = None, keks: set[bytes] | None = None) -> None:
        self._codec, self._keks = codec, keks
        self.wraps: dict[bytes, Wrap] = {} if wraps is None else wraps
        self._rows: list[Notification] = []
        self._streams: dict[UUID, dict[int, Notification]] = {}
        self._peaks: merkle.Peaks = ()
        self._grown = asyncio.Condition()

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        rows = [self._codec.encode(event) for event in events]
        keys = [(event.originator_id, event.originator_version) for event in events]
        command = Command(rows, wraps, unchanged or {}, asyncio.get_running_loop().create_future())
        await asyncio.sleep(0)  # as the real one, so that a race in a caller shows
        self._check(keys, wraps, command.unchanged)
        for row, (stream, version) in zip(rows, keys, strict=True):
            stored = Notification(stream, version, row.topic, row.state, len(self._rows) + 1)
            self._rows.append(stored)
            self._streams.setdefault(stream, {})[version] = stored
        _, self._peaks = merkle.grow(len(self._rows) - len(rows), self._peaks, command.leaves)
        self.wraps |= {wrap.slot: wrap for wrap in wraps}
        async with self._grown:
            self._grown.notify_all()
        return len(self._rows)

    def _check(self, keys: Sequence[tuple[UUID, int]], wraps: Sequence[Wrap], unchanged: Mapping[UUID, int]) -> None:
        if any(version in self._streams.get(stream, ()) for stream, version in keys):
            raise conflict("log.version-taken")
        if any(max(self._streams.get(stream, [0])) != version for stream, version in unchanged.items()):
            raise conflict("log.guard-moved")
        if any(w.slot in self.wraps for w in wraps):
            raise conflict("log.slot-taken")
        if self._keks is not None and any(w.kek not in self._keks for w in wraps):
            raise conflict("log.key-turned")

    async def stream(self, stream: UUID, *, after: int = 0, upto: int | None = None) -> list[Event]:
        found = sorted(self._streams.get(stream, {}).items())
        return [self._codec.decode(r, r.id) for v, r in found if after < v and (upto is None or v <= upto)]

    async def recorded(self, stream: UUID) -> list[Recorded]:
        found = sorted(self._streams.get(stream, {}).items())
        return [Recorded(r.id, self._codec.decode(r, r.id)) for _, r in found]

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        return [Recorded(r.id, self._codec.decode(r, r.id)) for r in self._rows[after:upto][:limit]]

    async def pages(self, after: int = 0, *, upto: int | None = None) -> AsyncGenerator[Sequence[Recorded]]:
        while page := await self.page(after, PAGE, upto=upto):
            yield page
            after = page[-1].position

    async def raw(self, after: int = 0) -> AsyncIterator[RawEvent]:
        for r in self._rows[after:]:
            stream = UUID(str(r.originator_id))
            leaf = merkle.event_leaf(stream, r.originator_version, r.topic, r.state)
            yield RawEvent(r.id, stream, r.originator_version, r.topic, leaf, r.state)

    async def head(self) -> Head:
        return Head(len(self._rows), merkle.root(self._peaks))

    async def wait(self, after: int, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s), self._grown:
                await self._grown.wait_for(lambda: len(self._rows) > after)
        except TimeoutError:
            return False
        return True
