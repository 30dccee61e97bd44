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

    @pytest.mark.parametrize(
        ("first", "last"), [(0, 5), (1, 200), (72, 75), (73, 80), (199, 200), (200, 999), (201, 201)]
    )
    async def test_the_newest_in_memory_are_those_that_are_stored(self, dsn: str, first: int, last: int) -> None:
        async with open_pool(dsn, role="rilon_app", size=2) as pool:
            store, other = PostgresLinks(pool, LOG), PostgresLinks(pool, LOG)
            await store.load()
            await store.save(0, 10, entries("th", *range(1, 151)) + entries("my", 1), {})
            await store.save(10, 20, entries("th", *range(151, 201)), {})
            assert await store.selected("th", first, last) == await other.selected("th", first, last)

    async def test_who_loads_again_forgets_what_another_may_have_replaced(self, dsn: str) -> None:
        async with open_pool(dsn, role="rilon_app", size=2) as pool:
            store, other = PostgresLinks(pool, LOG), PostgresLinks(pool, b"O" * 16)
            await store.load()
            await store.save(0, 20, entries("th", 1), {"th": FACTS})
            await other.load()
            await store.load()
            assert await store.selected("th", 1, 1) == []
