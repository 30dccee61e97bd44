"""The rule book of this Member: read by everybody here, replaced as a whole by a focal point."""

from __future__ import annotations

from collections.abc import Sequence

from rilon.app.alert_desk import active
from rilon.app.unit import Done, Key, Unit, Work
from rilon.domain.book_file import RuleDraft, make_book
from rilon.domain.permissions import Action, Caller
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.rules import RuleBook


class RulesDesk:
    """Keeps the rule book."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def current(self, caller: Caller) -> RuleBook:
        """The book in force.

        Raises:
            RefusedError: the role does not allow it.
        """
        caller.must(Action.SEE_RULES)
        return (await self._work.read(RuleBooks, RULEBOOK_ID)).book

    async def publish(self, caller: Caller, version: int, drafts: Sequence[RuleDraft], key: Key | None = None) -> Done:
        """Put a new book in force. What waits for approval is judged by it when it is approved.

        Args:
            version: one more than the book that was read and changed, so that nobody undoes a colleague's unread.

        Returns:
            The answer is the book's digest, 32 bytes; releases name it.

        Raises:
            RefusedError: not a focal point. ConflictError: ``rulebook.version``: another book came first.
            InvalidError, MalformedError: see ``make_book``.
        """
        caller.must(Action.PUBLISH_RULES)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            books = await unit.get(RuleBooks, RULEBOOK_ID)
            book = make_book(books.book.member, version, drafts)
            books.publish(book, caller.ref, self._work.clock.now())
            return book.digest

        return await self._work.run(do, key)
