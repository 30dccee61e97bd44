"""Large ciphertexts on a link: what is granted and has not come is asked for, piece by piece; what is asked is served.

The receiver drives: it asks for one piece, stores it, and asks for the next, so that a crash of either side costs one
piece, and neither holds more than one in memory. The sender remembers no transfer: every piece is judged anew, so a
recall in the middle ends it. Lines always go first. What is still missing is in the store, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

from rilon.network import wire
from rilon.network.link_out import backoff_s

MOST_ASKED: Final = 16
"""Wants of a peer that wait to be served, and our own that are remembered; further ones are asked again."""


@dataclass(slots=True)
class Fetching:
    """Asking one peer for ciphertexts.

    Attributes:
        due_at: when to look for what is missing and ask; ``inf``: nothing is known to be.
        asked: digests we asked for and were not refused.
        gone: digests the peer says it has not; not asked again before the next start.
    """

    due_at: float = inf
    asked: dict[bytes, None] = field(default_factory=dict)
    gone: dict[bytes, None] = field(default_factory=dict)
    _tries: int = 0

    def wake(self, now: float) -> None:
        """Something may be missing, or a piece has come: ask now."""
        self.due_at, self._tries = now, 0

    def rest(self) -> None:
        """Nothing is missing."""
        self.due_at = inf

    def ask(self, digest: bytes, now: float) -> None:
        """We asked; if no answer comes we ask again, ever more rarely."""
        _remember(self.asked, digest)
        self._tries += 1
        self.due_at = now + backoff_s(self._tries)

    def refused(self, digest: bytes, now: float) -> bool:
        """The peer has not got it (for us); False if we never asked."""
        if digest not in self.asked:
            return False
        del self.asked[digest]
        _remember(self.gone, digest, most=1024)
        self.wake(now)
        return True


@dataclass(slots=True)
class Serving:
    """What one peer asked for and has not been sent, in order; a newer want for the same replaces the older."""

    wants: dict[bytes, wire.Want] = field(default_factory=dict)

    def take(self, want: wire.Want) -> None:
        """The peer asks."""
        if want.digest in self.wants or len(self.wants) < MOST_ASKED:
            self.wants[want.digest] = want

    def next(self) -> wire.Want | None:
        """What to serve now; it is off the list, for the peer asks again if it does not come."""
        return self.wants.pop(next(iter(self.wants))) if self.wants else None


def _remember(digests: dict[bytes, None], digest: bytes, most: int = MOST_ASKED) -> None:
    digests[digest] = None
    while len(digests) > most:
        del digests[next(iter(digests))]
