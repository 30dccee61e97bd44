"""Do the signatures hold? Every statement and approval of a log, checked by the keys that the log itself had then.

Directory statements bring the keys, from the root key downwards; manifests, releases and approvals are checked by them,
at the position where they stand. What does not hold is not believed: a forged key makes nothing below it hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, singledispatchmethod
from typing import Any, cast
from uuid import UUID

import msgspec

from rilon.app.directory_desk import fingerprint, read_identity, read_roster
from rilon.app.membership_desk import check_confirmed
from rilon.app.outgoing import leaf_of
from rilon.app.receipts import take_receipt
from rilon.app.received import check_basis, check_terms
from rilon.app.release import check_approval
from rilon.app.rules_desk import check_signature
from rilon.crypto import manifest, recall, release, statement, tree
from rilon.crypto.keys import VerifyKey
from rilon.domain.alert import Alert, SectionRef
from rilon.domain.base import Event, Root, Unknown
from rilon.domain.directory import DIRECTORY_ID, Directory, Listing, PeerNode, Roster, peer_id
from rilon.domain.disclosure import Disclosure, Draft, GrantRecord, disclosure_id
from rilon.domain.entry import Entry, entry_id
from rilon.domain.holding import HeldEdition, Holding, holding_id
from rilon.domain.matrix import Verdict
from rilon.domain.officer import APPROVING, SYSTEM, Officer
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.recall import Recall, recall_id
from rilon.domain.rulebook import RULEBOOK_ID, SIGNERS, RuleBooks, ended
from rilon.domain.rules import RuleBook
from rilon.domain.values import Effect, Line, Role, Sensitivity
from rilon.errors import MalformedError, ProofError

_key = lru_cache(256)(VerifyKey)
_approver = lru_cache(256)(release.approver_key)
"""Parsed keys by their bytes: few, and used thousands of times."""


@dataclass(slots=True)
class _Disclosure:
    """What of a disclosure decides whether its next event can be."""

    item: UUID
    authors: frozenset[str]
    manifest: bytes
    verdicts: tuple[Verdict, ...]
    draft: Draft | None = None
    approved: set[str] = field(default_factory=set)
    voices: set[str] = field(default_factory=set)

    def start(self, draft: Draft | None) -> None:
        """Another draft waits, unsigned; or none does."""
        self.draft, self.approved, self.voices = draft, set(), set()


class Statements:
    """The fold of everything that signs, and the check of everything that is signed.

    Args:
        proved: counts what held, as ``statements`` and ``approvals``.
    """

    def __init__(self, proved: Counter[str]) -> None:
        self._proved = proved
        self._known: Directory | None = None
        self._peers: dict[str, PeerNode] = {}
        self._book: RuleBook | None = None
        self._books: set[bytes] = set()
        self._people: dict[str, Officer] = {}
        self._drafted: RuleBook | None = None
        self._signed_by: set[str] = set()
        self._sections: dict[bytes, dict[int, Sensitivity]] = {}
        self._newest: dict[UUID, tuple[int, bytes]] = {}
        self._disclosures: dict[UUID, _Disclosure] = {}
        self._held: dict[UUID, tuple[str, UUID]] = {}
        self._holders: dict[UUID, set[str]] = {}
        self._left = b""
        self._newer: set[UUID] = set()

    @property
    def member(self) -> str:
        """Whose log it is; "" before it says so."""
        return self._known.me if self._known else ""

    @property
    def fingerprint(self) -> bytes:
        """Of the root key of this node; b"" before the log names it."""
        return fingerprint(self._known.own.identity.root) if self._known else b""

    @property
    def log_id(self) -> bytes:
        """Of this node's log, as its root signed it last; b"" before it did."""
        return self._known.own.identity.log_id if self._known else b""

    def check(self, event: Event) -> None:
        """Check one event and take in what later ones are checked by.

        Raises:
            ProofError, MalformedError, NotFoundError: what does not hold.
        """
        if isinstance(event, Unknown):
            self._newer.add(event.originator_id)
        if event.originator_id in self._newer:
            return  # what a newer program did to a stream, and what may follow it there, is not known here
        if _name_of(event) != event.originator_id:
            raise ProofError("stream.name", "A stream has another name than what it is about.")
        self._check(event)

    @singledispatchmethod
    def _check(self, event: object) -> None:
        """Most events sign nothing."""

    @_check.register
    def _(self, event: Directory.Founded) -> None:
        _same(read_identity(event.statement), event.identity)
        self._known = cast("Directory", event.mutate(None))
        self._proved["statements"] += 1

    @_check.register
    def _(self, event: Directory.IdentityChanged) -> None:
        directory, said, old = self._directory, event.identity, self._directory.own.identity
        _same((read_identity(event.statement), said.world, said.member), (said, old.world, old.member))
        if old.root != said.root:
            raise ProofError("directory.root", "This node's root key was exchanged.")
        _check_newer(said.seq, old.seq)
        self._check_told(event.to, statement.parse(event.statement).digest)
        self._left = old.log_id
        event.apply(directory)
        self._proved["statements"] += 1

    @_check.register
    def _(self, event: PeerNode.Introduced) -> None:
        _same((read_identity(event.statement), event.identity.world), (event.identity, self._world))
        self._peers[event.identity.member] = cast("PeerNode", event.mutate(None))
        self._check_met(event.identity.member)

    @_check.register
    def _(self, event: PeerNode.IdentityChanged) -> None:
        peer, said = self._peer_of(event.originator_id, event.identity.member), event.identity
        old = peer.identity
        _same((read_identity(event.statement), said.world), (said, self._world))
        if old.root == said.root:
            _check_newer(said.seq, old.seq)
        event.apply(peer)
        if (old.root, old.log_id) != (said.root, said.log_id):
            self._check_met(said.member)
        self._proved["statements"] += 1

    @_check.register
    def _(self, event: PeerNode.RosterChanged) -> None:
        peer = self._peer_of(event.originator_id, event.roster.member)
        said, digest = read_roster(event.statement, peer.identity)
        _same((said, digest), (event.roster, event.digest))
        _check_newer(said.seq, peer.roster.seq if peer.roster else 0)
        event.apply(peer)
        self._proved["statements"] += 1

    @_check.register
    def _(self, event: Directory.Met) -> None:
        event.apply(self._directory)

    @_check.register
    def _(self, event: Directory.Verified | Directory.Revoked) -> None:
        self._listing(event.member)
        event.apply(self._directory)

    @_check.register
    def _(self, event: Directory.LogRenewed) -> None:
        _same(event.log_id, self._left)

    @_check.register
    def _(self, event: Directory.RosterChanged) -> None:
        own = self._directory.own
        said, digest = read_roster(event.statement, own.identity)
        _same((said, digest), (event.roster, event.digest))
        _check_newer(said.seq, own.roster.seq if own.roster else 0)
        self._check_told(event.to, digest)
        self._check_listed(said)
        event.apply(self._directory)
        self._proved["statements"] += 1

    @_check.register
    def _(self, event: RuleBooks.Adopted | RuleBooks.Drafted) -> None:
        try:
            book = msgspec.json.decode(event.book, type=RuleBook)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise MalformedError("rulebook.unreadable", "A rule book cannot be read.") from None
        version = self._book.version + 1 if self._book else book.version
        if (book.member, book.version, book.data) != (self._directory.me, version, event.book):
            raise ProofError("rulebook.version", "A rule book is another Member's, or out of order.")
        if isinstance(event, RuleBooks.Adopted):
            self._use(book)
        else:
            self._drafted, self._signed_by = book, set()

    @_check.register
    def _(self, event: RuleBooks.Signed) -> None:
        drafted = self._drafted
        if drafted is None or drafted.digest != event.draft or event.by in self._signed_by:
            raise ProofError("rulebook.draft-changed", "Somebody signed another rule book than waits, or twice.")
        check_signature(self._person(event.by), event.draft, event.signature)
        self._signed_by.add(event.by)
        self._proved["approvals"] += 1

    @_check.register
    def _(self, event: RuleBooks.Published) -> None:
        drafted = self._drafted
        if drafted is None or drafted.digest != event.draft or len(self._signed_by) < SIGNERS:
            raise ProofError("rulebook.unsigned", "A rule book is in force that two focal points have not signed.")
        self._use(drafted)

    @_check.register
    def _(self, event: RuleBooks.AgreementEnded) -> None:
        if self._book is None or event.agreement not in self._book.sources:
            raise ProofError("rulebook.no-agreement", "An agreement ended that no rule book has.")
        self._use(ended(self._book, event.agreement, event.timestamp))

    @_check.register
    def _(self, _event: RuleBooks.Dropped) -> None:
        self._drafted = None

    def _use(self, book: RuleBook) -> None:
        self._book, self._drafted = book, None
        self._books.add(book.digest)

    @_check.register
    def _(self, event: Officer.Enrolled) -> None:
        self._people[event.originator_id.hex] = cast("Officer", event.mutate(None))

    @_check.register(Officer.RoleGranted)
    @_check.register(Officer.RoleRevoked)
    @_check.register(Officer.Suspended)
    @_check.register(Officer.Reinstated)
    @_check.register(Officer.TokenIssued)
    @_check.register(Officer.TokenRevoked)
    @_check.register(Officer.Relieved)
    def _(self, event: Root.Event) -> None:
        event.apply(self._person(event.originator_id.hex))

    @_check.register
    def _(self, event: Officer.KeyEnrolled) -> None:
        _approver(event.key)
        event.apply(self._person(event.originator_id.hex))

    @_check.register
    def _(self, event: Officer.Confirmed) -> None:
        found = self._person(event.originator_id.hex)
        _same((event.roles, event.key), (found.roles & APPROVING, found.key_shown))
        founded = event.by == SYSTEM and found.by_founding
        if not founded and event.by in found.involved | {SYSTEM}:
            raise ProofError("officer.second-person", "An approver was confirmed by somebody who had a hand in them.")
        if not founded:
            check_confirmed(self.member, found, event.consent, self._person(event.by))
        event.apply(found)

    @_check.register
    def _(self, event: Officer.CalledUpon) -> None:
        found = self._person(event.originator_id.hex)
        if Role.DEPUTY not in found.confirmed or Role.FOCAL_POINT not in self._person(event.by).confirmed:
            raise ProofError("deputy.role", "A deputy was called upon who is none, or by somebody who has none.")
        event.apply(found)

    @_check.register
    def _(self, event: Alert.Posted | Alert.Corrected) -> None:
        edition, item = event.edition, event.originator_id
        said = self._signed(edition.manifest, self._directory.own, manifest.KIND)
        found = manifest.read(said.body)
        version, corrected = self._newest.get(item, (0, None))
        _same(
            (found.origin, found.item, found.version, found.corrects), (self.member, item.bytes, version + 1, corrected)
        )
        _same(_facts(found), (edition.version, edition.kind, edition.urgency, edition.tlp))
        _same((said.digest, found.expiry), (edition.digest, int(edition.expires_at.timestamp())))
        tree.verify_whole(
            manifest.SECTIONS, {s.position: leaf_of(s) for s in edition.sections}, edition.seed, found.root
        )
        _check_paths(found, edition.sections)
        self._newest[item] = edition.version, edition.digest
        self._sections[edition.digest] = {s.position: s.sensitivity for s in edition.sections}
        if isinstance(event, Alert.Corrected):
            self._check_holders(item, event.to, "superseded", corrected or b"", edition.digest)

    @_check.register
    def _(self, event: Alert.Withdrawn | Alert.Closed) -> None:
        kind = "withdrawal" if isinstance(event, Alert.Withdrawn) else "closure"
        self._check_holders(event.originator_id, event.to, kind, self._newest.get(event.originator_id, (0, b""))[1])

    @_check.register
    def _(self, event: Disclosure.Proposed) -> None:
        self._proposes(event.item, event.manifest, event.book)
        stream = event.originator_id
        self._disclosures[stream] = _Disclosure(event.item, frozenset({event.author}), event.manifest, event.verdicts)

    @_check.register
    def _(self, event: Disclosure.Reproposed) -> None:
        before = self._disclosure(event.originator_id)
        self._proposes(before.item, event.manifest, event.book)
        authors = before.authors | {event.author}
        self._disclosures[event.originator_id] = _Disclosure(before.item, authors, event.manifest, event.verdicts)

    @_check.register
    def _(self, event: Disclosure.Drafted) -> None:
        disclosure, draft = self._disclosure(event.originator_id), event.draft
        disclosure.start(None)
        body = release.read_body(draft.body)
        if release.body_digest(body) != draft.digest or body.basis != "approval":
            raise ProofError("release.digest", "A draft is not the body that it names.")
        if draft.approvers != max((c.approvers for c in draft.cells), default=0):
            raise ProofError("approval.missing", "A draft asks for fewer people than its cells do.")
        self._check_grants(disclosure, body, draft.cells, draft.grants, draft.seed)
        disclosure.start(draft)

    @_check.register
    def _(self, event: Disclosure.Approved) -> None:
        disclosure = self._disclosure(event.originator_id)
        if disclosure.draft is None or disclosure.draft.digest != event.draft:
            raise ProofError("disclosure.draft-changed", "An approval is about another draft than waits.")
        person, voices = self._person(event.by), {event.by, event.principal or event.by}
        if voices & (disclosure.authors | disclosure.voices):
            raise ProofError("disclosure.second-person", "An author approved, or one person twice.")
        check_approval(disclosure.draft, event.approval, event.by, person.approval_key)
        if event.role not in person.confirmed or not _in_place(person, event):
            raise ProofError("approval.role", "Somebody approved in a role, or in a place, that was not theirs.")
        disclosure.approved.add(event.by)
        disclosure.voices |= voices
        self._proved["approvals"] += 1

    @_check.register
    def _(self, event: Disclosure.Released) -> None:
        disclosure = self._disclosure(event.originator_id)
        said = self._signed(event.release, self._directory.own, release.KIND)
        released = release.read(said.body)
        _same((said.digest, released.body.basis), (event.digest, event.basis))
        self._check_grants(disclosure, released.body, event.cells, event.grants, event.seed)
        self._check_decided(disclosure, event, released)
        line = Line("release", (event.manifest, event.digest))
        _same(event.to, dict.fromkeys(event.grants, line))
        self._holders.setdefault(disclosure.item, set()).update(event.grants)
        if event.basis == "approval":
            disclosure.start(None)

    @_check.register
    def _(self, event: Disclosure.Returned | Disclosure.Refused | Disclosure.Lapsed) -> None:
        disclosure = self._disclosure(event.originator_id)
        disclosure.start(None)

    @_check.register
    def _(self, event: Holding.Granted) -> None:
        self._held[event.originator_id] = event.origin, event.item
        self._check_held(event.origin, event.item, event.edition)

    @_check.register
    def _(self, event: Holding.Barred) -> None:
        self._held[event.originator_id] = event.origin, event.item

    @_check.register
    def _(self, event: Holding.SectionsClosed) -> None:
        closing = event.closing
        self._check_erased(event.originator_id, closing.statement, closing.manifest, event.to)

    @_check.register
    def _(self, event: Holding.SectionsDestroyed) -> None:
        self._check_erased(event.originator_id, event.statement, event.manifest, event.to)

    @_check.register
    def _(self, event: Recall.Ordered) -> None:
        kind = f"recall.{event.sensitivity}" if event.sensitivity else "recall"
        _same(event.to, dict.fromkeys(event.to, Line(kind, (event.manifest,))))
        _same(set(event.to) - self._holders.get(event.item, set()), set())

    @_check.register
    def _(self, event: Recall.Confirmed) -> None:
        said, receipt = event.receipt, statement.parse(event.receipt.statement)
        named = said.manifest, receipt.digest
        _same(take_receipt(said.statement, named, self.member, event.item, self._listing(said.peer)), said)
        self._proved["statements"] += 1

    def _check_erased(self, stream: UUID, raw: bytes, manifest: bytes, to: Mapping[str, Line]) -> None:
        """What this node said to an originator about its keys, by its own signing key."""
        origin, item = self._held.get(stream, ("", UUID(int=0)))
        receipt, digest = recall.verify(raw, _key(self._directory.own.identity.signing), self.member)
        _same((receipt.origin, receipt.item, receipt.manifest), (origin, item.bytes, manifest))
        _same(to, {origin: Line("recalled", (manifest, digest))})
        self._proved["statements"] += 1

    @_check.register
    def _(self, event: Holding.GrantedMore) -> None:
        origin, item = self._held.get(event.originator_id, ("", UUID(int=0)))
        self._check_held(origin, item, event.edition)

    def _check_held(self, origin: str, item: UUID, edition: HeldEdition) -> None:
        """A release of another Member, by the code that let it in."""
        sender = self._listing(origin)
        said = self._signed(edition.manifest, sender, manifest.KIND)
        signed = self._signed(edition.release, sender, release.KIND)
        found, released = manifest.read(said.body), release.read(signed.body)
        _same((found.origin, found.item, said.digest), (origin, item.bytes, edition.digest))
        _same(_facts(found), (edition.version, edition.kind, edition.urgency, edition.tlp))
        _same((released.body.manifest, released.body.basis), (said.digest, edition.basis))
        grant = release.verify_grant(released.body, edition.grant, edition.position, edition.path)
        _same((grant.readers, grant.until), (edition.readers, int(edition.until.timestamp())))
        _same(set(grant.leaves), {s.position for s in edition.sections} | set(edition.withheld))
        _check_paths(found, edition.sections)
        check_terms(found, grant, self.member)
        held = frozenset(s.sensitivity for s in edition.sections)
        check_basis(found, released, grant, held, sender, self._approvers(origin))
        self._proved["approvals"] += len(released.approvals)

    def _check_told(self, to: Mapping[str, Line], digest: bytes) -> None:
        """What this node says of itself goes to every peer; what others say of themselves goes to nobody."""
        _same(to, dict.fromkeys(self._directory.peers, Line("directory", (digest,))))

    def _check_listed(self, said: Roster) -> None:
        """This node tells its peers of nobody whom two people did not confirm."""
        for listed in said.approvers:
            found = self._person(listed.officer)
            if not found.approves or found.approval_key != listed.key:
                raise ProofError("directory.approver", "A roster lists somebody who is not confirmed.")

    def _check_holders(self, item: UUID, to: Mapping[str, Line], kind: str, *digests: bytes) -> None:
        """Whoever was granted anything of an item is told what becomes of it."""
        if disclosure_id(item) in self._newer:
            return
        _same(to, dict.fromkeys(self._holders.get(item, ()), Line(kind, digests)))

    def _proposes(self, item: UUID, digest: bytes, book: bytes) -> None:
        if self._newest.get(item, (0, b""))[1] != digest or book not in self._books:
            raise ProofError("disclosure.basis", "A matrix is about a version, or by a rule book, that is not there.")

    def _check_grants(
        self,
        disclosure: _Disclosure,
        body: release.ReleaseBody,
        cells: tuple[Verdict, ...],
        grants: Mapping[str, GrantRecord],
        seed: bytes,
    ) -> None:
        """The grants are all there are, and grant exactly the cells."""
        if body.manifest != disclosure.manifest or body.rulebook not in self._books:
            raise ProofError("release.manifest", "A release is about another version, or by another rule book.")
        release.verify_grants(body, {g.position: g.grant for g in grants.values()}, seed)
        sections = self._sections.get(body.manifest, {})
        granted: set[tuple[str, Sensitivity | None]] = set()
        for member, record in grants.items():
            grant = release.verify_grant(body, record.grant, record.position, record.path)
            _same(grant.recipient, member)
            granted |= {(member, sections.get(place)) for place in grant.leaves}
        if granted != {cell.key for cell in cells}:
            raise ProofError("release.cells", "A release grants other cells than were decided.")

    def _check_decided(self, disclosure: _Disclosure, event: Disclosure.Released, released: release.Release) -> None:
        """The basis carries what it claims: a rule's word, a life at risk, or the people who signed this very body."""
        required = max((c.approvers for c in event.cells), default=0) if event.basis == "approval" else 0
        officers = release.verify_approvals(released, self._approvers(self.member), required)
        if event.basis == "approval":
            waiting = disclosure.draft.digest if disclosure.draft else b""
            sound = waiting == release.body_digest(released.body) and set(officers) == disclosure.approved
        else:
            glass = event.basis == "break-glass"
            proposed = set(event.cells) <= set(disclosure.verdicts)
            sound = proposed and all(c.break_glass if glass else c.effect is Effect.ALLOW for c in event.cells)
        if not sound:
            raise ProofError("release.basis", "Nobody and no rule of this log let this go.")

    def _signed(self, data: bytes, by: Listing, kind: str) -> statement.Statement:
        said = statement.verify(data, _key(by.identity.signing), kind)
        self._proved["statements"] += 1
        return said

    def _approvers(self, member: str) -> dict[str, release.ApproverKey]:
        if member == self.member:
            return {ref: _approver(o.approval_key) for ref, o in self._people.items() if o.approval_key and o.approves}
        peer = self._peers.get(member)
        return {officer: _approver(raw) for officer, raw in peer.approvers.items()} if peer else {}

    @property
    def _directory(self) -> Directory:
        if self._known is None:
            raise ProofError("directory.absent", "The log was founded by nobody.")
        return self._known

    @property
    def _world(self) -> str:
        return self._directory.own.identity.world

    def _peer_of(self, stream: UUID, member: str) -> PeerNode:
        """The Member whose stream it is. Raises ProofError: another one speaks there, or nobody was introduced."""
        if member not in self._peers or stream != peer_id(member):
            raise ProofError("directory.member", "A statement stands in the stream of another Member.")
        return self._peers[member]

    def _check_met(self, member: str) -> None:
        """A node that people have not compared is never taken for one that they have."""
        if self._directory.standing(member) == "verified":
            raise ProofError("directory.standing", "Another root or log of a Member was trusted unseen.")

    def _listing(self, member: str) -> Listing:
        if member not in self._peers:
            raise ProofError("directory.absent", "A statement is by a Member whose keys the log does not have.")
        return self._peers[member].listing(self._directory.standing(member))

    def _person(self, officer: str) -> Officer:
        if officer not in self._people:
            raise ProofError("officer.unknown", "An officer was never enrolled.")
        return self._people[officer]

    def _disclosure(self, stream: UUID) -> _Disclosure:
        if stream not in self._disclosures:
            raise ProofError("stream.opening", "A disclosure was never proposed.")
        return self._disclosures[stream]


def _check_newer(seq: int, old: int) -> None:
    if seq <= old:
        raise ProofError("directory.seq", "A statement is not newer than the one before it.")


def _facts(found: manifest.Manifest) -> tuple[Any, ...]:
    return found.version, found.kind, found.urgency, found.handling.tlp


def _check_paths(found: manifest.Manifest, sections: tuple[SectionRef, ...]) -> None:
    for section in sections:
        manifest.verify_leaf(found, leaf_of(section), section.path)


def _same(said: object, recorded: object) -> None:
    if said != recorded:
        raise ProofError("event.contradiction", "An event says something else than the statement it keeps.")


def _name_of(event: Event) -> UUID:
    """The stream an opening must stand in, where uniqueness is the rule; any other event's own."""
    name = event.originator_id
    match event:
        case Directory.Founded():
            name = DIRECTORY_ID
        case PeerNode.Introduced():
            name = peer_id(event.identity.member)
        case RuleBooks.Adopted():
            name = RULEBOOK_ID
        case Disclosure.Proposed():
            name = disclosure_id(event.item)
        case Holding.Granted() | Holding.Barred():
            name = holding_id(event.origin, event.item)
        case Recall.Began() | Recall.Ordered() | Recall.Confirmed():
            name = recall_id(event.item)
        case PeerLink.Began():
            name = link_stream(event.peer)
        case Entry.Accepted() | Entry.Refused() | Entry.Unknown():
            name = entry_id(event.peer, event.log_id, event.seq)
    return name


def _in_place(person: Officer, event: Disclosure.Approved) -> bool:
    """A deputy signs in the place of somebody who had called upon them just then; nobody else in anybody's."""
    if event.role is not Role.DEPUTY:
        return event.principal is None
    ends = person.stand_ins.get(event.principal or "")
    return ends is not None and event.timestamp < ends
