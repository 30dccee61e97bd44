"""Reading on: every event once and in order, the next page under way, and no question left behind."""

from __future__ import annotations

import asyncio

from rilon.app.ports import Recorded
from rilon.store.codec import Codec
from rilon.store.reading import reading
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import CATALOGUE, noted, opened
from tests.fakes.memory_log import MemoryEventLog


async def fill(log: MemoryEventLog, n: int) -> None:
    stream = SeededEntropy(1).uuid()
    await log.append([opened(stream)] + [noted(stream, v) for v in range(2, n + 1)])


async def test_every_event_is_read_once_and_no_page_is_empty() -> None:
    log = MemoryEventLog(Codec(CATALOGUE, SeededEntropy()))
    await fill(log, 30)
    for after, upto, sizes in (0, None, [10, 10, 10]), (0, 25, [10, 10, 5]), (7, None, [10, 10, 3]), (30, None, []):
        async with reading(log, after, upto=upto, size=10) as pages:
            found = [page async for page in pages]
        assert [len(page) for page in found] == sizes
        assert [r.position for page in found for r in page] == [*range(after + 1, (upto or 30) + 1)]


class Stuck(MemoryEventLog):
    """A log that never gives what lies behind its twentieth event."""

    asked: tuple[int, ...] = ()
    given_up = False

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        self.asked += (after,)
        if after < 20:
            return await super().page(after, limit, upto=upto)
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up = True
        return []


async def test_the_next_page_is_asked_for_while_one_is_worked_on_and_given_up_with_it() -> None:
    log, seen = Stuck(Codec(CATALOGUE, SeededEntropy())), list[int]()
    await fill(log, 30)
    async with reading(log, size=10) as pages:
        async for page in pages:
            seen += [r.position for r in page]
            assert log.asked[-1] == seen[-1]
            if len(seen) == 20:
                break
    assert (seen, log.asked, log.given_up) == ([*range(1, 21)], (0, 10, 20), True)
