"""The receiving half of a link: what is next is stored, what is early waits, what is late is receipted again.

Nothing here moves before the courier says that it has committed: a receipt that ran ahead of the log would let the
peer forget what we then lose. What waits is bounded and lives in memory only, since the peer sends it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rilon.app.link_facts import WINDOW, line_bytes
from rilon.crypto import chain, strict
from rilon.network import wire
from rilon.network.link_state import NOTHING_REFUSED, Arrival, Bundle, Drop, Ends, Evidence, Freeze, Store

PARKED_FRAMES: Final = 64
PARKED_BYTES: Final = 8 * 1024 * 1024


@dataclass(slots=True)
class Inbound:
    """Receiving from one peer.

    Attributes:
        ends: whose chain it is.
        next: number of the line that is needed next.
        head: the chain's head before it.
        refused: unsound lines which the peer may not know of yet.
        receipt_due: a receipt must go out.
    """

    ends: Ends
    next: int
    head: bytes
    refused: dict[int, str]
    receipt_due: bool = False
    _parked: dict[int, Bundle] = field(default_factory=dict)

    def take(self, bundle: Bundle) -> Store | Drop | Freeze:
        """Judge a frame with entries. Each is answered by a receipt in the end, for the last may have been lost."""
        entries = bundle.entries
        if entries.acked >= self.next:
            return _freeze("link.rolled-back", bundle, self.next - 1, self.head)
        self.refused = {seq: code for seq, code in self.refused.items() if seq > entries.acked}
        if entries.first <= self.next <= entries.last:
            return self._check(bundle)
        self.receipt_due = True
        return Drop("link.duplicate") if entries.last < self.next else self._park(bundle)

    def stored(self, store: Store, refused: Mapping[int, str] = NOTHING_REFUSED) -> Store | Drop | Freeze | None:
        """The lines are committed, some of them as refused; returns what can be done next with what waited."""
        arrivals = store.arrivals
        if arrivals[0].seq != self.next:
            return None  # handed out twice, and the other copy was committed first
        self.next, self.head = arrivals[-1].seq + 1, arrivals[-1].head
        self.refused.update(refused)
        self.receipt_due = True
        return self._drain()

    def want(self) -> int:
        """The first line that waits, so that the peer can see the gap before it; 0 when none waits."""
        return min((first for first in self._parked if first > self.next), default=0)

    def _drain(self) -> Store | Drop | Freeze | None:
        for first in sorted(self._parked):
            if first > self.next:
                return None
            bundle = self._parked.pop(first)
            if bundle.entries.last >= self.next:
                return self._check(bundle)
        return None

    def _check(self, bundle: Bundle) -> Store | Freeze:
        """Follow the chain through lines we have to those we need: other words under an old number show here."""
        entries, head = bundle.entries, bundle.entries.prev
        arrivals = []
        for seq, (line, attachment) in enumerate(zip(entries.lines, bundle.attachments, strict=True), entries.first):
            if seq == self.next and head != self.head:
                return _freeze("link.fork", bundle, self.next - 1, self.head)
            head = chain.advance(self.ends.peer_log, self.ends.me, head, seq, line_bytes(line))
            if seq >= self.next:
                arrivals.append(Arrival(seq, line, attachment, head))
        return Store(tuple(arrivals))

    def _park(self, bundle: Bundle) -> Drop:
        first = bundle.entries.first
        if bundle.entries.last > self.next + WINDOW:
            return Drop("link.ahead")
        if first in self._parked:
            return Drop("link.duplicate")
        self._parked[first] = bundle
        while len(self._parked) > PARKED_FRAMES or self._parked_bytes() > PARKED_BYTES:
            del self._parked[max(self._parked)]  # what is needed last will be sent again
        return Drop("link.parked")

    def _parked_bytes(self) -> int:
        return sum(bundle.size_bytes for bundle in self._parked.values())


def _freeze(code: str, bundle: Bundle, seq: int, head: bytes) -> Freeze:
    return Freeze(code, strict.encode(Evidence(bundle.proof, wire.encode(bundle.entries), seq, head)))
