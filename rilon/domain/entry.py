"""What came in over a link: one stream per (peer, log id, sequence number), so that version 1 can be stored only once.

That unique key is the inbox's dedupe: a line that arrives twice meets a conflict, never a second effect.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Line, LogId, MemberId, Sealed


def entry_id(peer: str, log_id: bytes, seq: int) -> UUID:
    """The stream of one entry of a peer's log."""
    return natural_id("entry", peer, log_id.hex(), str(seq))


class Withheld(StrEnum):
    """Why nothing came beside a line: its recipient was revoked, its item is over, or what it named is gone."""

    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    ERASED = "erased"
    RECALLED = "recalled"
    TOO_LARGE = "too-large"

    @property
    def code(self) -> str:
        """As a receipt names it to the sender, who must not take an empty line for a delivery."""
        return f"withheld.{self}"


class Entry(Root):
    """One line a peer addressed to us, in its order."""

    TOPIC = "rilon.entry"

    class Accepted(Opening):
        """Authentic and sound. ``text``: a reply's text, in a slot of ours; ``withheld``: why nothing came with it."""

        TOPIC = "rilon.entry.accepted.1"
        peer: MemberId
        log_id: LogId
        seq: int
        line: Line
        item: UUID | None
        text: Sealed | None
        withheld: Code | None

    class Refused(Opening):
        """Authentic, but its content does not hold: kept as evidence, advanced over, never on a board."""

        TOPIC = "rilon.entry.refused.1"
        peer: MemberId
        log_id: LogId
        seq: int
        line: Line
        code: Code

    class Unknown(Opening):
        """Of a kind newer than this node; its attachments wait in one sealed slot."""

        TOPIC = "rilon.entry.unknown.1"
        peer: MemberId
        log_id: LogId
        seq: int
        line: Line
        attachments: Sealed

    def __init__(self, peer: MemberId, log_id: bytes, seq: int, line: Line, **_: object) -> None:
        self.peer, self.log_id, self.seq, self.line = peer, log_id, seq, line

    @classmethod
    def accept(
        cls,
        peer: str,
        log_id: bytes,
        seq: int,
        line: Line,
        at: datetime,
        *,
        item: UUID | None = None,
        text: Sealed | None = None,
        withheld: str | None = None,
    ) -> Self:
        """Record a sound entry."""
        facts = {"peer": peer, "log_id": log_id, "seq": seq, "line": line}
        return cls._create(
            cls.Accepted, id=entry_id(peer, log_id, seq), item=item, text=text, withheld=withheld, timestamp=at, **facts
        )

    @classmethod
    def refuse(cls, peer: str, log_id: bytes, seq: int, line: Line, code: str, at: datetime) -> Self:
        """Record an entry whose content does not hold."""
        return cls._create(
            cls.Refused,
            id=entry_id(peer, log_id, seq),
            peer=peer,
            log_id=log_id,
            seq=seq,
            line=line,
            code=code,
            timestamp=at,
        )

    @classmethod
    def keep_unknown(cls, peer: str, log_id: bytes, seq: int, line: Line, attachments: Sealed, at: datetime) -> Self:
        """Record an entry of a kind this node does not know."""
        return cls._create(
            cls.Unknown,
            id=entry_id(peer, log_id, seq),
            peer=peer,
            log_id=log_id,
            seq=seq,
            line=line,
            attachments=attachments,
            timestamp=at,
        )
