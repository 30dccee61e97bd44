"""The clocks that run at this node, as holder and as originator; and telling people when one is not met.

A follower that keeps what it has read in memory, so its position begins at 0 with each process; whoever was told stands
in the log, so a restart tells nobody twice. Each end runs its own clocks by its own log: neither waits for the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import singledispatchmethod
from heapq import heappop, heappush
from typing import Final, cast
from uuid import UUID

from rilon.app.follower import Remembering, caught_up
from rilon.app.unit import Unit, Work
from rilon.domain.alert import Alert, Edition
from rilon.domain.base import Event
from rilon.domain.clocks import REQUESTS, Due, Pause, Running, Timer, Told, timer
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.entry import Entry
from rilon.domain.four_eyes import reviews_of
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.recall import Recall
from rilon.domain.values import Digest, Sensitivity, Urgency
from rilon.errors import RilonError

OURS: Final = ""
"""In place of a recipient: what we ourselves owe; of a disclosure, a decision or a review."""
LATER: Final = timedelta(minutes=1)
"""When to try again what could not be told, so that it holds up nothing else."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_PAUSED: Final = "status.paused."
_Party = tuple[UUID, str]
"""The stream of a holding and ``OURS``, or of a disclosure and its recipient."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What of a version its clocks depend on."""

    manifest: bytes
    kind: str
    urgency: Urgency
    until: datetime


@dataclass(slots=True)
class _Owed:
    """What one party owes about the newest version it was given."""

    manifest: bytes
    urgency: Urgency
    until: datetime
    timers: dict[Due, Timer] = field(default_factory=dict)


class Deadlines(Remembering):
    """Knows every clock that runs, and tells when one is not met."""

    name = "deadlines"

    def __init__(self, work: Work) -> None:
        self._work = work
        self._owed: dict[_Party, _Owed] = {}
        self._parties: dict[UUID, set[_Party]] = {}
        self._versions: dict[bytes, _Version] = {}
        self._shown: dict[UUID, set[tuple[int, Sensitivity]]] = {}
        self._looks: Counter[UUID] = Counter()
        self._next: list[tuple[datetime, UUID, str]] = []

    def _note(self, event: Event) -> None:
        """Start, stop and hold clocks as the log says."""
        self._fold(event)

    def running(self, stream: UUID, party: str = OURS, manifest: Digest | None = None) -> tuple[Running, ...]:
        """The clocks of a holding, or of a disclosure's recipient; of this version only, if one is named."""
        owed = self._owed.get((stream, party))
        if owed is None or manifest not in {None, owed.manifest} or self._work.clock.now() >= owed.until:
            return ()
        return tuple(running.shown for running in owed.timers.values())

    async def tick(self) -> None:
        """Tell whoever must be told by now. Does nothing before all of the log was read."""
        if not await caught_up(self._work.log, self):
            return
        now = self._work.clock.now()
        while self._next and self._next[0][0] <= now:
            _, *party = heappop(self._next)
            stream, member = cast("_Party", tuple(party))
            try:
                await self._settle(stream, member, now)
            except RilonError:
                heappush(self._next, (now + LATER, stream, member))
                raise

    async def _settle(self, stream: UUID, party: str, now: datetime) -> None:
        """Tell what a party has not done, or forget it when its grant is over."""
        owed = self._owed.get((stream, party))
        if owed is None:
            return
        if now >= owed.until:
            await self._expire(stream, party, owed)
            return
        for running in tuple(owed.timers.values()):
            if told := running.to_tell(now):
                await self._tell(stream, party, owed.manifest, running.due, told)

    async def _tell(self, stream: UUID, party: str, manifest: bytes, due: Due, told: Told) -> None:
        async def do(unit: Unit) -> bytes:
            at = self._work.clock.now()
            holding, disclosure = await unit.find(Holding, stream), await unit.find(Disclosure, stream)
            if holding is not None:
                holding.escalate(manifest, due, told, at)
            elif disclosure is not None:
                disclosure.escalate(party or None, manifest, due, told, at)
            return b""

        await self._work.run(do)

    async def _expire(self, stream: UUID, party: str, owed: _Owed) -> None:
        """Nothing more is owed of it, but the look at what had left by break-glass; what waited can never go."""

        async def lapse(unit: Unit) -> bytes:
            (await unit.get(Disclosure, stream)).lapse("expired", unit.at)
            return b""

        if Due.REVIEW in owed.timers:
            owed.until = _NEVER
        else:
            del self._owed[stream, party]
        if Due.APPROVAL in owed.timers:
            await self._work.run(lapse)

    @singledispatchmethod
    def _fold(self, _event: object) -> None:
        """Most events start or stop nothing."""

    @_fold.register
    def _(self, event: Alert.Posted | Alert.Corrected) -> None:
        item, edition = UUID(bytes=event.originator_id.bytes), event.edition
        self._versions[edition.digest] = _version(edition, edition.expires_at)
        self._stop(disclosure_id(item))

    @_fold.register
    def _(self, event: Alert.Withdrawn | Alert.Closed) -> None:
        self._stop(disclosure_id(UUID(bytes=event.originator_id.bytes)))

    @_fold.register
    def _(self, event: Disclosure.Proposed | Disclosure.Reproposed) -> None:
        """A correction voids what waited; what left by break-glass is still to be looked at."""
        stream, version = event.originator_id, self._versions[event.manifest]
        self._owed[stream, OURS] = _Owed(version.manifest, version.urgency, version.until, self._reviews(stream))

    @_fold.register
    def _(self, event: Disclosure.Drafted) -> None:
        party = event.originator_id, OURS
        if owed := self._owed.get(party):
            heappush(self._next, (owed.until, *party))
            self._set(party, owed, timer(Due.APPROVAL, owed.urgency, event.timestamp))

    @_fold.register
    def _(self, event: Disclosure.Returned | Disclosure.Refused | Disclosure.Lapsed) -> None:
        self._done(event.originator_id, Due.APPROVAL)

    @_fold.register
    def _(self, event: Disclosure.Reviewed) -> None:
        self._looks[event.originator_id] -= 1
        if not self._looks[event.originator_id]:
            self._done(event.originator_id, Due.REVIEW)

    @_fold.register
    def _(self, event: Disclosure.Released) -> None:
        stream = event.originator_id
        for recipient in event.grants:
            self._start((stream, recipient), self._versions[event.manifest], event.timestamp)
        if event.basis == "approval":
            self._done(stream, Due.APPROVAL)
        if event.basis == "break-glass":
            self._look_at(event)

    @_fold.register
    def _(self, event: Holding.Granted | Holding.GrantedMore) -> None:
        granted = {(event.originator_version, s.sensitivity) for s in event.edition.sections}
        self._shown.setdefault(event.originator_id, set()).update(granted)
        self._start((event.originator_id, OURS), _version(event.edition, event.edition.until), event.timestamp)

    @_fold.register
    def _(self, event: Holding.Ended) -> None:
        self._stop(event.originator_id)

    @_fold.register
    def _(self, event: Recall.Ordered) -> None:
        if event.sensitivity is None:
            for recipient in event.to:
                self._owed.pop((disclosure_id(event.item), recipient), None)

    @_fold.register
    def _(self, event: Holding.Recalled) -> None:
        left = self._shown.get(event.originator_id, set())
        left.difference_update(event.taken)
        if not left:
            self._stop(event.originator_id)

    @_fold.register
    def _(self, event: Holding.Acknowledged) -> None:
        self._hear((event.originator_id, OURS), event.manifest, "status.acknowledged", event.timestamp)

    @_fold.register
    def _(self, event: Holding.Replied) -> None:
        self._hear((event.originator_id, OURS), event.manifest, event.kind, event.timestamp)

    @_fold.register
    def _(self, event: Holding.Paused) -> None:
        self._hear((event.originator_id, OURS), event.manifest, _PAUSED + event.why, event.timestamp)

    @_fold.register
    def _(self, event: Holding.Resumed) -> None:
        self._hear((event.originator_id, OURS), event.manifest, "status.resumed", event.timestamp)

    @_fold.register
    def _(self, event: Holding.Escalated) -> None:
        self._told((event.originator_id, OURS), event.manifest, Due(event.due), event.told)

    @_fold.register
    def _(self, event: Disclosure.Escalated) -> None:
        self._told((event.originator_id, event.recipient or OURS), event.manifest, Due(event.due), event.told)

    @_fold.register
    def _(self, event: Entry.Accepted) -> None:
        digests = event.line.digests
        if event.item is not None and digests and digests[0] in self._versions:
            party = disclosure_id(event.item), event.peer
            self._hear(party, digests[0], event.line.kind, event.timestamp)

    def _start(self, party: _Party, version: _Version, at: datetime) -> None:
        """Begin the clocks of a version; more of the same version begins none anew."""
        owed = self._owed.get(party)
        if owed is not None and owed.manifest == version.manifest:
            owed.until = max(owed.until, version.until)
            return
        owed = self._owed[party] = _Owed(version.manifest, version.urgency, version.until)
        self._parties.setdefault(party[0], set()).add(party)
        heappush(self._next, (version.until, *party))
        for due in (Due.ACKNOWLEDGEMENT, *([Due.ANSWER] if version.kind in REQUESTS else [])):
            self._set(party, owed, timer(due, owed.urgency, at))

    def _look_at(self, event: Disclosure.Released) -> None:
        party = event.originator_id, OURS
        self._looks[party[0]] = max(self._looks[party[0]], reviews_of(event.cells))
        if (owed := self._owed.get(party)) and Due.REVIEW not in owed.timers:
            self._set(party, owed, timer(Due.REVIEW, owed.urgency, event.timestamp))

    def _reviews(self, stream: UUID) -> dict[Due, Timer]:
        owed = self._owed.get((stream, OURS))
        return {due: t for due, t in owed.timers.items() if due is Due.REVIEW} if owed else {}

    def _done(self, stream: UUID, due: Due) -> None:
        if owed := self._owed.get((stream, OURS)):
            owed.timers.pop(due, None)

    def _stop(self, stream: UUID) -> None:
        for party in self._parties.pop(stream, ()):
            self._owed.pop(party, None)

    def _set(self, party: _Party, owed: _Owed, running: Timer) -> None:
        owed.timers[running.due] = running
        if running.next_at is not None:
            heappush(self._next, (running.next_at, *party))

    def _hear(self, party: _Party, manifest: bytes, said: str, at: datetime) -> None:
        """What a party said about the version: any answer acknowledges, and some answer."""
        owed = self._owed.get(party)
        if owed is None or owed.manifest != manifest:
            return
        if said.startswith(_PAUSED) or said == "reply.need-more":
            why = said.removeprefix(_PAUSED) if said.startswith(_PAUSED) else Pause.ASKER
            self._change(party, owed, lambda t: t.pause(why, at))
        elif said == "status.resumed":
            self._change(party, owed, lambda t: t.resume(at))
        elif said.startswith("reply.") and said != "reply.acknowledge":
            asked = owed.timers.pop(Due.ANSWER, None)
            owed.timers.pop(Due.DETAILS, None)
            if asked and said == "reply.hit":
                self._set(party, owed, timer(Due.DETAILS, owed.urgency, at))
        if said.startswith("reply.") or said == "status.acknowledged":
            owed.timers.pop(Due.ACKNOWLEDGEMENT, None)

    def _change(self, party: _Party, owed: _Owed, how: Callable[[Timer], Timer]) -> None:
        """An acknowledgement is owed whatever hinders the answer."""
        for due in (Due.ANSWER, Due.DETAILS):
            if due in owed.timers:
                self._set(party, owed, how(owed.timers[due]))

    def _told(self, party: _Party, manifest: bytes, due: Due, told: str) -> None:
        owed = self._owed.get(party)
        if owed is not None and owed.manifest == manifest and due in owed.timers:
            self._set(party, owed, owed.timers[due].after(told))


def _version(edition: Edition | HeldEdition, until: datetime) -> _Version:
    return _Version(edition.digest, edition.kind, edition.urgency, until)
