"""Waking: told at once, asked once a second at most, and never stuck on a connection that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from rilon.store import wakeup
from rilon.store.wakeup import Wakeup


class FakePostgres:
    """A pool whose connections know the size and ring when told to."""

    def __init__(self) -> None:
        self.size, self.asked, self.opened, self.closed = 0, 0, 0, 0
        self.lost = False
        self._heard: Callable[..., None] = lambda *_: None
        self.before_answering: Callable[[], None] = lambda: None

    def ring(self, payload: str = "") -> None:
        self._heard(self, 1, "rilon_log", payload)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[FakePostgres]:
        if self.lost:
            raise ConnectionRefusedError
        self.opened += 1
        yield self

    async def add_listener(self, channel: str, ring: Callable[..., None]) -> None:
        assert channel == "rilon_log"
        self._heard = ring

    async def fetchval(self, _: str) -> int:
        self.asked += 1
        if self.lost:
            raise ConnectionResetError
        size = self.size
        self.before_answering()
        return size

    def terminate(self) -> None:
        self.closed += 1


@pytest.fixture
async def postgres() -> FakePostgres:
    return FakePostgres()


@asynccontextmanager
async def watching(postgres: FakePostgres) -> AsyncIterator[Wakeup]:
    one = Wakeup(cast("Any", postgres))
    yield one
    await one.aclose()


async def test_it_asks_once_a_ring_and_not_in_between(postgres: FakePostgres) -> None:
    async with watching(postgres) as one:
        assert not await one.wait(0, 0.05)
        assert postgres.asked == 1
        for size in (1, 2):
            postgres.size = size
            postgres.ring()
            assert await one.wait(size - 1, 5)
            assert not await one.wait(size, 0.05)
            assert postgres.asked == size + 1
    assert (postgres.opened, postgres.closed) == (1, 1)


async def test_nothing_is_opened_before_somebody_waits(postgres: FakePostgres) -> None:
    async with watching(postgres):
        await asyncio.sleep(0)
    assert postgres.opened == 0


async def test_a_ring_without_news_wakes_nobody(postgres: FakePostgres) -> None:
    async with watching(postgres) as one:
        waiting = asyncio.create_task(one.wait(0, 0.1))
        await asyncio.sleep(0.01)
        postgres.ring()
        assert not await waiting


async def test_an_append_of_ours_wakes_and_its_ring_asks_nothing(postgres: FakePostgres) -> None:
    async with watching(postgres) as one:
        waiting = asyncio.create_task(one.wait(0, 5))
        await asyncio.sleep(0.01)
        one.grown(2)
        one.grown(3)
        assert await waiting
        postgres.ring("2")
        postgres.ring("3")
        await asyncio.sleep(0.01)
        assert postgres.asked == 1
        assert one.size == 3


async def test_a_reading_from_before_our_append_is_not_believed(postgres: FakePostgres) -> None:
    async with watching(postgres) as one:
        await one.wait(0, 0.01)
        postgres.size, postgres.before_answering = 1, lambda: one.grown(2)
        postgres.ring("1")
        await asyncio.sleep(0.01)
        assert one.size == 2


async def test_a_size_that_shrank_is_believed(postgres: FakePostgres) -> None:
    """After a failover the log may be shorter; a waiter that went on believing would read empty pages without end."""
    async with watching(postgres) as one:
        postgres.size = 5
        assert await one.wait(4, 5)
        postgres.size = 3
        postgres.ring()
        await asyncio.sleep(0.01)
        assert not await one.wait(4, 0.05)


async def test_it_comes_back_after_the_database_does(postgres: FakePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "POLL_S", 0.02)
    async with watching(postgres) as one:
        assert not await one.wait(0, 0.01)
        postgres.lost = True
        await asyncio.sleep(0.1)
        assert postgres.closed == 1
        postgres.lost, postgres.size = False, 1
        assert await one.wait(0, 5)
        assert postgres.opened == 2
