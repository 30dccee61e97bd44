"""Cancellations that Python loses on their way, found again."""

from __future__ import annotations

import asyncio


def heed_cancellation() -> None:
    """Raise a cancellation of this task that somebody else's error has taken the place of.

    On Python 3.11 ``asyncio.wait_for`` loses it when what it waits for is done at the same moment; up to 3.12 a
    ``TaskGroup`` whose own task fails at that moment raises its group only. Whoever cancelled would wait for ever.

    Not for a task that enters a ``TaskGroup`` itself: on Python 3.11 it counts as cancelled once its group has failed.

    Raises:
        CancelledError: the task was asked to end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
