"""Asking originators for more, and deciding what holders ask: for a third Member, more sections, use in court.

A yes makes nothing but a draft: the cells run through the matrix like those of any alert, are signed like them, and
leave as a new release of this node. The answer to the asker is written by the very command that releases or refuses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from msgspec.structs import replace

from rilon.app.alert_desk import active, standing
from rilon.app.editions import Editions, Marks
from rilon.app.onward_lines import ASK, REASON_CHARACTERS, conveys
from rilon.app.reading_desk import reply_owner
from rilon.app.release import Releases
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.crypto import onward as wire
from rilon.crypto import section
from rilon.domain.alert import Alert
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.holding import Holding, holding_id
from rilon.domain.matrix import NO_ONWARD, Cell, judge_cell
from rilon.domain.onward import (
    Onward,
    Request,
    check_askable,
    check_conditions,
    check_refusal,
    onward_id,
    seen_for_asking,
)
from rilon.domain.permissions import Action, Caller
from rilon.domain.recall import Recall, recall_id
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.text import check_text
from rilon.domain.values import Code, Effect, Instant, MemberId, Sensitivity, Value
from rilon.errors import ConflictError, NotFoundError, RefusedError


class OnwardAsk(Value, frozen=True):
    """What to ask an originator for.

    Attributes:
        reason: why; it travels sealed. sections: which.
        member: for which third Member; None: for this one. court: for use in court.
    """

    reason: Annotated[str, Meta(min_length=1, max_length=8000)]
    sections: Annotated[frozenset[Sensitivity], Meta(min_length=1)]
    member: MemberId | None = None
    court: bool = False


class Question(Value, frozen=True):
    """A question, as either end is shown it.

    Attributes:
        outcome: ``waiting``, ``granted``, or ``refused.`` and why.
        reason: None once it is erased. cells: as the rules judge them now; for those who decide.
    """

    id: Code
    asker: MemberId
    member: MemberId
    sections: tuple[Sensitivity, ...]
    court: bool
    at: Instant
    outcome: Code
    reason: str | None
    cells: tuple[Cell, ...] = ()


class OnwardDesk:
    """Both ends of a question about more."""

    def __init__(self, work: Work, vault: Vault, editions: Editions, releases: Releases) -> None:
        self._work, self._vault, self._editions, self._releases = work, vault, editions, releases

    async def ask(self, caller: Caller, origin: str, item: UUID, order: OnwardAsk, key: Key | None = None) -> Done:
        """Ask the originator of an item that this Member holds.

        Raises:
            NotFoundError: absent, or not for this officer. RefusedError: ``onward.expired``, ``onward.no``,
                ``onward.court-no``. ConflictError: ``onward.holds``, ``onward.asked``, ``onward.too-many``; it is over.
            InvalidError: ``member.unknown``. MalformedError: the reason.
        """
        if not caller.may(Action.ASK_ONWARD):
            raise NotFoundError
        words = check_text(order.reason, max_chars=REASON_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            at, me = unit.at, (await unit.get(Directory, DIRECTORY_ID)).me
            holding = await unit.get(Holding, holding_id(origin, item))
            edition = seen_for_asking(holding, caller, at)
            sections = tuple(sorted(order.sections))
            request = Request(bytes(32), me, edition.digest, order.member or me, sections, order.court)
            check_askable(holding, edition, request, at)
            said = wire.encode(wire.Ask(request.member, tuple(map(str, sections)), order.court, words))
            text, wrap = await self._vault.seal(ASK, reply_owner(me, edition.digest), said)
            unit.keep(wrap)
            asked = await unit.find(Onward, onward_id(origin, item))
            if asked is None:
                unit.add(asked := Onward.begin(origin, item, at))
            asked.ask(caller.ref, replace(request, id=text.digest), text, at)
            return item.bytes

        return await self._work.run(do, key)

    async def asked(self, caller: Caller, origin: str, item: UUID) -> tuple[Question, ...]:
        """What this Member asked about an item, and the answers, oldest first.

        Raises:
            NotFoundError: absent, or not for this officer.
        """
        holding = await self._work.read(Holding, holding_id(origin, item))
        if not any(holding.is_for(caller, edition) for edition in holding.grants.editions):
            raise NotFoundError
        found = await self._work.seek(Onward, onward_id(origin, item))
        return await self._shown(found, {}) if found else ()

    async def questions(self, caller: Caller, item: UUID) -> tuple[Question, ...]:
        """What holders asked about an item of ours, oldest first; those that wait with their cells, judged now.

        Raises:
            RefusedError: not an approver. NotFoundError: no such item.
        """
        caller.must(Action.SEE_APPROVALS)
        alert, directory = await self._work.read(Alert, item), await self._work.read(Directory, DIRECTORY_ID)
        found = await self._work.seek(Onward, onward_id(directory.me, item))
        if found is None:
            return ()
        books, marks = await self._work.read(RuleBooks, RULEBOOK_ID), await self._editions.marks(item, alert.edition)
        at = self._work.clock.now()
        cells = {r.id: _judged(r, alert, marks, directory, books, at) for r in found.waiting}
        own = {r.id: marks.conditions.in_court(asked=r.court).own(alert.edition.expires_at) for r in found.waiting}
        cells = {n: tuple(c.under(own[n], at) for c in some) for n, some in cells.items()}
        return await self._shown(found, cells)

    async def grant(self, caller: Caller, item: UUID, request: bytes, key: Key | None = None) -> Done:
        """Say yes: draft a release of what was asked for, to be signed like any other. The signature answers.

        Returns:
            The answer is the draft's digest.

        Raises:
            RefusedError: not an approver; ``onward.no``, ``onward.court-no``, ``onward.nothing-may-go``.
            NotFoundError: no such question. ConflictError: ``onward.answered``, ``disclosure.waits``; the item is over.
        """
        caller.must(Action.DECIDE)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            directory, books = await standing(unit)
            asked = (await unit.get(Onward, onward_id(directory.me, item))).unanswered(request)
            alert, disclosure = await unit.get(Alert, item), await unit.get(Disclosure, disclosure_id(item))
            alert.must_be_live()
            recalls, marks = await unit.find(Recall, recall_id(item)), await self._editions.marks(item, alert.edition)
            check_conditions(asked, marks.conditions.onward, marks.conditions.court)
            judged = _judged(asked, alert, marks, directory, books, unit.at)
            cells = [cell.verdict for cell in judged if _may_go(cell, asked, alert, disclosure, recalls)]
            if not cells or unit.at >= alert.edition.expires_at:
                fix = "Refuse it, and say why."
                raise RefusedError("onward.nothing-may-go", "Nothing of it may go, or it is there already.", fix=fix)
            conditions = marks.conditions.in_court(asked=asked.court)
            signed = [replace(v, approvers=max(v.approvers, 1), break_glass=False) for v in cells]
            book = books.book.digest
            self._releases.redraft(disclosure, alert.edition, signed, conditions, book, caller.ref, "onward", unit.at)
            return disclosure.waiting().digest

        return await self._work.run(do, key)

    async def refuse(self, caller: Caller, item: UUID, request: bytes, why: str, key: Key | None = None) -> Done:
        """Say no, with a code that the asker sees.

        Raises:
            RefusedError: not an approver. NotFoundError: no such question. InvalidError: ``onward.why``.
            ConflictError: ``onward.answered``; ``onward.drafted``: what it asks for waits to be signed, and the asker
                would hear no and be given it.
        """
        caller.must(Action.DECIDE)
        outcome = f"refused.{check_refusal(why)}"

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            me = (await unit.get(Directory, DIRECTORY_ID)).me
            asked, disclosure = (
                await unit.get(Onward, onward_id(me, item)),
                await unit.get(Disclosure, disclosure_id(item)),
            )
            if disclosure.draft and conveys(disclosure.draft, asked.unanswered(request)):
                fix = "Refuse the draft, or cut it out of it, first."
                raise ConflictError("onward.drafted", "What this asks for waits to be signed.", fix=fix)
            asked.answer(caller.ref, request, outcome, unit.at)
            return b"refused"

        return await self._work.run(do, key)

    async def _shown(self, found: Onward, cells: dict[bytes, tuple[Cell, ...]]) -> tuple[Question, ...]:
        requests = tuple(found.requests.values())
        contexts = [section.local_context(ASK, reply_owner(r.asker, r.manifest).encode()) for r in requests]
        texts = await self._vault.open_many([(found.texts[r.id], c) for r, c in zip(requests, contexts, strict=True)])
        return tuple(
            Question(
                id=r.id.hex(),
                asker=r.asker,
                member=r.member,
                sections=r.sections,
                court=r.court,
                at=found.since[r.id],
                outcome=found.outcomes.get(r.id, "waiting"),
                reason=wire.read(text).reason if isinstance(text, bytes) else None,
                cells=cells.get(r.id, ()),
            )
            for r, text in zip(requests, texts, strict=True)
        )


def _judged(
    request: Request, alert: Alert, marks: Marks, directory: Directory, books: RuleBooks, at: datetime
) -> tuple[Cell, ...]:
    """What is asked for, of the version in force, as the rules judge it.

    Where they oblige who asks to ask nobody onward, a node that lets it do so changes nothing.
    """
    asked, there = marks.asked(alert.edition), [s for s in request.sections if alert.edition.section(s)]
    cells = [judge_cell(asked.question(directory, request.member, s, at), books.judge) for s in there]
    if not request.onward:
        return tuple(cells)
    askers = [judge_cell(asked.question(directory, request.asker, s, at), books.judge) for s in there]
    barred = [asker.decision.obliges.onward == "no" for asker in askers]
    return tuple(cell.barred(NO_ONWARD) if bars else cell for cell, bars in zip(cells, barred, strict=True))


def _may_go(cell: Cell, request: Request, alert: Alert, disclosure: Disclosure, recalls: Recall | None) -> bool:
    """Whether a cell is neither refused nor there already; use in court needs a grant of its own."""
    granted = disclosure.granted.items()
    there = any(
        (to, manifest) == (cell.recipient, alert.edition.digest)
        and cell.sensitivity in some
        and not (recalls and recalls.took(to, release, cell.sensitivity))
        for (to, release), (manifest, some) in granted
    )
    in_court = request.court and cell.decision.obliges.court != "no"
    return cell.decision.effect is not Effect.REFUSE and (in_court if request.court else not there)
