"""What the core of a link takes in, and what it asks the courier to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from rilon.crypto import strict
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
    """The peer has receipted more: record it with what it newly refused, and the proof that it said so."""

    receipt: wire.Receipt
    refused: tuple[tuple[int, str], ...]
    proof: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Take:
    """Store this piece, if it is one that is missing, then tell the core with ``Link.taken``."""

    blob: wire.Blob = field(repr=False)


Effect = Store | Drop | Freeze | Acked | Take


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


@dataclass(frozen=True, slots=True)
class SendWant:
    """Say ``Link.fetching.rest``, then look for what is missing of this peer, and ask with ``Link.say_want``."""


@dataclass(frozen=True, slots=True)
class SendBlob:
    """Send the piece that is asked for if a live grant of this peer covers it, else ``Link.say_gone``."""

    want: wire.Want


Send = SendHello | SendReceipt | SendEntries | SendWant | SendBlob


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
