"""The courier's notes in Postgres: which line is which entry, and how every link stands. Made from the log alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, LiteralString

import msgspec

from rilon.app.link_facts import Facts, Selected
from rilon.errors import ConflictError
from rilon.store.database import Pool, reaching

FORMAT: Final = 2
"""Of ``Facts`` as they are kept. A program with another number reads the log again."""

POSITION: Final[LiteralString] = "SELECT position FROM rilon.positions WHERE name = $1"

BEGIN: Final[LiteralString] = """
WITH out AS (DELETE FROM rilon.link_out), links AS (DELETE FROM rilon.links),
  others AS (UPDATE rilon.positions SET position = 0 WHERE starts_with(name, 'courier '))
INSERT INTO rilon.positions (name, position) VALUES ($1, 0) ON CONFLICT DO NOTHING
"""
"""Whoever made notes on another log, or in another format, begins anew too, should it come back."""

LINKS: Final[LiteralString] = "SELECT peer, facts FROM rilon.links"

SAVE: Final[LiteralString] = """
WITH moved AS (
  UPDATE rilon.positions SET position = $3
  WHERE name = $1 AND position = $2 AND set_config('synchronous_commit', 'off', true) IS NOT NULL RETURNING 1
), entries AS (
  INSERT INTO rilon.link_out (peer, n, position, head)
  SELECT new.* FROM moved, unnest($4::text[], $5::bigint[], $6::bigint[], $7::bytea[]) AS new
), links AS (
  INSERT INTO rilon.links (peer, facts) SELECT new.* FROM moved, unnest($8::text[], $9::bytea[]) AS new
  ON CONFLICT (peer) DO UPDATE SET facts = excluded.facts
)
SELECT true FROM moved
"""
"""Not waited for on disk: what a crash loses of it is read out of the log again, and never more than the log lost."""

SELECTED: Final[LiteralString] = """
SELECT peer, n, position, head FROM rilon.link_out WHERE peer = $1 AND n BETWEEN $2 AND $3 ORDER BY n
"""


KEPT: Final = 128
"""How many of a peer's newest entries stay in memory: those being sent and receipted, unless the peer is away."""


class PostgresLinks:
    """The port ``LinkStore``.

    Args:
        pool: connections as the app role.
        log: id of our log. Notes made for another one are dropped: its chains are not continued.
    """

    def __init__(self, pool: Pool, log: bytes) -> None:
        self._pool, self._name = pool, f"courier {FORMAT} {log.hex()}"
        self._newest: dict[str, deque[Selected]] = {}

    async def load(self) -> tuple[int, dict[str, Facts]]:
        """See ``LinkStore.load``."""
        self._newest.clear()  # another courier may have stored since
        with reaching("links"):
            async with self._pool.acquire() as connection, connection.transaction():
                position = await connection.fetchval(POSITION, self._name)
                if not position:
                    await connection.execute(BEGIN, self._name)
                    return 0, {}
                rows = await connection.fetch(LINKS)
        return position, {row["peer"]: msgspec.msgpack.decode(row["facts"], type=Facts) for row in rows}

    async def save(self, after: int, upto: int, selected: Sequence[Selected], links: Mapping[str, Facts]) -> None:
        """See ``LinkStore.save``."""
        entries = [list(column) for column in zip(*((s.peer, s.n, s.position, s.head) for s in selected), strict=True)]
        facts = [msgspec.msgpack.encode(each) for each in links.values()]
        with reaching("links"):
            moved = await self._pool.fetchval(SAVE, self._name, after, upto, *(entries or [[]] * 4), list(links), facts)
        if not moved:
            raise ConflictError("links.moved", "Another process is this node's courier.")
        for entry in selected:
            self._newest.setdefault(entry.peer, deque(maxlen=KEPT)).append(entry)

    async def selected(self, peer: str, first: int, last: int) -> list[Selected]:
        """See ``LinkStore.selected``."""
        newest = self._newest.get(peer, ())
        if newest and newest[0].n <= first:
            return [entry for entry in newest if first <= entry.n <= last]
        with reaching("links"):
            return [Selected(**row) for row in await self._pool.fetch(SELECTED, peer, first, last)]
