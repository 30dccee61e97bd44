"""What a link is made of: its two ends, the facts it is rebuilt from, and what its core asks the courier to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from rilon.crypto import chain, strict
from rilon.domain.values import Line
from rilon.network import wire

NOTHING_REFUSED: Final[Mapping[int, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ends:
    """The two (Member, log) pairs a link joins.

    Attributes:
        me: this Member.
        log: id of this node's log.
        peer: the other Member.
        peer_log: id of its log, as our focal point has confirmed it.
    """

    me: str
    log: bytes
    peer: str
    peer_log: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """All that has to survive a crash, and all of it follows from the log: see the methods.

    Attributes:
        known: how many lines our log addresses to the peer.
        acked: how many of them the peer has receipted.
        next: number of the line we need next.
        head: the chain's head before that line.
        refused: lines of the peer that were stored as unsound: number and reason; the last ``WINDOW`` numbers suffice.
        frozen: why the link is frozen, or "".
    """

    known: int = 0
    acked: int = 0
    next: int = 1
    head: bytes = chain.START
    refused: Mapping[int, str] = field(default_factory=dict)
    frozen: str = ""

    def addressed(self) -> Facts:
        """After an event that addresses a line to the peer."""
        return replace(self, known=self.known + 1)

    def entered(self, ends: Ends, line: bytes, code: str = "") -> Facts:
        """After the event that stores the peer's next line; ``code`` if it was refused."""
        head = chain.advance(ends.peer_log, ends.me, self.head, self.next, line)
        recent = {seq: why for seq, why in self.refused.items() if seq > self.next - wire.WINDOW}
        refused = recent | ({self.next: code} if code else {})
        return replace(self, next=self.next + 1, head=head, refused=refused)

    def receipted(self, upto: int) -> Facts:
        """After the event that records the peer's receipt."""
        return replace(self, acked=max(self.acked, upto))


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened ``entries`` frame.

    Attributes:
        entries: its body.
        attachments: one for each line.
        proof: that the peer signed the body (``frame.Opened.proof``).
        size_bytes: what keeping it costs.
    """

    entries: wire.Entries
    attachments: tuple[wire.Attachment, ...] = field(repr=False)
    proof: bytes = field(repr=False)
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A line that is next in order, with the chain's head after it."""

    seq: int
    line: Line
    attachment: wire.Attachment = field(repr=False)
    head: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Store:
    """Commit these consecutive lines, then tell the core with ``Link.stored``."""

    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """Nothing was taken from this frame.

    Attributes:
        code: why.
        suspicious: no honest peer sends this; count it, and record it (at most hourly).
    """

    code: str
    suspicious: bool = False


@dataclass(frozen=True, slots=True)
class Freeze:
    """The two logs contradict each other: record it with the evidence, and tell the focal points."""

    code: str
    evidence: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Acked:
    """The peer has receipted more: record it with what it refused."""

    receipt: wire.Receipt


Effect = Store | Drop | Freeze | Acked


@dataclass(frozen=True, slots=True)
class SendHello:
    """Send ``Link.hello``."""


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """Send ``Link.receipt``."""


class Why(Enum):
    """Why entries are sent."""

    NEXT = "next"
    GAP = "gap"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class SendEntries:
    """Send one frame with as many entries from ``first`` on as fit, none after ``upto``; then say ``Link.posted``."""

    first: int
    upto: int
    why: Why = Why.NEXT


Send = SendHello | SendReceipt | SendEntries


class Evidence(strict.Record, frozen=True):
    """A contradiction, for third parties: what the peer signed, and what stands in our log instead.

    Attributes:
        proof, body: verified with ``frame.verify_proof``.
        seq: the line after which the chains differ.
        head: our head there; 32 zero bytes where we have none.
    """

    proof: bytes
    body: bytes
    seq: int
    head: strict.Bytes32
