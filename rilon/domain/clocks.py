"""Who must act by when: acknowledge by urgency, answer a request, give details after a hit; and who is told if not.

Acknowledgement times are those of the urgency classes. Answering times are those of Directive (EU) 2023/977, art. 5: 8
hours, 3 days, 7 days. Details follow a confirmed hit within 48 hours (Regulation (EU) 2024/982). The duty desk is told
when a clock is not met, and the focal point when as much time again has run. Pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from rilon.domain.values import Code, Urgency, Value

DUTY_DESK: Final = "duty"
"""The desk, of any agency, that is told first."""
REQUESTS: Final = frozenset({"INFO-REQ", "DOC-VERIFY"})
"""Kinds of item that ask for an answer."""


class Due(StrEnum):
    """What is owed."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"
    DETAILS = "details"
    APPROVAL = "approval"
    """A decision of our own focal points about what waits to leave."""
    REVIEW = "review"
    """Their look at what left by break-glass."""


class Told(StrEnum):
    """Who has been told that it was not done in time."""

    DUTY_DESK = "duty_desk"
    FOCAL_POINT = "focal_point"


class Pause(StrEnum):
    """Why an answer may honestly take longer; the asker sees it. Nothing else stops a clock."""

    ASKER = "asker"
    """The asker must supply something first (``reply.need-more`` says so too)."""
    COURT = "court"
    """A judge or prosecutor must authorise it."""
    THIRD_PARTY = "third-party"
    """The originator of what is asked for must consent."""
    TRANSLATION = "translation"
    FORCE_MAJEURE = "force-majeure"


REVIEW_WITHIN: Final = timedelta(hours=24)
"""So soon people look at what left for life at risk before anybody had signed."""
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALLOWED: Final[Mapping[Due, Mapping[Urgency, timedelta]]] = MappingProxyType(
    {
        Due.ACKNOWLEDGEMENT: {
            Urgency.LIFE_AT_RISK: 15 * _MINUTE,
            Urgency.IMMEDIATE: _HOUR,
            Urgency.HIGH: 8 * _HOUR,
            Urgency.NORMAL: 72 * _HOUR,
        },
        Due.ANSWER: {
            Urgency.LIFE_AT_RISK: 8 * _HOUR,
            Urgency.IMMEDIATE: 8 * _HOUR,
            Urgency.HIGH: 3 * _DAY,
            Urgency.NORMAL: 7 * _DAY,
        },
        Due.DETAILS: dict.fromkeys(Urgency, 48 * _HOUR),
        Due.APPROVAL: {
            Urgency.LIFE_AT_RISK: 15 * _MINUTE,
            Urgency.IMMEDIATE: _HOUR,
            Urgency.HIGH: 8 * _HOUR,
            Urgency.NORMAL: 72 * _HOUR,
        },
        Due.REVIEW: dict.fromkeys(Urgency, REVIEW_WITHIN),
    }
)


class Running(Value, frozen=True):
    """A clock as a board shows it.

    Attributes:
        due_at: when its time is over; None while it stands still, for the reason ``why``.
        told: who has been told that it was not met, or "".
    """

    due: Due
    since: datetime
    due_at: datetime | None
    why: Code
    told: Code


class Timer(Value, frozen=True):
    """One clock that runs.

    Attributes:
        since: when it began. allowed_s: how many seconds it may run.
        stood_s: how many it stood still. paused_at, why: since when, and why, it stands still now.
        told: who has been told, or "".
    """

    due: Due
    since: datetime
    allowed_s: int
    stood_s: float = 0
    paused_at: datetime | None = None
    why: Code = ""
    told: Code = ""

    def pause(self, why: str, at: datetime) -> Timer:
        """Stand still; a clock that stands still already keeps its first instant, and the newest reason."""
        return replace(self, paused_at=self.paused_at or at, why=why)

    def resume(self, at: datetime) -> Timer:
        """Run on, if it stood still."""
        if self.paused_at is None:
            return self
        stood = self.stood_s + max((at - self.paused_at).total_seconds(), 0)
        return replace(self, stood_s=stood, paused_at=None, why="")

    def after(self, told: str) -> Timer:
        """These people have been told."""
        return replace(self, told=told)

    @property
    def due_at(self) -> datetime | None:
        """When its time is over; None while it stands still."""
        return None if self.paused_at else self.since + timedelta(seconds=self.allowed_s + self.stood_s)

    @property
    def shown(self) -> Running:
        """As a board shows it."""
        return Running(self.due, self.since, self.due_at, self.why, self.told)

    @property
    def next_at(self) -> datetime | None:
        """When the next to be told must be told; None: it stands still, or all were."""
        if self.due_at is None or self.told == Told.FOCAL_POINT:
            return None
        return self.due_at + timedelta(seconds=self.allowed_s) if self.told else self.due_at

    def to_tell(self, now: datetime) -> Told | None:
        """Who must be told now; None: nobody, or they were. A node that was down tells the last of them only."""
        if self.next_at is None or self.due_at is None or now < self.next_at:
            return None
        late = now >= self.due_at + timedelta(seconds=self.allowed_s)
        return Told.FOCAL_POINT if late else Told.DUTY_DESK


def timer(due: Due, urgency: Urgency, since: datetime) -> Timer:
    """A clock that begins."""
    return Timer(due, since, int(ALLOWED[due][urgency].total_seconds()))
