"""Reading on through the log: the database finds the next page while one is decoded and worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final

from rilon.store.queries import Row

PAGE: Final = 500
"""Events folded at once: some 1 MB, which the processor's cache holds; four times as many are read a fifth slower."""


async def ahead(
    ask: Callable[[int], Awaitable[Sequence[Row]]], after: int, size: int = PAGE
) -> AsyncGenerator[Sequence[Row]]:
    """Pages in order, none of them empty, to the first that is not full. To be closed (``aclosing``).

    Args:
        ask: for at most ``size`` rows behind a position.

    Raises:
        RilonError: as ``ask``; what was read before it stands.
    """
    page = await ask(after)
    while len(page) == size:
        coming = asyncio.ensure_future(ask(page[-1].id))
        try:
            await asyncio.sleep(0)  # it is on its way before the work on this one begins
            yield page
            page = await coming
        finally:
            coming.cancel()  # whoever breaks off leaves no question behind
            await asyncio.gather(coming, return_exceptions=True)
    if page:
        yield page
