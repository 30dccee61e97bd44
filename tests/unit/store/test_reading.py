"""Reading on: every row once and in order, the next page under way, and no question left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import pytest

from rilon.store.reading import ahead


class Numbered(NamedTuple):
    id: int


class Rows:
    """Thirty of them; what lies behind the twentieth comes, or never does."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.asked: list[int] = []
        self.stuck, self.given_up = stuck, False

    async def ask(self, after: int) -> Sequence[Any]:
        self.asked.append(after)
        if self.stuck and after >= 20:
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up = True
        return [Numbered(n) for n in range(after + 1, min(after + 10, 30) + 1)]


@pytest.mark.parametrize(
    ("after", "part", "sizes"),
    [(0, 10, [10, 10, 10]), (7, 10, [10, 10, 3]), (30, 10, []), (7, 4, [4, 4, 2, 4, 4, 2, 3])],
)
async def test_every_row_is_read_once_and_no_part_is_empty(after: int, part: int, sizes: list[int]) -> None:
    async with aclosing(ahead(Rows().ask, after, 10, part)) as pages:
        found = [page async for page in pages]
    assert [len(page) for page in found] == sizes
    assert [row.id for page in found for row in page] == [*range(after + 1, 31)]


async def test_the_loop_is_heard_before_each_part_is_worked_on() -> None:
    heard, at_each = 0, list[int]()

    async def hear() -> None:
        nonlocal heard
        while True:
            await asyncio.sleep(0)
            heard += 1

    listening = asyncio.create_task(hear())
    async with aclosing(ahead(Rows().ask, 0, 10, 5)) as pages:
        async for _ in pages:
            at_each.append(heard)
    listening.cancel()
    assert at_each == sorted({*at_each})
    assert len(at_each) == 6


async def test_the_next_page_is_asked_for_while_one_is_worked_on_and_given_up_with_it() -> None:
    rows, seen = Rows(stuck=True), list[int]()
    async with aclosing(ahead(rows.ask, 0, 10)) as pages:
        async for page in pages:
            seen += [row.id for row in page]
            assert rows.asked[-1] == seen[-1]
            if len(seen) == 20:
                break
    assert (seen, rows.asked, rows.given_up) == ([*range(1, 21)], [0, 10, 20], True)
