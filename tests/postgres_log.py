"""A real log for tests, acting as the role that a node's process has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from rilon.app.failpoints import Hook, passing
from rilon.crypto.merkle import event_leaf
from rilon.store.codec import Codec
from rilon.store.database import Pool, open_pool
from rilon.store.log import PostgresEventLog
from rilon.store.migrate import migrate
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import CATALOGUE


@dataclass
class PostgresWorld:
    log: PostgresEventLog
    pool: Pool
    dsn: str

    async def add_kek(self, kek: bytes) -> None:
        await self.pool.execute("INSERT INTO rilon.keks (kek, bucket) VALUES ($1, 0)", kek)

    async def slots(self) -> set[bytes]:
        return {row["slot"] for row in await self.pool.fetch("SELECT slot FROM rilon.keywraps")}

    async def leaves(self) -> list[bytes]:
        return [event_leaf(r.stream, r.version, r.topic, r.state) async for r in self.log.raw()]


async def prepare(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    try:
        await migrate(owner, SeededEntropy())
    finally:
        await owner.close()


@asynccontextmanager
async def real_log(
    dsn: str, catalogue: dict[str, type[Any]] = CATALOGUE, *, failpoint: Hook = passing, seed: int = 0
) -> AsyncIterator[PostgresWorld]:
    """A process's log on a prepared database."""
    async with (
        open_pool(dsn, role="rilon_app", size=4) as pool,
        PostgresEventLog(pool, Codec(catalogue, SeededEntropy(seed)), failpoint=failpoint) as log,
    ):
        yield PostgresWorld(log, pool, dsn)


@asynccontextmanager
async def postgres_world(dsn: str) -> AsyncIterator[PostgresWorld]:
    """A log on a new database."""
    await prepare(dsn)
    async with real_log(dsn) as world:
        yield world
