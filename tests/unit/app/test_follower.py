"""The loop of every follower: in order, from where it stands, until told to stop; an error ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rilon.app.follower import catch_up, caught_up, follow
from rilon.app.ports import Recorded
from rilon.errors import FatalError
from rilon.store.codec import Codec
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import CATALOGUE, noted, opened
from tests.fakes.memory_log import MemoryEventLog


class Notes:
    """A follower whose effect is the list of positions it has seen."""

    name = "notes"

    def __init__(self, fail_at: int = 0) -> None:
        self.seen: list[int] = []
        self.batches: list[int] = []
        self.fail_at = fail_at

    async def position(self) -> int:
        return self.seen[-1] if self.seen else 0

    async def apply(self, batch: Sequence[Recorded]) -> None:
        positions = [r.position for r in batch]
        if self.fail_at in positions:
            raise FatalError("notes.broken", "The pencil broke.")
        self.seen += positions
        self.batches.append(len(positions))


async def log_of(n: int) -> MemoryEventLog:
    log, entropy = MemoryEventLog(Codec(CATALOGUE, SeededEntropy())), SeededEntropy(1)
    stream = entropy.uuid()
    await log.append([opened(stream)] + [noted(stream, v) for v in range(2, n + 1)])
    return log


async def test_it_goes_on_where_the_follower_stands() -> None:
    log, notes = await log_of(25), Notes()
    notes.seen = [1, 2, 3]
    assert not await caught_up(log, notes)
    assert await catch_up(log, notes, batch=10) == 25
    assert notes.seen == list(range(1, 26))
    assert notes.batches == [10, 10, 2]
    assert await caught_up(log, notes)


async def test_an_error_ends_it_and_a_new_call_repeats_the_batch() -> None:
    log, notes = await log_of(25), Notes(fail_at=17)
    with pytest.raises(FatalError):
        await follow(log, notes, batch=10)
    assert notes.seen == list(range(1, 11))
    notes.fail_at = 0
    assert await catch_up(log, notes, batch=10) == 25
    assert notes.seen == list(range(1, 26))


async def test_it_follows_what_comes_later_until_told_to_stop() -> None:
    log, notes, done = await log_of(3), Notes(), asyncio.Event()
    task = asyncio.create_task(follow(log, notes, stop=done.is_set))
    while not await caught_up(log, notes):
        await asyncio.sleep(0)
    other = SeededEntropy(2).uuid()
    await log.append([opened(other)])
    async with asyncio.timeout(0.5):  # woken, not polled
        while len(notes.seen) < 4:
            await asyncio.sleep(0)
    done.set()
    await log.append([noted(other)])
    async with asyncio.timeout(2):
        await task
    assert notes.seen[:4] == [1, 2, 3, 4]


class Deaf(MemoryEventLog):
    """A log whose wake-ups are all lost."""

    async def wait(self, after: int, timeout_s: float) -> bool:
        await asyncio.sleep(timeout_s / 50)
        return False


async def test_a_lost_wake_up_costs_a_poll_and_no_event() -> None:
    log, notes = Deaf(Codec(CATALOGUE, SeededEntropy())), Notes()
    task = asyncio.create_task(follow(log, notes))
    await asyncio.sleep(0)
    await log.append([opened(SeededEntropy(1).uuid())])
    async with asyncio.timeout(2):
        while not notes.seen:
            await asyncio.sleep(0.005)
    task.cancel()
    assert notes.seen == [1]
