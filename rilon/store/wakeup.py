"""How long the log is, known at most a second late: a notification wakes, a poll regardless makes up for a lost one."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

from rilon.store import queries
from rilon.store.database import DOWN, Connection, Pool

POLL_S: Final = 1.0
OURS: Final = 64
"""Of how many appends of this process the announcements may still be on their way, and are not news."""


class Wakeup:
    """Watches the log's size on one connection of its own, from the first time that somebody waits.

    Attributes:
        size: as far as this process knows it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.size = 0
        self._ours: deque[str] = deque(maxlen=OURS)
        self._changed = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the log is longer than ``after``; False when the time ran out."""
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.size <= after:
                    await self._changed.wait()
        return self.size > after

    def grown(self, size: int) -> None:
        """The log has at least this size now: whoever appends says so, and this process need not ask for it."""
        self._ours.append(str(size))
        if size > self.size:
            self._tell(size)

    async def aclose(self) -> None:
        """Stop watching and give the connection back."""
        while self._watcher is not None and not self._watcher.done():
            self._watcher.cancel()  # again: a cancellation that meets a lost connection comes out as the loss
            await asyncio.wait([self._watcher], timeout=POLL_S)
        self._watcher = None

    async def _watch(self) -> None:
        while True:
            with suppress(*DOWN):
                async with self._pool.acquire() as connection:
                    await self._follow(connection)
            await asyncio.sleep(POLL_S)  # the database is away

    async def _follow(self, connection: Connection) -> None:
        rung = asyncio.Event()

        def ring(_: object, __: int, ___: str, size: object) -> None:
            if size not in {*self._ours, str(self.size)}:  # else we know; whoever lies about it has rung for nothing
                rung.set()

        try:
            await connection.add_listener(queries.CHANNEL, ring)
            while True:
                rung.clear()  # before reading, so that nothing announced after the reading is slept through
                known, size = self.size, await connection.fetchval(queries.SIZE)
                if known == self.size:  # else an append of ours was faster, and this reading is from before it
                    self._tell(size)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await rung.wait()
        finally:
            connection.terminate()  # never back among the others: it listens, or it is broken

    def _tell(self, size: int) -> None:
        if size != self.size:
            self.size = size
            self._changed.set()
            self._changed = asyncio.Event()
