"""A flood of junk costs the log one event an hour."""

from __future__ import annotations

from rilon.network.rejections import HOUR_S, Rejections


def test_the_first_is_recorded_at_once_and_the_rest_of_the_hour_together() -> None:
    counts = Rejections()
    recorded = [counts.add("frame.seal", second) for second in range(int(HOUR_S) + 2)]
    assert recorded[0] == 1
    assert not any(recorded[1:3600])
    assert recorded[3600:] == [3600, 0]
    assert counts.total == HOUR_S + 2


def test_each_reason_has_an_hour_of_its_own() -> None:
    counts = Rejections()
    assert [counts.add(code, 5.0) for code in ("frame.seal", "frame.key", "frame.seal")] == [1, 1, 0]
