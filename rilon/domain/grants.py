"""What one originator granted of an item: what of it is in force, what has to go, what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rilon.domain.alert import SectionRef
from rilon.domain.closing import ClosedSection, Closing, in_force
from rilon.domain.held import HeldEdition
from rilon.domain.values import Digest, Sensitivity
from rilon.errors import NotFoundError


@dataclass(slots=True)
class Grants:
    """The grants of one item of another Member, in the order in which they came (a fold of ``Holding``'s events).

    Attributes:
        editions: what each gave. since: the version of the holding's stream that brought it.
        taken: what is no longer granted, as (``since``, sensitivity).
        asked: versions whose recall is not answered yet.
        openings: how often a section of a version was opened here.
        closed: by version, sections whose keys are gone. undestroyed: those of which a copy may still open, as (since
            when they are closed, with which KEM keys they will be destroyed).
    """

    editions: tuple[HeldEdition, ...] = ()
    since: tuple[int, ...] = ()
    taken: set[tuple[int, Sensitivity]] = field(default_factory=set)
    asked: set[Digest] = field(default_factory=set)
    openings: dict[tuple[Digest, Sensitivity], int] = field(default_factory=dict)
    closed: dict[Digest, tuple[ClosedSection, ...]] = field(default_factory=dict)
    undestroyed: dict[Digest, tuple[datetime, frozenset[bytes]]] = field(default_factory=dict)

    def add(self, edition: HeldEdition, since: int) -> None:
        """Note a further release."""
        self.editions += (edition,)
        self.since += (since,)

    def released_with(self, since: int) -> tuple[HeldEdition, ...]:
        """All parts of the release whose first part came then; none where a later part did."""
        here = dict(zip(self.since, self.editions, strict=True))
        parts = {n: e for n, e in here.items() if e.release == here[since].release}
        return tuple(parts.values()) if min(parts) == since else ()

    def note_opened(self, manifest: Digest, sensitivity: Sensitivity) -> None:
        """Count an opening."""
        self.openings[manifest, sensitivity] = self.openings.get((manifest, sensitivity), 0) + 1

    def note_closed(self, closing: Closing, at: datetime) -> None:
        """Remember what is gone, since when, and with which KEM keys it will be destroyed."""
        manifest = closing.manifest
        self.closed[manifest] = (*self.closed.get(manifest, ()), *closing.sections)
        self.undestroyed[manifest] = at, frozenset(closing.kems)
        self.taken |= {(n, s.sensitivity) for s in closing.sections for n in s.grants}
        self.asked.discard(manifest)

    def place(self, manifest: bytes, place: int) -> tuple[HeldEdition, SectionRef]:
        """A section by its place in a manifest. Raises NotFoundError."""
        for edition in self.editions:
            for section in edition.sections if edition.digest == manifest else ():
                if section.position == place:
                    return edition, section
        raise NotFoundError

    def of_recall(self, manifest: Digest, sensitivity: Sensitivity | None) -> tuple[tuple[int, Sensitivity], ...]:
        """What a recall of a version takes: its sections of one sensitivity, or all; as in ``taken``.

        Older versions of them too: what the recalled one replaced must not come back.
        """
        of_it = [(e.version, s.sensitivity) for _, e, s in self._each() if e.digest == manifest]
        some = {s for _, s in of_it if sensitivity in {None, s}}
        version = max((v for v, _ in of_it), default=0)
        return tuple((n, s.sensitivity) for n, e, s in self._each() if e.version <= version and s.sensitivity in some)

    def live(self, at: datetime) -> tuple[tuple[HeldEdition, tuple[SectionRef, ...]], ...]:
        """Grants that still show something, newest version first, each with its sections that are in force."""
        newest = in_force((e.version, [s.sensitivity for s in e.sections]) for e in self.editions)
        standing: list[tuple[HeldEdition, tuple[SectionRef, ...]]] = []
        for n, e in zip(self.since, self.editions, strict=True):
            left = (s for s in e.sections if newest[s.sensitivity] == e.version)
            if at < e.until and (sections := tuple(s for s in left if (n, s.sensitivity) not in self.taken)):
                standing.append((e, sections))
        return tuple(sorted(standing, key=lambda grant: -grant[0].version))

    def unclosed(self, at: datetime) -> dict[Digest, tuple[ClosedSection, ...]]:
        """By version, the sections whose keys must go now; an empty tuple where only an answer is owed.

        What is in here once stays in here until it is closed: a later release of the same version brings its sections
        to other slots, so an erasure under way destroys nothing that was granted anew.
        """
        covered = self.slots(at) | self.gone
        found: dict[Digest, tuple[ClosedSection, ...]] = dict.fromkeys(self.asked, ())
        for slot, (e, s) in {s.sealed.slot: (e, s) for _, e, s in self._each()}.items():
            if slot not in covered:
                grants = tuple(n for n, _, other in self._each() if other.sealed.slot == slot)
                section = ClosedSection(slot, s.sensitivity, grants, self.openings.get((e.digest, s.sensitivity), 0))
                found[e.digest] = (*found.get(e.digest, ()), section)
        return found

    def next_end(self, at: datetime) -> datetime | None:
        """When the next of the live grants ends; None: there is none."""
        return min((e.until for e, _ in self.live(at)), default=None)

    def slots(self, at: datetime) -> frozenset[Digest]:
        """Slots of sections that a live grant covers."""
        return frozenset(s.sealed.slot for _, sections in self.live(at) for s in sections)

    @property
    def gone(self) -> frozenset[Digest]:
        """Slots whose keys are gone."""
        return frozenset(section.slot for sections in self.closed.values() for section in sections)

    def _each(self) -> Iterator[tuple[int, HeldEdition, SectionRef]]:
        return ((n, e, s) for n, e in zip(self.since, self.editions, strict=True) for s in e.sections)
