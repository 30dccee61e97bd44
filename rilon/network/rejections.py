"""Counting what was no sound frame, so that a flood of junk costs the log one event an hour and no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

HOUR_S: Final = 3600.0


@dataclass(slots=True)
class _Count:
    unrecorded: int = 0
    record_at: float = 0.0
    total: int = 0


@dataclass(slots=True)
class Rejections:
    """Counts by reason, of one peer. Reasons are our own error codes, so there are few."""

    _counts: dict[str, _Count] = field(default_factory=dict)

    def add(self, code: str, now: float) -> int:
        """Count one; how many to record in the log now: 0 until an hour has passed since the last record."""
        count = self._counts.setdefault(code, _Count(record_at=now))
        count.unrecorded, count.total = count.unrecorded + 1, count.total + 1
        if now < count.record_at:
            return 0
        due, count.unrecorded, count.record_at = count.unrecorded, 0, now + HOUR_S
        return due

    @property
    def unrecorded(self) -> dict[str, int]:
        """By reason, those of the last hour at most that the log does not tell yet."""
        return {code: count.unrecorded for code, count in self._counts.items() if count.unrecorded}

    @property
    def total(self) -> int:
        """All since the start."""
        return sum(count.total for count in self._counts.values())
