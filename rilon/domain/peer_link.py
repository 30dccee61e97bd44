"""The link to one peer, as the log keeps it: what the peer receipted, what it sent that was no frame, and forks."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Digest, LogId, MemberId, OfficerId, Value
from rilon.errors import ConflictError, RefusedError

Logs = tuple[LogId, LogId]
"""Ours, and the peer's."""


SIGNERS = 2
"""How many focal points let a frozen link go on, each by their own approval key."""


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


class Fork(Value, frozen=True):
    """Why a link is frozen: what focal points sign over, so that no signature lets a later fork pass.

    Attributes:
        number: the how manieth of this link. evidence: digest of what was kept of it.
    """

    peer: MemberId
    number: int
    code: Code
    logs: Logs
    evidence: Digest


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
            aggregate.forks += 1
            digest = sha256(self.evidence).digest()
            aggregate.fork = Fork(aggregate.peer, aggregate.forks, self.code, self.logs, digest)
            aggregate.signed = ()

    class ResetSigned(Root.Event):
        """A focal point who looked at the evidence signed, by their approval key, that the link goes on."""

        TOPIC = "rilon.link.reset-signed.1"
        by: OfficerId
        consent: bytes

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.signed += (self.by,)

    class Reset(Root.Event):
        """As many have signed as must: the link goes on."""

        TOPIC = "rilon.link.reset.1"

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.fork, aggregate.signed = None, ()

    def __init__(self, peer: MemberId) -> None:
        self.peer, self.forks = peer, 0
        self.fork: Fork | None = None
        self.signed: tuple[OfficerId, ...] = ()
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
        return self.fork.code if self.fork and self.fork.logs == logs else ""

    def freeze(self, code: str, evidence: bytes, logs: Logs, at: datetime) -> None:
        """Stop the link between these logs with the evidence of the fork; once."""
        if not self.frozen(logs):
            self.trigger_event(self.Frozen, code=code, evidence=evidence, logs=logs, timestamp=at)

    def must_be_frozen(self, logs: Logs) -> Fork:
        """The fork that stops the link between these logs. Raises ConflictError ``link.not-frozen``."""
        if self.fork is None or self.fork.logs != logs:
            raise ConflictError("link.not-frozen", "This link is not frozen.")
        return self.fork

    def reset(self, by: str, consent: bytes, logs: Logs, at: datetime) -> bool:
        """Go on after a fork, by the second focal point whose signature the caller has verified; whether it does.

        Raises:
            RefusedError: ``link.second-person``: they have signed.
            ConflictError: ``link.not-frozen``.
        """
        self.must_be_frozen(logs)
        if by in self.signed:
            raise RefusedError("link.second-person", "Two different focal points must reset a link.")
        self.trigger_event(self.ResetSigned, by=by, consent=consent, timestamp=at)
        done = len(self.signed) >= SIGNERS
        if done:
            self.trigger_event(self.Reset, timestamp=at)
        return done
