"""The sending half: what goes when."""

from __future__ import annotations

import itertools

import pytest

from rilon.app.link_facts import WINDOW
from rilon.network.link_out import RETRY_MOST_S, RETRY_S, Outbound, backoff_s
from rilon.network.link_state import SendEntries, Why


def sent(out: Outbound, now: float, most: int = 10**9) -> list[tuple[int, int]]:
    """Send frames of at most ``most`` entries until nothing is due."""
    frames = []
    while send := out.due(now):
        last = min(send.upto, send.first + most - 1)
        frames.append((send.first, last))
        out.posted(send, last, now)
    return frames


def test_what_waits_goes_at_once_in_frames_and_only_once() -> None:
    out = Outbound(known=25, acked=5)
    assert sent(out, 0, most=8) == [(6, 13), (14, 21), (22, 25)]
    assert sent(out, RETRY_S - 0.1) == []
    out.known = 26
    assert sent(out, 0.5) == [(26, 26)]


def test_no_more_than_a_window_is_on_its_way() -> None:
    out = Outbound(known=5000, acked=0)
    assert sent(out, 0) == [(1, WINDOW)]
    out.receipted(100, 1)
    assert sent(out, 1) == [(WINDOW + 1, WINDOW + 100)]


def test_without_a_receipt_one_frame_is_tried_ever_more_rarely() -> None:
    out = Outbound(known=30, acked=0)
    sent(out, 0, most=10)
    tries = [second for second in range(700) if sent(out, second, most=10)]
    pauses = [b - a for a, b in itertools.pairwise(tries)]
    assert tries[0] == RETRY_S
    assert pauses[:6] == [2, 4, 8, 16, 32, 64]
    assert set(pauses[6:]) == {RETRY_MOST_S}


def test_a_try_sends_one_frame_and_its_receipt_opens_the_window() -> None:
    out = Outbound(known=30, acked=0)
    sent(out, 0, most=10)
    assert sent(out, 10, most=10) == [(1, 10)]
    out.known = 31
    assert sent(out, 11, most=10) == []
    assert out.receipted(10, 11)
    assert sent(out, 11, most=10) == [(11, 20), (21, 30), (31, 31)]


def test_receipts_of_what_was_sent_before_a_try_count() -> None:
    """The peer had everything but the first frame: it need not come again."""
    out = Outbound(known=30, acked=0)
    sent(out, 0, most=10)
    sent(out, 10, most=10)
    assert out.receipted(30, 11)
    assert sent(out, 11) == []


def test_receipts_only_move_forward() -> None:
    out = Outbound(known=30, acked=0)
    sent(out, 0)
    assert out.receipted(20, 1)
    assert not out.receipted(20, 1)
    assert not out.receipted(10, 1)
    assert out.acked == 20


def test_progress_puts_the_next_try_off() -> None:
    out = Outbound(known=30, acked=0)
    sent(out, 0)
    out.receipted(10, 1.9)
    assert sent(out, 3.8) == []
    assert sent(out, 3.9) == [(11, 30)]


def test_a_gap_is_filled_at_once_and_once() -> None:
    out = Outbound(known=30, acked=0)
    sent(out, 0, most=10)
    out.missing(21)
    assert out.due(0.1) == SendEntries(1, 20, Why.GAP)
    assert sent(out, 0.1, most=10) == [(1, 10), (11, 20)]
    out.missing(21)
    assert sent(out, 0.2) == []
    out.receipted(10, 0.3)
    out.missing(21)
    assert sent(out, 0.3) == [(11, 20)]


def test_a_gap_that_closes_meanwhile_is_not_filled() -> None:
    out = Outbound(known=30, acked=0)
    sent(out, 0)
    out.missing(21)
    out.receipted(30, 0.1)
    assert sent(out, 0.1) == []


def test_a_receipt_that_overtakes_the_bus_is_not_undone() -> None:
    out = Outbound(known=3, acked=0)
    send = out.due(0)
    assert send
    out.receipted(3, 0)
    out.posted(send, 3, 0)
    out.known = 4
    assert sent(out, 0) == [(4, 4)]


def test_a_receipt_that_overtakes_a_try_is_not_undone() -> None:
    out = Outbound(known=3, acked=0)
    sent(out, 0)
    send = out.due(5)
    assert send == SendEntries(1, 3, Why.RETRY)
    out.receipted(3, 5)
    out.posted(send, 3, 5)
    out.known = 4
    assert sent(out, 5) == [(4, 4)]


def test_a_bus_without_room_is_tried_ever_more_rarely() -> None:
    out, tries = Outbound(known=3, acked=0), []
    for second in range(100):
        if out.due(second):
            out.failed(second)
            tries.append(second)
    assert tries == [0, 2, 6, 14, 30, 62]


def test_an_absent_bus_costs_nothing_but_the_frame() -> None:
    out = Outbound(known=3, acked=0)
    sent(out, 0)
    out.lost()
    assert sent(out, 0.1) == [(1, 3)]


def test_a_peer_that_is_back_gets_everything_again() -> None:
    out = Outbound(known=30, acked=10)
    sent(out, 0)
    for second in (10, 20, 40):
        sent(out, second, most=5)
    out.resume()
    assert sent(out, 41) == [(11, 30)]


def test_a_sign_of_life_shortens_the_wait() -> None:
    out = Outbound(known=30, acked=10)
    sent(out, 0)
    for second in range(0, 1000, 10):
        sent(out, second)
    out.encouraged(1000)
    assert sent(out, 1000 + RETRY_S) == [(11, 30)]


@pytest.mark.parametrize(("tries", "pause"), [(1, 2), (2, 4), (7, 120), (10_000, 120)])
def test_pauses_double_up_to_a_most(tries: int, pause: float) -> None:
    assert backoff_s(tries) == pause
