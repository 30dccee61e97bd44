"""What the log says about the links: a fold over all events, and all that a link has to remember across a crash.

The n-th line that our log addresses to a peer *is* entry n of the link to it: a selection, never an encoding. What came
in stands in the peer's entries, what the peer has confirmed in its receipts. So a courier needs no journal of its own;
what it keeps (``LinkStore``) saves reading the log again, and can be thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from rilon.crypto import chain
from rilon.domain.base import Event, Unknown, lines_of
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.entry import Entry, Withheld
from rilon.domain.identity import Identity
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.values import Line
from rilon.errors import FatalError

WINDOW: Final = 1024
"""How many lines may be on their way unreceipted; so no receipt ever has to name more refusals than this."""


def line_bytes(line: Line) -> bytes:
    """A line as it is hashed into the link's chain."""
    return chain.line(line.kind, line.digests)


@dataclass(frozen=True, slots=True)
class Unsound:
    """How often a peer sent what does not hold, for one reason, and when last; as far as the log says."""

    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """One link, between our log and one log of a peer.

    Attributes:
        peer_log: id of the peer's log, the newest it has told; b"" before it told any.
        known: how many lines our log addresses to the peer.
        out_head: the chain's head after them.
        acked: how many of them this log of the peer has receipted.
        next: number of the line of this log that we need next.
        head: the chain's head before that line.
        refused: lines of the peer that brought nothing, unsound or withheld, by number; of the last ``WINDOW`` numbers.
        frozen: why the link is frozen, or "".
        unsound: what of it was refused ever, lines and frames, by code; the codes are our own, so there are few.
    """

    peer_log: bytes = b""
    known: int = 0
    out_head: bytes = chain.START
    acked: int = 0
    next: int = 1
    head: bytes = chain.START
    refused: Mapping[int, str] = field(default_factory=dict)
    frozen: str = ""
    unsound: Mapping[str, Unsound] = field(default_factory=dict)

    def addressed(self, log: bytes, peer: str, line: Line) -> Facts:
        """After an event of our log that addresses a line to the peer."""
        n = self.known + 1
        return replace(self, known=n, out_head=chain.advance(log, peer, self.out_head, n, line_bytes(line)))

    def entered(self, me: str, line: Line, code: str = "") -> Facts:
        """After the event that stores the peer's next line; ``code`` if it was refused."""
        head = chain.advance(self.peer_log, me, self.head, self.next, line_bytes(line))
        recent = {n: why for n, why in self.refused.items() if n > self.next - WINDOW}
        refused = recent | ({self.next: code} if code else {})
        return replace(self, next=self.next + 1, head=head, refused=refused)

    def receipted(self, upto: int) -> Facts:
        """After the event that records a receipt."""
        return replace(self, acked=max(self.acked, upto))

    def speaking_from(self, peer_log: bytes) -> Facts:
        """After the peer's identity names this log: of a new one nothing is held, and it has receipted nothing."""
        if peer_log == self.peer_log:
            return self
        return Facts(peer_log, self.known, self.out_head, unsound=self.unsound)

    def disbelieved(self, code: str, count: int, at: datetime) -> Facts:
        """After the event that records what does not hold."""
        before = self.unsound.get(code)
        return replace(self, unsound={**self.unsound, code: Unsound((before.count if before else 0) + count, at)})


@dataclass(frozen=True, slots=True)
class Selected:
    """Entry ``n`` for a peer.

    Attributes:
        position: of the event in our log that addresses the line.
        head: the chain's head after it.
    """

    peer: str
    n: int
    position: int
    head: bytes = field(repr=False)


class LinkBook:
    """The fold: give it every event of the log in order, and it knows every link.

    Args:
        me: this Member.
        log: id of our log. The chains of an older one are never continued, so the fold is by the newest id throughout.
        links: what an earlier fold knew, by peer.
    """

    def __init__(self, me: str, log: bytes, links: Mapping[str, Facts]) -> None:
        self.me, self.log = me, log
        self.links = dict(links)
        self._streams: dict[UUID, str] = {link_stream(peer): peer for peer in links}

    def fold(self, position: int, event: Event) -> list[Selected]:
        """Take in one event; the entries it brings to the links.

        Raises:
            FatalError: ``link.newer-event``: an event of a newer program may address lines, so none may be counted
                after it; ``link.log-gap``: the log holds a peer's lines out of order.
        """
        match event:
            case Entry.Accepted() | Entry.Refused() | Entry.Unknown():
                self._enter(event)
            case Directory.Founded() | Directory.IdentityChanged() | PeerNode.Introduced() | PeerNode.IdentityChanged():
                self._introduce(event.identity)
            case PeerLink.Receipted() | PeerLink.Frozen() | PeerLink.Reset():
                self._note(event)
            case PeerLink.FrameRejected() if peer := self._streams.get(event.originator_id):
                self.links[peer] = self.links[peer].disbelieved(event.code, event.count, event.timestamp)
            case Unknown():
                raise FatalError(
                    "link.newer-event", "The log holds an event of a newer program.", fix="Update this node."
                )
        return [self._address(position, peer, line) for peer, line in lines_of(event).items() if peer != self.me]

    def _address(self, position: int, peer: str, line: Line) -> Selected:
        facts = self._of(peer).addressed(self.log, peer, line)
        self.links[peer] = facts
        return Selected(peer, facts.known, position, facts.out_head)

    def _enter(self, event: Entry.Accepted | Entry.Refused | Entry.Unknown) -> None:
        facts = self._of(event.peer)
        if event.log_id != facts.peer_log:
            return  # of an older log of the peer: history
        if event.seq != facts.next:
            raise FatalError("link.log-gap", f"The log holds line {event.seq} of {event.peer} out of order.")
        facts = facts.entered(self.me, event.line, _nothing_because(event))
        if isinstance(event, Entry.Refused):
            facts = facts.disbelieved(event.code, 1, event.timestamp)
        self.links[event.peer] = facts

    def _introduce(self, identity: Identity) -> None:
        """Our own identity is kept like a peer's: it tells which of our logs was meant at this point of history."""
        self.links[identity.member] = self._of(identity.member).speaking_from(identity.log_id)

    def _note(self, event: PeerLink.Receipted | PeerLink.Frozen | PeerLink.Reset) -> None:
        peer = self._streams.get(event.originator_id)
        if peer is None or self._of(self.me).peer_log != self.log:
            return  # about an older log of ours, whose chain is not continued
        facts = self.links[peer]
        match event:
            case PeerLink.Receipted():
                facts = facts.receipted(event.upto) if event.log_id == facts.peer_log else facts
            case PeerLink.Frozen():
                facts = replace(facts, frozen=event.code)
            case PeerLink.Reset():
                facts = replace(facts, frozen="")
        self.links[peer] = facts

    def _of(self, peer: str) -> Facts:
        self._streams.setdefault(link_stream(peer), peer)
        return self.links.setdefault(peer, Facts())


def _nothing_because(event: Entry.Accepted | Entry.Refused | Entry.Unknown) -> str:
    """The code with which a receipt names a line that brought nothing; "" for one that brought what it should."""
    if isinstance(event, Entry.Refused):
        return event.code
    withheld = event.withheld if isinstance(event, Entry.Accepted) else None
    return Withheld(withheld).code if withheld else ""
