"""The life of an item's disclosure matrix: proposed, approved, cut, returned, refused, released, reviewed.

One stream per item, so that one guard covers every decision about what leaves. Cells that are allowed are released at
once; the rest wait as one draft, whose exact bytes the focal point signs. A cut makes a new draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.clocks import Due, Told
from rilon.domain.draft import Draft, GrantRecord, Signing, draft_changed
from rilon.domain.forgotten import Forgotten
from rilon.domain.four_eyes import check_no_author, free_voice, reviews_of
from rilon.domain.matrix import Verdict
from rilon.domain.officer import SYSTEM
from rilon.domain.values import Code, Digest, Line, MemberId, OfficerId, Role, Sealed, Sensitivity
from rilon.errors import ConflictError, RefusedError


def disclosure_id(item: UUID) -> UUID:
    """The stream of an item's disclosure."""
    return natural_id("disclosure", item.hex)


class Disclosure(Root):
    """What of one item may leave, to whom, and who said so."""

    TOPIC = "rilon.disclosure"

    class Proposed(Opening):
        TOPIC = "rilon.disclosure.proposed.1"
        item: UUID
        author: OfficerId
        manifest: Digest
        book: Digest
        verdicts: tuple[Verdict, ...]

    class Resumed(Opening):
        """The disclosure of an item that this log had forgotten. What was released of it follows."""

        TOPIC = "rilon.disclosure.resumed.1"
        item: UUID
        manifest: Digest

    class Recovered(Root.Event):
        """A release this log had forgotten, returned by the Member that holds it; addressed to nobody."""

        TOPIC = "rilon.disclosure.recovered.1"
        found: Forgotten

        def apply(self, aggregate: Disclosure) -> None:
            found = self.found
            aggregate.granted[found.holder, found.digest] = found.version, frozenset(found.sections)

    class Reproposed(Root.Event):
        """A correction runs through the matrix again; what waited for the old version is void."""

        TOPIC = "rilon.disclosure.reproposed.1"
        author: OfficerId
        manifest: Digest
        book: Digest
        verdicts: tuple[Verdict, ...]

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.start(self.author, self.manifest, self.verdicts)

    class Drafted(Root.Event):
        """A release body waits for approval.

        ``why``: ``proposed`` by the author, ``cut`` by a focal point, ``rejudged``, or ``onward``: a holder asked.
        """

        TOPIC = "rilon.disclosure.drafted.1"
        by: OfficerId
        why: Code
        draft: Draft

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.put(self.draft)

    class Approved(Root.Event):
        """An approver signed exactly this draft, in this ``role``; ``principal``: in whose place, or None."""

        TOPIC = "rilon.disclosure.approved.1"
        by: OfficerId
        role: Role
        principal: OfficerId | None
        draft: Digest
        approval: bytes

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.signing = aggregate.signing.signed(self.by, self.role, self.principal, self.approval)

    class Released(Root.Event):
        """A signed release: the only way anything leaves this Member."""

        TOPIC = "rilon.disclosure.released.1"
        manifest: Digest
        release: bytes
        digest: Digest
        basis: Code
        cells: tuple[Verdict, ...]
        grants: dict[MemberId, GrantRecord]
        seed: bytes
        to: dict[MemberId, Line]

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.note_release(self)

    class Returned(Root.Event):
        TOPIC = "rilon.disclosure.returned.1"
        by: OfficerId
        comment: Sealed

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.end_draft("returned", self.comment)

    class Refused(Root.Event):
        TOPIC = "rilon.disclosure.refused.1"
        by: OfficerId
        reason: Sealed

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.end_draft("refused", self.reason)

    class Lapsed(Root.Event):
        """What waited can no longer go: the alert was withdrawn, or the rules became stricter (``why``)."""

        TOPIC = "rilon.disclosure.lapsed.1"
        why: Code

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.end_draft("lapsed")

    class Reviewed(Root.Event):
        """A focal point, or a deputy in the place of ``principal``, looked at a break-glass release afterwards."""

        TOPIC = "rilon.disclosure.reviewed.1"
        by: OfficerId
        principal: OfficerId | None
        sound: bool

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.reviews_due -= 1
            aggregate.reviewers |= {self.by, self.principal or self.by}

    class Escalated(Root.Event):
        """A recipient has not done in time what it owes about this version, and these people here have been told.

        ``recipient`` is None where our own focal points owe it.
        """

        TOPIC = "rilon.disclosure.escalated.1"
        recipient: MemberId | None
        manifest: Digest
        due: Code
        told: Code

        def apply(self, aggregate: Disclosure) -> None:
            aggregate.escalated |= {(self.recipient, self.manifest, self.due, self.told)}

    def __init__(
        self,
        item: UUID,
        manifest: Digest,
        author: OfficerId = SYSTEM,
        book: Digest = b"",
        verdicts: tuple[Verdict, ...] = (),
    ) -> None:
        del book  # evidence in the event; no decision needs it
        self.item = item
        self.escalated: frozenset[tuple[str | None, bytes, str, str]] = frozenset()
        self.granted: dict[tuple[MemberId, Digest], tuple[Digest, frozenset[Sensitivity]]] = {}
        self.reviews_due = 0
        self.reviewers: frozenset[OfficerId] = frozenset()
        self.drafted: tuple[Draft, ...] = ()
        self.authors: frozenset[OfficerId] = frozenset()
        self.start(author, manifest, verdicts)

    def start(self, author: OfficerId, manifest: Digest, verdicts: tuple[Verdict, ...]) -> None:
        """Begin a version's disclosure (fold)."""
        self.author, self.manifest, self.verdicts = author, manifest, verdicts
        self.authors |= {author}
        self.end_draft("open")

    def end_draft(self, state: str, said: Sealed | None = None) -> None:
        """Nothing waits any more; ``said``: the words of who returned or refused it (fold)."""
        self.signing = Signing()
        self.state, self.said = state, said

    def put(self, draft: Draft) -> None:
        """A draft waits, unsigned (fold). Those that waited before are remembered, for who signed one too late."""
        self.end_draft("waiting")
        self.signing = Signing(draft)
        self.drafted += (draft,)

    def note_release(self, event: Released) -> None:
        """Remember who holds what of which version (fold)."""
        for cell in event.cells:
            _, some = self.granted.get((cell.recipient, event.digest), (b"", frozenset()))
            self.granted[cell.recipient, event.digest] = event.manifest, some | {cell.sensitivity}
        if event.basis == "break-glass":
            self.reviews_due = max(self.reviews_due, reviews_of(event.cells))
            self.reviewers = frozenset()
        if event.basis == "approval":
            self.end_draft("released")

    @property
    def draft(self) -> Draft | None:
        """What waits for signatures, if anything does."""
        return self.signing.draft

    @property
    def approvals(self) -> Mapping[OfficerId, bytes]:
        """The signatures under what waits, by officer."""
        return self.signing.approvals

    @property
    def holders(self) -> tuple[MemberId, ...]:
        """Members that were granted anything of any version."""
        return tuple(sorted({member for member, _ in self.granted}))

    @classmethod
    def propose(
        cls, item: UUID, author: OfficerId, manifest: Digest, book: Digest, verdicts: tuple[Verdict, ...], at: datetime
    ) -> Self:
        """Open an item's disclosure with its judged matrix."""
        return cls._create(
            cls.Proposed,
            id=disclosure_id(item),
            item=item,
            author=author,
            manifest=manifest,
            book=book,
            verdicts=verdicts,
            timestamp=at,
        )

    @classmethod
    def resume(cls, item: UUID, manifest: Digest, at: datetime) -> Self:
        """Open the disclosure of a forgotten item."""
        return cls._create(cls.Resumed, id=disclosure_id(item), item=item, manifest=manifest, timestamp=at)

    def recover(self, found: Forgotten, at: datetime) -> None:
        """Know a release again, by verified statements. Raises ConflictError ``reminder.known``: this log holds it."""
        if (found.holder, found.digest) in self.granted:
            raise ConflictError("reminder.known", "This log holds that release.")
        self.trigger_event(self.Recovered, found=found, timestamp=at)

    def repropose(
        self, author: OfficerId, manifest: Digest, book: Digest, verdicts: tuple[Verdict, ...], at: datetime
    ) -> None:
        """Judge a corrected version anew."""
        self.trigger_event(
            self.Reproposed, author=author, manifest=manifest, book=book, verdicts=verdicts, timestamp=at
        )

    def must_be_free(self) -> None:
        """Raises ConflictError ``disclosure.waits``: a draft waits, and another must not void it."""
        if self.draft is not None:
            raise ConflictError("disclosure.waits", "A draft waits here already.", fix="Let it be decided first.")

    def wait_for(self, draft: Draft, by: OfficerId, why: str, at: datetime) -> None:
        """Put a draft before the approvers.

        Raises:
            ConflictError: ``disclosure.nothing-waits``: a cut or a new judgement of a draft that is gone;
                ``disclosure.waits``: a first draft where one waits already.
        """
        if why in {"cut", "rejudged"}:
            self.waiting()
        else:
            self.must_be_free()
        self.trigger_event(self.Drafted, by=by, why=why, draft=draft, timestamp=at)

    def approve(
        self,
        by: OfficerId,
        role: Role,
        draft: Digest,
        approval: bytes,
        at: datetime,
        principals: frozenset[OfficerId] = frozenset(),
    ) -> bool:
        """Add one signature; True when the draft now has all it needs.

        The caller has verified the signature over the draft's body with the approver's own key. A deputy's signature is
        one principal's voice: both together are one person where two must sign.

        Args:
            principals: in whose place a deputy may decide; empty for everybody else.

        Raises:
            RefusedError: see ``may_decide``; the same person twice, or ``disclosure.focal-point``: it would be the
                last signature, and no focal point has signed what is not about victims alone.
            ConflictError: nothing waits, or another draft waits than was signed.
        """
        if self.may_decide(by, principals).digest != draft:
            raise draft_changed()
        principal = free_voice(by, principals, self.authors | self.signing.voices)
        self.signing.check_focal_point(role)
        self.trigger_event(
            self.Approved,
            by=by,
            role=role,
            principal=principal,
            draft=draft,
            approval=approval,
            timestamp=at,
        )
        return self.signing.complete

    def release(self, release: bytes, digest: Digest, basis: str, draft: Draft, at: datetime) -> None:
        """Let a draft's cells go: one line per recipient, and nothing about one recipient in another's line.

        Args:
            release: the signed statement over the draft's body and its approvals; ``digest`` names it.
            basis: ``rule``, ``approval`` or ``break-glass``.

        Raises:
            RefusedError: ``disclosure.no-basis``: a cell that no rule allows, no life is at risk for, or not all have
                signed who must; or a grant to somebody who has no cell.
        """
        signed = basis == "approval" and self.draft == draft and self.signing.complete
        if not (signed or draft.carried_by(basis)) or set(draft.grants) != {cell.recipient for cell in draft.cells}:
            raise RefusedError("disclosure.no-basis", "Nothing lets this leave.")
        self.trigger_event(
            self.Released,
            manifest=self.manifest,
            release=release,
            digest=digest,
            basis=basis,
            cells=draft.cells,
            grants=draft.grants,
            seed=draft.seed,
            to={member: Line("release", (self.manifest, digest)) for member in draft.grants},
            timestamp=at,
        )

    def return_(self, by: OfficerId, comment: Sealed, at: datetime) -> None:
        """Give the draft back to its author with a comment; it comes again as a correction."""
        self.may_decide(by)
        self.trigger_event(self.Returned, by=by, comment=comment, timestamp=at)

    def refuse(self, by: OfficerId, reason: Sealed, at: datetime) -> None:
        """Say no to the draft."""
        self.may_decide(by)
        self.trigger_event(self.Refused, by=by, reason=reason, timestamp=at)

    def lapse(self, why: str, at: datetime) -> None:
        """Drop what waits, if anything does."""
        if self.draft is not None:
            self.trigger_event(self.Lapsed, why=why, timestamp=at)

    def review(
        self, by: OfficerId, at: datetime, *, sound: bool, principals: frozenset[OfficerId] = frozenset()
    ) -> None:
        """Look at a break-glass release afterwards; two people do where a victim's or child's section left.

        Raises:
            RefusedError: the author reviews; or ``disclosure.second-person``: the same person twice.
            ConflictError: no review is due.
        """
        check_no_author(by, principals, self.authors)
        if not self.reviews_due:
            raise ConflictError("disclosure.no-review-due", "No review is due.")
        principal = free_voice(by, principals, self.authors | self.reviewers)
        self.trigger_event(self.Reviewed, by=by, principal=principal, sound=sound, timestamp=at)

    def escalate(self, recipient: str | None, manifest: bytes, due: Due, told: Told, at: datetime) -> None:
        """Record that these people are told what a recipient, or we ourselves, have not done; once."""
        if (recipient, manifest, due, told) not in self.escalated:
            self.trigger_event(self.Escalated, recipient=recipient, manifest=manifest, due=due, told=told, timestamp=at)

    def waiting(self) -> Draft:
        """What waits now. Raises ConflictError ``disclosure.nothing-waits``."""
        if self.draft is None:
            raise ConflictError("disclosure.nothing-waits", f"Nothing waits here: it is {self.state}.")
        return self.draft

    def may_decide(self, by: OfficerId, principals: frozenset[OfficerId] = frozenset()) -> Draft:
        """What waits, for somebody who may decide about it.

        Args:
            principals: in whose place a deputy decides; empty for everybody else.

        Raises:
            RefusedError: ``disclosure.own-item``: who wrote any version of it; ``disclosure.own-item-by-deputy``: who
                stands in for nobody else.
            ConflictError: ``disclosure.nothing-waits``.
        """
        check_no_author(by, principals, self.authors)
        return self.waiting()
