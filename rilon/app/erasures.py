"""Erasing what may not be held any longer: recalled, ordered, past its end, replaced by a newer version.

What has to go follows from the log and the clock alone: a follower keeps, in memory, when each item has to be looked at
next. So there is no list of erasures to be lost, and a node that is cut off erases by itself. The order, in which every
crash is repaired by doing it again (docs/spec/keys.md):

1. the event that ends a grant (or its ``until``): reading stops.
2. the sections' keys are erased, those of all items that are due in one turning of their buckets.
3. ``SectionsClosed``, with the signed receipt: the originator learns that it is *closed*.
4. the KEM keys that a frame with these sections may have been sealed to go: at once after a recall, with the monthly
   epoch after everything else. Then ``SectionsDestroyed``, with the second receipt.

Own alerts go the same way with the first two steps, and ``SectionsErased``; nobody waits for a receipt. With the last
of an item go the words that were written about it (``rilon.app.words``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from rilon.app.follower import Remembering
from rilon.app.keys_desk import KeysDesk
from rilon.app.ports import Keys
from rilon.app.unit import Unit, Work
from rilon.app.vault import Vault
from rilon.app.words import Words
from rilon.crypto import recall
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.closing import ClosedSection, Closing
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.onward import Onward

AT_ONCE = datetime.fromtimestamp(0, UTC)
TOGETHER = 500
"""Most items whose keys go in one erasure."""


class Erasures(Remembering):
    """Knows what is due to be erased; ``tend`` does it.

    It counts, of every item, what still has keys: whose have all gone is looked at no more, after a restart neither.
    """

    name = "erasures"

    def __init__(self, work: Work, vault: Vault, keys: Keys, epochs: KeysDesk) -> None:
        self._work, self._vault, self._keys, self._epochs = work, vault, keys, epochs
        self._due: dict[UUID, datetime] = {}
        self._own: dict[UUID, datetime] = {}
        self._keyed: Counter[UUID] = Counter()  # of held items a section counts once for each grant that covers it
        self._words, self._ends, self._ordered = Words(), dict[UUID, datetime](), set[UUID]()
        self._urgent: set[tuple[UUID, bytes]] = set()
        self._unread: dict[tuple[str, bytes], list[bytes]] = {}
        self._undestroyed: dict[tuple[UUID, bytes], frozenset[bytes]] = {}

    def _note(self, event: Event) -> None:
        """When an item is to be looked at next, and what waits for its KEM keys to go."""
        self._look(event)
        self._count(event)
        self._hear(event)

    def _look(self, event: Event) -> None:
        """A release that only a newer node can read is kept whole; a recall of it takes that too."""
        stream = event.originator_id
        match event:
            case Alert.Posted() | Alert.Corrected() | Alert.EraseOrdered():
                self._note_own(event)
            case Holding.Granted():
                self._due[stream] = event.edition.until
            case Holding.GrantedMore():  # an older version's keys may die with it
                self._due[stream] = AT_ONCE
            case Holding.Barred() | Holding.Recalled():
                self._due[stream] = AT_ONCE
                self._urgent.add((stream, event.manifest))
            case Entry.Unknown() if event.line.kind == "release" and event.line.digests:
                self._unread.setdefault((event.peer, event.line.digests[0]), []).append(event.attachments.slot)
            case Holding.SectionsClosed():
                self._undestroyed[stream, event.closing.manifest] = frozenset(event.closing.kems)
            case Holding.SectionsDestroyed():
                self._undestroyed.pop((stream, event.manifest), None)
                self._urgent.discard((stream, event.manifest))

    def _note_own(self, event: Alert.Posted | Alert.Corrected | Alert.EraseOrdered) -> None:
        stream = event.originator_id
        if isinstance(event, Alert.EraseOrdered):
            self._own[stream] = AT_ONCE
            self._ordered |= {stream} if event.sensitivity is None else set()
        else:
            self._ends[stream] = event.edition.expires_at
            self._own[stream] = event.edition.expires_at if isinstance(event, Alert.Posted) else AT_ONCE

    def _count(self, event: Event) -> None:
        keyed, stream = self._keyed, event.originator_id
        match event:
            case Alert.Posted() | Alert.Corrected() | Holding.Granted() | Holding.GrantedMore():
                keyed[stream] += len(event.edition.sections)
            case Alert.SectionsErased():
                keyed[stream] -= len(event.sections)
            case Holding.SectionsClosed():
                keyed[stream] -= sum(len(section.grants) for section in event.closing.sections)
            case _:
                return
        if not keyed[stream]:
            del keyed[stream]
            self._own.pop(stream, None)
            self._due.pop(stream, None)
            if (end := self._ends.pop(stream, AT_ONCE)) > event.timestamp:
                self._own[stream] = end  # why it was ordered to go before its end stays until then

    def _hear(self, event: Event) -> None:
        """Words that come after what they are about has gone must follow it."""
        whose = self._words.fold(event)
        if isinstance(event, Entry.Accepted | Onward.Received) and whose is not None:
            self._own[whose] = AT_ONCE if whose in self._ordered else self._own.get(whose, AT_ONCE)

    async def tend(self) -> None:
        """Erase what is due, turn KEM keys for what was recalled, and answer the originators.

        Raises:
            UnavailableError: repeat it.
        """
        now = self._work.clock.now()
        if due := [stream for stream, at in self._due.items() if at <= now][:TOGETHER]:
            await self._close(due)
        if over := [stream for stream, at in self._own.items() if at <= now][:TOGETHER]:
            await self._erase(over)
        needed = {kid for place in self._urgent for kid in self._undestroyed.get(place, ())}
        if needed:
            await self._epochs.outlive(needed)
        held = {key.kid for key in self._keys.ring().kems()}
        for (stream, manifest), kems in list(self._undestroyed.items()):
            if not kems & held:
                await self._work.run(partial(self._destroy, stream, manifest))
                self._undestroyed.pop((stream, manifest), None)

    async def _close(self, streams: Iterable[UUID]) -> None:
        """Steps 2 and 3. The keys go before the event says so: a crash in between erases nothing a second time."""
        now = self._work.clock.now()
        holdings = [await self._work.read(Holding, stream) for stream in streams]
        dead = {h.id: h.grants.unclosed(now) for h in holdings}
        slots = [s.slot for found in dead.values() for sections in found.values() for s in sections]
        unread = [s for h in holdings for m in h.grants.asked for s in self._unread.get((h.origin, m), ())]
        words = [s for h in holdings if not h.grants.live(now) for s in self._words.written.get(h.id, ())]
        if slots or unread or words:
            await self._vault.erase([*slots, *unread, *words])
        for holding in holdings:
            if dead[holding.id]:
                await self._work.run(partial(self._record, holding.id, frozenset(slots)))
            self._look_again(await self._work.read(Holding, holding.id), now)

    async def _erase(self, streams: Iterable[UUID]) -> None:
        """Own sections: the keys, and then the event, as in ``_close``."""
        now = self._work.clock.now()
        alerts = [await self._work.read(Alert, stream) for stream in streams]
        over = {alert.id: alert.over(now) for alert in alerts}
        slots = frozenset(s.slot for sections in over.values() for s in sections)
        words = [slot for alert in alerts for slot in self._spent(alert, now)]
        if slots or words:
            await self._vault.erase([*slots, *words])
        for stream, sections in over.items():
            if sections:
                await self._work.run(partial(self._note_erased, stream, slots))
            alert = await self._work.read(Alert, stream)  # what was ordered meanwhile must not wait for the end
            self._own[stream] = AT_ONCE if alert.over(now) else alert.edition.expires_at
            if now >= self._own[stream] > AT_ONCE:
                del self._own[stream]

    def _spent(self, alert: Alert, now: datetime) -> list[bytes]:
        """Words that have no item any more: all at its end; of one ordered to go before, all but why."""
        ended = now >= alert.edition.expires_at
        found = self._words.written.get(alert.id, []) if ended or alert.state == "erased" else []
        return found + (self._words.orders.get(alert.id, []) if ended else [])

    async def _note_erased(self, stream: UUID, erased: frozenset[bytes], unit: Unit) -> bytes:
        """Another process may have been first, and then there is nothing to say."""
        alert, at = await unit.get(Alert, stream), self._work.clock.now()
        if gone := tuple(section for section in alert.over(at) if section.slot in erased):
            alert.note_erased(gone, at)
        return b""

    def _look_again(self, holding: Holding, now: datetime) -> None:
        self._due.pop(holding.id, None)
        if (end := holding.grants.next_end(now)) is not None:
            self._due[holding.id] = end if not holding.grants.unclosed(now) else AT_ONCE

    async def _record(self, stream: UUID, erased: frozenset[bytes], unit: Unit) -> bytes:
        """Append what is gone; another process may have been first, and then there is nothing to say."""
        me, at = (await unit.get(Directory, DIRECTORY_ID)).me, self._work.clock.now()
        holding = await unit.get(Holding, stream)
        kems = tuple(key.kid for key in self._keys.ring().kems())
        for manifest, sections in holding.grants.unclosed(at).items():
            if all(s.slot in erased for s in sections):
                everything = (*holding.grants.closed.get(manifest, ()), *sections)
                receipt = _receipt(holding, me, manifest, everything, at)
                signed, digest = recall.sign(receipt, self._keys.ring().signing)
                holding.close(Closing(manifest, sections, kems, signed, digest), at)
        return b""

    async def _destroy(self, stream: UUID, manifest: bytes, unit: Unit) -> bytes:
        me, at = (await unit.get(Directory, DIRECTORY_ID)).me, self._work.clock.now()
        holding = await unit.get(Holding, stream)
        if manifest in holding.grants.undestroyed:
            closed_at, _ = holding.grants.undestroyed[manifest]
            receipt = _receipt(holding, me, manifest, holding.grants.closed[manifest], closed_at, at)
            holding.destroy(manifest, *recall.sign(receipt, self._keys.ring().signing), at)
        return b""


def _receipt(
    holding: Holding,
    me: str,
    manifest: bytes,
    sections: Iterable[ClosedSection],
    closed: datetime,
    destroyed: datetime | None = None,
) -> recall.Receipt:
    """What is said of a version: all of it that was ever closed here, since a later receipt replaces an earlier one."""
    openings: dict[str, int] = {}
    for section in sections:
        openings[section.sensitivity] = max(section.openings, openings.get(section.sensitivity, 0))
    return recall.Receipt(
        holder=me,
        origin=holding.origin,
        item=holding.item.bytes,
        manifest=manifest,
        sections=tuple(recall.Closed(name, openings[name]) for name in sorted(openings)),
        closed=int(closed.timestamp()),
        destroyed=None if destroyed is None else int(destroyed.timestamp()),
    )
