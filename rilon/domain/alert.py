"""An alert at the node that posted it: posted, corrected, withdrawn, closed; and who here opened which section."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root
from rilon.domain.officer import SYSTEM
from rilon.domain.permissions import Caller
from rilon.domain.values import (
    Code,
    Digest,
    Instant,
    Line,
    MemberId,
    OfficerId,
    Purpose,
    Role,
    Sealed,
    Sensitivity,
    Source,
    Urgency,
    Value,
)
from rilon.errors import ConflictError, NotFoundError, RefusedError

_FORGOTTEN: Code = f"role:{Role.FOCAL_POINT}"
"""Who stands in for the desk of an author whom nobody remembers."""


class SectionRef(Value, frozen=True):
    """A sealed section of one version: where it lies at rest, and its leaf of the manifest's tree.

    Attributes:
        position: leaf index 0..15 in the fixed-depth tree, random.
        sealed: its slot here, and what binds ciphertext and key.
        salt: the leaf's salt. path: sibling hashes from leaf to root, concatenated.
    """

    position: int
    sensitivity: Sensitivity
    sealed: Sealed
    salt: bytes
    path: bytes


class Edition(Value, frozen=True):
    """One version of an item: its signed manifest and the sections it commits to.

    Attributes:
        version: 1 when posted, +1 for each correction.
        manifest: the signed statement; ``digest`` its payload's digest.
        seed: of the section tree; proves to this Member's auditors that there is no further section.
        expires_at: after this instant nobody may hold it; ``review_at``: at it somebody should look at it again.
        tlp, pap, caveats: the marks, kept beside the manifest for boards.
        marks: the sealed handling with its Member lists, and who may read; for this node's eyes only.
        readers: who may read it at this node, as ``Caller.readers`` names them.
    """

    version: int
    manifest: bytes
    digest: Digest
    seed: bytes
    kind: Code
    urgency: Urgency
    tlp: Code
    pap: Code
    caveats: tuple[Code, ...]
    review_at: Instant
    expires_at: Instant
    sections: tuple[SectionRef, ...]  # none: recovered, so its content is at holders only
    audience: tuple[MemberId, ...]
    marks: Sealed
    readers: tuple[Code, ...]

    def section(self, sensitivity: Sensitivity) -> SectionRef | None:
        """The section of that sensitivity, if this version has one."""
        return next((s for s in self.sections if s.sensitivity is sensitivity), None)


class Ending(StrEnum):
    """What of an item is near, so that its author and the focal points are told."""

    REVIEW = "review"
    EXPIRY = "expiry"


class ErasedSection(Value, frozen=True):
    """A section of ours whose key is gone: which it was stays, for auditors. ``slot``: where it lay."""

    version: int
    sensitivity: Sensitivity
    slot: Digest


class Alert(Root):
    """An alert of this node. Its id is the item id that travels."""

    TOPIC = "rilon.alert"

    class Posted(Opening):
        """``unit``: the author's desk, whose officers may change it."""

        TOPIC = "rilon.alert.posted.1"
        author: OfficerId
        unit: Code
        edition: Edition

    class Corrected(Root.Event):
        """A new version; every holder is told at once that the old one is superseded.

        ``extended``: why it is kept longer than the version before; None: it is not.
        """

        TOPIC = "rilon.alert.corrected.1"
        author: OfficerId
        edition: Edition
        extended: Sealed | None
        to: dict[MemberId, Line]

        def apply(self, aggregate: Alert) -> None:
            aggregate.editions += (self.edition,)
            aggregate.readers = self.edition.readers

    class Quoted(Root.Event):
        """The version in force is made of these items; its marks are at least as strict as theirs. For us alone."""

        TOPIC = "rilon.alert.quoted.1"
        by: OfficerId
        sources: tuple[Source, ...]

        def apply(self, aggregate: Alert) -> None:
            """What it is made of binds its marks when it is written, and nothing afterwards."""

    class Recovered(Opening):
        """An alert this log had forgotten: a holder returned the manifest we signed. Its content is at holders only."""

        TOPIC = "rilon.alert.recovered.1"
        edition: Edition

    class EditionRecovered(Root.Event):
        """A forgotten version of an alert; ``contradicts``: another manifest we signed under its number (a fork)."""

        TOPIC = "rilon.alert.edition-recovered.1"
        edition: Edition
        contradicts: Digest | None

        def apply(self, aggregate: Alert) -> None:
            found = (*aggregate.editions, self.edition)
            aggregate.editions = tuple(sorted(found, key=lambda e: (e.version, bool(e.sections))))

    class Referred(Root.Event):
        """Other people of this node need to know it; until the next correction says otherwise."""

        TOPIC = "rilon.alert.referred.1"
        by: OfficerId
        readers: tuple[Code, ...]

        def apply(self, aggregate: Alert) -> None:
            aggregate.readers = self.readers

    class Withdrawn(Root.Event):
        TOPIC = "rilon.alert.withdrawn.1"
        by: OfficerId
        reason: Sealed
        to: dict[MemberId, Line]

        def apply(self, aggregate: Alert) -> None:
            aggregate.state = "withdrawn"

    class Closed(Root.Event):
        TOPIC = "rilon.alert.closed.1"
        by: OfficerId
        outcome: Code
        to: dict[MemberId, Line]

        def apply(self, aggregate: Alert) -> None:
            aggregate.state = "closed"

    class EraseOrdered(Root.Event):
        """Somebody ends it before its time: reading stops now, and the keys go, here and at every holder.

        ``by``: None where its exercise ended.
        ``sensitivity``: only the sections of this one there are so far; None: all, and the alert is over.
        """

        TOPIC = "rilon.alert.erase-ordered.1"
        by: OfficerId | None
        ground: Code
        reason: Sealed
        sensitivity: Sensitivity | None

        def apply(self, aggregate: Alert) -> None:
            aggregate.note_order(self.sensitivity)

    class SectionsErased(Root.Event):
        """The keys of these sections are gone from this node: ordered, past their end, or replaced by a correction."""

        TOPIC = "rilon.alert.sections-erased.1"
        sections: tuple[ErasedSection, ...]

        def apply(self, aggregate: Alert) -> None:
            aggregate.erased |= {section.slot for section in self.sections}

    class Warned(Root.Event):
        """Its author and the focal points are told that this version's review, or its end, is near."""

        TOPIC = "rilon.alert.warned.1"
        version: int
        ending: Code

        def apply(self, aggregate: Alert) -> None:
            aggregate.warned |= {(self.version, self.ending)}

    class Opened(Root.Event):
        """Somebody of this node read a section above summary."""

        TOPIC = "rilon.alert.opened.1"
        by: OfficerId
        version: int
        sensitivity: Sensitivity
        purpose: Purpose

        def apply(self, aggregate: Alert) -> None:
            """Openings change no state; they are read by auditors."""

    def __init__(self, edition: Edition, author: OfficerId = SYSTEM, unit: Code = _FORGOTTEN) -> None:
        self.author, self.unit, self.readers = author, unit, edition.readers
        self.editions: tuple[Edition, ...] = (edition,)
        self.state = "live"
        self.warned: frozenset[tuple[int, str]] = frozenset()
        self.ordered: frozenset[Digest] = frozenset()
        self.erased: frozenset[Digest] = frozenset()

    def note_order(self, sensitivity: Sensitivity | None) -> None:
        """Remember what must go before its time (fold)."""
        self.ordered |= self._slots(sensitivity)
        if sensitivity is None:
            self.state = "erased"

    def _slots(self, sensitivity: Sensitivity | None) -> set[Digest]:
        """Of all versions so far, the sections of one sensitivity, or all."""
        some = {sensitivity} if sensitivity else set(Sensitivity)
        return {s.sealed.slot for e in self.editions for s in e.sections if s.sensitivity in some}

    @property
    def edition(self) -> Edition:
        """The version in force."""
        return self.editions[-1]

    @classmethod
    def post(cls, item: UUID, author: OfficerId, unit: str, edition: Edition, at: datetime) -> Self:
        """Post a new alert; the draft has been checked (``rilon.domain.kinds``)."""
        return cls._create(cls.Posted, id=item, author=author, unit=unit, edition=edition, timestamp=at)

    @classmethod
    def recover(cls, item: UUID, edition: Edition, at: datetime) -> Self:
        """Know an alert again that this log had forgotten, by a manifest whose signature was verified."""
        return cls._create(cls.Recovered, id=item, edition=edition, timestamp=at)

    def recover_edition(self, edition: Edition, at: datetime) -> None:
        """Know a forgotten version again; one that says something else under a number we used is kept as a fork."""
        other = next((e.digest for e in self.editions if e.version == edition.version), None)
        self.trigger_event(self.EditionRecovered, edition=edition, contradicts=other, timestamp=at)

    def quote(self, by: OfficerId, sources: tuple[Source, ...], at: datetime) -> None:
        """Note which items the version in force is made of, if it is of any."""
        if sources:
            self.trigger_event(self.Quoted, by=by, sources=sources, timestamp=at)

    def must_be_for(self, caller: Caller) -> None:
        """Raises NotFoundError: for who is not among its readers here it does not exist."""
        if not caller.among(self.readers):
            raise NotFoundError

    def must_be_changed_by(self, caller: Caller) -> None:
        """Let its author, their desk and the focal points correct, refer, withdraw and close it, and nobody else.

        Raises:
            NotFoundError: it is not for them. RefusedError: ``alert.not-yours``: they may read it, no more.
        """
        self.must_be_for(caller)
        if not (caller.ref == self.author or self.unit in caller.readers or Role.FOCAL_POINT in caller.roles):
            fix = "Ask its author, their desk, or a focal point."
            raise RefusedError("alert.not-yours", "Somebody else's alert: you may read it only.", fix=fix)

    def refer(self, by: OfficerId, readers: tuple[Code, ...], at: datetime) -> None:
        """Say anew who at this node may read it. Raises ConflictError: it is over."""
        self.must_be_live()
        self.trigger_event(self.Referred, by=by, readers=readers, timestamp=at)

    def correct(
        self,
        author: OfficerId,
        edition: Edition,
        holders: tuple[MemberId, ...],
        at: datetime,
        extended: Sealed | None = None,
    ) -> None:
        """Replace the version in force; ``extended``: why it is kept longer.

        Raises:
            ConflictError: the alert is over, or somebody corrected it first.
        """
        self.must_be_live()
        if edition.version != self.edition.version + 1:
            raise ConflictError("alert.version", "Somebody corrected this alert first.", fix="Read it again.")
        to = {m: Line("superseded", (self.edition.digest, edition.digest)) for m in holders}
        self.trigger_event(self.Corrected, author=author, edition=edition, extended=extended, to=to, timestamp=at)

    def withdraw(self, by: OfficerId, reason: Sealed, holders: tuple[MemberId, ...], at: datetime) -> None:
        """Take the alert back: holders stop showing it as valid.

        Raises:
            ConflictError: it is over already.
        """
        self.must_be_live()
        to = {m: Line("withdrawal", (self.edition.digest,)) for m in holders}
        self.trigger_event(self.Withdrawn, by=by, reason=reason, to=to, timestamp=at)

    def close(self, by: OfficerId, outcome: str, holders: tuple[MemberId, ...], at: datetime) -> None:
        """End the alert's work with an outcome code.

        Raises:
            ConflictError: it is over already.
        """
        self.must_be_live()
        to = {m: Line("closure", (self.edition.digest,)) for m in holders}
        self.trigger_event(self.Closed, by=by, outcome=outcome, to=to, timestamp=at)

    def order_erasure(
        self, by: OfficerId | None, ground: str, reason: Sealed, sensitivity: Sensitivity | None, at: datetime
    ) -> None:
        """Have all of it, or the sections of one sensitivity, erased before its time; also when it is over otherwise.

        Raises:
            ConflictError: ``alert.nothing-to-erase``: it has no such section, or no longer.
        """
        if self._slots(sensitivity) <= self.ordered | self.erased:
            raise ConflictError("alert.nothing-to-erase", "Nothing of that is left to erase.")
        self.trigger_event(
            self.EraseOrdered, by=by, ground=ground, reason=reason, sensitivity=sensitivity, timestamp=at
        )

    def warn(self, ending: Ending, at: datetime) -> None:
        """Tell people once, unless there is nothing left to decide: it is over, or its review is its end."""
        version, review_at = self.edition.version, self.edition.review_at
        moot = self.state != "live" or at >= self.edition.expires_at
        same = ending is Ending.REVIEW and review_at == self.edition.expires_at
        if not moot and not same and (version, ending) not in self.warned:
            self.trigger_event(self.Warned, version=version, ending=ending, timestamp=at)

    def over(self, at: datetime) -> tuple[ErasedSection, ...]:
        """Sections whose keys must go now: ordered, past their end, or of a version that a correction replaced."""
        return tuple(
            ErasedSection(e.version, s.sensitivity, s.sealed.slot)
            for e in self.editions
            for s in e.sections
            if s.sealed.slot not in self.erased
            and (e is not self.edition or at >= e.expires_at or s.sealed.slot in self.ordered)
        )

    def over_at(self, at: datetime) -> bool:
        """Whether nothing of it is left to be read or to be ended."""
        return self.state == "erased" or at >= self.edition.expires_at

    def note_erased(self, sections: tuple[ErasedSection, ...], at: datetime) -> None:
        """Record that keys are gone."""
        self.trigger_event(self.SectionsErased, sections=sections, timestamp=at)

    def shown(self, sensitivity: Sensitivity, at: datetime) -> SectionRef | None:
        """The section of the version in force that may be read now, if there is one."""
        section = self.edition.section(sensitivity)
        return section if section and at < self.edition.expires_at and section.sealed.slot not in self.ordered else None

    def open_(self, by: OfficerId, sensitivity: Sensitivity, purpose: Purpose, at: datetime) -> SectionRef:
        """Record that an officer of this node reads a section, and say where it lies.

        Raises:
            RefusedError: ``alert.expired``: nothing is shown after its end.
            ConflictError: ``alert.no-section``.
        """
        if at >= self.edition.expires_at:
            raise RefusedError("alert.expired", "This alert has expired.")
        section = self.edition.section(sensitivity)
        if section is None:
            raise ConflictError("alert.no-section", "This alert has no such section.")
        version = self.edition.version
        self.trigger_event(self.Opened, by=by, version=version, sensitivity=sensitivity, purpose=purpose, timestamp=at)
        return section

    def must_be_live(self) -> None:
        """Raises ConflictError ``alert.withdrawn`` or ``alert.closed``."""
        if self.state != "live":
            raise ConflictError(f"alert.{self.state}", f"This alert is {self.state} already.")
