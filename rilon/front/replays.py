"""The past, for auditors: views as of any moment, folded by the code that keeps the live ones."""

from __future__ import annotations

import asyncio
from datetime import datetime

from rilon.app.ports import EventLog
from rilon.audit.replay import Past, as_of, as_of_time


class Replays:
    """One replay at a time, and the last one kept: page after page is of the same past, which does not change."""

    def __init__(self, log: EventLog) -> None:
        self._log, self._turn = log, asyncio.Lock()
        self._last: tuple[object, Past] | None = None

    async def at(self, moment: int | datetime) -> Past:
        """The views of a moment.

        Raises:
            InvalidError: ``replay.position``. UnavailableError: the log is away.
        """
        async with self._turn:
            if isinstance(moment, int):
                return await self._kept(moment, moment)
            return await self._kept((moment, (await self._log.head()).size), moment)

    async def _kept(self, known_by: object, moment: int | datetime) -> Past:
        if self._last is None or self._last[0] != known_by:
            self._last = None  # two pasts at once could be too much for the memory
            replay = as_of(self._log, moment) if isinstance(moment, int) else as_of_time(self._log, moment)
            self._last = known_by, await replay
        return self._last[1]
