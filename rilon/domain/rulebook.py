"""The rule books of this Member, one after the other; releases name the digest of the one that judged them.

A new book is a draft first: put up by a focal point, simulated, and signed by two with their own approval keys. An
agreement's end is told by one, because it can only make the book stricter.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Self
from uuid import UUID

import msgspec
from msgspec import structs

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.judge import Judge
from rilon.domain.rules import RuleBook
from rilon.domain.values import Code, Digest, OfficerId
from rilon.errors import ConflictError, NotFoundError, RefusedError

RULEBOOK_ID: UUID = natural_id("rulebook")
SIGNERS = 2
"""So many different focal points sign a book before it is in force."""


class RuleBooks(Root):
    """The versions of the rule book. A book is law and policy, no personal data, so it is kept as it reads."""

    TOPIC = "rilon.rulebook"

    class Adopted(Opening):
        """The first book, with which the node was founded."""

        TOPIC = "rilon.rulebook.adopted.1"
        by: OfficerId
        book: bytes

    class Drafted(Root.Event):
        """A book that is to follow the one in force; it takes the place of an earlier draft and its signatures."""

        TOPIC = "rilon.rulebook.drafted.1"
        by: OfficerId
        book: bytes

        def apply(self, aggregate: RuleBooks) -> None:
            aggregate.draft, aggregate.drafter, aggregate.signatures = _decode(self.book), self.by, {}

    class Signed(Root.Event):
        """A focal point consented to exactly this draft, with their own approval key."""

        TOPIC = "rilon.rulebook.signed.1"
        by: OfficerId
        draft: Digest
        signature: bytes

        def apply(self, aggregate: RuleBooks) -> None:
            aggregate.signatures[self.by] = self.signature

    class Published(Root.Event):
        """The draft is in force from here on."""

        TOPIC = "rilon.rulebook.published.1"
        draft: Digest

        def apply(self, aggregate: RuleBooks) -> None:
            aggregate.use(aggregate.waiting())

    class Dropped(Root.Event):
        """The draft is taken back."""

        TOPIC = "rilon.rulebook.dropped.1"
        by: OfficerId

        def apply(self, aggregate: RuleBooks) -> None:
            aggregate.forget_draft()

    class AgreementEnded(Root.Event):
        """An agreement ended at this moment: the next version of the book allows nothing by it."""

        TOPIC = "rilon.rulebook.agreement-ended.1"
        by: OfficerId
        agreement: Code

        def apply(self, aggregate: RuleBooks) -> None:
            aggregate.use(ended(aggregate.book, self.agreement, self.timestamp))

    def __init__(self, by: OfficerId, book: bytes) -> None:
        del by  # evidence in the event
        self.use(_decode(book))

    def use(self, book: RuleBook) -> None:
        """Fold: from here on this book judges, and a draft that was made for an older one is void."""
        self.book = book
        vars(self).pop("judge", None)
        self.forget_draft()

    def forget_draft(self) -> None:
        """Fold: nothing waits to be signed."""
        self.draft: RuleBook | None = None
        self.drafter: OfficerId = ""
        self.signatures: dict[OfficerId, bytes] = {}

    @cached_property
    def judge(self) -> Judge:
        """Judges by the book in force."""
        return Judge(self.book)

    @classmethod
    def adopt(cls, book: RuleBook, by: str, at: datetime) -> Self:
        """Begin with a first book."""
        return cls._create(cls.Adopted, id=RULEBOOK_ID, by=by, book=book.data, timestamp=at)

    def waiting(self) -> RuleBook:
        """The draft that waits to be signed. Raises NotFoundError ``rulebook.no-draft``."""
        if self.draft is None:
            raise NotFoundError("rulebook.no-draft", "No rule book waits to be signed.")
        return self.draft

    def propose(self, book: RuleBook, by: str, at: datetime) -> None:
        """Put up a draft. Raises ConflictError ``rulebook.version`` unless it follows the book in force."""
        if (book.member, book.version) != (self.book.member, self.book.version + 1):
            raise ConflictError("rulebook.version", "Another rule book was published first.", fix="Read it again.")
        self.trigger_event(self.Drafted, by=by, book=book.data, timestamp=at)

    def sign(self, by: str, draft: bytes, signature: bytes, at: datetime) -> bool:
        """Add a focal point's signature; True when the book is now in force.

        The caller has verified the signature with the signer's own key.

        Raises:
            NotFoundError: nothing waits. ConflictError: ``rulebook.draft-changed``: it is not what was signed.
            RefusedError: ``rulebook.second-person``: the same person signs twice.
        """
        self.must_wait(draft)
        if by in self.signatures:
            raise RefusedError("rulebook.second-person", "A second, different focal point must sign this.")
        self.trigger_event(self.Signed, by=by, draft=draft, signature=signature, timestamp=at)
        if len(self.signatures) < SIGNERS:
            return False
        self.trigger_event(self.Published, draft=draft, timestamp=at)
        return True

    def must_wait(self, draft: bytes) -> None:
        """Refuse who saw another draft. Raises NotFoundError, or ConflictError ``rulebook.draft-changed``."""
        if self.waiting().digest != draft:
            raise ConflictError("rulebook.draft-changed", "Another draft waits than you saw.", fix="Look again.")

    def drop(self, by: str, at: datetime) -> None:
        """Take the draft back. Raises NotFoundError ``rulebook.no-draft``."""
        self.waiting()
        self.trigger_event(self.Dropped, by=by, timestamp=at)

    def end_agreement(self, agreement: str, by: str, at: datetime) -> None:
        """Let an agreement end now.

        Raises:
            NotFoundError: ``rulebook.no-agreement``. ConflictError: ``rulebook.agreement-ended``: it has ended already.
        """
        found = next((a for a in self.book.agreements if a.id == agreement), None)
        if found is None:
            raise NotFoundError("rulebook.no-agreement", "The rule book has no such agreement.")
        if found.span[1] <= at:
            raise ConflictError("rulebook.agreement-ended", "This agreement has ended already.")
        self.trigger_event(self.AgreementEnded, by=by, agreement=agreement, timestamp=at)


def ended(book: RuleBook, agreement: str, at: datetime) -> RuleBook:
    """The next version of a book: the same, but for an agreement that ended at this moment."""
    left = tuple(structs.replace(a, ended_at=at) if a.id == agreement else a for a in book.agreements)
    return structs.replace(book, version=book.version + 1, agreements=left)


def _decode(book: bytes) -> RuleBook:
    return msgspec.json.decode(book, type=RuleBook)
