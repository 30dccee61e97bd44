"""The real clock and the real randomness: the only place where either comes in."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

_MS = 1_000_000


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
