"""The sending half of a link: which lines may go now. Counts only; lines and heads stay in the store.

A window of lines may be unreceipted. When receipts stay out, one frame at a time is tried, ever more rarely, and what
follows counts as lost; the first receipt that helps opens the window again. So a peer that is away costs next to
nothing, and one that comes back is served at full speed. A gap the peer names is filled at once, and only once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rilon.app.link_facts import WINDOW
from rilon.network.link_state import SendEntries, Why

RETRY_S: Final = 2.0
"""How long the first receipt may take."""
RETRY_MOST_S: Final = 120.0
"""How rarely an absent peer is tried."""
_NO_GAP: Final = (0, -1)


def backoff_s(tries: int) -> float:
    """Seconds to wait after this many fruitless tries (1 or more)."""
    return float(min(RETRY_S * (1 << min(tries - 1, 16)), RETRY_MOST_S))


@dataclass(slots=True)
class Outbound:
    """Sending to one peer.

    Attributes:
        known: lines there are.
        acked: lines receipted.
        sent: lines sent and not counted as lost; ``acked <= sent <= known``.
        tries: fruitless tries since the last progress; above 0 only one frame at a time is tried.
        retry_at: when the next try is due.
    """

    known: int
    acked: int
    sent: int = 0
    tries: int = 0
    retry_at: float = 0.0
    _gap: tuple[int, int] = _NO_GAP
    _gap_seen_at: int = -1

    def __post_init__(self) -> None:
        self.sent = self.acked

    def due(self, now: float) -> SendEntries | None:
        """What to send now, if anything."""
        first, upto = self._gap
        if first <= upto:
            return SendEntries(first, upto, Why.GAP)
        limit = min(self.known, self.acked + WINDOW)
        waiting = self.tries > 0 or self.sent > self.acked
        if waiting and now >= self.retry_at and self.acked < limit:
            return SendEntries(self.acked + 1, limit, Why.RETRY)
        if self.tries == 0 and self.sent < limit:
            return SendEntries(self.sent + 1, limit, Why.NEXT)
        return None

    def posted(self, send: SendEntries, last: int, now: float) -> None:
        """A frame with the lines from ``send.first`` to ``last`` was handed to the bus."""
        if last <= self.acked:
            return  # the receipt was faster than the bus
        if send.why is Why.GAP:
            self._gap = (max(self._gap[0], last + 1), self._gap[1])
        elif send.why is Why.RETRY:
            self._tried(last, now)
        else:
            if self.sent == self.acked:
                self.retry_at = now + RETRY_S
            self.sent = max(self.sent, last)

    def failed(self, now: float) -> None:
        """The bus has no room for the peer: what is unreceipted counts as lost, and is tried again ever more rarely."""
        self.lost()
        self._tried(self.acked, now)

    def lost(self) -> None:
        """The bus is away: what is unreceipted counts as lost."""
        self._gap, self.sent = _NO_GAP, self.acked

    def receipted(self, upto: int, now: float) -> bool:
        """The peer has everything up to ``upto``; True if that is news."""
        if upto <= self.acked:
            return False
        self.acked, self.sent = upto, max(self.sent, upto)
        self.tries, self.retry_at = 0, now + RETRY_S
        self._gap = (max(self._gap[0], upto + 1), self._gap[1])
        return True

    def missing(self, want: int) -> None:
        """The peer holds ``want`` but not the lines before it. The same gap is told many times and filled once."""
        if self._gap_seen_at < self.acked < want - 1:
            self._gap, self._gap_seen_at = (self.acked + 1, want - 1), self.acked

    def encouraged(self, now: float) -> None:
        """The peer gave a sign of life: the next try need not wait long."""
        self.retry_at = min(self.retry_at, now + RETRY_S)

    def resume(self) -> None:
        """The peer is back: begin again after the last receipt."""
        self.lost()
        self.tries, self._gap_seen_at = 0, -1

    def _tried(self, last: int, now: float) -> None:
        self.tries += 1
        self.sent = max(last, self.acked)
        self.retry_at = now + backoff_s(self.tries)
