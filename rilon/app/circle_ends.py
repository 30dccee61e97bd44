"""What goes by itself when a circle is over, or when this Member has left it: keys, and what was posted to an exercise.

What has to go follows from the log and the clock, as for everything that is erased (``rilon.app.erasures``): a follower
keeps in memory when each circle has to be looked at next, so there is no list to be lost, and a restart does it again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from rilon.app.editions import Editions
from rilon.app.follower import Remembering
from rilon.app.recall_desk import RecallDesk
from rilon.app.unit import Unit, Work
from rilon.app.vault import Vault
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.circle import Circles, ref_of
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.errors import NotFoundError

AT_ONCE = datetime.fromtimestamp(0, UTC)


class CircleEnds(Remembering):
    """Knows which circles are over; ``tend`` does what is due."""

    name = "circle-ends"

    def __init__(self, work: Work, vault: Vault, editions: Editions, recalls: RecallDesk) -> None:
        self._work, self._vault, self._editions, self._recalls = work, vault, editions, recalls
        self._due: dict[tuple[UUID, bytes], datetime] = {}
        self._posted: list[UUID] = []

    def _note(self, event: Event) -> None:
        """When a circle is to be looked at next, and which alerts are our own."""
        match event:
            case Circles.Written():
                self._due[event.originator_id, event.circle] = AT_ONCE if event.state == "closed" else event.ends_at
            case Circles.Left() | Circles.Resigned():
                self._due[event.originator_id, event.circle] = AT_ONCE
            case Alert.Posted():
                self._posted.append(event.originator_id)

    async def tend(self) -> None:
        """Destroy the keys of circles that we have left, and of exercises that are over with what was posted to them.

        Raises:
            UnavailableError: repeat it.
        """
        now = self._work.clock.now()
        for place, at in [(place, at) for place, at in self._due.items() if at <= now]:
            del self._due[place]  # before looking: what is noted while we look is to be looked at again
            again: datetime | None = at
            try:
                again = await self._end(*place, now)
            finally:
                if again is not None:
                    self._due.setdefault(place, again)

    async def _end(self, stream: UUID, circle: bytes, now: datetime) -> datetime | None:
        """First what was posted, then the charter, then the word that it is done: a crash between repeats it.

        A closed exercise keeps its charter until its end, or members that are cut off would never learn that, and why.
        """
        exercise = (await self._work.read(Directory, DIRECTORY_ID)).own.identity.world == "exercise"
        circles = await self._work.read(Circles, stream)
        held = circles.circles[circle]
        if exercise and held.here:
            await self._end_items(ref_of(circles.chair, circle), now)
        if not held.goes(now, exercise=exercise):
            return held.ends_at if held.here and now < held.ends_at else None
        await self._vault.erase(held.slots)
        await self._work.run(partial(self._purge, stream, circle, exercise))
        return None

    async def _end_items(self, ref: str, now: datetime) -> None:
        """An exercise that is closed early takes along what was posted to it, here and at every holder."""
        for item in self._posted:
            alert = await self._work.read(Alert, item)
            if alert.over_at(now):
                continue
            try:
                marks = await self._editions.marks(item, alert.edition)
            except NotFoundError:
                continue
            if ref in marks.circles:
                await self._work.run(partial(self._recalls.end_exercise, item))

    async def _purge(self, stream: UUID, circle: bytes, exercise: bool, unit: Unit) -> bytes:
        """Unless the chair has taken us in again meanwhile: only what we had before is gone then."""
        circles, now = await unit.get(Circles, stream), self._work.clock.now()
        if circles.circles[circle].goes(now, exercise=exercise):
            circles.purge(circle, now)
        return b""
