"""Events of the sizes that real ones have: a signed manifest has 3.9 KB, a release 4.2 KB; what is signed is random."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rilon.domain.alert import Alert, Edition, SectionRef
from rilon.domain.base import Event, Root
from rilon.domain.command import Command
from rilon.domain.disclosure import Disclosure
from rilon.domain.draft import Draft, GrantRecord
from rilon.domain.entry import Entry
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.matrix import Verdict
from rilon.domain.peer_link import PeerLink, Signed
from rilon.domain.permissions import Caller
from rilon.domain.values import Effect, Line, Purpose, Role, Sealed, Sensitivity, Urgency

MANIFEST_BYTES, RELEASE_BYTES, GRANT_BYTES = 3_900, 4_200, 350
START = datetime(2026, 1, 1, tzinfo=UTC)
PEERS = ("id", "my", "bd", "iom", "rso")

Sealing = Callable[[str, UUID, Sensitivity], SectionRef]
"""Makes a section of an item: of whom, which, and how revealing."""


_ACKNOWLEDGED = Line("status.acknowledged", (bytes(32),))


class Draws:
    """Seeded bytes for whatever would be random."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._n = 0

    def bytes(self, n: int) -> bytes:
        return self._random.randbytes(n)

    def uuid(self) -> UUID:
        self._n += 1
        return UUID(int=self._n << 80 | 0x7 << 76 | 0b10 << 62 | self._random.getrandbits(62))

    def sealed(self) -> Sealed:
        return Sealed(self.bytes(32), self.bytes(32), self.bytes(32))

    def signed(self) -> Signed:
        return Signed(self.bytes(200), self.bytes(240))

    def section(self, _origin: str, _item: UUID, sensitivity: Sensitivity) -> SectionRef:
        return SectionRef(3, sensitivity, self.sealed(), self.bytes(16), self.bytes(128))


def history(size: int) -> list[Event]:
    """What a node lives through: it posts and releases to five, receipts come, it holds, opens and acknowledges."""
    draws = Draws()
    links = [PeerLink.begin(peer, START) for peer in PEERS]
    events: list[Any] = [e for link in links for e in link.collect_events()]
    while len(events) < size:
        at = START + timedelta(seconds=len(events))
        events += [e for a in posted(draws, at, draws.section) for e in a.collect_events()]
        link = links[len(events) % len(links)]
        link.receipt(draws.bytes(16), len(events), len(events), draws.bytes(32), (), draws.signed(), at)
        events += link.collect_events()
        came = received(draws, at, len(events), draws.section)
        events += [e for a in answered(*came, draws, at) for e in a.collect_events()]
    return events[:size]


def posted(draws: Draws, at: datetime, section: Sealing) -> list[Root]:
    """An alert of ours, released to five by rule."""
    item, author, digest = draws.uuid(), draws.bytes(16).hex(), draws.bytes(32)
    some = (Sensitivity.SUMMARY, Sensitivity.NOMINAL)
    edition = Edition(
        version=1,
        manifest=draws.bytes(MANIFEST_BYTES),
        digest=digest,
        seed=draws.bytes(32),
        kind="INC-FATAL",
        urgency=Urgency.HIGH,
        tlp="TLP:GREEN",
        pap="PAP:GREEN",
        caveats=(),
        review_at=at + timedelta(days=30),
        expires_at=at + timedelta(days=90),
        sections=tuple(section("th", item, s) for s in some),
        audience=PEERS,
        marks=draws.sealed(),
        readers=("entitled",),
    )
    cells = tuple(Verdict(peer, s, Effect.ALLOW, ("allow.incidents",)) for peer in PEERS for s in some)
    grants = {peer: GrantRecord(draws.bytes(GRANT_BYTES), 5, draws.bytes(224)) for peer in PEERS}
    draft = Draft(draws.bytes(200), draws.bytes(32), 0, cells, grants, draws.bytes(32))
    disclosure = Disclosure.propose(item, author, digest, draws.bytes(32), cells, at)
    disclosure.release(draws.bytes(RELEASE_BYTES), draws.bytes(32), "rule", draft, at)
    command = Command.record(draws.uuid(), draws.bytes(32), item.bytes, at)
    return [Alert.post(item, author, "border", edition, at), disclosure, command]


def received(draws: Draws, at: datetime, seq: int, section: Sealing) -> tuple[Holding, Entry]:
    """An alert of another Member that came."""
    item, digest = draws.uuid(), draws.bytes(32)
    peer = PEERS[seq % len(PEERS)]
    edition = HeldEdition(
        version=1,
        manifest=draws.bytes(MANIFEST_BYTES),
        digest=digest,
        kind="INC-FATAL",
        urgency=Urgency.HIGH,
        tlp="TLP:GREEN",
        pap="PAP:GREEN",
        caveats=(),
        review_at=at + timedelta(days=30),
        basis="rule",
        release=draws.bytes(RELEASE_BYTES),
        grant=draws.bytes(GRANT_BYTES),
        position=5,
        path=draws.bytes(224),
        readers=("entitled",),
        purposes=frozenset({Purpose.PREVENT_LOSS_OF_LIFE}),
        onward="ask",
        court="ask",
        until=at + timedelta(days=90),
        sections=tuple(section(peer, item, s) for s in (Sensitivity.SUMMARY, Sensitivity.NOMINAL)),
    )
    came = Entry.accept(peer, b"L" * 16, seq, Line("release", (digest, draws.bytes(32))), at, item=item)
    return Holding.grant(peer, item, edition, at), came


def answered(holding: Holding, came: Entry, draws: Draws, at: datetime) -> list[Root]:
    """Somebody opens and acknowledges what came, and the peer acknowledges something of ours."""
    officer = Caller(draws.bytes(16).hex(), frozenset({Role.OFFICER}), "border", "")
    holding.open_(officer, Sensitivity.NOMINAL, Purpose.PREVENT_LOSS_OF_LIFE, at)
    holding.acknowledge(holding.grants.editions[-1], officer.ref, at)
    heard = Entry.accept(holding.origin, b"L" * 16, came.seq + 1, _ACKNOWLEDGED, at)
    return [came, holding, heard]
