"""Both link stores keep the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from rilon.app.ports import LinkStore
from rilon.store.database import open_pool
from rilon.store.links import PostgresLinks
from rilon.store.migrate import migrate
from tests.contract.links import FACTS, LinkStoreContract, entries
from tests.fakes.entropy import SeededEntropy
from tests.fakes.memory_links import MemoryLinks

LOG = b"L" * 16


class TestMemoryLinks(LinkStoreContract):
    @pytest.fixture
    async def store(self) -> LinkStore:
        return MemoryLinks()


@pytest.mark.real
class TestPostgresLinks(LinkStoreContract):
    @pytest.fixture
    async def dsn(self, database: str) -> str:
        connection = await asyncpg.connect(database)
        await migrate(connection, SeededEntropy())
        await connection.close()
        return database

    @pytest.fixture
    async def store(self, dsn: str) -> AsyncIterator[LinkStore]:
        async with open_pool(dsn, role="rilon_app", size=2) as pool:
            yield PostgresLinks(pool, LOG)

    async def test_notes_on_another_log_are_dropped(self, dsn: str) -> None:
        async with open_pool(dsn, role="rilon_app", size=2) as pool:
            old, new = PostgresLinks(pool, b"O" * 16), PostgresLinks(pool, LOG)
            await old.load()
            await old.save(0, 20, entries("th", 1), {"th": FACTS})
            assert await new.load() == (0, {})
            assert await new.selected("th", 1, 1) == []
            assert await old.load() == (0, {})
