"""An item of another Member as this node holds it: granted, superseded, ended; opened, acknowledged, answered.

A ``Grant`` here is live until its end, a recall, or the item's end. The holder's answers go back as lines. What no live
grant covers any more is closed (its key erased) and later destroyed (no copy opens); both are answered by a receipt.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.alert import SectionRef
from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.clocks import REQUESTS, Due, Pause, Told
from rilon.domain.closing import Closing
from rilon.domain.grants import Grants
from rilon.domain.held import HeldEdition
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Line, LogId, MemberId, OfficerId, Purpose, Sealed, Sensitivity
from rilon.errors import ConflictError, NotFoundError, RefusedError

REPLIES = ("reply.acknowledge", "reply.hit", "reply.no-hit", "reply.need-more", "reply.refuse", "reply.sighting")
"""What an answer can be; language-neutral codes, words are in the catalogs. All have words of their own, a refusal its
reason. Who wants more of an item asks for it (``rilon.domain.onward``)."""


def holding_id(origin: str, item: UUID) -> UUID:
    """The stream of another Member's item here. Two Members cannot disturb each other's."""
    return natural_id("holding", origin, item.hex)


class Holding(Root):
    """What we hold of one item of another Member."""

    TOPIC = "rilon.holding"

    class Granted(Opening):
        TOPIC = "rilon.holding.granted.1"
        origin: MemberId
        item: UUID
        edition: HeldEdition

    class GrantedMore(Root.Event):
        """A further release of the same item: more sections, or a corrected version."""

        TOPIC = "rilon.holding.granted-more.1"
        edition: HeldEdition

        def apply(self, aggregate: Holding) -> None:
            aggregate.grants.add(self.edition, self.originator_version)

    class Barred(Opening):
        """The originator took back what never came here: nothing is held, and that is answered like any recall."""

        TOPIC = "rilon.holding.barred.1"
        origin: MemberId
        item: UUID
        manifest: Digest

    class Recalled(Root.Event):
        """The originator took back what it had granted of a version: all of it, or the sections of one sensitivity.

        ``taken``: what is no longer granted, as (version of this stream that granted it, sensitivity).
        """

        TOPIC = "rilon.holding.recalled.1"
        manifest: Digest
        taken: tuple[tuple[int, Sensitivity], ...]

        def apply(self, aggregate: Holding) -> None:
            aggregate.grants.taken |= set(self.taken)
            aggregate.grants.asked |= {self.manifest}

    class SectionsClosed(Root.Event):
        """The keys of sections that no live grant covers are gone from the database."""

        TOPIC = "rilon.holding.sections-closed.1"
        closing: Closing
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.grants.note_closed(self.closing, self.timestamp)

    class SectionsDestroyed(Root.Event):
        """No copy of what was closed opens any more: neither a backup of this node nor a recorded frame."""

        TOPIC = "rilon.holding.sections-destroyed.1"
        manifest: Digest
        statement: bytes
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.grants.undestroyed.pop(self.manifest, None)

    class Superseded(Root.Event):
        """The originator corrected it; what we hold is old until a new version is granted."""

        TOPIC = "rilon.holding.superseded.1"
        old: Digest
        new: Digest

        def apply(self, aggregate: Holding) -> None:
            aggregate.superseded |= {self.old}

    class Ended(Root.Event):
        """Withdrawn or closed by the originator."""

        TOPIC = "rilon.holding.ended.1"
        state: Code

        def apply(self, aggregate: Holding) -> None:
            aggregate.state = self.state

    class Referred(Root.Event):
        """Of those whom the grants entitle, only these need to know it; the newest word counts."""

        TOPIC = "rilon.holding.referred.1"
        by: OfficerId
        readers: tuple[Code, ...]

        def apply(self, aggregate: Holding) -> None:
            aggregate.known_to = self.readers

    class Opened(Root.Event):
        """An officer read a section above summary; the originator learns that it was opened, not by whom."""

        TOPIC = "rilon.holding.opened.1"
        by: OfficerId
        manifest: Digest
        sensitivity: Sensitivity
        purpose: Purpose
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.grants.note_opened(self.manifest, self.sensitivity)

    class Arrived(Root.Event):
        """A section that came in pieces is whole, and opened; the originator learns that it is here."""

        TOPIC = "rilon.holding.arrived.1"
        manifest: Digest
        place: int
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.arrived |= {(self.manifest, self.place)}

    class Acknowledged(Root.Event):
        TOPIC = "rilon.holding.acknowledged.1"
        by: OfficerId
        manifest: Digest
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.acknowledged |= {self.manifest}

    class Paused(Root.Event):
        """The answer takes longer, for a reason that the originator is told."""

        TOPIC = "rilon.holding.paused.1"
        by: OfficerId
        manifest: Digest
        why: Code
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.paused = self.why

    class Resumed(Root.Event):
        TOPIC = "rilon.holding.resumed.1"
        by: OfficerId
        manifest: Digest
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.paused = ""

    class Escalated(Root.Event):
        """Something owed about this version was not done in time, and these people here have been told."""

        TOPIC = "rilon.holding.escalated.1"
        manifest: Digest
        due: Code
        told: Code

        def apply(self, aggregate: Holding) -> None:
            aggregate.escalated |= {(self.manifest, self.due, self.told)}

    class Reminded(Root.Event):
        """The originator's restored log has forgotten a release that we hold: it gets its own statements back."""

        TOPIC = "rilon.holding.reminded.1"
        log_id: LogId
        manifest: Digest
        release: Digest
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.reminded |= {(self.log_id, self.release)}

    class Replied(Root.Event):
        """A typed answer to the originator; its text travels as a sealed attachment of the line."""

        TOPIC = "rilon.holding.replied.1"
        by: OfficerId
        kind: Code
        manifest: Digest
        text: Sealed
        to: dict[MemberId, Line]

    def __init__(
        self, origin: MemberId, item: UUID, edition: HeldEdition | None = None, manifest: Digest | None = None
    ) -> None:
        self.origin, self.item = origin, item
        self.grants = Grants(asked={manifest} if manifest else set())
        if edition:
            self.grants.add(edition, 1)
        self.known_to: tuple[Code, ...] = ()
        self.superseded: frozenset[Digest] = frozenset()
        self.acknowledged: frozenset[Digest] = frozenset()
        self.arrived: frozenset[tuple[Digest, int]] = frozenset()
        self.escalated: frozenset[tuple[bytes, str, str]] = frozenset()
        self.reminded: frozenset[tuple[LogId, Digest]] = frozenset()
        self.paused = ""
        self.state = "live"

    @property
    def edition(self) -> HeldEdition:
        """The newest version granted to us."""
        return max(self.grants.editions, key=lambda e: e.version)

    @classmethod
    def grant(cls, origin: str, item: UUID, edition: HeldEdition, at: datetime) -> Self:
        """Hold an item for the first time."""
        return cls._create(
            cls.Granted, id=holding_id(origin, item), origin=origin, item=item, edition=edition, timestamp=at
        )

    @classmethod
    def bar(cls, origin: str, item: UUID, manifest: bytes, at: datetime) -> Self:
        """Be told of a recall of what never came."""
        return cls._create(
            cls.Barred, id=holding_id(origin, item), origin=origin, item=item, manifest=manifest, timestamp=at
        )

    def grant_more(self, edition: HeldEdition, at: datetime) -> None:
        """Hold more of an item."""
        self.trigger_event(self.GrantedMore, edition=edition, timestamp=at)

    def supersede(self, old: Digest, new: Digest, at: datetime) -> None:
        """Mark a version as old."""
        self.trigger_event(self.Superseded, old=old, new=new, timestamp=at)

    def arrive(self, manifest: bytes, place: int, at: datetime) -> None:
        """Note once that a section is whole."""
        _, section = self.grants.place(manifest, place)
        if (manifest, place) not in self.arrived:
            self._tell(self.Arrived, at, f"status.arrived.{section.sensitivity}", manifest, place=place)

    def end(self, state: str, at: datetime) -> None:
        """Mark the item withdrawn or closed. What was closed can still be withdrawn: that says more.

        Raises:
            ConflictError: ``holding.withdrawn`` or ``holding.closed``: it is over already.
        """
        if (self.state, state) != ("closed", "withdrawn"):
            self._must_be_live()
        self.trigger_event(self.Ended, state=state, timestamp=at)

    def recall(self, manifest: Digest, sensitivity: Sensitivity | None, at: datetime) -> None:
        """End what was granted of a version (of one sensitivity, or all): reading stops now, the keys go after."""
        taken = self.grants.of_recall(manifest, sensitivity)
        self.trigger_event(self.Recalled, manifest=manifest, taken=taken, timestamp=at)

    def close(self, closing: Closing, at: datetime) -> None:
        """Record that keys are gone, and tell the originator."""
        to = {self.origin: Line("recalled", (closing.manifest, closing.digest))}
        self.trigger_event(self.SectionsClosed, closing=closing, to=to, timestamp=at)

    def destroy(self, manifest: Digest, statement: bytes, digest: Digest, at: datetime) -> None:
        """Record that no copy of what was closed opens any more, and tell the originator."""
        self._tell(self.SectionsDestroyed, at, "recalled", manifest, digest, statement=statement)

    def is_for(self, caller: Caller, edition: HeldEdition) -> bool:
        """Whether a grant names this officer, and nobody here has narrowed that to others."""
        return caller.among(edition.readers) and (not self.known_to or caller.among(self.known_to))

    def refer(self, by: OfficerId, readers: tuple[Code, ...], at: datetime) -> None:
        """Narrow an item to those at this node who need to know it; no grant gets wider by that."""
        self.trigger_event(self.Referred, by=by, readers=readers, timestamp=at)

    def seen_by(self, caller: Caller, at: datetime) -> tuple[HeldEdition, ...]:
        """Live grants that show this officer anything, newest version first; to who has none it does not exist."""
        return tuple(
            e
            for e, sections in self.grants.live(at)
            if self.is_for(caller, e) and any(caller.may_read(s.sensitivity) for s in sections)
        )

    def find(
        self, caller: Caller, sensitivity: Sensitivity, purpose: Purpose, at: datetime
    ) -> tuple[HeldEdition, SectionRef]:
        """The live grant and section that this officer may read for a purpose.

        Of an item that its originator has withdrawn or closed only the summary is shown, so that people learn of it.

        Raises:
            NotFoundError: none: absent, ended, never granted, not for this officer; told alike.
            RefusedError: ``holding.purpose``, ``holding.court-ask`` or ``holding.court-no``: theirs to read, but not
                for this.
        """
        barred: RefusedError | None = None
        over = self.state != "live" and sensitivity is not Sensitivity.SUMMARY
        for edition, sections in () if over or not caller.may_read(sensitivity) else self.grants.live(at):
            section = next((s for s in sections if s.sensitivity is sensitivity), None)
            if section is not None and self.is_for(caller, edition):
                if (why := edition.bars(sensitivity, purpose)) is None:
                    return edition, section
                barred = barred or why
        raise barred or NotFoundError()

    def open_(self, caller: Caller, sensitivity: Sensitivity, purpose: Purpose, at: datetime) -> SectionRef:
        """Record an opening and say where the section lies.

        Raises:
            NotFoundError, RefusedError: see ``find``.
        """
        edition, section = self.find(caller, sensitivity, purpose, at)
        line = f"status.opened.{sensitivity}.{purpose}"
        self._tell(self.Opened, at, line, edition.digest, by=caller.ref, sensitivity=sensitivity, purpose=purpose)
        return section

    def acknowledge(self, edition: HeldEdition, by: OfficerId, at: datetime) -> None:
        """Tell the originator that somebody here has seen this version and acts.

        Raises:
            ConflictError: acknowledged already.
        """
        digest = edition.digest
        if digest in self.acknowledged:
            raise ConflictError("holding.acknowledged", "A colleague has acknowledged this already.")
        self._tell(self.Acknowledged, at, "status.acknowledged", digest, by=by)

    def reply(self, edition: HeldEdition, by: OfficerId, kind: str, text: Sealed, at: datetime) -> None:
        """Answer the originator about this version with one of ``REPLIES``.

        Raises:
            ConflictError: the item is over.
        """
        self._must_be_live()
        self._tell(self.Replied, at, kind, edition.digest, text.digest, by=by, kind=kind, text=text)

    def pause(self, edition: HeldEdition, by: OfficerId, why: Pause, at: datetime) -> None:
        """Tell the originator why the answer takes longer; the clock stands still at both ends.

        Raises:
            ConflictError: ``holding.no-request``: no answer is owed; ``holding.paused``: for this reason already; or
                the item is over.
        """
        self._must_be_live()
        if edition.kind not in REQUESTS:
            raise ConflictError("holding.no-request", "This item asks for no answer, so no clock runs for one.")
        if self.paused == why:
            raise ConflictError("holding.paused", "Its clock stands still for this reason already.")
        self._tell(self.Paused, at, f"status.paused.{why}", edition.digest, by=by, why=why)

    def resume(self, edition: HeldEdition, by: OfficerId, at: datetime) -> None:
        """Let the clock run on. Raises ConflictError ``holding.runs``, or the item is over."""
        self._must_be_live()
        if not self.paused:
            raise ConflictError("holding.runs", "Its clock does not stand still.")
        self._tell(self.Resumed, at, "status.resumed", edition.digest, by=by)

    def remind(self, log_id: LogId, manifest: Digest, release: Digest, at: datetime) -> None:
        """Return one release to the originator's new log, once."""
        if (log_id, release) not in self.reminded:
            self._tell(self.Reminded, at, "reminder", manifest, release, log_id=log_id, release=release)

    def escalate(self, manifest: bytes, due: Due, told: Told, at: datetime) -> None:
        """Record that these people are told, once."""
        if self.state == "live" and (manifest, due, told) not in self.escalated:
            self.trigger_event(self.Escalated, manifest=manifest, due=due, told=told, timestamp=at)

    def _tell(self, event: type[Root.Event], at: datetime, line: str, *digests: Digest, **facts: object) -> None:
        """Record something about the version whose digest comes first, and what line its originator gets."""
        to = {self.origin: Line(line, digests)}
        self.trigger_event(event, manifest=digests[0], to=to, timestamp=at, **facts)

    def _must_be_live(self) -> None:
        if self.state != "live":
            raise ConflictError(f"holding.{self.state}", f"This item is {self.state}.")
