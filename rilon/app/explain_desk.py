"""Explanations: may I share this, why do I see this; and the same answer again for whoever has its reference.

Every answer is judged as of a place in the log: the directory and the rule book that stood there, at that instant. So
a reference gives the same answer after any number of new books.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from rilon.app.unit import Work, fold
from rilon.domain import share as sharing
from rilon.domain import sight as seeing
from rilon.domain.alert import Alert
from rilon.domain.base import Root
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.holding import Holding, holding_id
from rilon.domain.permissions import Action, Caller
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.share import Answer, Moment, Share
from rilon.domain.sight import Looker, Sight
from rilon.errors import InvalidError, NotFoundError, ProofError, RefusedError

A = TypeVar("A", bound=Root)


class ExplainDesk:
    """Says why."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def may_share(self, caller: Caller, share: Share) -> Answer:
        """Whether something of that kind may be shared. Nothing is stored, and nothing of a case is asked.

        Raises:
            RefusedError: the role does not allow it. RilonError: what is wrong with the question.
        """
        caller.must(Action.PREVIEW)
        return await self._answer(share, await self._now())

    async def why(self, caller: Caller, origin: str, item: UUID) -> Sight:
        """What the caller sees of an item and why. Absent and not for the caller are answered alike.

        Raises:
            RefusedError: the role does not allow it.
        """
        caller.must(Action.READ_BOARD)
        looking = Caller(caller.ref, caller.roles, caller.agency, caller.desk)
        return await self._sight(Looker(looking, origin, item, await self._now()))

    async def again(self, caller: Caller, reference: str) -> Answer | Sight:
        """The answer of a reference, as it was.

        Raises:
            RefusedError: neither the caller's own question nor an auditor's to look at.
            MalformedError: ``reference.form``. InvalidError: ``reference.position``: the log is not that long.
            ProofError: ``reference.book``: this log had another rule book there.
        """
        if reference.startswith("why."):
            looker = seeing.read(reference)
            mine = looker.caller.ref == caller.ref and looker.caller.roles <= caller.roles
            if not mine and not caller.may(Action.REPLAY):
                raise RefusedError("permission.denied", "Your role does not allow this.", fix="Ask your auditor.")
            await self._must_reach(looker.moment)
            return await self._sight(looker)
        share, moment, book = sharing.read(reference)
        if not caller.may(Action.PREVIEW) and not caller.may(Action.REPLAY):
            caller.must(Action.PREVIEW)
        await self._must_reach(moment)
        found = await self._answer(share, moment)
        if not found.digest.hex().startswith(book):
            raise ProofError("reference.book", "This log had another rule book at that place.", field="reference")
        return found

    async def _answer(self, share: Share, moment: Moment) -> Answer:
        directory = await self._as_of(Directory, DIRECTORY_ID, moment.position)
        books = await self._as_of(RuleBooks, RULEBOOK_ID, moment.position)
        if directory is None or books is None:
            raise NotFoundError
        return sharing.answer(share, moment, directory, books, sharing.everyone_of(tuple(directory.standings)))

    async def _sight(self, looker: Looker) -> Sight:
        directory = await self._as_of(Directory, DIRECTORY_ID, looker.moment.position)
        own = directory is not None and looker.origin == directory.me
        stream = looker.item if own else holding_id(looker.origin, looker.item)
        found = await self._as_of(Root, stream, looker.moment.position)
        kind = Alert if own else Holding
        return seeing.sight(looker, found if isinstance(found, kind) else None)

    async def _now(self) -> Moment:
        return Moment(self._work.clock.now(), (await self._work.log.head()).size)

    async def _must_reach(self, moment: Moment) -> None:
        if moment.position > (size := (await self._work.log.head()).size):
            raise InvalidError("reference.position", f"The log ends at {size}.", field="reference")

    async def _as_of(self, cls: type[A], stream: UUID, position: int) -> A | None:
        """An aggregate as it stood at a place of the log."""
        recorded = await self._work.log.recorded(stream)
        found = fold([r.event for r in recorded if r.position <= position])
        return found if isinstance(found, cls) else None
