"""A whole story in two logs, with every kind of statement; and what a forger with a database does to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from rilon.app.link_desk import ReceiptFacts
from rilon.app.link_facts import LinkBook, Selected
from rilon.audit.verify import Report, Verifier
from rilon.crypto import frame, merkle
from rilon.crypto.keys import SigningKey
from rilon.domain.base import Event
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.peer_link import Signed
from rilon.domain.values import Purpose, Role, Sensitivity
from rilon.network import wire
from rilon.store.codec import Codec
from rilon.store.recorder import RawEvent
from rilon.store.snapshot import Tip
from tests.fakes.entropy import SeededEntropy
from tests.nodes import MemoryNode, acquaint, draft_of, memory_node, pump

CODEC = Codec(CATALOGUE, SeededEntropy(99))


@dataclass
class Evidence:
    """What a verifier reads; tests change it."""

    log_id: bytes
    rows: list[RawEvent]
    selected: list[Selected] = field(default_factory=list)
    texts: dict[bytes, bytes | None] = field(default_factory=dict)
    tip: Tip | None = None

    def head(self) -> Tip:
        """The head of the rows as they are now; who tampers keeps the old one."""
        size, peaks = merkle.grow(0, (), [r.leaf for r in self.rows])
        return Tip(size, merkle.root(peaks), peaks, self.log_id)

    def copy(self) -> Evidence:
        return replace(self, rows=list(self.rows), selected=list(self.selected), texts=dict(self.texts))

    def verify(self) -> Report:
        verifier = Verifier(self.tip or self.head(), CODEC)
        for row in self.rows:
            verifier.take(row)
        for selected in self.selected:
            verifier.take_selected(selected)
        for slot, digest in self.texts.items():
            verifier.take_text(slot, digest)
        return verifier.report()

    def codes(self) -> set[str]:
        return {f.code for f in self.verify().findings}

    def found(self) -> list[tuple[int, str]]:
        return [(f.position, f.code) for f in self.verify().findings]

    def events(self) -> list[Event]:
        return [CODEC.decode(_stored(row), row.position) for row in self.rows]

    def place(self, kind: type[Any], which: Callable[[Any], bool] = lambda _: True) -> int:
        """Position of the first event of a kind."""
        return next(n for n, e in enumerate(self.events(), 1) if isinstance(e, kind) and which(e))

    def rewrite(self, position: int, **changes: Any) -> None:
        """Change an event as somebody would who owns the database: row, leaf and head agree again."""
        event = self.events()[position - 1]
        changed = object.__new__(type(event))
        vars(changed).update(vars(event) | changes)
        self.put(position, changed)

    def put(self, position: int, event: Event) -> None:
        row = CODEC.encode(event)
        stream = UUID(str(row.originator_id))
        leaf = merkle.event_leaf(stream, row.originator_version, row.topic, row.state)
        self.rows[position - 1] = RawEvent(position, stream, row.originator_version, row.topic, leaf, row.state)

    def become(self, position: int, kind: type[Any], **fields: Any) -> None:
        """Put another kind of event in an event's place in its stream."""
        old, event = self.events()[position - 1], object.__new__(kind)
        envelope = {name: getattr(old, name) for name in ("originator_id", "originator_version", "timestamp")}
        vars(event).update(envelope | fields)
        self.put(position, event)

    def renumber(self) -> None:
        self.rows = [replace(row, position=n) for n, row in enumerate(self.rows, 1)]


def _stored(row: RawEvent) -> StoredEvent:
    return StoredEvent(row.stream, row.version, row.topic, row.state)


@dataclass
class Story:
    """A node's whole evidence, and the node itself with all its keys."""

    here: MemoryNode
    there: MemoryNode
    evidence: Evidence
    theirs: Evidence


async def receipt(here: MemoryNode, there: MemoryNode) -> None:
    """The peer's receipt for everything that was pumped to it."""
    book = LinkBook(here.member, here.log_id, {})
    sent = [s for r in await here.log.page(0, 10**6) for s in book.fold(r.position, r.event) if s.peer == there.member]
    last = sent[-1]
    refused = ((last.n, last.position, "release.part"),) if last.n > 3 else ()
    size = (await there.log.head()).size
    said = wire.Receipt(
        there.log_id, here.log_id, size, last.n, last.head, 0, tuple((n, code) for n, _, code in refused)
    )
    facts = ReceiptFacts(there.log_id, last.n, last.position, last.head, refused, signed_by(there, here, said))
    await here.desks.links.receipted(there.member, facts)


def signed_by(there: MemoryNode, here: MemoryNode, said: wire.Receipt) -> Signed:
    """What a node keeps of a peer's frame with this body."""
    route = frame.Route(there.member, here.member, there.log_id, here.log_id, "real")
    ours, theirs = here.desks.keys.ring().kem(), there.desks.keys.ring().link
    raw = frame.seal(wire.encode(said), b"", route, frame.Recipient(ours.public), theirs)
    opened = frame.open_(frame.parse(raw), route, ours, theirs.public)
    return Signed(opened.body, opened.proof)


async def evidence_of(node: MemoryNode) -> Evidence:
    found = Evidence(node.log_id, [row async for row in node.log.raw()])
    found.tip = found.head()
    assert (found.tip.size, found.tip.root) == ((await node.log.head()).size, (await node.log.head()).root)
    book = LinkBook(node.member, node.log_id, {})
    for recorded in await node.log.page(0, 10**6):
        found.selected += book.fold(recorded.position, recorded.event)
    found.texts = {slot: sha256(text).digest() for slot, text in node.blobs.ciphertexts.items()}
    return found


async def told() -> Story:
    """Every kind of statement: by rule, by approval of one and of two, break-glass, corrected, answered, withdrawn."""
    th, id_ = await memory_node("th"), await memory_node("id")
    await acquaint(th, id_)
    author, focal, second = await th.officer(), await th.approver(), await th.approver(Role.PROTECTION)
    reader = await id_.officer()
    for kind in ("SCAM-VICTIM-CALL", "TIP-RECRUIT", "OSINT-FIND", "VIC-REFER"):
        item = await th.post(author, draft_of(kind, "id"))
        if (await th.disclosure(item)).draft is not None:
            needed = (focal, second)[: (await th.disclosure(item)).waiting().approvers]
            await th.approve(item, *needed)
        await pump(th, id_)
    await receipt(th, id_)
    await answers(th, id_, author, reader)
    await pump(id_, th)
    await receipt(id_, th)
    await pump(th, id_)
    await receipt(th, id_)
    return Story(th, id_, await evidence_of(th), await evidence_of(id_))


async def answers(th: MemoryNode, id_: MemoryNode, author: Any, reader: Any) -> None:
    item = await th.post(author, draft_of("DOC-FRAUD", "id"))
    await pump(th, id_)
    await id_.desks.reading.open_(reader.caller, "th", item, Sensitivity.SUMMARY, Purpose.STRATEGIC_ANALYSIS)
    await id_.desks.reading.acknowledge(reader.caller, "th", item)
    await id_.desks.reading.reply(reader.caller, "th", item, "reply.sighting", "Seen at the pier.")
    await th.desks.alerts.correct(author.caller, item, draft_of("DOC-FRAUD", "id"))
    await pump(th, id_)
    await th.desks.alerts.withdraw(author.caller, item, "It was a mistake.")


@cache
def stranger() -> SigningKey:
    """A key that is nobody's."""
    return SigningKey.from_seed(b"\7" * 64)
