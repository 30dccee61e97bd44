"""What this Member took back of an item, and what the holders answered; one stream per item, beside its disclosure.

A recall takes back what was granted of a version to named Members: all of it, or the sections of one sensitivity.
Holders answer with signed receipts: the keys are gone (*closed*), and no copy opens any more (*destroyed*).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Digest, Instant, Line, MemberId, OfficerId, Sealed, Sensitivity, Value
from rilon.errors import InvalidError

GROUNDS = ("mistake", "misuse", "no-longer-needed", "consent-withdrawn", "court-order", "superseded", "security")
"""Why something is taken back or erased; the words stay here, sealed."""

EXERCISE_OVER = "exercise-over"
"""The ground that nobody gives: the exercise it was posted to was closed."""


class Confirmation(Value, frozen=True):
    """What a holder's receipt says.

    Attributes:
        openings: by section, before its key was gone; empty when nothing was held.
        closed_at, destroyed_at: as the holder says. statement: its signed words.
    """

    peer: MemberId
    manifest: Digest
    openings: tuple[tuple[Sensitivity, int], ...]
    closed_at: Instant
    destroyed_at: Instant | None
    statement: bytes


def recall_id(item: UUID) -> UUID:
    """The stream of an item's recalls."""
    return natural_id("recall", item.hex)


def check_ground(ground: str) -> str:
    """One of ``GROUNDS``. Raises InvalidError ``recall.ground``."""
    if ground not in GROUNDS:
        choices = ", ".join(GROUNDS)
        fix = f"One of {choices}."
        raise InvalidError("recall.ground", "There is no such ground.", field="ground", fix=fix)
    return ground


class Recall(Root):
    """What was taken back of one item."""

    TOPIC = "rilon.recall"

    class Began(Opening):
        """The first time anything of the item is taken back or receipted."""

        TOPIC = "rilon.recall.began.1"
        item: UUID

    class Ordered(Root.Event):
        """Take back a version from Members.

        Attributes:
            by: None where its exercise ended.
            releases: digests of the releases it is about: those before it.
            sensitivity: only sections of this one; None: all.
        """

        TOPIC = "rilon.recall.ordered.1"
        item: UUID
        by: OfficerId | None
        ground: Code
        reason: Sealed
        manifest: Digest
        releases: tuple[Digest, ...]
        sensitivity: Sensitivity | None
        to: dict[MemberId, Line]

        def apply(self, aggregate: Recall) -> None:
            some = {self.sensitivity} if self.sensitivity else set(Sensitivity)
            aggregate.taken |= {(m, r, s) for m in self.to for r in self.releases for s in some}

    class Confirmed(Root.Event):
        """A holder's signed receipt: the keys of these sections are gone there, or destroyed."""

        TOPIC = "rilon.recall.confirmed.1"
        item: UUID
        receipt: Confirmation

        def apply(self, aggregate: Recall) -> None:
            """Receipts are read by people; no decision needs them."""

    def __init__(self, item: UUID) -> None:
        self.item = item
        self.taken: set[tuple[MemberId, Digest, Sensitivity]] = set()

    @classmethod
    def begin(cls, item: UUID, at: datetime) -> Self:
        """Open an item's stream."""
        return cls._create(cls.Began, id=recall_id(item), item=item, timestamp=at)

    def order(
        self,
        by: OfficerId | None,
        ground: str,
        reason: Sealed,
        manifest: Digest,
        granted: Mapping[MemberId, frozenset[Digest]],
        sensitivity: Sensitivity | None,
        at: datetime,
    ) -> None:
        """Take back one version.

        Args:
            granted: who holds it, by which releases.
        """
        kind = f"recall.{sensitivity}" if sensitivity else "recall"
        self.trigger_event(
            self.Ordered,
            item=self.item,
            by=by,
            ground=ground,
            reason=reason,
            manifest=manifest,
            releases=tuple(sorted(frozenset().union(*granted.values()))),
            sensitivity=sensitivity,
            to={member: Line(kind, (manifest,)) for member in sorted(granted)},
            timestamp=at,
        )

    def confirm(self, receipt: Confirmation, at: datetime) -> None:
        """Note a holder's signed receipt."""
        self.trigger_event(self.Confirmed, item=self.item, receipt=receipt, timestamp=at)

    def took(self, recipient: MemberId, release: Digest, sensitivity: Sensitivity) -> bool:
        """Whether a section of a release was taken back from a Member."""
        return (recipient, release, sensitivity) in self.taken
