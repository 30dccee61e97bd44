"""The rule books of this Member, one after the other; releases name the digest of the one that judged them."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.rules import RuleBook
from rilon.domain.values import OfficerId
from rilon.errors import ConflictError

RULEBOOK_ID: UUID = natural_id("rulebook")


class RuleBooks(Root):
    """The versions of the rule book. A book is law and policy, no personal data, so it is kept as it reads."""

    TOPIC = "rilon.rulebook"

    class Adopted(Opening):
        TOPIC = "rilon.rulebook.adopted.1"
        by: OfficerId
        book: bytes

    class Published(Root.Event):
        TOPIC = "rilon.rulebook.published.1"
        by: OfficerId
        book: bytes

        def apply(self, aggregate: RuleBooks) -> None:
            aggregate.use(self.book)

    def __init__(self, by: OfficerId, book: bytes) -> None:
        del by  # evidence in the event
        self.use(book)

    def use(self, book: bytes) -> None:
        """Fold: from here on this book judges."""
        self.book = msgspec.json.decode(book, type=RuleBook)

    @classmethod
    def adopt(cls, book: RuleBook, by: str, at: datetime) -> Self:
        """Begin with a first book."""
        return cls._create(cls.Adopted, id=RULEBOOK_ID, by=by, book=_encode(book), timestamp=at)

    def publish(self, book: RuleBook, by: str, at: datetime) -> None:
        """Put a new version in force. Raises ConflictError unless it follows the one in force."""
        if (book.member, book.version) != (self.book.member, self.book.version + 1):
            raise ConflictError("rulebook.version", "Another rule book was published first.", fix="Read it again.")
        self.trigger_event(self.Published, by=by, book=_encode(book), timestamp=at)


def _encode(book: RuleBook) -> bytes:
    return msgspec.json.encode(book, order="deterministic")
