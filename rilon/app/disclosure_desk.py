"""What waits for approval: shown, signed, cut, returned, refused; and break-glass releases, reviewed afterwards.

An approver signs exactly the bytes shown here. When an approval comes in, every cell is judged again by the rules and
the directory of that moment; what became stricter goes back to the approvers as a new draft.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from msgspec.structs import replace

from rilon.app.alert_desk import active, standing
from rilon.app.editions import Editions
from rilon.app.onward_lines import for_court, settle
from rilon.app.outgoing import leaf_of
from rilon.app.release import Releases, approver_keys, check_approval, granted_under, read_approval
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.domain.alert import Alert, Edition
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.draft import Draft, draft_changed
from rilon.domain.four_eyes import FOR_FOCAL_POINTS
from rilon.domain.handling import Handling
from rilon.domain.matrix import Asked, Cell, Verdict, judge_cell
from rilon.domain.officer import Officer
from rilon.domain.onward import NOT_APPROVED
from rilon.domain.permissions import Action, Caller
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.rules import RuleBook
from rilon.domain.text import check_text
from rilon.domain.values import VULNERABLE, Effect, MemberId, OfficerId, Role, Sealed, Sensitivity, Value
from rilon.errors import ConflictError, NotFoundError, ProofError, RefusedError

WORDS_CHARACTERS = 2000
REJUDGED, RELEASED = b"rejudged", b"released"


class Leaf(Value, frozen=True):
    """A section's leaf of the manifest's tree, which says its sensitivity, and its path to the root."""

    leaf: bytes
    path: bytes


class Waiting(Value, frozen=True):
    """What an approver is shown, and can check: the body to sign, every grant under it, and who has signed.

    Attributes:
        manifest: the signed statement that the body names. leaves: of it, those that the grants give.
        draft: its ``grants``, by recipient, prove with its ``seed`` that there is no further grant.
        cells: of the draft, as the rules judge them at this moment, with every sentence.
    """

    item: UUID
    state: str
    author: OfficerId
    version: int
    draft: Draft
    cells: tuple[Cell, ...]
    signed_by: tuple[OfficerId, ...]
    handling: Handling
    manifest: bytes
    leaves: tuple[Leaf, ...]


class Awaited(Value, frozen=True):
    """What one recipient would get once it is approved.

    Attributes:
        approvers: how many different people must sign. focal_point: one of them is a focal point.
    """

    recipient: MemberId
    sensitivities: tuple[Sensitivity, ...]
    approvers: int
    focal_point: bool


class Outcome(Value, frozen=True):
    """What became of an item's disclosure so far.

    Attributes:
        state: ``open`` (nothing was to decide), ``waiting``, ``returned``, ``refused``, ``lapsed`` or ``released``.
        words: of who returned or refused it; None when nobody did, or when they were erased.
        holders: Members that were granted anything of any version. awaited: who would get what waits.
    """

    item: UUID
    state: str
    words: str | None
    review_due: bool
    holders: tuple[MemberId, ...]
    awaited: tuple[Awaited, ...] = ()


class DisclosureDesk:
    """What focal points and protection officers decide."""

    def __init__(self, work: Work, vault: Vault, editions: Editions, releases: Releases) -> None:
        self._work, self._vault, self._editions, self._releases = work, vault, editions, releases

    async def show(self, caller: Caller, item: UUID) -> Waiting:
        """What waits of one item.

        Raises:
            RefusedError: not an approver. NotFoundError: no such item. ConflictError: nothing waits.
        """
        caller.must(Action.SEE_APPROVALS)
        disclosure = await self._work.read(Disclosure, disclosure_id(item))
        alert = await self._work.read(Alert, item)
        draft, edition = disclosure.waiting(), alert.edition
        marks = await self._editions.marks(item, edition)
        directory, book = await self._work.read(Directory, DIRECTORY_ID), await self._work.read(RuleBooks, RULEBOOK_ID)
        judged = self._judged(marks.asked(edition), draft.cells, directory, book)
        under = granted_under(draft, edition)
        cells = tuple(replace(cell, conditions=under[cell.verdict.key]) for cell in judged)
        signed = tuple(disclosure.approvals)
        author, version = disclosure.author, edition.version
        given = {c.sensitivity for c in draft.cells}
        leaves = tuple(Leaf(leaf_of(s), s.path) for s in edition.sections if s.sensitivity in given)
        facts = (draft, cells, signed, marks.handling, edition.manifest, leaves)
        return Waiting(item, disclosure.state, author, version, *facts)

    async def outcome(self, caller: Caller, item: UUID) -> Outcome:
        """What became of an item's disclosure, for its author and for those who decide.

        Raises:
            NotFoundError: no such item, or one that is neither theirs nor for them to decide; told alike.
        """
        disclosure = await self._work.read(Disclosure, disclosure_id(item))
        if caller.ref != disclosure.author and not caller.may(Action.SEE_APPROVALS):
            raise NotFoundError
        words = None
        if disclosure.said is not None:
            (opened,) = await self._vault.open_many([(disclosure.said, _words_context(disclosure.state, item))])
            words = opened.decode() if isinstance(opened, bytes) else None
        return Outcome(
            item, disclosure.state, words, bool(disclosure.reviews_due), disclosure.holders, _awaited(disclosure.draft)
        )

    async def approve(self, caller: Caller, item: UUID, approval: bytes, key: Key | None = None) -> Done:
        """Add the caller's own signature; the last one needed releases.

        Args:
            approval: the encoded ``rilon.crypto.release.Approval`` over the draft that was shown.

        Returns:
            The answer is ``released`` or ``waiting`` (a second person must sign).

        Raises:
            RefusedError, ProofError, MalformedError: not an approver, the author, not this person's signature, or
                ``disclosure.focal-point``: no focal point would have signed what a focal point must.
            ConflictError: nothing waits, another draft waits than was signed, or ``disclosure.rejudged``: it became
                stricter, or somebody who signed can no longer sign.
        """
        caller.must(Action.DECIDE)

        async def do(unit: Unit) -> bytes:
            officer, (directory, books) = await active(unit, caller), await standing(unit)
            alert, disclosure = await self._live(unit, item)
            draft = disclosure.may_decide(caller.ref, caller.stands_in_for)
            _check_role(caller, draft)
            _check_published(caller, directory)
            _check_signed(disclosure, draft, approval, officer)
            signers = [await unit.get(Officer, UUID(hex=by)) for by in disclosure.approvals]
            held = all(_still_signs(o, disclosure.signing.roles[o.ref], disclosure, directory) for o in signers)
            if await self._stricter(alert.edition, disclosure, directory, books, held=held):
                return REJUDGED
            signed = self._sign(disclosure, caller, draft, approval)
            if signed == RELEASED:
                await settle(unit, directory.me, item, draft, caller.ref, unit.at)
            return signed

        done = await self._work.run(do, key)
        if done.answer == REJUDGED:
            fix = "Look again at what leaves now."
            raise ConflictError("disclosure.rejudged", "Rules or approvers changed while this waited.", fix=fix)
        return done

    async def cut(
        self, caller: Caller, item: UUID, keep: frozenset[tuple[MemberId, Sensitivity]], key: Key | None = None
    ) -> Done:
        """Cut cells: only those to keep wait on, as a new draft to be signed.

        Returns:
            The answer is the new draft's digest.
        """
        caller.must(Action.DECIDE)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            _, books = await standing(unit)
            alert, disclosure = await self._live(unit, item)
            _check_role(caller, draft := disclosure.may_decide(caller.ref, caller.stands_in_for))
            left = draft.cut(keep)
            await self._redraft(alert.edition, disclosure, left, books.book, caller.ref, "cut")
            return disclosure.waiting().digest

        return await self._work.run(do, key)

    async def return_(self, caller: Caller, item: UUID, comment: str, key: Key | None = None) -> Done:
        """Give it back to its author with a comment, which stays here, sealed."""

        def decide(disclosure: Disclosure, words: Sealed) -> None:
            disclosure.return_(caller.ref, words, self._work.clock.now())

        return await self._say(caller, item, "disclosure.returned", comment, decide, key)

    async def refuse(self, caller: Caller, item: UUID, reason: str, key: Key | None = None) -> Done:
        """Say no, with a reason, which stays here, sealed."""

        def decide(disclosure: Disclosure, words: Sealed) -> None:
            disclosure.refuse(caller.ref, words, self._work.clock.now())

        return await self._say(caller, item, "disclosure.refused", reason, decide, key)

    async def review(self, caller: Caller, item: UUID, *, sound: bool, key: Key | None = None) -> Done:
        """Say whether a break-glass release was sound.

        Raises:
            RefusedError: not a focal point, or the author. ConflictError: no review is due.
        """
        caller.must(Action.REVIEW)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            disclosure = await unit.get(Disclosure, disclosure_id(item))
            disclosure.review(caller.ref, unit.at, sound=sound, principals=caller.stands_in_for)
            return b"reviewed"

        return await self._work.run(do, key)

    async def _live(self, unit: Unit, item: UUID) -> tuple[Alert, Disclosure]:
        """Alert and disclosure, both guarded. Raises ConflictError when it is over, RefusedError when expired."""
        disclosure = await unit.get(Disclosure, disclosure_id(item))
        alert = await unit.get(Alert, item)
        alert.must_be_live()
        if self._work.clock.now() >= alert.edition.expires_at:
            raise RefusedError("alert.expired", "This alert has expired.")
        return alert, disclosure

    def _sign(self, disclosure: Disclosure, caller: Caller, draft: Draft, approval: bytes) -> bytes:
        at = self._work.clock.now()
        role = min(caller.roles & FOR_FOCAL_POINTS, default=Role.PROTECTION)
        if not disclosure.approve(caller.ref, role, draft.digest, approval, at, caller.stands_in_for):
            return b"waiting"
        approvals = tuple(disclosure.approvals.values())
        self._releases.release(disclosure, draft, "approval", approvals, at)
        return RELEASED

    async def _stricter(
        self, edition: Edition, disclosure: Disclosure, directory: Directory, books: RuleBooks, *, held: bool
    ) -> bool:
        """Judge every waiting cell again; when one became stricter, put a new draft before the approvers instead.

        So too when an earlier signature does not hold any more.
        """
        marks = await self._editions.marks(disclosure.item, edition)
        cells = disclosure.waiting().cells
        judged = (cell.verdict for cell in self._judged(marks.asked(edition), cells, directory, books))
        now = tuple(
            replace(c, obliges=n.obliges) if n.effect is Effect.ALLOW else n for c, n in zip(cells, judged, strict=True)
        )
        same = all(n.no_stricter(c) for n, c in zip(now, cells, strict=True))
        if same and held:
            return False
        left = tuple(n for n in now if n.effect is not Effect.REFUSE)
        if left:
            await self._redraft(edition, disclosure, left, books.book, disclosure.author, "rejudged")
        else:
            disclosure.lapse("rejudged", self._work.clock.now())
        return True

    def _judged(
        self, asked: Asked, cells: tuple[Verdict, ...], directory: Directory, books: RuleBooks
    ) -> tuple[Cell, ...]:
        """Cells as the rules judge them at this moment."""
        at, by = self._work.clock.now(), books.judge
        return tuple(judge_cell(asked.question(directory, c.recipient, c.sensitivity, at), by) for c in cells)

    async def _redraft(
        self,
        edition: Edition,
        disclosure: Disclosure,
        cells: tuple[Verdict, ...],
        book: RuleBook,
        by: str,
        why: str,
    ) -> None:
        marks = await self._editions.marks(disclosure.item, edition)
        conditions = marks.conditions.in_court(asked=for_court(disclosure.waiting()))
        at = self._work.clock.now()
        self._releases.redraft(disclosure, edition, cells, conditions, book.digest, by, why, at)

    async def _say(
        self,
        caller: Caller,
        item: UUID,
        purpose: str,
        words: str,
        decide: Callable[[Disclosure, Sealed], None],
        key: Key | None,
    ) -> Done:
        caller.must(Action.DECIDE)
        clean = check_text(words, max_chars=WORDS_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            disclosure = await unit.get(Disclosure, disclosure_id(item))
            _check_role(caller, draft := disclosure.may_decide(caller.ref, caller.stands_in_for))
            sealed, wrap = await self._vault.seal_text(purpose, item.hex, clean)
            unit.keep(wrap)
            decide(disclosure, sealed)
            if disclosure.state == "refused":
                me = (await unit.get(Directory, DIRECTORY_ID)).me
                await settle(unit, me, item, draft, caller.ref, unit.at, NOT_APPROVED)
            return purpose.encode()

        return await self._work.run(do, key)


def _awaited(draft: Draft | None) -> tuple[Awaited, ...]:
    if draft is None:
        return ()
    parts: dict[MemberId, list[Sensitivity]] = {}
    for cell in sorted(draft.cells, key=lambda c: list(Sensitivity).index(c.sensitivity)):
        parts.setdefault(cell.recipient, []).append(cell.sensitivity)
    return tuple(Awaited(m, tuple(parts[m]), draft.approvers, draft.for_focal_point) for m in sorted(parts))


def _words_context(state: str, item: UUID) -> bytes:
    """What the words of a ``returned`` or ``refused`` are bound to; see ``_say``."""
    return section.local_context(f"disclosure.{state}", item.hex.encode())


def _check_role(caller: Caller, draft: Draft) -> None:
    """A protection officer decides about victims and children only.

    Raises:
        RefusedError: ``disclosure.not-yours``.
    """
    vulnerable = any(c.sensitivity in VULNERABLE for c in draft.cells)
    if not caller.roles & FOR_FOCAL_POINTS and not vulnerable:
        message = "A focal point decides this; protection officers decide about victims."
        raise RefusedError("disclosure.not-yours", message)


def _check_published(caller: Caller, directory: Directory) -> None:
    """Peers must know the approver's key. Raises ProofError ``approval.not-published``."""
    if caller.ref not in approver_keys(directory.own):
        fix = "Ask your administrator to publish the roster."
        raise ProofError("approval.not-published", "Your approval key is not in the directory yet.", fix=fix)


def _check_signed(disclosure: Disclosure, draft: Draft, approval: bytes, officer: Officer) -> None:
    """The officer signed exactly this draft; who signed one that waited earlier is told to look again."""
    try:
        check_approval(draft, approval, officer.ref, officer.approval_key)
    except ProofError as wrong:
        for earlier in disclosure.drafted:
            with suppress(ProofError):
                check_approval(earlier, approval, officer.ref, officer.approval_key)
                raise draft_changed() from wrong
        raise


def _still_signs(officer: Officer, role: Role, disclosure: Disclosure, directory: Directory) -> bool:
    """Whether who has signed could sign today, as what they signed then, and with the same key.

    Peers know today's keys only: they would refuse all that leaves under another. Roles they do not know.
    """
    key = approver_keys(directory.own).get(officer.ref)
    listed = key is not None and key.kid == read_approval(disclosure.approvals[officer.ref]).kid
    return listed and officer.active and role in officer.roles
