"""Logs that behave as badly as the port allows: answers that get lost, and others who run in between at every await."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from rilon.app.ports import EventLog, Head, Recorded, Wrap
from rilon.domain.base import Event
from rilon.errors import UnavailableError


class _Around:
    """Passes everything on."""

    def __init__(self, log: EventLog) -> None:
        self.log = log

    async def pause(self) -> None:
        """Before and after every call."""

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        await self.pause()
        position = await self.log.append(events, wraps=wraps, unchanged=unchanged)
        await self.pause()
        return position

    async def stream(self, stream: UUID, *, after: int = 0, upto: int | None = None) -> list[Event]:
        await self.pause()
        found = await self.log.stream(stream, after=after, upto=upto)
        await self.pause()
        return found

    async def recorded(self, stream: UUID) -> list[Recorded]:
        return await self.log.recorded(stream)

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        return await self.log.page(after, limit, upto=upto)

    def pages(self, after: int = 0, *, upto: int | None = None) -> AsyncGenerator[Sequence[Recorded]]:
        return self.log.pages(after, upto=upto)

    async def head(self) -> Head:
        return await self.log.head()

    async def wait(self, after: int, timeout_s: float) -> bool:
        return await self.log.wait(after, timeout_s)


class LossyLog(_Around):
    """Loses what it is told to, once each.

    Attributes:
        answers: how many appends are stored, but nobody hears of it.
        requests: how many appends never arrive.
    """

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.answers = self.requests = 0

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        if self.requests:
            self.requests -= 1
            raise UnavailableError("log.unavailable", "Nothing was stored.")
        position = await super().append(events, wraps=wraps, unchanged=unchanged)
        if self.answers:
            self.answers -= 1
            raise UnavailableError("log.outcome-unknown", "It may have been stored.")
        return position


class InterleavingLog(_Around):
    """Lets others run for a while around every call; a seed repeats how long."""

    def __init__(self, log: EventLog, seed: int) -> None:
        super().__init__(log)
        self._random = random.Random(seed)

    async def pause(self) -> None:
        for _ in range(self._random.choice((0, 0, 1, 2, 5, 9))):
            await asyncio.sleep(0)


class UnguardedLog(InterleavingLog):
    """A planted bug: guards are not judged, so a decision stands on what has moved since."""

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        return await super().append(events, wraps=wraps)


class CrowdedLog(_Around):
    """Lets others write before every append.

    Attributes:
        others: what they do.
    """

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.others: Callable[[], Awaitable[object]] | None = None

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        if self.others is not None:
            await self.others()
        return await self.log.append(events, wraps=wraps, unchanged=unchanged)
