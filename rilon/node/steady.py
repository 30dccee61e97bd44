"""Jobs that go on for ever: what they meet is said on the health page, and only an unknown state ends the node.

A database that is away passes by itself, so a job begins again a moment later, where it stood. Any other refusal (an
event that a view cannot take in, say) will most likely come again: the job tries ever more rarely, and the node goes on
serving with that part red, for people at a border need the rest. A ``FatalError`` ends the node loudly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from rilon.errors import FatalError, RilonError, UnavailableError
from rilon.network.cancelling import heed_cancellation

AGAIN_S: Final = 1.0
"""How long to wait before a job begins again."""
PATIENCE_S: Final = 60.0
"""How rarely a job begins again that is refused each time."""
HELD_S: Final = 2.0
"""A job that goes on for so long after beginning again is well."""

Job = Callable[[], Awaitable[object]]


class Steady:
    """Runs jobs, and knows which of them are in trouble."""

    def __init__(self) -> None:
        self._troubles: dict[str, tuple[str, float]] = {}

    async def run(self, name: str, job: Job) -> None:
        """Do a job for ever.

        Raises:
            ExceptionGroup: of ``FatalError``, or of a fault that is no ``RilonError``.
        """
        pause, loop = AGAIN_S, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await job()
                pause = AGAIN_S
            except* FatalError:
                raise
            except* UnavailableError as away:
                pause = AGAIN_S
                self._note(name, away, pause)
            except* RilonError as refused:
                pause = AGAIN_S if loop.time() - began > PATIENCE_S else min(pause * 2, PATIENCE_S)
                self._note(name, refused, pause)
            heed_cancellation()
            await asyncio.sleep(pause)

    async def check(self) -> str:
        """One sentence for the operator on the jobs that stand still; "" when all go on."""
        now = asyncio.get_running_loop().time()
        standing = sorted(f"{name} ({code})" for name, (code, until) in self._troubles.items() if now < until)
        return f"Stopped, and trying again: {', '.join(standing)}." if standing else ""

    def _note(self, name: str, errors: BaseExceptionGroup[RilonError], pause: float) -> None:
        self._troubles[name] = _first(errors).code, asyncio.get_running_loop().time() + pause + HELD_S


def _first(errors: BaseExceptionGroup[RilonError]) -> RilonError:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
