"""An item of another Member as this node holds it: granted, superseded, ended; opened, acknowledged, answered.

A ``Grant`` here is live until its end, a recall, or the item's end. The holder's answers go back as lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.alert import SectionRef
from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.clocks import REQUESTS, Due, Pause, Told
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
from rilon.errors import ConflictError, NotFoundError

REPLIES = (
    "reply.acknowledge",
    "reply.hit",
    "reply.no-hit",
    "reply.need-more",
    "reply.refuse",
    "reply.sighting",
    "reply.ask-access",
)
"""What an answer can be; language-neutral codes, words are in the catalogs. All have words of their own: a refusal its
reason, an access request what is asked for and why. ``ask-access``: for sections of the item that were not granted."""


class HeldEdition(Value, frozen=True):
    """One version of an item, as far as one release granted it to us.

    Attributes:
        manifest, digest: the signed manifest and its digest. release: the signed release; its grant and path.
        readers: who may read: ``entitled`` or ``agency:…``, ``desk:…``, ``officer:…``.
        purposes: what it may be opened for; None: not limited.
        until: after this instant the grant is over. review_at: at it its originator looks at it again.
        sections: those we were granted; slots are ours.
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
    until: Instant
    sections: tuple[SectionRef, ...]


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


def in_force(granted: Iterable[tuple[int, Iterable[Sensitivity]]]) -> dict[Sensitivity, int]:
    """The version in force of each sensitivity: the newest that any grant gave, whoever may read it, and until when.

    Once a newer version was granted with a section of some sensitivity, the older one is dead, or a correction could
    not narrow anything (protocol.md, Release).

    Args:
        granted: of every grant of one item its version and its sensitivities.
    """
    newest: dict[Sensitivity, int] = {}
    for version, sensitivities in granted:
        newest |= {s: max(version, newest.get(s, 0)) for s in sensitivities}
    return newest


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

    def __init__(self, origin: MemberId, item: UUID, edition: HeldEdition) -> None:
        self.origin, self.item = origin, item
        self.editions: tuple[HeldEdition, ...] = (edition,)
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

    def live_grants(self, at: datetime) -> tuple[tuple[HeldEdition, tuple[SectionRef, ...]], ...]:
        """Grants that still show something, newest version first, each with its sections that are in force."""
        newest = in_force((e.version, [s.sensitivity for s in e.sections]) for e in self.editions)
        standing = [
            (e, tuple(s for s in e.sections if newest[s.sensitivity] == e.version))
            for e in sorted(self.editions, key=lambda e: -e.version)
            if at < e.until
        ]
        return tuple((edition, sections) for edition, sections in standing if sections)

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
        """
        over = self.state != "live" and sensitivity is not Sensitivity.SUMMARY
        for edition, sections in () if over or not caller.may_read(sensitivity) else self.live_grants(at):
            section = next((s for s in sections if s.sensitivity is sensitivity), None)
            allowed = edition.purposes is None or purpose in edition.purposes
            if section is not None and allowed and self.is_for(caller, edition):
                return edition, section
        raise NotFoundError

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
