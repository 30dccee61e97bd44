"""The link to one peer, as the log keeps it: what the peer receipted, what it sent that was no frame, and forks."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Digest, LogId, MemberId, OfficerId, Value
from rilon.errors import ConflictError, RefusedError

Logs = tuple[LogId, LogId]
"""Ours, and the peer's."""


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
        """A fork: the peer and we disagree about what was sent. Evidence is kept; two focal points reset it.

        ``logs`` are ours and the peer's: when either begins a new one, there is nothing left to disagree about.
        """

        TOPIC = "rilon.link.frozen.1"
        code: Code
        evidence: bytes
        logs: Logs

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.code, aggregate.logs, aggregate.asked = self.code, self.logs, ""

    class ResetAsked(Root.Event):
        """One focal point wants the link to go on; a second, different one must."""

        TOPIC = "rilon.link.reset-asked.1"
        by: OfficerId

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.asked = self.by

    class Reset(Root.Event):
        TOPIC = "rilon.link.reset.1"
        by: tuple[OfficerId, OfficerId]

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.code, aggregate.asked = "", ""

    def __init__(self, peer: MemberId) -> None:
        self.peer, self.code, self.asked = peer, "", ""
        self.logs: Logs | None = None
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

    def frozen(self, logs: Logs) -> str:
        """Why the link between these logs, ours and the peer's, is frozen; "" when it is not."""
        return self.code if self.logs == logs else ""

    def freeze(self, code: str, evidence: bytes, logs: Logs, at: datetime) -> None:
        """Stop the link between these logs with the evidence of the fork; once."""
        if not self.frozen(logs):
            self.trigger_event(self.Frozen, code=code, evidence=evidence, logs=logs, timestamp=at)

    def reset(self, by: str, logs: Logs, at: datetime) -> bool:
        """Go on after a fork: the first focal point asks, a second one does it; whether it was done.

        Raises:
            RefusedError: ``link.second-person``: the one who asked cannot be the second.
            ConflictError: ``link.not-frozen``.
        """
        if not self.frozen(logs):
            raise ConflictError("link.not-frozen", "This link is not frozen.")
        if self.asked == by:
            raise RefusedError("link.second-person", "Two different focal points must reset a link.")
        if not self.asked:
            self.trigger_event(self.ResetAsked, by=by, timestamp=at)
            return False
        self.trigger_event(self.Reset, by=(self.asked, by), timestamp=at)
        return True
