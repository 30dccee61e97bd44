"""Alerts of this node: preview, post, correct, withdraw, close.

The preview and the post run the same check and the same judgement, so the preview cannot lie; what posting stores is
sealed first, and everything it decided upon is guarded by the append.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import structs

from rilon.app.attachment_desk import AttachmentDesk
from rilon.app.charters import Charters
from rilon.app.corrections import draft_of
from rilon.app.drafts import AlertDraft, Checked, check, check_reach
from rilon.app.editions import Editions
from rilon.app.release import Releases
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.domain.alert import Alert
from rilon.domain.circle import Charter
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.handling import Handling
from rilon.domain.held import marks_held
from rilon.domain.holding import Holding, holding_id
from rilon.domain.matrix import Asked, Matrix, judge
from rilon.domain.members import member
from rilon.domain.officer import Officer
from rilon.domain.permissions import Action, Caller
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.text import check_text
from rilon.domain.values import Code, MemberId, Sealed, Sensitivity, Source, Value
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError, RilonError

REASON_CHARACTERS = 2000


class Preview(Value, frozen=True):
    """What would happen if it were posted now: every cell with every finding, and the marks it would carry.

    Attributes:
        kind_before: what kind of alert a correction would make another kind of; None: it stays what it is.
    """

    handling: Handling
    recipients: tuple[MemberId, ...]
    sections: tuple[Sensitivity, ...]
    matrix: Matrix
    rulebook: int
    kind: Code
    kind_before: Code | None = None


class AlertDesk:
    """What an officer does with alerts of this node."""

    def __init__(
        self, work: Work, vault: Vault, editions: Editions, releases: Releases, attached: AttachmentDesk
    ) -> None:
        self._work, self._vault, self._editions, self._releases = work, vault, editions, releases
        self._attached, self._charters = attached, Charters(vault)

    async def preview(self, caller: Caller, draft: AlertDraft, corrects: UUID | None = None) -> Preview:
        """Judge a draft without storing anything.

        Args:
            corrects: the alert it would be a correction of; None: it is a new one.

        Raises:
            RefusedError: the role does not allow it. RilonError: all that is wrong with the draft.
            NotFoundError, RefusedError, ConflictError: as for ``correct``, of whose alert or version it is.
        """
        caller.must(Action.PREVIEW)
        read, at = self._work.read, self._work.clock.now()
        directory, books = await read(Directory, DIRECTORY_ID), await read(RuleBooks, RULEBOOK_ID)
        before = None
        if corrects is not None:
            caller.must(Action.CORRECT)
            before = await _theirs(read, caller, corrects)
            before[0].must_be_live()
        checked = await self._checked(read, self._work.seek, caller, draft, at, before)
        expires = checked.handling.expires_at
        assert expires is not None
        matrix = judge_draft(checked, directory, books, at).under(checked.conditions.own(expires), at)
        sections = tuple(checked.contents)
        kind, was = checked.kind.code, before[0].edition.kind if before else None
        facts = (checked.handling, checked.recipients, sections, matrix, books.book.version)
        return Preview(*facts, kind, was if was != kind else None)

    async def post(self, caller: Caller, draft: AlertDraft, key: Key | None = None) -> Done:
        """Post an alert: sealed sections, signed manifest, judged matrix, and the releases it allows.

        Returns:
            The answer is the item id, 16 bytes.

        Raises:
            RefusedError, RilonError: as for ``preview``; nothing is stored.
            ConflictError: ``command.key-reused``: the key came with another draft.
        """
        caller.must(Action.POST)
        item = self._work.entropy.uuid()

        async def do(unit: Unit) -> bytes:
            at = self._work.clock.now()
            await active(unit, caller)
            directory, books = await standing(unit)
            _originates(directory)
            checked = await self._checked(unit.get, unit.find, caller, draft, at)
            readers = checked.readers(caller.unit, caller.ref)
            edition = await self._editions.seal(unit, checked, readers, directory.me, item)
            alert = Alert.post(item, caller.ref, caller.unit, edition, at)
            alert.quote(caller.ref, draft.sources, at)
            unit.add(alert)
            verdicts = judge_draft(checked, directory, books, at).verdicts
            disclosure = Disclosure.propose(item, caller.ref, edition.digest, books.book.digest, verdicts, at)
            self._releases.let_go(disclosure, edition, checked.conditions, books.book.digest, at)
            unit.add(disclosure)
            return item.bytes

        return await self._work.run(do, key)

    async def may_change(self, caller: Caller, item: UUID) -> bool:
        """Whether the caller may correct, refer, withdraw and close an alert of ours, and it is not over."""
        alert = await self._work.read(Alert, item)
        try:
            alert.must_be_changed_by(caller)
            alert.must_be_live()
        except RilonError:
            return False
        return caller.may(Action.CORRECT)

    async def begin_correction(self, caller: Caller, item: UUID) -> AlertDraft:
        """The version in force as a draft without its content: what a correction keeps if its author says nothing.

        Raises:
            NotFoundError, RefusedError, ConflictError: as for ``correct``.
        """
        caller.must(Action.CORRECT)
        alert = await self._work.read(Alert, item)
        alert.must_be_changed_by(caller)
        alert.must_be_live()
        home = tuple(r for r in alert.readers if not r.startswith("role:") and r != f"officer:{alert.author}")
        return draft_of(alert.edition, await self._editions.marks(item, alert.edition), home)

    async def correct(self, caller: Caller, item: UUID, draft: AlertDraft, key: Key | None = None) -> Done:
        """Replace what an alert says; every holder learns at once that the old version is superseded.

        Raises:
            NotFoundError: no such alert, or none for them. RefusedError: ``alert.not-yours``.
            ConflictError, RilonError: it is over, or the draft is wrong; InvalidError ``handling.extension``: it would
                be kept longer than before, and nobody says why.
        """
        caller.must(Action.CORRECT)

        async def do(unit: Unit) -> bytes:
            at = self._work.clock.now()
            await active(unit, caller)
            directory, books = await standing(unit)
            alert, disclosure = await _theirs(unit.get, caller, item)
            checked = await self._checked(unit.get, unit.find, caller, draft, at, (alert, disclosure))
            extended = await self._extended(unit, item, draft, checked, alert)
            readers = checked.readers(alert.unit, alert.author, caller.ref)
            edition = await self._editions.seal(unit, checked, readers, directory.me, item, alert.edition)
            alert.correct(caller.ref, edition, disclosure.holders, at, extended)
            alert.quote(caller.ref, draft.sources, at)
            verdicts = judge_draft(checked, directory, books, at).verdicts
            disclosure.repropose(caller.ref, edition.digest, books.book.digest, verdicts, at)
            self._releases.let_go(disclosure, edition, checked.conditions, books.book.digest, at)
            return item.bytes

        return await self._work.run(do, key)

    async def admit(self, caller: Caller, item: UUID, key: Key | None = None) -> Done:
        """Give an item of a circle to those who joined since and whom the chair admits: the originator's own act.

        What they get is judged like anything else; what others have stays as it is.

        Raises:
            NotFoundError, RefusedError: as for ``correct``. InvalidError: ``circle.unknown``: its circle is over.
            ConflictError: it is over; ``circle.nobody-new``; ``disclosure.waits``: decide first about what waits.
        """
        caller.must(Action.CORRECT)

        async def do(unit: Unit) -> bytes:
            at = self._work.clock.now()
            await active(unit, caller)
            directory, books = await standing(unit)
            alert, disclosure = await _theirs(unit.get, caller, item)
            alert.must_be_live()
            disclosure.must_be_free()
            edition, had = alert.edition, {*alert.edition.audience, *disclosure.holders}
            marks = await self._editions.marks(item, edition)
            circle = await self._charters.addressed(unit.find, next(iter(marks.circles), ""), at)
            asked, new = _newcomers(marks.asked(edition), circle, had | {directory.me})
            sections = tuple(s.sensitivity for s in edition.sections)
            verdicts = judge(asked, new, sections, directory, books.judge, at).verdicts
            disclosure.repropose(caller.ref, edition.digest, books.book.digest, verdicts, at)
            self._releases.let_go(disclosure, edition, marks.conditions, books.book.digest, at)
            return item.bytes

        return await self._work.run(do, key)

    async def withdraw(self, caller: Caller, item: UUID, reason: str, key: Key | None = None) -> Done:
        """Take an alert back: every holder marks it withdrawn. The reason stays here, sealed."""
        caller.must(Action.WITHDRAW)
        words = check_text(reason, max_chars=REASON_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            alert, disclosure = await _theirs(unit.get, caller, item)
            sealed, wrap = await self._vault.seal_text("alert.withdrawn", item.hex, words)
            unit.keep(wrap)
            at = self._work.clock.now()
            alert.withdraw(caller.ref, sealed, disclosure.holders, at)
            disclosure.lapse("withdrawn", at)
            return item.bytes

        return await self._work.run(do, key)

    async def close(self, caller: Caller, item: UUID, outcome: Code, key: Key | None = None) -> Done:
        """End an alert's work with an outcome code."""
        caller.must(Action.WITHDRAW)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            alert, disclosure = await _theirs(unit.get, caller, item)
            at = self._work.clock.now()
            alert.close(caller.ref, outcome, disclosure.holders, at)
            disclosure.lapse("closed", at)
            return item.bytes

        return await self._work.run(do, key)

    async def addressed(self, caller: Caller, circle: str, items: Sequence[UUID]) -> frozenset[UUID]:
        """Which alerts of ours are for a circle: of those that the caller may read here, and whose marks still open."""
        of = await self.circles_of(caller, items)
        return frozenset(item for item, circles in of.items() if circle in circles)

    async def circles_of(self, caller: Caller, items: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        """Which circles alerts of ours are for: of those that the caller may read here, and whose marks still open."""
        found = [await self._work.read(Alert, item) for item in items]
        told = [alert for alert in found if caller.among(alert.readers)]
        marks = await self._editions.marks_of([(alert.id, alert.edition) for alert in told])
        return {alert.id: frozenset(m.circles) for alert, m in zip(told, marks, strict=True) if m is not None}

    async def _checked(
        self,
        get: Callable[..., Awaitable[Any]],
        find: Callable[..., Awaitable[Any]],
        caller: Caller,
        draft: AlertDraft,
        at: datetime,
        before: tuple[Alert, Disclosure] | None = None,
    ) -> Checked:
        """A draft with all that is around it, the same for who looks at it and for who sends it.

        Args:
            before: what it corrects: files may be kept, and of a circle only those get it who had it or are admitted.
        """
        directory: Directory = await get(Directory, DIRECTORY_ID)
        files = await self._attached.redeem(caller, draft.attachments)
        quoted = [await self._quoted(get, caller, source) for source in draft.sources]
        circle = await self._charters.addressed(find, draft.audience.circle, at)
        if before is None:
            checked = check(draft, directory, at, files, quoted, circle)
            check_reach(draft.audience, checked.recipients, directory)
            return checked
        alert, disclosure = before
        kept = await self._editions.files(directory.me, alert.id, alert.edition) if draft.keep_attachments else ()
        older = circle.for_older({*alert.edition.audience, *disclosure.holders}) if circle else None
        return check(draft, directory, at, (*kept, *files), quoted, older, until=alert.edition.expires_at)

    async def _extended(
        self, unit: Unit, item: UUID, draft: AlertDraft, checked: Checked, alert: Alert
    ) -> Sealed | None:
        """Why it is kept longer than the version before, sealed; None: it is not."""
        expires_at = checked.handling.expires_at
        if expires_at is None or int(expires_at.timestamp()) <= int(alert.edition.expires_at.timestamp()):
            return None
        if not draft.extension:
            fix = "Say in extension why it is still needed, or let it end when it was to end."
            raise InvalidError("handling.extension", "It would be kept longer than before.", field="extension", fix=fix)
        words = check_text(draft.extension, max_chars=REASON_CHARACTERS)
        sealed, wrap = await self._vault.seal_text("alert.extension", item.hex, words)
        unit.keep(wrap)
        return sealed

    async def _quoted(self, read: Callable[..., Awaitable[Any]], caller: Caller, source: Source) -> Handling:
        """The marks of an item that a draft is made of.

        Raises:
            NotFoundError: absent, or not for the caller.
        """
        if source.origin == (await read(Directory, DIRECTORY_ID)).me:
            alert = await read(Alert, source.item)
            alert.must_be_for(caller)
            return (await self._editions.marks(source.item, alert.edition)).handling
        holding = await read(Holding, holding_id(source.origin, source.item))
        if not (seen := holding.seen_by(caller, self._work.clock.now())):
            raise NotFoundError
        return marks_held(source.origin, seen[0])


def judge_draft(checked: Checked, directory: Directory, books: RuleBooks, at: datetime) -> Matrix:
    """The disclosure matrix of a checked draft: the preview, and what posting stores."""
    return judge(checked.asked, checked.recipients, tuple(checked.contents), directory, books.judge, at)


def _newcomers(asked: Asked, circle: Charter | None, had: set[str]) -> tuple[Asked, tuple[str, ...]]:
    """What the rules look at for those who joined since, and who they are. Raises ConflictError."""
    members = circle.for_older(had).members if circle else ()
    new = tuple(m for m in members if m not in had)
    if circle is None or not new:
        fix = "The chair admits them first: rilon circle change."
        raise ConflictError("circle.nobody-new", "Nobody has joined who may have older items.", fix=fix)
    return structs.replace(asked, circles={circle.ref: frozenset(members)}), new


async def active(unit: Unit, caller: Caller) -> Officer:
    """Guard the officer: a suspension, or the loss of a role in use, that commits first stops the command.

    Whom a deputy stands in for is a part of the role.

    Raises:
        RefusedError: ``officer.suspended`` or ``permission.denied``.
    """
    officer = await unit.get(Officer, UUID(hex=caller.ref))
    now = officer.caller(unit.at)
    if not (caller.roles <= now.roles and caller.stands_in_for <= now.stands_in_for):
        raise RefusedError("permission.denied", "You no longer have this role.", fix="Ask your focal point.")
    return officer


async def standing(unit: Unit) -> tuple[Directory, RuleBooks]:
    """The directory and the rule book a decision stands on; both guarded."""
    return await unit.get(Directory, DIRECTORY_ID), await unit.get(RuleBooks, RULEBOOK_ID)


async def _theirs(get: Callable[..., Awaitable[Any]], caller: Caller, item: UUID) -> tuple[Alert, Disclosure]:
    """An alert the caller may change, and its disclosure; both guarded, if a unit of work gets them."""
    alert: Alert = await get(Alert, item)
    alert.must_be_changed_by(caller)
    return alert, await get(Disclosure, disclosure_id(item))


def _originates(directory: Directory) -> None:
    if not member(directory.me).originates:
        raise RefusedError("member.never-originates", "This body coordinates; it is never the origin of alerts.")
