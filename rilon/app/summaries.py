"""Summaries in memory: what rows, filters and search show, opened once per process and never written to disk.

The index follows the log from its beginning at every start, and forgets a summary when its time is over, when a newer
version's takes its place, and when its keys are erased. That of a withdrawn or closed item stays, so that people learn
of it. The views keep references and metadata only (architecture.md, decision 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from uuid import UUID

from rilon.app.ports import Clock, Recorded
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.domain.alert import Alert, SectionRef
from rilon.domain.base import Event
from rilon.domain.holding import Holding
from rilon.domain.kinds import KINDS, Fields, decode_content, unpack_content
from rilon.domain.values import Sealed, Sensitivity
from rilon.errors import RilonError

Place = tuple[str, UUID, int]
"""Origin, item and version: who may read an old version only must not learn the words of the new one."""


@dataclass(frozen=True, slots=True)
class Summary:
    """An opened summary of one version, kept small: its fields are unpacked for the rows that are shown.

    Attributes:
        content: as it was sealed. words: all that is said in it, case folded.
        where: alpha-2 of the country it happened in, as far as it says; else "".
    """

    content: bytes = field(repr=False)
    words: str = field(repr=False)
    where: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Sight:
    """A summary to open: where it belongs and where it lies."""

    place: Place
    kind: str
    sealed: Sealed
    context: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    summary: Summary
    slot: bytes
    until: datetime


class Summaries:
    """A follower that keeps what it has read in memory only, so its position begins at 0 with each process."""

    name = "summaries"

    def __init__(self, me: str, vault: Vault, clock: Clock) -> None:
        self._me, self._vault, self._clock, self._at = me, vault, clock, 0
        self._items: dict[UUID, tuple[str, UUID]] = {}
        self._held: dict[Place, _Kept] = {}
        self._versions: dict[tuple[str, UUID], int] = {}
        self._ends: list[tuple[datetime, Place]] = []

    def __len__(self) -> int:
        self._expire()
        return len(self._held)

    async def position(self) -> int:
        """Where it has read to."""
        return self._at

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Open the summaries the batch brought, in one round trip for the keys and one for the ciphertexts."""
        sights = [s for r in batch for s in self._sights(r.event)]
        outcomes = await self._vault.open_many([(s.sealed, s.context) for s in sights])
        for sight, outcome in zip(sights, outcomes, strict=True):
            if isinstance(outcome, bytes):
                self._note(sight, outcome)
        self.forget(slot for r in batch for slot in _erased(r.event))
        self._at = batch[-1].position

    def get(self, origin: str, item: UUID, version: int) -> Fields | None:
        """The summary's fields; None when it is not readable here."""
        self._expire()
        found = self._held.get((origin, item, version))
        return unpack_content(found.summary.content) if found else None

    def where(self, origin: str, item: UUID, version: int) -> str:
        """Alpha-2 of the country that a readable summary says it happened in; else ""."""
        self._expire()
        found = self._held.get((origin, item, version))
        return found.summary.where if found else ""

    def find(self, words: str) -> list[Place]:
        """Versions whose summary holds all of the words, case folded. A search leaves no trace but its answer."""
        self._expire()
        texts = [kept.summary.words for kept in self._held.values()]
        found: Sequence[int] = range(len(texts))
        for word in words.casefold().split():  # by number: a place takes as long to look up as its text to search
            found = [n for n in found if word in texts[n]]
        places = list(self._held)
        return [places[n] for n in found]

    def forget(self, slots: Iterable[bytes]) -> None:
        """Drop summaries whose keys were erased."""
        if gone := set(slots):
            self._held = {place: kept for place, kept in self._held.items() if kept.slot not in gone}

    def _note(self, sight: _Sight, plaintext: bytes) -> None:
        try:
            fields = decode_content(sight.kind, Sensitivity.SUMMARY, plaintext)
        except RilonError:
            return  # from a newer node: the row shows its metadata
        words = " ".join(_texts(fields)).casefold()
        self._keep(sight, Summary(plaintext, words, _where(fields)))

    def _keep(self, sight: _Sight, summary: Summary) -> None:
        """In place of an older version's: once a newer one is granted, the older is dead (``Holding.find``)."""
        origin, item, version = sight.place
        newest = self._versions.get((origin, item), version)
        if version < newest:
            return
        if version > newest:
            self._held.pop((origin, item, newest), None)
        self._versions[origin, item] = version
        before = self._held.get(sight.place)
        until = max(sight.until, before.until) if before else sight.until
        self._held[sight.place] = _Kept(summary, sight.sealed.slot, until)
        heappush(self._ends, (until, sight.place))

    def _expire(self) -> None:
        now = self._clock.now()
        while self._ends and self._ends[0][0] <= now:
            _, place = heappop(self._ends)
            if place in self._held and self._held[place].until <= now:
                del self._held[place]

    def _sights(self, event: Event) -> list[_Sight]:
        if isinstance(event, Alert.Posted | Alert.Corrected):
            edition = event.edition
            item = UUID(bytes=event.originator_id.bytes)
            return _sights((self._me, item, edition.version), edition.kind, edition.sections, edition.expires_at)
        if isinstance(event, Holding.Granted):
            self._items[event.originator_id] = event.origin, event.item
        if isinstance(event, Holding.Granted | Holding.GrantedMore):
            held = event.edition
            return _sights((*self._items[event.originator_id], held.version), held.kind, held.sections, held.until)
        return []


def _erased(event: Event) -> Iterator[bytes]:
    """Slots whose keys are gone since this event."""
    if isinstance(event, Alert.SectionsErased):
        yield from (section.slot for section in event.sections)
    if isinstance(event, Holding.SectionsClosed):
        yield from (section.slot for section in event.closing.sections)


def _sights(place: Place, kind: str, sections: Iterable[SectionRef], until: datetime) -> list[_Sight]:
    origin, item, version = place
    if kind not in KINDS:
        return []
    return [
        _Sight(
            place, kind, s.sealed, section.item_context(origin, item.bytes, version, s.position, s.sensitivity), until
        )
        for s in sections
        if s.sensitivity is Sensitivity.SUMMARY
    ]


def _texts(value: object) -> Iterator[str]:
    """Everything that is said in words, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _where(fields: Fields) -> str:
    """The country of the field ``place``, else of the first place that is said, in the order of the fields' names."""
    first = fields.get("place")
    return _country(first) or next((found for value in fields.values() if (found := _country(value))), "")


def _country(value: object) -> str:
    """The country a value names, however deep; a region's or a port's code begins with its country's."""
    if isinstance(value, list):
        return next((found for inner in value if (found := _country(inner))), "")
    if not isinstance(value, dict):
        return ""
    named = next((str(value[key])[:2] for key in ("country", "admin", "locode") if value.get(key)), "")
    return named or next((found for inner in value.values() if (found := _country(inner))), "")
