"""What is unusual about openings is said by counts alone, and exactly from where the figures say."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from rilon.domain.oversight import BURST_ITEMS, BURST_WITHIN, FAR_ABOVE, REPEATS, Tally, tally
from rilon.domain.values import Purpose, Sensitivity
from rilon.projections.openings import Opened
from tests.fakes.histories import START

ONE, OTHER, THIRD = "1" * 32, "2" * 32, "3" * 32


def opening(n: int, officer: str = ONE, item: int | None = None, minutes: float = 0) -> Opened:
    stream = UUID(int=n if item is None else item)
    at = START + timedelta(minutes=minutes)
    return Opened(stream, n, officer, Sensitivity.NOMINAL, Purpose.PROSECUTION, at)


def marks(*openings: Opened) -> tuple[str, ...]:
    return {t.officer: t for t in tally(openings)}[ONE].unusual


def test_counts() -> None:
    rows = [opening(1), opening(2, item=1, minutes=5), opening(3, OTHER)]
    assert tally(rows) == (
        Tally(ONE, 2, 1, ((Sensitivity.NOMINAL, Purpose.PROSECUTION, 2),), rows[0].at, rows[1].at, ()),
        Tally(OTHER, 1, 1, ((Sensitivity.NOMINAL, Purpose.PROSECUTION, 1),), rows[2].at, rows[2].at, ()),
    )
    assert tally([]) == ()


@pytest.mark.parametrize(("items", "minutes", "burst"), [(21, 60, True), (20, 60, False), (21, 61, False)])
def test_a_burst_is_many_items_within_an_hour(items: int, minutes: float, burst: bool) -> None:
    assert (20, timedelta(hours=1)) == (BURST_ITEMS, BURST_WITHIN)
    rows = [opening(n, minutes=minutes * n / (items - 1)) for n in range(items)]
    assert ("burst" in marks(*reversed(rows))) is burst
    again = [opening(100 + n, item=1, minutes=n) for n in range(60)]
    assert "burst" not in marks(*again)


def test_repeats_are_of_one_section_by_one_officer() -> None:
    rows = [opening(n, item=1, minutes=100 * n) for n in range(REPEATS + 1)]
    assert marks(*rows[:-1], opening(99, OTHER, item=1)) == ()
    assert marks(*rows) == ("repeats",)


def test_far_above_is_by_the_median_of_all_and_of_three_at_least() -> None:
    mine = [opening(n, minutes=100 * n) for n in range(BURST_ITEMS + 1)]
    few = [opening(1000 + n, (OTHER, THIRD)[n % 2]) for n in range(2 * (BURST_ITEMS // FAR_ABOVE))]
    assert marks(*mine, *few) == ("far-above",)
    assert marks(*mine[1:], *few) == ()
    assert marks(*mine, *(o for o in few if o.officer == OTHER)) == ()


def test_who_is_unusual_comes_first() -> None:
    rows = [opening(n, item=1) for n in range(REPEATS + 1)] + [opening(100 + n, OTHER) for n in range(BURST_ITEMS)]
    assert [t.officer for t in tally(rows)] == [ONE, OTHER]
