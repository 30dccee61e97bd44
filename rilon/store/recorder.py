"""The log's rows: group append on a compare-and-swapped head, and reading. Knows bytes, not events.

Commands that arrive while a commit is in flight share the next one, so the price of a commit (a round trip and an
fsync) is paid once for all of them. One statement swaps the head if size *and* root are still those this process built
on, judges the guards and inserts events and keys; several processes may write. ADR: architecture.md, decision 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

import asyncpg
from eventsourcing.persistence import StoredEvent

from rilon.app.failpoints import Failpoint, Hook, passing
from rilon.app.ports import Head, Wrap
from rilon.crypto import merkle
from rilon.errors import FatalError, RilonError, UnavailableError
from rilon.store import queries
from rilon.store.batch import MAX_VERSION, Command, Queue, columns, conflict, suspects
from rilon.store.database import DOWN, Connection, Pool, away, reaching

ACQUIRE_TIMEOUT_S: Final = 10.0
PUZZLES: Final = 3
"""Refusals in a row that nothing explains. One can be a race with an erasure; more mean that head and rows disagree."""

_NO_GUARDS: Final[Mapping[UUID, int]] = {}


def _nobody(_size: int) -> None:
    """Nobody follows this log."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A row of the log as it is stored, for those who check it."""

    position: int
    stream: UUID
    version: int
    topic: str
    leaf: bytes
    state: bytes


@dataclass(frozen=True, slots=True)
class _Tip:
    """The head as this process last knew it."""

    size: int
    root: bytes
    peaks: merkle.Peaks

    def grown(self, leaves: Sequence[bytes]) -> _Tip:
        size, peaks = merkle.grow(self.size, self.peaks, leaves)
        return _Tip(size, merkle.root(peaks), peaks)


class Recorder:
    """Rows of one log. Speaks the eventsourcing library's ``StoredEvent``; what it reads has ``Notification``'s fields.

    Args:
        pool: of a role that may append; writing takes one connection at a time.
        failpoint: for chaos tests.
        grown: told the log's size after every batch, before those who wait for it.
    """

    def __init__(self, pool: Pool, failpoint: Hook = passing, grown: Callable[[int], None] = _nobody) -> None:
        self._pool, self._failpoint, self._grown = pool, failpoint, grown
        self._queue = Queue()
        self._batch: list[Command] = []  # in flight
        self._held: list[Command] = []  # to be judged when it has landed
        self._sent = False  # whether the batch may have been stored without our knowing
        self._writer: asyncio.Task[None] | None = None  # kept: the loop holds tasks only weakly
        self._tip: _Tip | None = None

    async def insert(
        self,
        rows: Sequence[StoredEvent],
        wraps: Sequence[Wrap] = (),
        unchanged: Mapping[UUID, int] = _NO_GUARDS,
    ) -> range:
        """Store rows and wraps, all or none, in the next batch.

        The caller may stop waiting; that does not stop the commit.

        Returns:
            The positions of the rows.

        Raises:
            RilonError: as ``EventLog.append``.
        """
        command = Command(rows, wraps, unchanged, asyncio.get_running_loop().create_future())
        self._queue.put(command)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await command.answer

    async def aclose(self) -> None:
        """Let what was begun come to its end."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def select(
        self,
        stream: UUID,
        *,
        after: int = -1,
        upto: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> list[queries.Row]:
        """Rows of one stream with ``after < version <= upto``, by version."""
        query = queries.STREAM_BACKWARDS if backwards else queries.STREAM
        with reaching("log"):
            upto = MAX_VERSION if upto is None else upto
            return await self._pool.fetch(query, stream, after, upto, limit, record_class=queries.Row)

    async def page(
        self, after: int, limit: int, *, upto: int | None = None, topics: Sequence[str] = ()
    ) -> list[queries.Row]:
        """At most ``limit`` rows with ``after < position <= upto``, of some topics or all, by position."""
        query, some = (queries.PAGE_OF_TOPICS, [list(topics)]) if topics else (queries.PAGE, [])
        with reaching("log"):
            upto = MAX_VERSION if upto is None else upto
            return await self._pool.fetch(query, after, upto, limit, *some, record_class=queries.Row)

    async def raw(self, after: int, limit: int) -> list[RawEvent]:
        """At most ``limit`` rows with ``after < position``, with their leaves as stored."""
        with reaching("log"):
            return [RawEvent(*row) for row in await self._pool.fetch(queries.RAW, after, limit)]

    async def head(self) -> Head:
        """The head as stored."""
        with reaching("log"):
            tip = await _read_tip(self._pool)
        return Head(tip.size, tip.root)

    async def log_id(self) -> bytes:
        """The log's random id, 16 bytes; a restored log gets another."""
        with reaching("log"):
            return cast("bytes", await self._pool.fetchval(queries.LOG_ID))

    async def _write(self) -> None:
        """Store batch after batch until nobody waits, on a new connection when one was lost."""
        try:
            while self._queue:
                try:
                    async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                        await self._serve(connection)
                except (*DOWN, asyncpg.PostgresError, FatalError) as error:
                    self._fail(error)
        finally:  # nobody waits for ever, not even when this task is cancelled or wrong
            for command in [*self._batch, *self._held, *self._queue.drain()]:
                command.fail(_unknown())

    async def _serve(self, connection: Connection) -> None:
        while self._queue:
            self._batch, self._held = self._queue.take()
            # Everybody is told in here: an error while the connection is given back must not unsay a commit.
            stored = await self._store(connection)
            self._queue.put_back(self._held, stored)
            self._batch, self._held = [], []

    def _fail(self, error: Exception) -> None:
        """Tell those in flight; without a connection everybody. Who was held is tried again."""
        failed = self._batch or self._queue.drain()
        for command in failed:
            command.fail(_judge(error, sent=self._sent))
        self._queue.put_back(self._held, ())
        self._batch, self._held, self._tip, self._sent = [], [], None, False

    async def _store(self, connection: Connection) -> Sequence[Command]:
        """Store what can be stored, refuse the rest, tell everybody; what was stored."""
        batch, puzzles = self._batch, 0
        while batch:
            tip = self._tip = self._tip or await _read_tip(connection)
            try:
                if await self._insert(connection, batch, tip):
                    return batch
                self._tip = await _read_tip(connection)
                if self._tip != tip:
                    continue  # another process was faster: build on its head
            except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError):
                self._sent = False
            left = await _refuse(connection, batch, self._held)
            puzzles = puzzles + 1 if len(left) == len(batch) else 0
            if puzzles == PUZZLES:
                raise FatalError("log.contradiction", "The log's head and its rows contradict each other.")
            batch = left
        return ()

    async def _insert(self, connection: Connection, batch: Sequence[Command], tip: _Tip) -> bool:
        """Run the statement and tell the positions; False when head or guards have moved."""
        new = tip.grown([leaf for command in batch for leaf in command.leaves])
        await self._failpoint(Failpoint.LOG_BEFORE_INSERT)
        self._sent = True
        done = await connection.fetch(
            queries.APPEND, tip.size, tip.root, new.root, b"".join(new.peaks), *columns(batch)
        )
        await self._failpoint(Failpoint.LOG_AFTER_INSERT)
        self._sent = False
        if done:
            self._tip, first = new, tip.size + 1
            self._grown(new.size)
            for command in batch:
                command.succeed(range(first, first + len(command.rows)))
                first += len(command.rows)
        return bool(done)


async def _refuse(connection: Connection, batch: Sequence[Command], held: Sequence[Command]) -> list[Command]:
    """Tell those that cannot be stored, all found with one query; what is left of the batch."""
    found = {row["n"]: row["code"] for row in await connection.fetch(queries.REFUSED, *suspects(batch, held))}
    for n, command in enumerate([*batch, *held]):
        if n in found:
            command.fail(conflict(found[n]))
    return [command for n, command in enumerate(batch) if n not in found]


async def _read_tip(connection: Connection | Pool) -> _Tip:
    row = await connection.fetchrow(queries.HEAD)
    if row is None:
        raise FatalError("log.no-head", "The log has lost its head.")
    size, root, peaks = row
    return _Tip(size, root, tuple(peaks[at : at + merkle.HASH_BYTES] for at in range(0, len(peaks), merkle.HASH_BYTES)))


def _judge(error: BaseException, *, sent: bool) -> RilonError:
    """What to tell the callers of a batch that failed as a whole."""
    if isinstance(error, FatalError):
        return error
    if not isinstance(error, DOWN):
        return FatalError("log.database-refuses", f"The database refuses to store ({type(error).__name__}).")
    # An ERROR of the server rolls back. After FATAL or PANIC, as after silence, the commit may stand.
    rolled_back = isinstance(error, asyncpg.PostgresError) and error.severity_en == "ERROR"
    return _unknown() if sent and not rolled_back else away("log")


def _unknown() -> UnavailableError:
    return UnavailableError(
        "log.outcome-unknown",
        "The connection was lost while storing: it may or may not have been stored.",
        fix="Send it again with the same idempotency key.",
    )
