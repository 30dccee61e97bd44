"""One clock: how long it may run, when it stands still, and who is told when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rilon.domain.clocks import ALLOWED, Due, Told, timer
from rilon.domain.values import Urgency

START = datetime(2026, 3, 1, tzinfo=UTC)


def after(**span: float) -> datetime:
    return START + timedelta(**span)


@pytest.mark.parametrize("urgency", list(Urgency))
@pytest.mark.parametrize("due", list(Due))
def test_the_duty_desk_is_told_when_the_time_is_over_and_the_focal_point_as_long_after(
    due: Due, urgency: Urgency
) -> None:
    clock, allowed = timer(due, urgency, START), ALLOWED[due][urgency]
    assert clock.to_tell(START + allowed - timedelta(seconds=1)) is None
    assert clock.to_tell(START + allowed) is Told.DUTY_DESK
    told = clock.after(Told.DUTY_DESK)
    assert told.to_tell(START + 2 * allowed - timedelta(seconds=1)) is None
    assert told.to_tell(START + 2 * allowed) is Told.FOCAL_POINT
    assert told.after(Told.FOCAL_POINT).to_tell(START + 99 * allowed) is None
    assert clock.to_tell(START + 2 * allowed) is Told.FOCAL_POINT  # the node was down: the last word is enough


def test_a_clock_that_stands_still_is_met_later_and_tells_nobody() -> None:
    clock = timer(Due.ANSWER, Urgency.LIFE_AT_RISK, START).pause("court", after(hours=6))
    assert (clock.due_at, clock.to_tell(after(days=9)), clock.shown.why) == (None, None, "court")
    again = clock.pause("translation", after(hours=20))
    assert (again.paused_at, again.why) == (after(hours=6), "translation")
    runs = again.resume(after(hours=30))
    assert runs.due_at == after(hours=32)
    assert runs.resume(after(hours=31)) == runs
    assert runs.to_tell(after(hours=32)) is Told.DUTY_DESK


def test_a_clock_that_was_set_back_gives_no_time_away() -> None:
    clock = timer(Due.ANSWER, Urgency.NORMAL, START)
    assert clock.pause("court", after(hours=2)).resume(after(hours=1)).due_at == clock.due_at
