"""The log and what lies beside it as they are at one instant, read only: for those who check it while the node runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from eventsourcing.persistence import StoredEvent

from rilon.app.link_facts import Facts, Selected
from rilon.crypto import merkle
from rilon.errors import FatalError
from rilon.store import queries
from rilon.store.batch import MAX_VERSION
from rilon.store.database import Connection, connect, reaching
from rilon.store.links import FORMAT, LINKS
from rilon.store.migrate import check
from rilon.store.recorder import RawEvent

PAGE: Final = 2_000

TIP: Final[LiteralString] = "SELECT size, root, peaks, log_id FROM rilon.log_head"

SELECTED: Final[LiteralString] = """
SELECT peer, n, position, head FROM rilon.link_out
WHERE EXISTS (SELECT FROM rilon.positions WHERE name = $1) ORDER BY peer, n
"""
"""What the courier has noted of this log; notes made for another one are void."""

TEXTS: Final[LiteralString] = """
SELECT slot, sha256(ciphertext) AS digest FROM rilon.blobs
UNION ALL SELECT slot, NULL FROM rilon.keywraps w WHERE NOT EXISTS (SELECT FROM rilon.blobs b WHERE b.slot = w.slot)
  AND NOT EXISTS (SELECT FROM rilon.awaited a WHERE a.slot = w.slot)
"""
"""The SHA-256 of every ciphertext; null where there is a key and nothing it opens, and nothing on its way."""


ENTRY: Final[LiteralString] = """
SELECT e.position, originator_id, originator_version, topic, leaf, state
FROM rilon.link_out JOIN rilon.event e USING (position) WHERE peer = $1 AND n = $2
"""


@dataclass(frozen=True, slots=True)
class Tip:
    """The head as stored: size, RFC 9162 root, peaks; and the log's id."""

    size: int
    root: bytes
    peaks: merkle.Peaks
    log_id: bytes


class Snapshot:
    """One instant of a database. Made by ``snapshot``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tip(self) -> Tip:
        """The head. Raises FatalError ``log.no-head``."""
        row = await self._connection.fetchrow(TIP)
        if row is None:
            raise FatalError("log.no-head", "The log has lost its head.")
        size, root, peaks, log_id = row
        hashes = tuple(peaks[at : at + merkle.HASH_BYTES] for at in range(0, len(peaks), merkle.HASH_BYTES))
        return Tip(size, root, hashes, log_id)

    async def rows(self) -> AsyncIterator[RawEvent]:
        """Every row of the log, those beyond the head included."""
        after = 0
        while page := await self._connection.fetch(queries.RAW, after, PAGE):
            for row in page:
                yield RawEvent(*row)
            after = page[-1]["position"]

    async def selected(self, log_id: bytes) -> AsyncIterator[Selected]:
        """Every entry that the courier has noted to send."""
        async for row in self._cursor(SELECTED, f"courier {FORMAT} {log_id.hex()}"):
            yield Selected(**row)

    async def texts(self) -> AsyncIterator[tuple[bytes, bytes | None]]:
        """Slot and SHA-256 of every ciphertext; None where a live key has none."""
        async for row in self._cursor(TEXTS):
            yield row["slot"], row["digest"]

    async def links(self) -> dict[str, Facts]:
        """How each link stood when the courier last noted it, by peer."""
        rows = await self._connection.fetch(LINKS)
        return {row["peer"]: msgspec.msgpack.decode(row["facts"], type=Facts) for row in rows}

    async def entry(self, peer: str, n: int) -> RawEvent | None:
        """The event whose line is entry ``n`` for a peer."""
        row = await self._connection.fetchrow(ENTRY, peer, n)
        return RawEvent(*row) if row else None

    async def row(self, position: int) -> RawEvent | None:
        """The event at a position."""
        row = await self._connection.fetchrow(queries.RAW, position - 1, 1)
        return RawEvent(*row) if row else None

    async def stream(self, stream: UUID) -> list[StoredEvent]:
        """All of one stream."""
        rows = await self._connection.fetch(queries.STREAM, stream, 0, MAX_VERSION, None)
        return [StoredEvent(*row[:4]) for row in map(tuple, rows)]

    def _cursor(self, query: LiteralString, *args: Any) -> Any:
        return self._connection.cursor(query, *args, prefetch=PAGE)


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[Snapshot]:
    """Look at a node's database as it is now; nothing is changed, and the node may go on.

    Raises:
        MalformedError, RefusedError, UnavailableError: as for ``connect``.
        FatalError: ``migration.*``: not this program's schema.
    """
    with reaching("database"):
        connection = await connect(dsn)
        try:
            await check(connection)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield Snapshot(connection)
        finally:
            await connection.close()
