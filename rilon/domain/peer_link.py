"""The link to one peer, as the log keeps it: what the peer receipted, what it sent that was no frame, and forks."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Digest, LogId, MemberId, OfficerId, Value
from rilon.errors import ConflictError, RefusedError


def link_stream(peer: str) -> UUID:
    """The stream of the link to a peer."""
    return natural_id("link", peer)


class Signed(Value, frozen=True):
    """What a peer signed, as it signed it.

    Attributes:
        said: the body of its frame.
        proof: that the peer's link key signed it (``frame.verify_proof``); shows nothing but that.
    """

    said: bytes
    proof: bytes


class PeerLink(Root):
    """Facts about one link. Only a receipt here makes a delivery *stored*; a broker's ack never does."""

    TOPIC = "rilon.link"

    class Began(Opening):
        TOPIC = "rilon.link.began.1"
        peer: MemberId

    class Receipted(Root.Event):
        """The peer signed that it has stored everything up to entry ``upto``.

        ``through`` is the position in our log of the event whose line entry ``upto`` is, so that views need no count of
        lines. ``refused`` names, as (entry, position, code), those that brought it nothing. ``signed`` is the receipt
        itself, for an auditor or a court: the rest only repeats it.
        """

        TOPIC = "rilon.link.receipted.1"
        log_id: LogId
        upto: int
        through: int
        head: Digest
        refused: tuple[tuple[int, int, Code], ...]
        signed: Signed

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.receipted = (self.log_id, self.upto, self.head)
            aggregate.through = self.through

    class FrameRejected(Root.Event):
        """Bytes under this peer's name that are no sound frame; at most one event per reason and hour."""

        TOPIC = "rilon.link.frame-rejected.1"
        code: Code
        count: int

        def apply(self, aggregate: PeerLink) -> None:
            """Evidence only."""

    class Frozen(Root.Event):
        """A fork: the peer and we disagree about what was sent. Evidence is kept; two focal points reset it."""

        TOPIC = "rilon.link.frozen.1"
        code: Code
        evidence: bytes

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.frozen = self.code

    class Reset(Root.Event):
        TOPIC = "rilon.link.reset.1"
        by: tuple[OfficerId, OfficerId]

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.frozen = ""

    def __init__(self, peer: MemberId) -> None:
        self.peer, self.frozen = peer, ""
        self.receipted: tuple[bytes, int, bytes] | None = None
        self.through = 0

    @classmethod
    def begin(cls, peer: str, at: datetime) -> Self:
        """The first fact about a link."""
        return cls._create(cls.Began, id=link_stream(peer), peer=peer, timestamp=at)

    def receipt(
        self,
        log_id: bytes,
        upto: int,
        through: int,
        head: bytes,
        refused: tuple[tuple[int, int, str], ...],
        signed: Signed,
        at: datetime,
    ) -> None:
        """Record how far the peer has stored."""
        self.trigger_event(
            self.Receipted,
            log_id=log_id,
            upto=upto,
            through=through,
            head=head,
            refused=refused,
            signed=signed,
            timestamp=at,
        )

    def reject_frame(self, code: str, count: int, at: datetime) -> None:
        """Record bytes that were no sound frame."""
        self.trigger_event(self.FrameRejected, code=code, count=count, timestamp=at)

    def freeze(self, code: str, evidence: bytes, at: datetime) -> None:
        """Stop the link with the evidence of the fork."""
        self.trigger_event(self.Frozen, code=code, evidence=evidence, timestamp=at)

    def reset(self, first: str, second: str, at: datetime) -> None:
        """Go on after a fork.

        Raises:
            RefusedError: ``link.second-person``: unless two different focal points say so.
            ConflictError: ``link.not-frozen``.
        """
        if not self.frozen:
            raise ConflictError("link.not-frozen", "This link is not frozen.")
        if first == second:
            raise RefusedError("link.second-person", "Two different focal points must reset a link.")
        self.trigger_event(self.Reset, by=(first, second), timestamp=at)
