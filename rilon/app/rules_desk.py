"""The rule book of this Member: read by everybody here; drafted, tried and signed by focal points.

draft → told what is wrong, each with its line → simulated on the past → signed by two with their own approval keys → in
force. One focal point alone may say that an agreement has ended: that can only make the book stricter.
"""

from __future__ import annotations

from datetime import datetime

from rilon.app.alert_desk import active
from rilon.app.editions import Editions
from rilon.app.release import check_focal_consent
from rilon.app.simulation import Simulation, simulate
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto.approval import book_digest
from rilon.domain import book_check
from rilon.domain.book_file import parse_written
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.permissions import Action, Caller
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.domain.rules import RuleBook
from rilon.domain.values import OfficerId, Value
from rilon.errors import InvalidError, NotFoundError, raise_all


class BookDraft(Value, frozen=True):
    """A book that waits to be signed.

    Attributes:
        by: who put it up. signed_by: who has signed; two different focal points must.
    """

    book: RuleBook
    by: OfficerId
    signed_by: tuple[OfficerId, ...]


class RulesDesk:
    """Keeps the rule book."""

    def __init__(self, work: Work, editions: Editions) -> None:
        self._work, self._editions = work, editions

    async def current(self, caller: Caller) -> RuleBook:
        """The book in force.

        Raises:
            RefusedError: the role does not allow it.
        """
        caller.must(Action.SEE_RULES)
        return (await self._work.read(RuleBooks, RULEBOOK_ID)).book

    async def version(self, caller: Caller, version: int) -> RuleBook:
        """A book that is or was in force.

        Raises:
            RefusedError: the role does not allow it. NotFoundError: there was no such version.
        """
        caller.must(Action.SEE_RULES)
        for book in await books_in_order(self._work):
            if book.version == version:
                return book
        raise NotFoundError

    async def waiting(self, caller: Caller) -> BookDraft:
        """The draft that waits to be signed.

        Raises:
            RefusedError: the role does not allow it. NotFoundError: ``rulebook.no-draft``.
        """
        caller.must(Action.SEE_RULES)
        books = await self._work.read(RuleBooks, RULEBOOK_ID)
        return BookDraft(books.waiting(), books.drafter, tuple(books.signatures))

    async def check(self, caller: Caller, text: bytes) -> list[InvalidError]:
        """What is wrong with a rule file that reads well; nothing is stored.

        Raises:
            RefusedError: the role does not allow it. InvalidError, MalformedError: it does not read, see ``make_book``.
        """
        caller.must(Action.SEE_RULES)
        books = await self._work.read(RuleBooks, RULEBOOK_ID)
        return self._read(text, books)[1]

    async def draft(self, caller: Caller, text: bytes, after: int | None = None, key: Key | None = None) -> Done:
        """Put a rule file up as the next book.

        Args:
            after: the version it was written from, so that nobody undoes a colleague's unread; None: the one in force.

        Returns:
            The answer is the book's digest, 32 bytes.

        Raises:
            RefusedError: not a focal point. ConflictError: ``rulebook.version``: another book came first.
            InvalidError, MalformedError: all that is wrong with it, see ``make_book`` and ``book_check``.
        """
        caller.must(Action.PUBLISH_RULES)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            books = await unit.get(RuleBooks, RULEBOOK_ID)
            version = books.book.version if after is None else after
            book, wrong = self._read(text, books, version + 1)
            raise_all(wrong)
            books.propose(book, caller.ref, self._work.clock.now())
            return book.digest

        return await self._work.run(do, key)

    async def sign(self, caller: Caller, draft: bytes, approval: bytes, key: Key | None = None) -> Done:
        """Add the caller's own signature over the draft; the second one puts it in force.

        What waits for approval is judged by it when it is approved.

        Args:
            draft: digest of the book that was shown.
            approval: the encoded ``rilon.crypto.release.Approval`` over ``book_digest`` of the draft.

        Returns:
            The answer is ``published`` or ``waiting``.

        Raises:
            RefusedError, ProofError, MalformedError: not a focal point, not this person's signature, or their second.
            NotFoundError, ConflictError: nothing waits, or another draft than was signed.
        """
        caller.must(Action.PUBLISH_RULES)

        async def do(unit: Unit) -> bytes:
            officer, books = await active(unit, caller), await unit.get(RuleBooks, RULEBOOK_ID)
            books.must_wait(draft)
            check_focal_consent(book_digest(draft), approval, officer)
            published = books.sign(officer.ref, draft, approval, self._work.clock.now())
            return b"published" if published else b"waiting"

        return await self._work.run(do, key)

    async def drop(self, caller: Caller, key: Key | None = None) -> Done:
        """Take the draft back. Raises RefusedError, NotFoundError ``rulebook.no-draft``."""
        caller.must(Action.PUBLISH_RULES)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            (await unit.get(RuleBooks, RULEBOOK_ID)).drop(caller.ref, self._work.clock.now())
            return b"dropped"

        return await self._work.run(do, key)

    async def end_agreement(self, caller: Caller, agreement: str, key: Key | None = None) -> Done:
        """Say that an agreement has ended: from now on, and for all that waits, nothing is allowed by it.

        Raises:
            RefusedError: not a focal point. NotFoundError, ConflictError: no such agreement, or it has ended.
        """
        caller.must(Action.PUBLISH_RULES)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            books = await unit.get(RuleBooks, RULEBOOK_ID)
            books.end_agreement(agreement, caller.ref, self._work.clock.now())
            return books.book.digest

        return await self._work.run(do, key)

    async def simulate(
        self, caller: Caller, text: bytes | None, since: datetime, until: datetime | None = None
    ) -> Simulation:
        """What the draft that waits, or a rule file, would have made of past disclosures.

        Args:
            since, until: when they were proposed: from, and before.

        Raises:
            RefusedError: not a focal point. NotFoundError: no file is given and no draft waits.
            InvalidError, MalformedError: the file does not read.
        """
        caller.must(Action.PUBLISH_RULES)
        books = await self._work.read(RuleBooks, RULEBOOK_ID)
        book = books.waiting() if text is None else self._read(text, books)[0]
        directory = await self._work.read(Directory, DIRECTORY_ID)
        return await simulate(self._work, self._editions, book, directory, since, until)

    def _read(self, text: bytes, books: RuleBooks, version: int | None = None) -> tuple[RuleBook, list[InvalidError]]:
        book, lines = parse_written(text, books.book.member, version or books.book.version + 1)
        return book, book_check.problems(book, lines, self._work.clock.now())


async def books_in_order(work: Work) -> list[RuleBook]:
    """Every book that was ever in force, the oldest first."""
    found: list[RuleBook] = []
    books: RuleBooks | None = None
    for event in await work.log.stream(RULEBOOK_ID):
        books = event.mutate(books)
        if books is not None and (not found or found[-1] is not books.book):
            found.append(books.book)
    return found
