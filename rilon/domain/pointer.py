"""Whose something is that the identity provider names: a person there, or one of their sessions there.

It is named by a keyed digest, so that the log tells nobody who it is. A pointer only finds the officer; what counts
is what that officer's ``Access`` still holds, so it need not be taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import OfficerId


def pointer_id(digest: bytes) -> UUID:
    """The stream of what has this keyed digest."""
    return natural_id("pointer", digest.hex())


class Pointer(Root):
    """From the provider's name to an officer."""

    TOPIC = "rilon.pointer"

    class Set(Opening):
        TOPIC = "rilon.pointer.set.1"
        officer: OfficerId

    class Moved(Root.Event):
        TOPIC = "rilon.pointer.moved.1"
        officer: OfficerId

        def apply(self, aggregate: Pointer) -> None:
            aggregate.officer = self.officer

    def __init__(self, officer: OfficerId) -> None:
        self.officer = officer

    @classmethod
    def to(cls, digest: bytes, officer: UUID, at: datetime) -> Self:
        """Make one."""
        return cls._create(cls.Set, id=pointer_id(digest), officer=officer.hex, timestamp=at)

    def move(self, officer: UUID, at: datetime) -> None:
        """Let it lead to another officer; to the same one, nothing happens."""
        if self.officer != officer.hex:
            self.trigger_event(self.Moved, officer=officer.hex, timestamp=at)
