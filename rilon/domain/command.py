"""A command's answer, kept under its idempotency key, in the same append as its effect.

After a lost connection the outcome is unknown; the retry finds the first answer, or that nothing happened.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root
from rilon.domain.values import Digest
from rilon.errors import ConflictError


class Command(Root):
    """One command. Its id is an HMAC of (officer, key), so that the log confirms no guess of a key."""

    TOPIC = "rilon.command"

    class Answered(Opening):
        TOPIC = "rilon.command.answered.1"
        request: Digest
        answer: bytes

    def __init__(self, request: Digest, answer: bytes) -> None:
        self.request, self.answer = request, answer

    @classmethod
    def record(cls, command: UUID, request: bytes, answer: bytes, at: datetime) -> Self:
        """Keep the answer (ids and positions only) with the HMAC of the request."""
        return cls._create(cls.Answered, id=command, request=request, answer=answer, timestamp=at)

    def same(self, request: bytes) -> bytes:
        """The first answer. Raises ConflictError when the key came with other content."""
        if request != self.request:
            raise ConflictError("command.key-reused", "This idempotency key was used for something else.")
        return self.answer
