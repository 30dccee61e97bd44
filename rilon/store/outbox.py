"""Notices on their way out, in Postgres: no address and no content, only whom, where in the log and by which way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from rilon.app.outbox import Queued
from rilon.domain.reach import Way
from rilon.domain.values import Urgency
from rilon.errors import ConflictError
from rilon.store.database import Pool, reaching

AT_ONCE: Final = 500

POSITION: Final[LiteralString] = "SELECT position FROM rilon.positions WHERE name = $1"
FIRST: Final[LiteralString] = """
INSERT INTO rilon.positions (name, position) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true
"""
ADD: Final[LiteralString] = """
WITH moved AS (
  UPDATE rilon.positions SET position = $3 WHERE name = $1 AND position = $2 RETURNING 1
), queued AS (
  INSERT INTO rilon.outbox (officer, position, way, about, urgency, due)
  SELECT new.* FROM moved, unnest(
    $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::timestamptz[]) AS new
  ON CONFLICT DO NOTHING
)
SELECT true FROM moved
"""
DUE: Final[LiteralString] = """
WITH due AS (SELECT * FROM rilon.outbox WHERE way = $1 AND due <= $2 ORDER BY due, position LIMIT $3)
SELECT * FROM due WHERE message IS NULL
UNION SELECT o.* FROM rilon.outbox o JOIN due ON o.message = due.message
ORDER BY due, position
"""
BIND: Final[LiteralString] = """
UPDATE rilon.outbox o SET message = $1 FROM unnest($2::uuid[], $3::text[], $4::bigint[]) AS of (officer, way, position)
WHERE (o.officer, o.way, o.position) = (of.officer, of.way, of.position)
"""
POSTPONE: Final[LiteralString] = "UPDATE rilon.outbox SET due = $2, tries = tries + 1 WHERE message = $1"
SETTLE: Final[LiteralString] = "DELETE FROM rilon.outbox WHERE message = $1"
DROP: Final[LiteralString] = "DELETE FROM rilon.outbox WHERE officer = $1"
WAITING: Final[LiteralString] = "SELECT count(*) FROM rilon.outbox WHERE due < $1 OR tries > 0"


class PostgresOutbox:
    """The port ``Outbox``.

    Args:
        pool: connections as the app role.
        log: id of our log: a restored one is read anew, from where it is.
    """

    def __init__(self, pool: Pool, log: bytes) -> None:
        self._pool, self._name = pool, f"paging {log.hex()}"

    async def load(self) -> int | None:
        """See ``Outbox.load``."""
        with reaching("outbox"):
            found: int | None = await self._pool.fetchval(POSITION, self._name)
        return found

    async def add(self, after: int | None, upto: int, queued: Sequence[Queued]) -> None:
        """See ``Outbox.add``."""
        rows = [(q.officer, q.position, str(q.way), q.about, q.urgency and str(q.urgency), q.due) for q in queued]
        columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 6
        with reaching("outbox"):
            if after is None:
                moved = await self._pool.fetchval(FIRST, self._name, upto)
            else:
                moved = await self._pool.fetchval(ADD, self._name, after, upto, *columns)
        if not moved:
            raise ConflictError("outbox.moved", "Another process sends this node's notices.")

    async def due(self, way: Way, now: datetime) -> list[Queued]:
        """See ``Outbox.due``."""
        with reaching("outbox"):
            rows = await self._pool.fetch(DUE, str(way), now, AT_ONCE)
        return [
            Queued(
                **dict(row) | {"way": Way(row["way"]), "urgency": Urgency(row["urgency"]) if row["urgency"] else None}
            )
            for row in rows
        ]

    async def bind(self, queued: Sequence[Queued], message: UUID) -> None:
        """See ``Outbox.bind``."""
        officers, ways = [q.officer for q in queued], [str(q.way) for q in queued]
        with reaching("outbox"):
            await self._pool.execute(BIND, message, officers, ways, [q.position for q in queued])

    async def postpone(self, message: UUID, until: datetime) -> None:
        """See ``Outbox.postpone``."""
        with reaching("outbox"):
            await self._pool.execute(POSTPONE, message, until)

    async def settle(self, message: UUID) -> None:
        """See ``Outbox.settle``."""
        with reaching("outbox"):
            await self._pool.execute(SETTLE, message)

    async def drop(self, officer: UUID) -> None:
        """See ``Outbox.drop``."""
        with reaching("outbox"):
            await self._pool.execute(DROP, officer)

    async def waiting(self, since: datetime) -> int:
        """See ``Outbox.waiting``."""
        with reaching("outbox"):
            found: int = await self._pool.fetchval(WAITING, since)
        return found
