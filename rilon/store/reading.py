"""Reading on through the log: the database finds the next page while one is decoded and worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final

from rilon.store.queries import Row

PAGE: Final = 500
"""Events asked for at once: some 1 MB, which the processor's cache holds; four times as many take a fifth longer."""

PART: Final = 100
"""Events worked on at once. The database writes the next page into a socket that holds some 80 of them, and stands
still until somebody takes them off it; whoever folds a whole page first waits a quarter of a replay for the next."""


async def ahead(
    ask: Callable[[int], Awaitable[Sequence[Row]]], after: int, size: int = PAGE, part: int = PART
) -> AsyncGenerator[Sequence[Row]]:
    """Parts of pages in order, none of them empty, to the first page that is not full. To be closed (``aclosing``).

    Args:
        ask: for at most ``size`` rows behind a position.

    Raises:
        RilonError: as ``ask``; what was read before it stands.
    """
    coming = asyncio.ensure_future(ask(after))
    try:
        while page := await coming:
            coming = asyncio.ensure_future(ask(page[-1].id) if len(page) == size else _end())
            for start in range(0, len(page), part):
                await asyncio.sleep(0)  # the next page is asked for, and what has come of it taken off the socket
                yield page[start : start + part]
    finally:
        coming.cancel()  # whoever breaks off leaves no question behind
        await asyncio.gather(coming, return_exceptions=True)


async def _end() -> Sequence[Row]:
    return ()
