"""How fast one caller may ask: token buckets in memory, by address and by token, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from rilon.app.ports import Clock

MOST_BUCKETS: Final = 10_000
"""Buckets kept; the one that rested longest goes first, so that a flood of addresses costs no memory."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, then so many a second."""

    burst: int
    per_second: float


ADDRESS: Final = Rate(burst=5000, per_second=1000)
"""From one address. Behind a proxy everybody has the proxy's: this bounds the whole, and the proxy tells them apart."""

TOKEN: Final = Rate(burst=500, per_second=50)
"""With one token: far above what a person does, enough for an import."""

FAILED: Final = Rate(burst=50, per_second=10)
"""Tokens not known to be good, from one address. Guessing 256 bits is hopeless; this spares the log the reading."""


class Buckets:
    """One bucket a key, each of the same rate."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock, self._rate = clock, rate
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def wait_s(self, key: str) -> int:
        """Seconds until the next request of this key is welcome; 0: now."""
        return max(0, ceil((1 - self._level(key)) / self._rate.per_second))

    def take(self, key: str) -> int:
        """Take one request, if it is welcome; else the seconds to wait."""
        wait_s = self.wait_s(key)
        if not wait_s:
            self._buckets[key] = self._level(key) - 1, self._clock.now()
            self._buckets.move_to_end(key)
            while len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return wait_s

    def _level(self, key: str) -> float:
        if key not in self._buckets:
            return self._rate.burst
        level, at = self._buckets[key]
        rested_s = max(0.0, (self._clock.now() - at).total_seconds())  # a clock set back gives nothing
        return min(self._rate.burst, level + rested_s * self._rate.per_second)
