"""Rule books of a log: every version follows the one before it, and two people signed what changed one."""

from __future__ import annotations

from functools import singledispatchmethod

import msgspec

from rilon.app.release import check_focal_consent
from rilon.audit.signers import Signers
from rilon.crypto.approval import book_digest
from rilon.domain.conditions import Obligations
from rilon.domain.rulebook import SIGNERS, RuleBooks, ended
from rilon.domain.rules import RuleBook
from rilon.errors import MalformedError, ProofError


class Books:
    """The fold of rule books.

    Attributes:
        known: of all that were ever in force, by digest, the rules that oblige to something.
    """

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self.known: dict[bytes, dict[str, Obligations]] = {}
        self._book: RuleBook | None = None
        self._drafted: RuleBook | None = None
        self._signed_by: set[str] = set()

    @singledispatchmethod
    def check(self, event: object) -> None:
        """Check one event, and take in what later ones are checked by. Most change no rule book."""

    @check.register
    def _(self, event: RuleBooks.Adopted | RuleBooks.Drafted) -> None:
        try:
            book = msgspec.json.decode(event.book, type=RuleBook)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise MalformedError("rulebook.unreadable", "A rule book cannot be read.") from None
        version = self._book.version + 1 if self._book else book.version
        if (book.member, book.version, book.data) != (self._signers.directory.me, version, event.book):
            raise ProofError("rulebook.version", "A rule book is another Member's, or out of order.")
        if isinstance(event, RuleBooks.Adopted):
            self._use(book)
        else:
            self._drafted, self._signed_by = book, set()

    @check.register
    def _(self, event: RuleBooks.Signed) -> None:
        drafted = self._drafted
        if drafted is None or drafted.digest != event.draft or event.by in self._signed_by:
            raise ProofError("rulebook.draft-changed", "Somebody signed another rule book than waits, or twice.")
        check_focal_consent(book_digest(event.draft), event.signature, self._signers.person(event.by))
        self._signed_by.add(event.by)
        self._signers.proved["approvals"] += 1

    @check.register
    def _(self, event: RuleBooks.Published) -> None:
        drafted = self._drafted
        if drafted is None or drafted.digest != event.draft or len(self._signed_by) < SIGNERS:
            raise ProofError("rulebook.unsigned", "A rule book is in force that two focal points have not signed.")
        self._use(drafted)

    @check.register
    def _(self, event: RuleBooks.AgreementEnded) -> None:
        if self._book is None or event.agreement not in self._book.sources:
            raise ProofError("rulebook.no-agreement", "An agreement ended that no rule book has.")
        self._use(ended(self._book, event.agreement, event.timestamp))

    @check.register
    def _(self, _event: RuleBooks.Dropped) -> None:
        self._drafted = None

    def _use(self, book: RuleBook) -> None:
        self._book, self._drafted = book, None
        self.known[book.digest] = {rule.id: rule.obliges for rule in book.rules if rule.obliges}

    def obliges(self, book: bytes, rule: str) -> Obligations | None:
        """What a rule of a book attaches; None: nothing, or it is no rule of a book."""
        return self.known[book].get(rule)
