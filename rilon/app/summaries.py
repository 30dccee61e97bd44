"""Summaries in memory: what rows, filters and search show, opened once per process and never written to disk.

The index follows the log from its beginning at every start, and forgets a summary when its keys are gone. The views
keep references and metadata only (architecture.md, decision 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rilon.app.ports import Recorded
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.domain.alert import Alert, SectionRef
from rilon.domain.base import Event
from rilon.domain.holding import Holding
from rilon.domain.kinds import KINDS, Fields, decode_content
from rilon.domain.values import Sealed, Sensitivity
from rilon.errors import RilonError

Place = tuple[str, UUID, int]
"""Origin, item and version: who may read an old version only must not learn the words of the new one."""


@dataclass(frozen=True, slots=True)
class Summary:
    """An opened summary of one version."""

    fields: Fields = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Sight:
    """A summary to open: where it belongs and where it lies."""

    place: Place
    kind: str
    sealed: Sealed
    context: bytes


class Summaries:
    """A follower that keeps what it has read in memory only, so its position begins at 0 with each process."""

    name = "summaries"

    def __init__(self, me: str, vault: Vault) -> None:
        self._me, self._vault, self._at = me, vault, 0
        self._items: dict[UUID, tuple[str, UUID]] = {}
        self._held: dict[Place, tuple[Summary, bytes]] = {}

    def __len__(self) -> int:
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
        self._at = batch[-1].position

    def get(self, origin: str, item: UUID, version: int) -> Fields | None:
        """The summary's fields; None when it is not readable here."""
        found = self._held.get((origin, item, version))
        return found[0].fields if found else None

    def find(self, words: str) -> list[Place]:
        """Versions whose summary holds all of the words, case folded. A search leaves no trace but its answer."""
        wanted = words.casefold().split()
        return [place for place, (s, _) in self._held.items() if all(w in s.words for w in wanted)]

    def forget(self, slots: Iterable[bytes]) -> None:
        """Drop summaries whose keys were erased."""
        gone = set(slots)
        self._held = {place: kept for place, kept in self._held.items() if kept[1] not in gone}

    def _note(self, sight: _Sight, plaintext: bytes) -> None:
        try:
            fields = decode_content(sight.kind, Sensitivity.SUMMARY, plaintext)
        except RilonError:
            return  # from a newer node: the row shows its metadata
        words = " ".join(_texts(fields)).casefold()
        self._held[sight.place] = Summary(fields, words), sight.sealed.slot

    def _sights(self, event: Event) -> list[_Sight]:
        if isinstance(event, Alert.Posted | Alert.Corrected):
            edition = event.edition
            item = UUID(bytes=event.originator_id.bytes)
            return _sights((self._me, item, edition.version), edition.kind, edition.sections)
        if isinstance(event, Holding.Granted):
            self._items[event.originator_id] = event.origin, event.item
        if isinstance(event, Holding.Granted | Holding.GrantedMore):
            held = event.edition
            return _sights((*self._items[event.originator_id], held.version), held.kind, held.sections)
        return []


def _sights(place: Place, kind: str, sections: Iterable[SectionRef]) -> list[_Sight]:
    origin, item, version = place
    if kind not in KINDS:
        return []
    return [
        _Sight(place, kind, s.sealed, section.item_context(origin, item.bytes, version, s.position, s.sensitivity))
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
