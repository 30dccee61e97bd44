"""The port ``EventLog`` on Postgres: the codec over the recorder, and a wake-up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Self
from uuid import UUID

from rilon.app.failpoints import Hook, passing
from rilon.app.ports import Head, Recorded, Wrap
from rilon.domain.base import Event
from rilon.errors import FatalError, MalformedError
from rilon.store.codec import Codec
from rilon.store.database import Pool
from rilon.store.queries import Row
from rilon.store.reading import PAGE, ahead
from rilon.store.recorder import RawEvent, Recorder
from rilon.store.wakeup import Wakeup

RAW_PAGE = 5_000


class PostgresEventLog:
    """The node's log. Leave it (``async with``) before its pool: it holds a connection to listen on.

    Args:
        pool: of a role that may append (``open_pool``).
        codec: what the stored bytes mean.
        failpoint: for chaos tests.
    """

    def __init__(self, pool: Pool, codec: Codec, *, failpoint: Hook = passing) -> None:
        self._codec, self._wakeup = codec, Wakeup(pool)
        self.recorder = Recorder(pool, failpoint, self._wakeup.grown)
        self._asked: dict[tuple[int, int, int], asyncio.Task[list[Recorded]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self._wakeup.aclose()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        await self.recorder.aclose()

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        """See ``EventLog``."""
        rows = [self._codec.encode(event) for event in events]
        return (await self.recorder.insert(rows, wraps, unchanged or {}))[-1]

    async def stream(self, stream: UUID, *, after: int = 0, upto: int | None = None) -> list[Event]:
        """See ``EventLog``."""
        return [self._read(row) for row in await self.recorder.select(stream, after=after, upto=upto)]

    async def recorded(self, stream: UUID) -> list[Recorded]:
        """See ``EventLog``."""
        return [Recorded(row.id, self._read(row)) for row in await self.recorder.select(stream)]

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        """See ``EventLog``. The followers of one process wake together and ask the same: they are read to once."""
        if upto is not None:
            return await self._page(after, limit, upto)
        key = after, limit, self._wakeup.size  # by the size: nobody joins a reading from before their own append
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._page(after, limit, None))
            self._asked[key].add_done_callback(lambda _: self._asked.pop(key))
        return await asyncio.shield(self._asked[key])

    async def _page(self, after: int, limit: int, upto: int | None) -> list[Recorded]:
        return [Recorded(row.id, self._read(row)) for row in await self.recorder.page(after, limit, upto=upto)]

    async def pages(self, after: int = 0, *, upto: int | None = None) -> AsyncGenerator[Sequence[Recorded]]:
        """See ``EventLog``."""
        async with aclosing(ahead(lambda at: self.recorder.page(at, PAGE, upto=upto), after)) as found:
            async for rows in found:
                yield [Recorded(row.id, self._read(row)) for row in rows]

    async def head(self) -> Head:
        """See ``EventLog``."""
        return await self.recorder.head()

    async def log_id(self) -> bytes:
        """The log's random id, 16 bytes."""
        return await self.recorder.log_id()

    async def wait(self, after: int, timeout_s: float) -> bool:
        """See ``EventLog``."""
        return await self._wakeup.wait(after, timeout_s)

    async def raw(self, after: int = 0) -> AsyncIterator[RawEvent]:
        """Every row after a position as it is stored, read in pages; for those who check the log."""
        while rows := await self.recorder.raw(after, RAW_PAGE):
            for row in rows:
                yield row
            after = rows[-1].position

    def _read(self, row: Row) -> Event:
        try:
            return self._codec.decode(row, row.id)
        except MalformedError as error:
            raise FatalError("log.unreadable", f"Event {row.id} of the log is not what was stored.") from error
