"""Whole nodes in memory: the real desks and the real cryptography over fake ports, in a few milliseconds.

``memory_node`` founds one, ``acquaint`` lets several verify each other, ``pump`` carries what one has for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from rilon.app.directory_desk import fingerprint
from rilon.app.disclosure_desk import Waiting
from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.app.ports import Entropy, EventLog
from rilon.app.post import Arrived
from rilon.app.release import body_of
from rilon.app.unit import Done, Key, Unit
from rilon.crypto import strict
from rilon.crypto.approval import ApprovalKey, book_digest, confirm_digest
from rilon.crypto.keys import SigningKey
from rilon.domain.base import Event, lines_of
from rilon.domain.book_file import make_book
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.handling import READERS, Readers, Tlp
from rilon.domain.kinds import KINDS
from rilon.domain.legal import Agreement
from rilon.domain.officer import Officer
from rilon.domain.permissions import Caller
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.rules import Rule, RuleBook
from rilon.domain.values import Role
from rilon.node.config import Config
from rilon.node.desks import Desks, assemble
from rilon.node.founding import found
from rilon.store.codec import Codec
from tests.fakes.drafts import NOW, example
from tests.fakes.entropy import SeededEntropy
from tests.fakes.keys import MemoryKeys, cheap_keyring
from tests.fakes.memory_blobs import MemoryBlobs
from tests.fakes.memory_log import MemoryEventLog

World = Literal["real", "exercise"]


class SetClock:
    """A clock that stands still until a test turns it."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@dataclass(frozen=True)
class Person:
    """An enrolled officer, and the approval key they keep."""

    caller: Caller
    key: ApprovalKey | None = None

    @property
    def id(self) -> UUID:
        return UUID(hex=self.caller.ref)

    def sign(self, waiting: Waiting, nonce: bytes = b"\6" * 32) -> bytes:
        """An approval of exactly what was shown."""
        assert self.key is not None
        return strict.encode(self.key.approve(body_of(waiting.draft), nonce))

    def consent(self, digest: bytes, nonce: bytes = b"\5" * 32) -> bytes:
        """Consent to what has this digest."""
        assert self.key is not None
        return strict.encode(self.key.consent(digest, nonce))

    def sign_rules(self, book: RuleBook, nonce: bytes = b"\7" * 32) -> bytes:
        """Consent to a rule book."""
        return self.consent(book_digest(book.digest), nonce)


async def publish_rules(
    desks: Desks, rules: Sequence[Rule], *signers: Person, agreements: Sequence[Agreement] = ()
) -> None:
    """Put a book of these rules in force, signed like any other."""

    async def do(unit: Unit) -> bytes:
        books = await unit.get(RuleBooks, RULEBOOK_ID)
        book = make_book(books.book.member, books.book.version + 1, rules, (), agreements)
        books.propose(book, signers[0].caller.ref, desks.clock.now())
        for signer in signers:
            books.sign(signer.caller.ref, book.digest, signer.sign_rules(book), desks.clock.now())
        return b""

    await desks.work.run(do)


@dataclass
class MemoryNode:
    """A node of a Member. ``sent`` remembers how far ``pump`` has read for each peer: (position, lines)."""

    member: str
    desks: Desks
    log: MemoryEventLog
    blobs: MemoryBlobs
    clock: SetClock
    root: SigningKey
    log_id: bytes
    sent: dict[str, tuple[int, int]] = field(default_factory=dict)
    signers: tuple[Person, ...] = ()

    async def officer(self, *roles: Role, agency: str = "immigration", desk: str = "duty") -> Person:
        """Enrol somebody with these roles; a frontline officer when none is given."""
        held = frozenset(roles or (Role.OFFICER,))
        enrolled = await self.desks.members.enrol(None, "Fictional Officer", agency, desk, held)
        return Person(Caller(enrolled.answer.hex(), held, agency, desk))

    async def approver(self, *roles: Role) -> Person:
        """Enrol somebody who approves, with a key of their own; a focal point when no role is given."""
        person = await self.officer(*(roles or (Role.FOCAL_POINT,)))
        key = SigningKey.from_seed(self.desks.entropy.bytes(64))
        await self.desks.members.enrol_key(person.id, key.public.raw)
        return replace(person, key=ApprovalKey(person.caller.ref, key))

    async def confirm(self, by: Person, candidate: UUID) -> Person:
        """Let a focal point confirm a colleague by their own key."""
        found = await self.desks.members.candidate(by.caller, candidate)
        digest = confirm_digest(found.member, found.officer, found.roles, found.key)
        await self.desks.members.confirm(by.caller, candidate, by.consent(digest))
        return Person((await self.desks.work.read(Officer, candidate)).caller(self.clock.at))

    async def reset(self, by: Person, peer: str, key: Key | None = None) -> Done:
        """Sign by a focal point's own key that a frozen link goes on."""
        found = await self.desks.links.halted(by.caller, peer)
        return await self.desks.links.reset(by.caller, peer, by.consent(found.digest), key)

    async def events(self, after: int = 0) -> list[Event]:
        """The log from a position on."""
        return [r.event for r in await self.log.page(after, 1_000_000)]

    async def stored(self) -> tuple[int, frozenset[bytes], frozenset[bytes]]:
        """What a refusal must leave as it was: log, keys; and ciphertexts, which may only be leased."""
        return (await self.log.head()).size, frozenset(self.blobs.keywraps), frozenset(self.blobs.ciphertexts)

    async def post(self, author: Person, draft: AlertDraft) -> UUID:
        return UUID(bytes=(await self.desks.alerts.post(author.caller, draft)).answer)

    async def attach(self, author: Person, *files: tuple[str, bytes]) -> tuple[str, ...]:
        """Upload files; their tickets, for a draft."""
        desk = self.desks.attachments
        return tuple([(await desk.upload(author.caller, name, data)).ticket for name, data in files])

    async def approve(self, item: UUID, *people: Person) -> bytes:
        """Have each person look and sign; the last answer."""
        answer = b""
        for person in people:
            shown = await self.desks.disclosures.show(person.caller, item)
            answer = (await self.desks.disclosures.approve(person.caller, item, person.sign(shown))).answer
        return answer

    async def disclosure(self, item: UUID) -> Disclosure:
        return await self.desks.work.read(Disclosure, disclosure_id(item))

    async def publish(self, person: Person, *rules: Rule) -> None:
        """Add rules to the book in force."""
        book = await self.desks.rules.current(person.caller)
        await self.put_in_force([*book.rules, *rules])

    async def put_in_force(self, rules: Sequence[Rule], desks: Desks | None = None) -> None:
        """A book of these rules, sound or not: the check of a draft is the desk's, and has tests of its own."""
        if not self.signers:
            self.signers += (await self.approver(), await self.approver())
        await publish_rules(desks or self.desks, rules, *self.signers)

    def copy(self, wrap: Callable[[EventLog], EventLog] = lambda log: log) -> MemoryNode:
        """The same node, from here on living another life."""
        blobs = MemoryBlobs(MemoryKeys(self.blobs.keyring.ring()))
        blobs.ciphertexts, blobs.keywraps = dict(self.blobs.ciphertexts), dict(self.blobs.keywraps)
        entropy: Any = deepcopy(self.desks.entropy)
        log = MemoryEventLog(Codec(CATALOGUE, entropy), blobs.keywraps, blobs.keks)
        log._rows, log._peaks = list(self.log._rows), self.log._peaks
        log._streams = {stream: dict(rows) for stream, rows in self.log._streams.items()}
        clock = SetClock(self.clock.at)
        desks = assemble(wrap(log), blobs, blobs.keyring, clock, entropy)
        return MemoryNode(self.member, desks, log, blobs, clock, self.root, self.log_id, dict(self.sent), self.signers)


async def memory_node(
    member: str = "th",
    *,
    seed: int = 0,
    book: RuleBook | None = None,
    world: World = "real",
    clock: SetClock | None = None,
    wrap: Callable[[EventLog], EventLog] = lambda log: log,
) -> MemoryNode:
    """Found a node.

    Args:
        wrap: puts something between the desks and the log: a log that loses answers, say.
    """
    entropy: Entropy = SeededEntropy(int.from_bytes(f"{member}:{seed}".encode()))
    clock, keys = clock or SetClock(), MemoryKeys(cheap_keyring())
    blobs = MemoryBlobs(keys)
    log = MemoryEventLog(Codec(CATALOGUE, entropy), blobs.keywraps, blobs.keks)
    desks = assemble(wrap(log), blobs, keys, clock, entropy)
    root, log_id = SigningKey.from_seed(entropy.bytes(64)), entropy.bytes(16)
    await found(desks, Config(member, world), root, log_id, book)
    return MemoryNode(member, desks, log, blobs, clock, root, log_id)


async def introduce(here: MemoryNode, there: MemoryNode, *, verify: bool = True) -> None:
    """Tell one node of another; verified by a focal point who was enrolled for it, unless told not to."""
    await here.desks.directory.take_in(await there.desks.directory.introduction())
    if verify:
        focal = await here.officer(Role.FOCAL_POINT)
        await here.desks.directory.verify(focal.caller, there.member, fingerprint(there.root.public.raw))


async def acquaint(*nodes: MemoryNode) -> None:
    """Let every node verify every other."""
    for here in nodes:
        for there in nodes:
            if here is not there:
                await introduce(here, there)


async def lines(here: MemoryNode, there: MemoryNode) -> list[Arrived]:
    """What has become addressed to a peer since the last call, as it would arrive there."""
    position, count = here.sent.get(there.member, (0, 0))
    found: list[Arrived] = []
    for recorded in await here.log.page(position, 1_000_000):
        position = recorded.position
        if line := lines_of(recorded.event).get(there.member):
            count += 1
            found.append(Arrived(count, line, await here.desks.outgoing.attach(recorded.event, there.member)))
    here.sent[there.member] = position, count
    return found


async def pump(here: MemoryNode, there: MemoryNode) -> list[str]:
    """Carry what waits for a peer; the codes it was refused with, "" for what was accepted."""
    waiting = await lines(here, there)
    return await there.desks.incoming.accept(here.member, here.log_id, waiting) if waiting else []


def draft_of(kind: str = "TIP-RECRUIT", *members: str, **changes: Any) -> AlertDraft:
    """A fictional alert of a kind, to these Members, or to everyone when none is named."""
    given = example(kind)
    handling = given.get("handling", {}) | changes.pop("handling", {})
    readers = READERS[Tlp(handling.get("tlp", KINDS[kind].tlp))]
    named = ("entitled",) if Readers.ENTITLED in readers else ("desk:duty",)
    facts: dict[str, Any] = {
        "kind": kind,
        "fields": given["fields"],
        "audience": AudienceDraft(everyone=not members, members=members, readers=named),
        "handling": handling,
        "grade": given.get("grade"),
    }
    return AlertDraft(**facts | changes)
