"""Reading a log on, page after page: the database prepares the next one while one is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from rilon.app.ports import EventLog, Recorded

PAGE: Final = 500
"""Events folded at once: some 1 MB, which the processor's cache holds; four times as many are read a fifth slower."""


@asynccontextmanager
async def reading(
    log: EventLog, after: int = 0, *, upto: int | None = None, size: int = PAGE
) -> AsyncIterator[AsyncIterator[Sequence[Recorded]]]:
    """Read on from a position to the end, or to ``upto``: the pages in order, none of them empty.

    A page that is not full was the last one there was.

    Raises:
        RilonError: as the log; what was read before it stands.
    """
    async with aclosing(_pages(log, after, upto, size)) as pages:  # whoever breaks off leaves no question behind
        yield pages


async def _pages(log: EventLog, after: int, upto: int | None, size: int) -> AsyncGenerator[Sequence[Recorded]]:
    page = await log.page(after, size, upto=upto)
    while len(page) == size:
        coming = asyncio.create_task(log.page(page[-1].position, size, upto=upto))
        try:
            await asyncio.sleep(0)  # it is asked for before the work on this one begins
            yield page
            page = await coming
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
    if page:
        yield page
