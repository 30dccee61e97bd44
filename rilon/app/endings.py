"""Telling people before an item of ours is to be looked at again, and before it ends by itself.

A follower like the clocks (``rilon.app.deadlines``): when to warn follows from the log, and that it was done stands in
it, so a restart warns nobody twice. Longer than before it is kept by a correction only, whose author says why.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from rilon.app.follower import Remembering, caught_up
from rilon.app.unit import Unit, Work
from rilon.domain.alert import Alert, Ending
from rilon.domain.base import Event

AHEAD: Final = timedelta(days=14)
"""How long before; of what lives for less than 56 days, a quarter of its life."""


class Endings(Remembering):
    """Knows when to warn of what, and does."""

    name = "endings"

    def __init__(self, work: Work) -> None:
        self._work = work
        self._due: dict[tuple[UUID, Ending], datetime] = {}

    def _note(self, event: Event) -> None:
        """When an item's author is to be warned."""
        stream = event.originator_id
        match event:
            case Alert.Posted(timestamp=since, edition=edition) | Alert.Corrected(timestamp=since, edition=edition):
                for ending, at in ((Ending.REVIEW, edition.review_at), (Ending.EXPIRY, edition.expires_at)):
                    self._due[stream, ending] = at - min(AHEAD, (at - since) / 4)
            case Alert.Withdrawn() | Alert.Closed() | Alert.EraseOrdered(sensitivity=None):
                self._forget(stream, *Ending)
            case Alert.Warned(ending=ending):
                self._forget(stream, Ending(ending))

    def _forget(self, stream: UUID, *endings: Ending) -> None:
        for ending in endings:
            self._due.pop((stream, ending), None)

    async def tend(self) -> None:
        """Warn of what is near. Does nothing before all of the log was read.

        Raises:
            UnavailableError: repeat it.
        """
        if not await caught_up(self._work.log, self):
            return
        now = self._work.clock.now()
        for stream, ending in [due for due, at in self._due.items() if at <= now]:
            await self._work.run(partial(self._warn, stream, ending))
            self._forget(stream, ending)

    async def _warn(self, stream: UUID, ending: Ending, unit: Unit) -> bytes:
        (await unit.get(Alert, stream)).warn(ending, unit.at)
        return b""
