"""The one loop of everything that follows the log: page from a position of its own, apply, wait, page again.

A follower keeps its position together with its effect, so the loop holds nothing that a crash could lose: it asks where
the follower stands and goes on from there. An error ends the loop, and whoever runs it ends with it or starts it anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from rilon.app.ports import EventLog, Follower, Recorded
from rilon.domain.base import Event

BATCH = 1000
"""Events applied together. One at a time costs a durable write each; more than this only costs memory."""

POLL_S = 1.0
"""Longest wait before looking again. A wake-up can be lost on its way; an event in the log cannot."""


def _never() -> bool:
    return False


async def catch_up(log: EventLog, follower: Follower, *, batch: int = BATCH, stop: Callable[[], bool] = _never) -> int:
    """Apply all that the log holds, in order; the position reached.

    Args:
        batch: most events applied together.
        stop: asked before every batch.

    Raises:
        RilonError: whatever the log or the follower raises; nothing of the batch at hand is applied then.
    """
    return await _onward(log, follower, await follower.position(), batch, stop)


async def follow(log: EventLog, follower: Follower, *, batch: int = BATCH, stop: Callable[[], bool] = _never) -> None:
    """Keep a follower at the head of the log until it is cancelled or told to stop; within ``POLL_S`` then.

    Raises:
        RilonError: as ``catch_up``. Nothing is skipped: a new call goes on where the follower stands.
    """
    position = await follower.position()
    while not stop():
        position = await _onward(log, follower, position, batch, stop)
        if not stop():
            await log.wait(position, POLL_S)


async def _onward(log: EventLog, follower: Follower, position: int, batch: int, stop: Callable[[], bool]) -> int:
    """Apply what lies behind a position; where that ends. A page that is not full was the last one there was."""
    full = True
    while full and not stop() and (page := await log.page(position, batch)):
        await follower.apply(page)
        position, full = page[-1].position, len(page) == batch
    return position


class Remembering(ABC):
    """A follower that keeps in memory what it has read, so that its position begins at 0 with each process."""

    _at = 0

    async def position(self) -> int:
        """Where it has read to."""
        return self._at

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Note what each event means, and where the last one stands."""
        for recorded in batch:
            self._note(recorded.event)
        self._at = batch[-1].position

    @abstractmethod
    def _note(self, event: Event) -> None:
        """Change what is kept as an event says."""


async def caught_up(log: EventLog, follower: Follower) -> bool:
    """Whether the follower's effect covers all that the log holds now."""
    return await follower.position() >= (await log.head()).size
