"""What a holder asks its originator for, as it is sealed and travels beside the line ``onward.ask``."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from rilon.crypto import strict
from rilon.crypto.strict import Code, MemberCode

LIMIT_BYTES: Final = 24 * 1024


class Ask(strict.Record, frozen=True):
    """A question to the originator of an item.

    Attributes:
        member: whom it is for: a third Member, or the asker itself.
        sections: sensitivities, in order of their names.
        court: whether it is for use in court. reason: why, in words.
    """

    member: MemberCode
    sections: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=16)]
    court: bool
    reason: str

    def __post_init__(self) -> None:
        strict.ordered(self.sections)


def encode(ask: Ask) -> bytes:
    """Its bytes, to be sealed."""
    return strict.encode(ask)


def read(data: bytes) -> Ask:
    """What is asked. Raises MalformedError ``cbor.*``."""
    return strict.decode(data, Ask, limit=LIMIT_BYTES)
