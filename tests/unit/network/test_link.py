"""The core between two nodes: what each input makes due. Attacks are in ``tests/federation/test_evil_peer.py``."""

from __future__ import annotations

from dataclasses import replace

from rilon.app.link_facts import Facts
from rilon.crypto import chain
from rilon.network import wire
from rilon.network.link import AWAY_S, Link
from rilon.network.link_out import RETRY_MOST_S, RETRY_S
from rilon.network.link_state import SendEntries, SendHello, SendReceipt, Store, Why
from tests.federation.scenes import HEADS, OUR_HEADS, bundle, greeted, hello, receipt


def store(link: Link, first: int, last: int) -> Store:
    (found,) = link.entries(bundle(first, last))
    assert isinstance(found, Store)
    return found


def test_lines_that_were_handed_out_twice_count_once() -> None:
    link = greeted()
    first, second = store(link, 1, 2), store(link, 1, 3)
    link.stored(first)
    assert link.stored(second) == []
    assert (link.inn.next, link.inn.head) == (3, HEADS[2])


def test_a_parked_frame_is_kept_as_it_came_first() -> None:
    link = greeted()
    link.entries(bundle(2, 3))
    link.entries(bundle(2, 2))
    (rest,) = link.stored(store(link, 1, 1))
    assert isinstance(rest, Store)
    assert [a.seq for a in rest.arrivals] == [2, 3]


def test_a_peer_that_starts_again_gets_what_is_unreceipted_and_our_receipt() -> None:
    link = greeted(known=3, stored=2)
    assert link.poll(0) == [SendEntries(1, 3)]
    link.posted(SendEntries(1, 3), 3, 0)
    assert link.poll(1) == []
    link.hello(hello(nonce=b"q" * 16, echo=None, answer=True), b"", chain.START, 1)
    assert link.poll(1) == [SendHello()]
    assert link.say_hello(()).answer
    link.hello(hello(nonce=b"q" * 16), b"", chain.START, 1)
    assert link.poll(1) == [SendReceipt(), SendEntries(1, 3)]


def test_a_replayed_hello_of_an_earlier_start_costs_a_hello_and_no_more() -> None:
    link = greeted(known=3, stored=2)
    link.posted(SendEntries(1, 3), 3, 0)
    link.hello(hello(nonce=b"o" * 16, echo=b"o" * 16), b"", chain.START, 1)
    assert link.poll(1) == [SendHello()]
    link.hello(hello(), b"", chain.START, 1)
    assert link.poll(1.5) == []


def test_a_flood_of_replayed_hellos_is_not_a_flood_of_ours() -> None:
    link = greeted()
    said = 0
    for millisecond in range(1000):
        now, nonce = millisecond / 1000, (1 + millisecond % 7).to_bytes(16, "big")
        link.hello(hello(nonce=nonce, echo=None, answer=True), b"", chain.START, now)
        said += link.poll(now).count(SendHello())
    assert said <= 3


def test_a_frame_that_cannot_be_opened_has_us_bring_our_keys_and_ask_at_once_and_seldom() -> None:
    link = greeted()
    link.estranged(1)
    assert link.poll(1) == [SendHello()]
    assert link.say_hello(()).answer
    link.hello(hello(), b"", chain.START, 1)
    said = 0
    for millisecond in range(1000, 2000):
        link.estranged(millisecond / 1000)
        said += link.poll(millisecond / 1000).count(SendHello())
    assert 1 <= said <= 2
    for other in (replace(greeted(), verified=False), replace(greeted(), frozen="link.fork")):
        other.estranged(1)
        assert other.poll(1) == []


def test_a_peer_that_was_away_for_long_is_tried_soon_after_a_frame_of_its_own_and_at_once_after_a_new_key() -> None:
    link = greeted(known=3, stored=2)
    link.posted(SendEntries(1, 3), 3, 0)
    link.out.tries, link.out.retry_at = 9, RETRY_MOST_S
    assert link.poll(RETRY_S) == []
    link.alive(1)
    assert link.poll(1 + RETRY_S)[-1] == SendEntries(1, 3, Why.RETRY)
    link.out.retry_at = RETRY_MOST_S
    assert link.poll(2 + RETRY_S) == []
    link.rekeyed()
    assert link.poll(2 + RETRY_S) == [SendEntries(1, 3)]


def test_a_peer_that_only_says_hello_again_gets_nothing_twice() -> None:
    link = greeted(known=3, stored=2)
    link.posted(SendEntries(1, 3), 3, 0)
    link.hello(hello(), b"", chain.START, 1)
    assert link.poll(1) == []


def test_a_bus_that_is_away_is_left_alone_and_then_gets_everything_again() -> None:
    link = greeted(known=3, stored=2)
    link.entries(bundle(1, 1))
    link.hello(hello(answer=True), b"", chain.START, 1)
    due = link.poll(1)
    assert due == [SendHello(), SendReceipt(), SendEntries(1, 3)]
    for send in due:
        link.failed(send, 1, away=True)
    assert link.poll(1 + AWAY_S / 2) == []
    assert link.poll(1 + AWAY_S) == due


def test_a_bus_without_room_is_given_time() -> None:
    link = greeted(known=3, stored=2)
    link.entries(bundle(1, 1))
    for send in link.poll(1):
        link.failed(send, 1, away=False)
    assert link.poll(1 + RETRY_S / 2) == []
    assert link.poll(1 + RETRY_S) == [SendEntries(1, 3, Why.RETRY)]


def test_refusals_are_recorded_once_though_the_peer_repeats_them() -> None:
    link = greeted(known=4)

    def told(upto: int, *refused: int) -> wire.Receipt:
        plain = receipt(upto)
        return wire.Receipt(plain.log, plain.to_log, 9, upto, plain.head, 0, tuple((n, "x") for n in refused))

    (first,) = link.receipt(told(2, 1), b"", OUR_HEADS[2], 0)
    (second,) = link.receipt(told(4, 1, 4), b"", OUR_HEADS[4], 0)
    assert (first.refused, second.refused) == (((1, "x"),), ((4, "x"),))  # type: ignore[union-attr]


def test_the_link_is_newer_than_the_notes() -> None:
    link = greeted(known=3)
    link.stored(store(link, 1, 2), {2: "x"})
    link.receipt(receipt(1), b"", OUR_HEADS[1], 0)
    noted = Facts(b"T" * 16, 2, OUR_HEADS[2], frozen="link.fork")
    facts = link.facts(noted)
    assert facts == Facts(b"T" * 16, 3, OUR_HEADS[2], 1, 3, HEADS[2], {2: "x"}, "link.fork")


def test_a_peer_that_does_not_answer_is_asked_by_hello_too() -> None:
    """It may have missed our keys, or we its."""
    link = greeted(known=3)
    said = []
    for second in range(100):
        sends = link.poll(second)
        said += [second] * (SendHello() in sends)
        for send in sends:
            if isinstance(send, SendEntries):
                link.posted(send, 3, second)
    assert said[0] >= RETRY_S * 4
    assert 1 <= len(said) <= 6
