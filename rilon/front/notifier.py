"""Who listens now, and what they hear: a follower behind the views, with a short queue for each listener.

By the time a notice is heard, the board shows what it is about. Nothing of it is stored: a listener that reads too
slowly, or whose officer's access changes, is ended and comes back with the position it heard last; what it missed is
read from the log then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from rilon.app.notices import Addressed, Notice, Notices
from rilon.app.ports import EventLog, Recorded
from rilon.domain.access import Access, access_id
from rilon.domain.officer import Officer
from rilon.domain.permissions import Caller
from rilon.errors import ConflictError

MOST_WAITING: Final = 256
"""Notices that wait for one listener."""
MOST_LISTENERS: Final = 8
"""Listeners of one officer: a few devices with a few open pages."""
CATCH_UP: Final = 10_000
"""Events looked through for a listener that comes back. Who was away longer reads the board, as after signing in."""
PAGE: Final = 500

_SHUT = (
    *(Officer.Suspended, Officer.RoleRevoked, Officer.TokenRevoked),
    *(Access.SessionEnded, Access.PasskeyRemoved, Access.AccountUnbound),
)


class Listener:
    """One open stream of notices."""

    def __init__(self, caller: Caller, since: int) -> None:
        self.caller, self.since = caller, since
        self._queue: asyncio.Queue[Notice | None] = asyncio.Queue(MOST_WAITING)

    def offer(self, addressed: Addressed) -> None:
        """Let the listener hear what concerns its caller."""
        if not addressed.concerns(self.caller):
            return
        if self._queue.full():
            self.end()
        else:
            self._queue.put_nowait(addressed.notice)

    def end(self) -> None:
        """End it, whatever waits: called from a signal handler too, so it may neither block nor raise."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def hear(self, timeout_s: float) -> tuple[bool, Notice | None]:
        """Whether it goes on, and the next notice; None when the time ran out."""
        try:
            async with asyncio.timeout(timeout_s):
                notice = await self._queue.get()
        except TimeoutError:
            return True, None
        return notice is not None, notice


class Notifier:
    """Follows the log from where it is when it starts.

    Args:
        log: for what a returning listener missed.
        shown: waits until the views show a position.
    """

    name = "notifier"

    def __init__(self, log: EventLog, notices: Notices, shown: Callable[[int], Awaitable[None]]) -> None:
        self._log, self._notices, self._shown = log, notices, shown
        self._at: int | None = None
        self._listeners: set[Listener] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    async def position(self) -> int:
        """Where it has read to: at first, where the log is."""
        if self._at is None:
            self._at = (await self._log.head()).size
        return self._at

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Tell the listeners, once the views show it."""
        await self._shown(batch[-1].position)
        if self._listeners:
            told = [t for r in batch if (t := await self._notices.of(r))]
            for listener in self._listeners:
                for addressed in told:
                    listener.offer(addressed)
        self._at = batch[-1].position
        for recorded in batch:
            self._shut_out(recorded)

    def check_room(self, caller: Caller) -> None:
        """Refuse an officer's listener too many.

        Raises:
            ConflictError: ``notices.too-many``.
        """
        if sum(other.caller.ref == caller.ref for other in self._listeners) >= MOST_LISTENERS:
            raise ConflictError("notices.too-many", "You listen on enough devices already.", fix="Close one of them.")

    async def may_listen(self, caller: Caller) -> bool:
        """Whether the caller still may, asked once they listen: before that, nobody would have ended them."""
        return await self._notices.may_hear(caller)

    @contextmanager
    def listen(self, caller: Caller) -> Iterator[Listener]:
        """Listen as long as the context lasts."""
        listener = Listener(caller, self._at or 0)
        self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def missed(self, listener: Listener, after: int) -> AsyncIterator[Notice]:
        """What concerned the listener's caller after a position and before it listened."""
        upto = listener.since
        after = max(after, upto - CATCH_UP)
        while after < upto and (page := await self._log.page(after, PAGE, upto=upto)):
            for recorded in page:
                told = await self._notices.of(recorded)
                if told is not None and told.concerns(listener.caller):
                    yield told.notice
            after = page[-1].position

    def close(self) -> None:
        """End every listener, now and from now on: an open stream would hold up the shutdown."""
        self._closed = True
        for listener in tuple(self._listeners):
            listener.end()

    def _shut_out(self, recorded: Recorded) -> None:
        """End the streams of an officer whose access shrank: they come back with what they have left, or not."""
        if isinstance(recorded.event, _SHUT):
            for listener in tuple(self._listeners):
                officer = UUID(hex=listener.caller.ref)
                if recorded.event.originator_id in {officer, access_id(officer)}:
                    listener.end()
