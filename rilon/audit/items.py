"""Own items of a log: what was posted, decided, let go and recalled, and who is told what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import singledispatchmethod
from uuid import UUID

from rilon.app.outgoing import leaf_of
from rilon.app.receipts import take_receipt
from rilon.app.recovery import check_reminder, kept_of, ours
from rilon.app.release import check_approval, conditions_of
from rilon.audit.books import Books
from rilon.audit.sameness import check_paths, same, same_facts
from rilon.audit.signers import Signers
from rilon.crypto import manifest, release, statement, tree
from rilon.domain.alert import Alert
from rilon.domain.conditions import NOTHING, composed
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.draft import Draft, GrantRecord
from rilon.domain.matrix import Verdict
from rilon.domain.officer import Officer
from rilon.domain.recall import Recall
from rilon.domain.values import Effect, Line, Role, Sensitivity
from rilon.errors import ProofError


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


class Items:
    """The fold of this Member's items and of what left.

    Args:
        newer: streams that hold what a newer program did.
    """

    def __init__(self, signers: Signers, books: Books, newer: Collection[UUID]) -> None:
        self._signers, self._books, self._newer = signers, books, newer
        self._sections: dict[bytes, dict[int, Sensitivity]] = {}
        self._newest: dict[UUID, tuple[int, bytes]] = {}
        self._disclosures: dict[UUID, _Disclosure] = {}
        self._holders: dict[UUID, set[str]] = {}

    def holders(self, item: UUID) -> Collection[str]:
        """Who was granted anything of an item."""
        return self._holders.get(item, ())

    @singledispatchmethod
    def check(self, event: object) -> None:
        """Check one event, and take in what later ones are checked by. Most are about no own item."""

    @check.register
    def _(self, event: Alert.Posted | Alert.Corrected) -> None:
        edition, item = event.edition, event.originator_id
        said = self._signers.signed(edition.manifest, self._signers.directory.own, manifest.KIND)
        found = manifest.read(said.body)
        version, corrected = self._newest.get(item, (0, None))
        same(
            (found.origin, found.item, found.version, found.corrects),
            (self._signers.member, item.bytes, version + 1, corrected),
        )
        same_facts(found, edition)
        same((said.digest, found.expiry), (edition.digest, int(edition.expires_at.timestamp())))
        tree.verify_whole(
            manifest.SECTIONS, {s.position: leaf_of(s) for s in edition.sections}, edition.seed, found.root
        )
        check_paths(found, edition.sections)
        self._newest[item] = edition.version, edition.digest
        self._sections[edition.digest] = {s.position: s.sensitivity for s in edition.sections}
        if isinstance(event, Alert.Corrected):
            self._check_holders(item, event.to, "superseded", corrected or b"", edition.digest)

    @check.register
    def _(self, event: Alert.Recovered | Alert.EditionRecovered) -> None:
        edition, item = event.edition, event.originator_id
        said = manifest.read(ours(edition.manifest, manifest.KIND, self._signers.directory.signed_by).body)
        mine = self._signers.member, item.bytes, edition.digest, ()
        same((said.origin, said.item, said.digest, edition.sections), mine)
        same_facts(said, edition)
        same(said.expiry, int(edition.expires_at.timestamp()))
        if said.version > self._newest.get(item, (0, b""))[0]:
            self._newest[item] = said.version, said.digest
        self._signers.proved["statements"] += 1

    @check.register
    def _(self, event: Alert.Withdrawn | Alert.Closed) -> None:
        kind = "withdrawal" if isinstance(event, Alert.Withdrawn) else "closure"
        self._check_holders(event.originator_id, event.to, kind, self._newest.get(event.originator_id, (0, b""))[1])

    @check.register
    def _(self, event: Disclosure.Proposed) -> None:
        self._proposes(event.item, event.manifest, event.book)
        stream = event.originator_id
        self._disclosures[stream] = _Disclosure(event.item, frozenset({event.author}), event.manifest, event.verdicts)

    @check.register
    def _(self, event: Disclosure.Resumed) -> None:
        self._disclosures[event.originator_id] = _Disclosure(event.item, frozenset(), event.manifest, ())

    @check.register
    def _(self, event: Disclosure.Recovered) -> None:
        """By the code that let it in, out of what it kept."""
        disclosure, directory, kept = self._disclosure(event.originator_id), self._signers.directory, event.found
        said, found = check_reminder(kept_of(kept), (kept.version, kept.digest), kept.holder, directory.signed_by)
        same((said.item, said.origin), (disclosure.item.bytes, self._signers.member))
        same((found, directory.renewed), (kept, True))
        self._holders.setdefault(disclosure.item, set()).add(kept.holder)
        self._signers.proved["statements"] += 2

    @check.register
    def _(self, event: Disclosure.Reproposed) -> None:
        before = self._disclosure(event.originator_id)
        self._proposes(before.item, event.manifest, event.book)
        authors = before.authors | {event.author}
        self._disclosures[event.originator_id] = _Disclosure(before.item, authors, event.manifest, event.verdicts)

    @check.register
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

    @check.register
    def _(self, event: Disclosure.Approved) -> None:
        disclosure = self._disclosure(event.originator_id)
        if disclosure.draft is None or disclosure.draft.digest != event.draft:
            raise ProofError("disclosure.draft-changed", "An approval is about another draft than waits.")
        person, voices = self._signers.person(event.by), {event.by, event.principal or event.by}
        if voices & (disclosure.authors | disclosure.voices):
            raise ProofError("disclosure.second-person", "An author approved, or one person twice.")
        check_approval(disclosure.draft, event.approval, event.by, person.approval_key)
        if event.role not in person.confirmed or not _in_place(person, event):
            raise ProofError("approval.role", "Somebody approved in a role, or in a place, that was not theirs.")
        disclosure.approved.add(event.by)
        disclosure.voices |= voices
        self._signers.proved["approvals"] += 1

    @check.register
    def _(self, event: Disclosure.Released) -> None:
        disclosure = self._disclosure(event.originator_id)
        said = self._signers.signed(event.release, self._signers.directory.own, release.KIND)
        released = release.read(said.body)
        same((said.digest, released.body.basis), (event.digest, event.basis))
        self._check_grants(disclosure, released.body, event.cells, event.grants, event.seed)
        self._check_decided(disclosure, event, released)
        line = Line("release", (event.manifest, event.digest))
        same(event.to, dict.fromkeys(event.grants, line))
        self._holders.setdefault(disclosure.item, set()).update(event.grants)
        if event.basis == "approval":
            disclosure.start(None)

    @check.register
    def _(self, event: Disclosure.Returned | Disclosure.Refused | Disclosure.Lapsed) -> None:
        disclosure = self._disclosure(event.originator_id)
        disclosure.start(None)

    @check.register
    def _(self, event: Recall.Ordered) -> None:
        kind = f"recall.{event.sensitivity}" if event.sensitivity else "recall"
        same(event.to, dict.fromkeys(event.to, Line(kind, (event.manifest,))))
        same(set(event.to) - self._holders.get(event.item, set()), set())

    @check.register
    def _(self, event: Recall.Confirmed) -> None:
        said, receipt = event.receipt, statement.parse(event.receipt.statement)
        named = said.manifest, receipt.digest
        same(
            take_receipt(said.statement, named, self._signers.member, event.item, self._signers.listing(said.peer)),
            said,
        )
        self._signers.proved["statements"] += 1

    def _check_holders(self, item: UUID, to: Mapping[str, Line], kind: str, *digests: bytes) -> None:
        """Whoever was granted anything of an item is told what becomes of it."""
        if disclosure_id(item) in self._newer:
            return
        same(to, dict.fromkeys(self._holders.get(item, ()), Line(kind, digests)))

    def _proposes(self, item: UUID, digest: bytes, book: bytes) -> None:
        if self._newest.get(item, (0, b""))[1] != digest or book not in self._books.known:
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
        if body.manifest != disclosure.manifest or body.rulebook not in self._books.known:
            raise ProofError("release.manifest", "A release is about another version, or by another rule book.")
        release.verify_grants(body, {g.position: g.grant for g in grants.values()}, seed)
        sections = self._sections.get(body.manifest, {})
        granted: set[tuple[str, Sensitivity | None]] = set()
        for member, record in grants.items():
            grant = release.verify_grant(body, record.grant, record.position, record.path)
            same(grant.recipient, member)
            granted |= {(member, sections.get(place)) for place in grant.leaves}
            for part in grant.parts:
                self._check_conditions(part, body, {c for c in cells if c.recipient == member})
        if granted != {cell.key for cell in cells}:
            raise ProofError("release.cells", "A release grants other cells than were decided.")

    def _check_conditions(self, part: release.Part, body: release.ReleaseBody, cells: Collection[Verdict]) -> None:
        """No section is granted under looser conditions than the rules attached to its cell."""
        sections, at = self._sections.get(body.manifest, {}), datetime.fromtimestamp(body.created, UTC)
        given = {sections.get(place) for place in part.leaves}
        for cell in (c for c in cells if c.sensitivity in given):
            owed = cell.obliges or NOTHING
            if body.basis != "approval":  # what waited may be of an earlier book, and was judged again by this one
                owed = composed([owed, *(self._books.obliges(body.rulebook, rule) for rule in cell.rules)])
            if not conditions_of(part).keep(owed, at):
                raise ProofError("release.conditions", "A release grants a section under looser conditions.")

    def _check_decided(self, disclosure: _Disclosure, event: Disclosure.Released, released: release.Release) -> None:
        """The basis carries what it claims: a rule's word, a life at risk, or the people who signed this very body."""
        required = max((c.approvers for c in event.cells), default=0) if event.basis == "approval" else 0
        officers = release.verify_approvals(released, self._signers.approvers(self._signers.member), required)
        if event.basis == "approval":
            waiting = disclosure.draft.digest if disclosure.draft else b""
            sound = waiting == release.body_digest(released.body) and set(officers) == disclosure.approved
        else:
            glass = event.basis == "break-glass"
            proposed = set(event.cells) <= set(disclosure.verdicts)
            sound = proposed and all(c.break_glass if glass else c.effect is Effect.ALLOW for c in event.cells)
        if not sound:
            raise ProofError("release.basis", "Nobody and no rule of this log let this go.")

    def _disclosure(self, stream: UUID) -> _Disclosure:
        if stream not in self._disclosures:
            raise ProofError("stream.opening", "A disclosure was never proposed.")
        return self._disclosures[stream]


def _in_place(person: Officer, event: Disclosure.Approved) -> bool:
    """A deputy signs in the place of somebody who had called upon them just then; nobody else in anybody's."""
    if event.role is not Role.DEPUTY:
        return event.principal is None
    ends = person.stand_ins.get(event.principal or "")
    return ends is not None and event.timestamp < ends
