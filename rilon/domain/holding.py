"""An item of another Member as this node holds it: granted, superseded, ended; opened, acknowledged, answered.

A ``Grant`` here is live until its end, a recall, or the item's end. The holder's answers go back as lines. What no live
grant covers any more is closed (its key erased) and later destroyed (no copy opens); both are answered by a receipt.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.alert import SectionRef
from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.clocks import REQUESTS, Due, Pause, Told
from rilon.domain.closing import ClosedSection, Closing, in_force
from rilon.domain.handling import STATED, Caveat, Handling, Pap, Tlp
from rilon.domain.permissions import Caller
from rilon.domain.values import (
    Code,
    Digest,
    Instant,
    Line,
    MemberId,
    OfficerId,
    Purpose,
    Sealed,
    Sensitivity,
    Urgency,
    Value,
)
from rilon.errors import ConflictError, NotFoundError, RefusedError

REPLIES = (
    "reply.acknowledge",
    "reply.hit",
    "reply.no-hit",
    "reply.need-more",
    "reply.refuse",
    "reply.sighting",
)
"""What an answer can be; language-neutral codes, words are in the catalogs. All have words of their own, a refusal its
reason. Who wants more of an item asks for it (``rilon.domain.onward``)."""


class HeldEdition(Value, frozen=True):
    """One version of an item, as far as one release granted it to us.

    Attributes:
        manifest, digest: the signed manifest and its digest. release: the signed release; its grant and path.
        readers: who may read: ``entitled`` or ``agency:…``, ``desk:…``, ``officer:…``.
        purposes: what it may be opened for; None: not limited.
        onward, court: ``ask`` or ``no``: whether we may ask to share it with a third Member, or to use it in court;
            ``court`` may be ``yes``.
        until: after this instant the grant is over. review_at: at it its originator looks at it again.
        sections: those we were granted; slots are ours. withheld: places of those taken back before they came.
    """

    version: int
    manifest: bytes
    digest: Digest
    kind: Code
    urgency: Urgency
    tlp: Code
    pap: Code
    caveats: tuple[Code, ...]
    review_at: Instant
    basis: Code
    release: bytes
    grant: bytes
    position: int
    path: bytes
    readers: tuple[Code, ...]
    purposes: frozenset[Purpose] | None
    onward: Code
    court: Code
    until: Instant
    sections: tuple[SectionRef, ...]
    withheld: tuple[int, ...] = ()

    def lets(self, sensitivity: Sensitivity, purpose: Purpose) -> bool:
        """Whether its word on use in court lets a section be opened for this; the summary is on the board anyway."""
        return purpose is not Purpose.PROSECUTION or sensitivity is Sensitivity.SUMMARY or self.court == "yes"


def _court(said: str) -> RefusedError:
    if said == "no":
        message, fix = (
            "Its originator does not let it be used in court.",
            "Use the channels of mutual legal assistance.",
        )
    else:
        message, fix = "Its originator must be asked before it is used in court.", "Ask: rilon onward ask --court."
    return RefusedError(f"holding.court-{said}", message, fix=fix)


def marks_held(origin: str, edition: HeldEdition) -> Handling:
    """What an item made of another Member's must carry: its marks, and its originator's word on third Members.

    Who else may have it is in lists that were not sent to us. So it goes back to its originator only, unless it is for
    the whole network anyway (TLP:GREEN, CLEAR) and no caveat keeps it (third-party rule; UNTOC Smuggling Protocol art.
    10(2)). A mark that is newer than this node is read as the strictest.
    """
    codes = {Caveat(c) for c in edition.caveats if c in set(Caveat)}
    kept = codes & {Caveat.ORCON, Caveat.THIRD_PARTY_RULE, Caveat.REL_TO, Caveat.NOT_TO}
    free = edition.tlp in {Tlp.GREEN, Tlp.CLEAR} and not kept
    return Handling(
        tlp=Tlp(edition.tlp),
        pap=Pap(edition.pap) if edition.pap in set(Pap) else Pap.RED,
        caveats=frozenset(codes - STATED),
        rel_to=None if free else frozenset({origin}),
        purposes=edition.purposes or None,
        review_by=edition.review_at,
        expires_at=edition.until,
    )


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
            aggregate.editions += (self.edition,)
            aggregate.granted_by += (self.originator_version,)

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
            aggregate.taken |= set(self.taken)
            aggregate.asked |= {self.manifest}

    class SectionsClosed(Root.Event):
        """The keys of sections that no live grant covers are gone from the database."""

        TOPIC = "rilon.holding.sections-closed.1"
        closing: Closing
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.note_closed(self.closing, self.timestamp)

    class SectionsDestroyed(Root.Event):
        """No copy of what was closed opens any more: neither a backup of this node nor a recorded frame."""

        TOPIC = "rilon.holding.sections-destroyed.1"
        manifest: Digest
        statement: bytes
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            aggregate.undestroyed.pop(self.manifest, None)

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
            aggregate.opened |= {self.sensitivity}
            read = self.manifest, self.sensitivity
            aggregate.openings[read] = aggregate.openings.get(read, 0) + 1

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

    class Replied(Root.Event):
        """A typed answer to the originator; its text travels as a sealed attachment of the line."""

        TOPIC = "rilon.holding.replied.1"
        by: OfficerId
        kind: Code
        manifest: Digest
        text: Sealed
        to: dict[MemberId, Line]

        def apply(self, aggregate: Holding) -> None:
            """Answers change no state here; they are read at the originator."""

    def __init__(
        self, origin: MemberId, item: UUID, edition: HeldEdition | None = None, manifest: Digest | None = None
    ) -> None:
        self.origin, self.item = origin, item
        self.editions: tuple[HeldEdition, ...] = (edition,) if edition else ()
        self.granted_by: tuple[int, ...] = (1,) if edition else ()
        self.taken: set[tuple[int, Sensitivity]] = set()
        self.asked: set[Digest] = {manifest} if manifest else set()
        self.openings: dict[tuple[Digest, Sensitivity], int] = {}
        self.closed: dict[Digest, tuple[ClosedSection, ...]] = {}
        self.undestroyed: dict[Digest, tuple[datetime, frozenset[bytes]]] = {}
        self.known_to: tuple[Code, ...] = ()
        self.superseded: frozenset[Digest] = frozenset()
        self.acknowledged: frozenset[Digest] = frozenset()
        self.opened: frozenset[Sensitivity] = frozenset()
        self.arrived: frozenset[tuple[Digest, int]] = frozenset()
        self.escalated: frozenset[tuple[bytes, str, str]] = frozenset()
        self.paused = ""
        self.state = "live"

    @property
    def edition(self) -> HeldEdition:
        """The newest version granted to us."""
        return max(self.editions, key=lambda e: e.version)

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

    def place(self, manifest: bytes, place: int) -> tuple[HeldEdition, SectionRef]:
        """A section by its place in a manifest. Raises NotFoundError."""
        for edition in self.editions:
            for section in edition.sections if edition.digest == manifest else ():
                if section.position == place:
                    return edition, section
        raise NotFoundError

    def arrive(self, manifest: bytes, place: int, at: datetime) -> None:
        """Note once that a section is whole."""
        _, section = self.place(manifest, place)
        if (manifest, place) not in self.arrived:
            to = {self.origin: Line(f"status.arrived.{section.sensitivity}", (manifest,))}
            self.trigger_event(self.Arrived, manifest=manifest, place=place, to=to, timestamp=at)

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
        of_it = [(e.version, s.sensitivity) for _, e, s in self._granted() if e.digest == manifest]
        some = {s for _, s in of_it if sensitivity in {None, s}}
        version = max((v for v, _ in of_it), default=0)  # older ones too: what it replaced must not come back
        taken = tuple(
            (n, s.sensitivity) for n, e, s in self._granted() if e.version <= version and s.sensitivity in some
        )
        self.trigger_event(self.Recalled, manifest=manifest, taken=taken, timestamp=at)

    def note_closed(self, closing: Closing, at: datetime) -> None:
        """Remember what is gone, since when, and with which KEM keys it will be destroyed (fold)."""
        manifest = closing.manifest
        self.closed[manifest] = (*self.closed.get(manifest, ()), *closing.sections)
        self.undestroyed[manifest] = at, frozenset(closing.kems)
        self.taken |= {(n, s.sensitivity) for s in closing.sections for n in s.grants}
        self.asked.discard(manifest)

    def live_grants(self, at: datetime) -> tuple[tuple[HeldEdition, tuple[SectionRef, ...]], ...]:
        """Grants that still show something, newest version first, each with its sections that are in force."""
        newest = in_force((e.version, [s.sensitivity for s in e.sections]) for e in self.editions)
        standing: list[tuple[HeldEdition, tuple[SectionRef, ...]]] = []
        for n, e in zip(self.granted_by, self.editions, strict=True):
            left = (s for s in e.sections if newest[s.sensitivity] == e.version)
            if at < e.until and (sections := tuple(s for s in left if (n, s.sensitivity) not in self.taken)):
                standing.append((e, sections))
        return tuple(sorted(standing, key=lambda grant: -grant[0].version))

    def unclosed(self, at: datetime) -> dict[Digest, tuple[ClosedSection, ...]]:
        """By version, the sections whose keys must go now; an empty tuple where only an answer is owed.

        What is in here once stays in here until it is closed: a later release of the same version brings its sections
        to other slots, so an erasure under way destroys nothing that was granted anew.
        """
        covered = self.live_slots(at) | self.gone
        found: dict[Digest, tuple[ClosedSection, ...]] = dict.fromkeys(self.asked, ())
        for slot, (e, s) in {s.sealed.slot: (e, s) for _, e, s in self._granted()}.items():
            if slot not in covered:
                grants = tuple(n for n, _, other in self._granted() if other.sealed.slot == slot)
                section = ClosedSection(slot, s.sensitivity, grants, self.openings.get((e.digest, s.sensitivity), 0))
                found[e.digest] = (*found.get(e.digest, ()), section)
        return found

    def next_end(self, at: datetime) -> datetime | None:
        """When the next of the live grants ends; None: there is none."""
        return min((e.until for e, _ in self.live_grants(at)), default=None)

    def live_slots(self, at: datetime) -> frozenset[Digest]:
        """Slots of sections that a live grant covers."""
        return frozenset(s.sealed.slot for _, sections in self.live_grants(at) for s in sections)

    @property
    def gone(self) -> frozenset[Digest]:
        """Slots whose keys are gone."""
        return frozenset(section.slot for sections in self.closed.values() for section in sections)

    def close(self, closing: Closing, at: datetime) -> None:
        """Record that keys are gone, and tell the originator."""
        to = {self.origin: Line("recalled", (closing.manifest, closing.digest))}
        self.trigger_event(self.SectionsClosed, closing=closing, to=to, timestamp=at)

    def destroy(self, manifest: Digest, statement: bytes, digest: Digest, at: datetime) -> None:
        """Record that no copy of what was closed opens any more, and tell the originator."""
        to = {self.origin: Line("recalled", (manifest, digest))}
        self.trigger_event(self.SectionsDestroyed, manifest=manifest, statement=statement, to=to, timestamp=at)

    def _granted(self) -> Iterator[tuple[int, HeldEdition, SectionRef]]:
        return ((n, e, s) for n, e in zip(self.granted_by, self.editions, strict=True) for s in e.sections)

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
            for e, sections in self.live_grants(at)
            if self.is_for(caller, e) and any(caller.may_read(s.sensitivity) for s in sections)
        )

    def find(
        self, caller: Caller, sensitivity: Sensitivity, purpose: Purpose, at: datetime
    ) -> tuple[HeldEdition, SectionRef]:
        """The live grant and section that this officer may read for a purpose.

        Of an item that its originator has withdrawn or closed only the summary is shown, so that people learn of it.

        Raises:
            NotFoundError: none: absent, ended, never granted, not for this officer or this purpose; told alike.
            RefusedError: ``holding.court-ask`` or ``holding.court-no``: theirs to read, but not for use in court.
        """
        barred = ""
        over = self.state != "live" and sensitivity is not Sensitivity.SUMMARY
        for edition, sections in () if over or not caller.may_read(sensitivity) else self.live_grants(at):
            section = next((s for s in sections if s.sensitivity is sensitivity), None)
            allowed = edition.purposes is None or purpose in edition.purposes
            if section is not None and allowed and self.is_for(caller, edition):
                if edition.lets(sensitivity, purpose):
                    return edition, section
                barred = barred or edition.court
        raise _court(barred) if barred else NotFoundError()

    def open_(self, caller: Caller, sensitivity: Sensitivity, purpose: Purpose, at: datetime) -> SectionRef:
        """Record an opening and say where the section lies.

        Raises:
            NotFoundError: see ``find``.
        """
        edition, section = self.find(caller, sensitivity, purpose, at)
        to = {self.origin: Line(f"status.opened.{sensitivity}.{purpose}", (edition.digest,))}
        self.trigger_event(
            self.Opened,
            by=caller.ref,
            manifest=edition.digest,
            sensitivity=sensitivity,
            purpose=purpose,
            to=to,
            timestamp=at,
        )
        return section

    def acknowledge(self, edition: HeldEdition, by: OfficerId, at: datetime) -> None:
        """Tell the originator that somebody here has seen this version and acts.

        Raises:
            ConflictError: acknowledged already.
        """
        digest = edition.digest
        if digest in self.acknowledged:
            raise ConflictError("holding.acknowledged", "A colleague has acknowledged this already.")
        to = {self.origin: Line("status.acknowledged", (digest,))}
        self.trigger_event(self.Acknowledged, by=by, manifest=digest, to=to, timestamp=at)

    def reply(self, edition: HeldEdition, by: OfficerId, kind: str, text: Sealed, at: datetime) -> None:
        """Answer the originator about this version with one of ``REPLIES``.

        Raises:
            ConflictError: the item is over.
        """
        self._must_be_live()
        to = {self.origin: Line(kind, (edition.digest, text.digest))}
        self.trigger_event(self.Replied, by=by, kind=kind, manifest=edition.digest, text=text, to=to, timestamp=at)

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
        to = {self.origin: Line(f"status.paused.{why}", (edition.digest,))}
        self.trigger_event(self.Paused, by=by, manifest=edition.digest, why=why, to=to, timestamp=at)

    def resume(self, edition: HeldEdition, by: OfficerId, at: datetime) -> None:
        """Let the clock run on. Raises ConflictError ``holding.runs``, or the item is over."""
        self._must_be_live()
        if not self.paused:
            raise ConflictError("holding.runs", "Its clock does not stand still.")
        to = {self.origin: Line("status.resumed", (edition.digest,))}
        self.trigger_event(self.Resumed, by=by, manifest=edition.digest, to=to, timestamp=at)

    def escalate(self, manifest: bytes, due: Due, told: Told, at: datetime) -> None:
        """Record that these people are told, once."""
        if self.state == "live" and (manifest, due, told) not in self.escalated:
            self.trigger_event(self.Escalated, manifest=manifest, due=due, told=told, timestamp=at)

    def _must_be_live(self) -> None:
        if self.state != "live":
            raise ConflictError(f"holding.{self.state}", f"This item is {self.state}.")
