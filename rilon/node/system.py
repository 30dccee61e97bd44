"""The real clock, the real randomness, and the process itself: the only place where they come in."""

from __future__ import annotations

import gc
import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

_MS = 1_000_000

_YOUNG = 20_000
"""New objects until the cycle collector looks at them. Python's 700 (2,000 since 3.12) lets a page of events, which has
no cycles, be walked again and again while it is read: a sixth of a replay."""


_YOUNG_TO_OLDER = 50
"""Looks at new objects until those that outlived one are looked at again. With Python's 10 the rows of a replay, which
have no cycles either, are walked again and again: a twentieth of it, and each time a node stands still for 0.1 s."""


def collect_seldom() -> None:
    """Have the cycle collector look for cycles less often; some MB more are in use between two looks."""
    gc.set_threshold(_YOUNG, _YOUNG_TO_OLDER)


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """See ``Clock``."""
        return datetime.now(UTC)  # noqa: TID251  the port's own adapter


class SystemEntropy:
    """The system's randomness."""

    def bytes(self, n: int) -> bytes:
        """See ``Entropy``."""
        return secrets.token_bytes(n)

    def uuid(self) -> UUID:
        """A UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits."""
        millis = (time.time_ns() // _MS) & (1 << 48) - 1
        value = millis << 80 | secrets.randbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
