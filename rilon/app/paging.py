"""Notices outside the pages: a follower that puts them into the outbox, and the sending of what lies there.

The place up to which the log was read is stored together with what came of it, so a crash loses nothing. What is due
for one person by one way becomes one message whose id is stored before it is sent: a crash after sending repeats that
message with that id, and a storm of notices is a few messages. A message says that something came, of what kind and
urgency; never what, never about whom, never from where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from rilon.app.notices import Addressed, Notices
from rilon.app.outbox import Message, Outbox, Pager, Queued, Sender
from rilon.app.ports import Recorded
from rilon.app.reach_desk import open_plan
from rilon.app.unit import Work, fold
from rilon.app.vault import Vault
from rilon.domain.base import Event, Opening, Unknown, natural_id
from rilon.domain.clocks import DUTY_DESK
from rilon.domain.officer import Officer
from rilon.domain.reach import Occasion, Plan, Reach, Way, when
from rilon.domain.values import Sealed, Urgency
from rilon.errors import RefusedError, UnavailableError

CALM: Final = timedelta(minutes=1)
"""Between two messages to one person by one way, unless a life is at risk."""
AGAIN: Final = timedelta(seconds=15)
LONGEST: Final = timedelta(minutes=10)
"""A way that fails is tried again after ``AGAIN``, then twice as long, and so on up to this."""
MOST_TRIES: Final = 40
"""Refusals of an address before a message is given up: some six hours."""
LATE: Final = timedelta(minutes=2)
"""What should have gone out longer ago is told on the health page."""


@dataclass(frozen=True, slots=True)
class _Over:
    """What somebody chose, and chose no more; ``left``: they are reached no more at all."""

    officer: UUID
    sealed: Sealed
    left: bool


@dataclass(slots=True)
class _Trouble:
    """Why a way does not work now."""

    code: str
    until: datetime
    pause: timedelta


class Paging:
    """A follower whose reading begins at 0 with each process, to learn who is reached how; it tells only once.

    Args:
        pagers: the ways this node has.
    """

    name = "paging"

    def __init__(self, work: Work, vault: Vault, outbox: Outbox, pagers: Mapping[Way, Pager], sender: Sender) -> None:
        self._work, self._vault, self._outbox = work, vault, outbox
        self._notices, self._pagers, self._sender = Notices(work), pagers, sender
        self._at = 0
        self._told: int | None = None
        self._officers: dict[UUID, Officer] = {}
        self._sealed: dict[UUID, Sealed] = {}
        self._plans: dict[UUID, Plan] = {}
        self._streams: dict[UUID, UUID] = {}
        self._troubles: dict[Way, _Trouble] = {}
        self._last: dict[tuple[UUID, Way], datetime] = {}

    async def position(self) -> int:
        """Where it has read to; what was read before is told already."""
        if self._told is None:
            self._told = await self._outbox.load()
            if self._told is None:  # the first time: nobody chose to hear of what was before
                self._told = (await self._work.log.head()).size
                await self._outbox.add(None, self._told, ())
        return self._at

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Learn who is reached how, and queue what is new.

        Raises:
            ConflictError: ``outbox.moved``. UnavailableError: nothing of the batch is queued then.
        """
        told, queued = self._told or 0, list[Queued]()
        for recorded in batch:
            over = self._learn(recorded.event)
            if recorded.position > told:
                await self._forget(over)
                queued += await self._queue(recorded)
        if batch[-1].position > told:
            await self._outbox.add(self._told, batch[-1].position, queued)
            self._told = batch[-1].position
        self._at = batch[-1].position

    async def tend(self, way: Way) -> None:
        """Send what is due by one way.

        Raises:
            UnavailableError: the outbox cannot be read; what the way itself raises is told by ``check``.
        """
        now = self._work.clock.now()
        trouble = self._troubles.get(way)
        if way not in self._pagers or (trouble and now < trouble.until):
            return
        for officer, message, queued in _messages(await self._outbox.due(way, now)):
            if message is None and self._calm(officer, way, queued, now):
                continue
            if not await self._send(way, officer, message, queued):
                return

    async def check(self) -> str:
        """One sentence for the operator; "" when all is well."""
        if not self._pagers:
            return ""
        if self._troubles:
            said = ", ".join(f"{way} ({trouble.code})" for way, trouble in sorted(self._troubles.items()))
            waiting = await self._outbox.waiting(self._work.clock.now() - LATE)
            return f"Notices cannot be sent by {said}; they are tried again, and {waiting} wait."
        duty = [o for o in self._officers.values() if o.active and o.desk == DUTY_DESK]
        if duty and not any(o.id in self._sealed for o in duty):
            return "Nobody at the duty desk can be reached outside the pages: rilon notices set."
        return ""

    def _learn(self, event: Event) -> _Over | None:
        """Fold officers and what they chose; what of it is over."""
        if isinstance(event, Officer.Enrolled | Reach.Opened):
            self._meet(event)
        elif isinstance(event, Reach.Chosen):
            officer = self._streams[event.originator_id]
            over = self._lose(officer, left=False)
            self._sealed[officer] = event.plan
            return over
        elif isinstance(event, Reach.Forgotten):
            return self._lose(self._streams[event.originator_id])
        elif (known := self._officers.get(event.originator_id)) and not isinstance(event, Unknown):
            fold([event], known)
            return None if known.active else self._lose(known.id)
        return None

    def _meet(self, event: Opening) -> None:
        made = fold([event])
        if isinstance(made, Officer):
            self._officers[made.id] = made
        elif isinstance(made, Reach):
            self._streams[made.id] = UUID(hex=made.officer)

    def _lose(self, officer: UUID, *, left: bool = True) -> _Over | None:
        self._plans.pop(officer, None)
        sealed = self._sealed.pop(officer, None)
        return _Over(officer, sealed, left) if sealed else None

    async def _forget(self, over: _Over | None) -> None:
        """Erase a plan that is over; may be repeated."""
        if over is not None:
            await self._vault.erase([over.sealed.slot])
            if over.left:
                await self._outbox.drop(over.officer)

    async def _queue(self, recorded: Recorded) -> list[Queued]:
        if not self._sealed:
            return []
        addressed = await self._notices.of(recorded)
        if addressed is None:
            return []
        now = self._work.clock.now()
        return [q for officer in self._sealed for q in await self._for(officer, addressed, now)]

    async def _for(self, officer: UUID, addressed: Addressed, now: datetime) -> list[Queued]:
        found, notice = self._officers.get(officer), addressed.notice
        if found is None or not found.active or not addressed.concerns(caller := found.caller(now)):
            return []
        plan = await self._plan(officer)
        occasion = Occasion(notice.about, notice.kind, notice.urgency)
        sendings = when(plan, occasion, caller, now) if plan else ()
        return [Queued(officer, notice.position, d.way, notice.about, notice.urgency, d.at) for d in sendings]

    async def _plan(self, officer: UUID) -> Plan | None:
        """What an officer chose; None when it was erased."""
        if officer not in self._plans and officer in self._sealed:
            plan = await open_plan(self._vault, officer, self._sealed[officer])
            if plan is None:
                return None
            self._plans[officer] = plan
        return self._plans.get(officer)

    def _calm(self, officer: UUID, way: Way, queued: Sequence[Queued], now: datetime) -> bool:
        """Whether somebody was told a moment ago, and this can wait for more."""
        last = self._last.get((officer, way))
        return last is not None and now - last < CALM and all(q.urgency is not Urgency.LIFE_AT_RISK for q in queued)

    async def _send(self, way: Way, officer: UUID, message: UUID | None, queued: Sequence[Queued]) -> bool:
        """Send one message; whether the way works."""
        positions = [q.position for q in queued]
        bound = message or natural_id("message", officer.hex, way, str(min(positions)), str(max(positions)))
        if message is None:
            await self._outbox.bind(queued, bound)
        plan = await self._plan(officer)
        if plan is None or not (to := plan.address(way)):
            await self._outbox.settle(bound)
            return True
        try:
            await self._pagers[way].send(self._message(bound, to, queued))
        except UnavailableError as error:
            return await self._fail(way, bound, error)
        except RefusedError:
            await self._refused(bound, queued[0].tries)
            return True
        await self._outbox.settle(bound)
        self._troubles.pop(way, None)
        self._last[officer, way] = self._work.clock.now()
        return True

    async def _fail(self, way: Way, message: UUID, error: UnavailableError) -> bool:
        now, before = self._work.clock.now(), self._troubles.get(way)
        pause = min(before.pause * 2, LONGEST) if before else AGAIN
        self._troubles[way] = _Trouble(error.code, now + pause, pause)
        await self._outbox.postpone(message, now + pause)
        return False

    async def _refused(self, message: UUID, tries: int) -> None:
        """This address was refused: others are not held up, and it is given up in the end."""
        if tries >= MOST_TRIES:
            await self._outbox.settle(message)
        else:
            pause = min(AGAIN * (1 << min(tries, 10)), LONGEST)
            await self._outbox.postpone(message, self._work.clock.now() + pause)

    def _message(self, name: UUID, to: str, queued: Sequence[Queued]) -> Message:
        about = tuple(sorted({q.about for q in queued}))
        return Message(name, to, self._sender, self._work.clock.now(), len(queued), about, most_urgent(queued))


def most_urgent(queued: Sequence[Queued]) -> Urgency | None:
    """The most urgent of some."""
    ranks = list(Urgency)
    return min((q.urgency for q in queued if q.urgency), key=ranks.index, default=None)


def _messages(queued: Sequence[Queued]) -> Iterator[tuple[UUID, UUID | None, list[Queued]]]:
    """By person and message: who is told of a life at risk comes first, a message that was begun before a new one."""

    def by(each: Queued) -> tuple[str, str]:
        return each.officer.hex, each.message.hex if each.message else "~"

    groups = [list(found) for _, found in groupby(sorted(queued, key=by), key=by)]
    groups.sort(key=lambda found: most_urgent(found) is not Urgency.LIFE_AT_RISK)
    yield from ((found[0].officer, found[0].message, found) for found in groups)
