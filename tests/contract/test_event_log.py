"""Both logs keep the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rilon.app.ports import Wrap
from rilon.store.codec import Codec
from tests.contract.event_log import EventLogContract, World
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import CATALOGUE
from tests.fakes.memory_log import MemoryEventLog
from tests.postgres_log import PostgresWorld, postgres_world


class MemoryWorld:
    def __init__(self) -> None:
        self.wraps: dict[bytes, Wrap] = {}
        self.keks: set[bytes] = set()
        self.log = MemoryEventLog(Codec(CATALOGUE, SeededEntropy()), self.wraps, self.keks)

    async def add_kek(self, kek: bytes) -> None:
        self.keks.add(kek)

    async def slots(self) -> set[bytes]:
        return set(self.wraps)

    async def leaves(self) -> list[bytes]:
        return [row.leaf async for row in self.log.raw()]


class TestMemoryEventLog(EventLogContract):
    @pytest.fixture
    async def world(self) -> World:
        return MemoryWorld()


@pytest.mark.real
class TestPostgresEventLog(EventLogContract):
    @pytest.fixture
    async def world(self, database: str) -> AsyncIterator[PostgresWorld]:
        async with postgres_world(database) as world:
            yield world
