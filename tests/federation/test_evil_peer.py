"""What a member, or the courier, might try on a link; each is refused under its own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rilon.app.link_facts import WINDOW, Facts
from rilon.crypto import chain, frame, strict
from rilon.crypto.frame import Recipient, Route
from rilon.crypto.keys import KemKey, LinkKey
from rilon.domain.values import Line
from rilon.errors import MalformedError, ProofError
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_in import PARKED_FRAMES
from rilon.network.link_state import (
    Acked,
    Bundle,
    Drop,
    Effect,
    Evidence,
    Freeze,
    SendEntries,
    SendHello,
    SendReceipt,
    Store,
)
from tests.federation.scenes import (
    ENDS,
    HEADS,
    LINES,
    OUR_HEADS,
    bundle,
    fresh,
    greeted,
    hello,
    our_head,
    receipt,
)


def codes(effects: Sequence[Effect]) -> list[str]:
    return [e.code if isinstance(e, Drop | Freeze) else type(e).__name__ for e in effects]


def store_all(link: Link, effects: list[Effect]) -> list[int]:
    stored = []
    while effects:
        effect = effects.pop(0)
        if isinstance(effect, Store):
            stored += [a.seq for a in effect.arrivals]
            effects += link.stored(effect)
    return stored


# -- numbers no honest peer sends


@pytest.mark.parametrize("first", [0, -1, 1 << 63, 1 << 64, "1", None, True])
def test_a_sequence_number_outside_its_range_is_malformed(first: object) -> None:
    fields = strict.loads(wire.encode(bundle(1, 1).entries), limit=10_000)
    with pytest.raises(MalformedError):
        wire.parse(strict.dumps({**fields, "first": first}))


def test_the_last_number_of_a_frame_is_in_range_too() -> None:
    fields = strict.loads(wire.encode(bundle(1, 2).entries), limit=10_000)
    with pytest.raises(MalformedError):
        wire.parse(strict.dumps({**fields, "first": wire.MAX_SEQ}))


# -- forks


def test_other_words_under_an_old_number_freeze_the_link() -> None:
    """Equivocation inside an overlap: line 2 reads differently the second time."""
    link = greeted(stored=2)
    other = (LINES[0], Line("recall", (b"!" * 32,)), *LINES[2:])
    (freeze,) = link.entries(bundle(1, 3, lines=other))
    assert isinstance(freeze, Freeze)
    assert freeze.code == "link.fork"
    evidence = strict.decode(freeze.evidence, Evidence, limit=10_000)
    assert (evidence.proof, evidence.seq, evidence.head) == (b"proof", 2, HEADS[2])
    assert wire.parse(evidence.body) == bundle(1, 3, lines=other).entries


def test_a_chain_that_does_not_continue_ours_freezes_the_link() -> None:
    link = greeted(stored=2)
    assert codes(link.entries(bundle(3, 3, prev=b"?" * 32))) == ["link.fork"]
    assert link.frozen == "link.fork"


def test_a_parked_frame_that_does_not_fit_freezes_the_link_when_its_turn_comes() -> None:
    link = greeted()
    assert codes(link.entries(bundle(2, 2, prev=b"?" * 32))) == ["link.parked"]
    (store,) = link.entries(bundle(1, 1))
    assert isinstance(store, Store)
    assert codes(link.stored(store)) == ["link.fork"]


def test_a_receipt_with_another_head_freezes_the_link() -> None:
    link = greeted(known=3)
    assert codes(link.receipt(receipt(2, head=b"?" * 32), b"proof", our_head(2, 3), 0.0)) == ["link.fork"]
    assert link.out.acked == 0


@pytest.mark.parametrize("body", [receipt(4), receipt(1, want=5)])
def test_a_receipt_beyond_what_was_sent_freezes_the_link(body: wire.Receipt) -> None:
    link = greeted(known=3)
    assert codes(link.receipt(body, b"proof", our_head(body.upto, 3), 0.0)) == ["link.beyond-sent"]
    assert link.out.acked == 0


def test_a_frozen_link_neither_takes_nor_sends_anything_but_says_so() -> None:
    link = greeted(known=3)
    link.receipt(receipt(4), b"proof", None, 0.0)
    assert codes(link.entries(bundle(1, 1))) == ["link.frozen"]
    assert codes(link.receipt(receipt(1), b"proof", OUR_HEADS[1], 0.0)) == ["link.frozen"]
    assert link.poll(10.0) == [SendHello()]
    assert link.say_hello(()).frozen == "link.beyond-sent"
    assert link.poll(1000.0) == []


def test_a_freeze_is_told_once() -> None:
    link = greeted(known=3)
    for _ in range(2):
        effects = link.hello(hello(upto=9, head=b"?" * 32), b"proof", None, 0.0)
    assert effects == []


def test_a_link_that_was_frozen_stays_frozen_after_a_start() -> None:
    link = fresh(Facts(frozen="link.fork"))
    assert link.poll(0.0) == []
    assert codes(link.entries(bundle(1, 1))) == ["link.frozen"]


def test_what_the_peer_froze_is_not_sent_to() -> None:
    link = greeted(known=3)
    link.hello(hello(frozen="link.fork"), b"proof", chain.START, 1.0)
    assert link.poll(50.0) == []
    link.hello(hello(nonce=b"q" * 16), b"proof", chain.START, 60.0)
    assert link.poll(60.0) == [SendEntries(1, 3)]


# -- a log that was rolled back


@pytest.mark.parametrize(
    "told",
    [hello(acked=1), hello(upto=1, head=OUR_HEADS[1])],
    ids=["it has our receipts for more", "it holds more of us"],
)
def test_a_peer_that_remembers_more_than_we_do_stops_us(told: wire.Hello) -> None:
    link = fresh()
    assert codes(link.hello(told, b"proof", our_head(told.upto, 0), 0.0))[0] in {"link.rolled-back", "link.beyond-sent"}
    assert link.poll(0.0) == [SendHello()]
    assert not link.open


def test_a_frame_that_counts_on_more_than_we_hold_stops_us() -> None:
    assert codes(greeted().entries(bundle(3, 3, acked=1))) == ["link.rolled-back"]


def test_numbers_are_not_used_twice_after_a_rollback() -> None:
    """Our log lost line 2 and wrote another: the peer's head shows it before anything is sealed."""
    link = fresh(Facts(known=2))
    told = hello(upto=2, head=OUR_HEADS[2])
    assert codes(link.hello(told, b"proof", b"another head".ljust(32), 0.0)) == ["link.fork"]


# -- greeting


def test_nothing_is_sealed_before_our_fresh_nonce_comes_back() -> None:
    link = fresh(Facts(known=3, next=2, head=HEADS[1]))
    link.entries(bundle(1, 1))
    assert link.poll(0.0) == [SendHello()]
    for deaf in (hello(echo=None), hello(echo=b"o" * 16), hello(to_log=None), hello(to_log=b"X" * 16)):
        link.hello(deaf, b"proof", chain.START, 0.0)
        assert link.poll(0.0) == []
    link.hello(hello(), b"proof", chain.START, 0.0)
    assert link.poll(0.0) == [SendReceipt(), SendEntries(1, 3)]


def test_replayed_hellos_are_answered_rarely() -> None:
    link = greeted()
    answers = 0
    for millisecond in range(1000):
        link.hello(hello(answer=True, nonce=bytes([millisecond % 7]) * 16), b"proof", chain.START, millisecond / 1000)
        answers += link.poll(millisecond / 1000).count(SendHello())
    assert answers == 2


def test_a_hello_from_another_log_of_the_peer_is_dropped() -> None:
    link = fresh()
    assert codes(link.hello(hello(log=b"O" * 16), b"proof", chain.START, 0.0)) == ["link.other-log"]
    assert not link.open


def test_an_unverified_peer_is_answered_and_nothing_else() -> None:
    link = fresh(Facts(known=3), verified=False)
    assert link.poll(0.0) == []
    assert link.hello(hello(answer=True), b"proof", chain.START, 0.0) == []
    assert link.poll(0.0) == [SendHello()]
    assert link.say_hello(()).to_log is None
    assert codes(link.entries(bundle(1, 1))) == ["link.unverified"]
    assert codes(link.receipt(receipt(1), b"proof", OUR_HEADS[1], 0.0)) == ["link.unverified"]
    assert link.out.acked == 0


# -- frames of another link


@pytest.mark.parametrize("field", ["log", "to_log"])
def test_frames_of_an_old_log_or_a_third_party_are_dropped(field: str) -> None:
    """A receipt that a third Member copied names that Member's peer's log, not its own."""
    link = greeted(known=3)
    foreign = receipt(3)
    fields = {name: getattr(foreign, name) for name in foreign.__struct_fields__} | {field: b"O" * 16}
    (drop,) = link.receipt(wire.Receipt(**fields), b"proof", OUR_HEADS[3], 0.0)
    assert drop == Drop("link.other-log", suspicious=True)
    entries = bundle(1, 1).entries
    fields = {name: getattr(entries, name) for name in entries.__struct_fields__} | {field: b"O" * 16}
    (drop,) = link.entries(Bundle(wire.Entries(**fields), ({},), b"proof", 1))
    assert drop == Drop("link.other-log", suspicious=True)
    assert link.out.acked == 0


# -- floods


def test_what_waits_is_bounded_and_the_nearest_is_kept() -> None:
    link = greeted()
    many = [Line("release", (n.to_bytes(32, "big"),)) for n in range(1, 200)]
    for n in range(199, 1, -1):
        link.entries(bundle(n, n, lines=many))
    assert sorted(link.inn._parked) == list(range(2, 2 + PARKED_FRAMES))
    assert store_all(link, link.entries(bundle(1, 1, lines=many))) == list(range(1, 2 + PARKED_FRAMES))


def test_what_waits_is_bounded_in_bytes() -> None:
    link = greeted()
    for n in (4, 3, 2):
        link.entries(replace(bundle(n, n), size_bytes=3 << 20))
    assert sorted(link.inn._parked) == [2, 3]


def test_far_ahead_is_not_kept() -> None:
    link = greeted()
    first = WINDOW + 3
    entries = wire.Entries(ENDS.peer_log, ENDS.log, 0, first, bytes(32), LINES[:1])
    assert codes(link.entries(Bundle(entries, ({},), b"proof", 1))) == ["link.ahead"]
    assert link.inn.want() == 0


# -- replay, duplicates


def test_a_replayed_frame_is_dropped_and_receipted_again() -> None:
    link = greeted()
    assert store_all(link, link.entries(bundle(1, 2))) == [1, 2]
    link.poll(0.0)
    assert codes(link.entries(bundle(1, 2))) == ["link.duplicate"]
    assert link.poll(0.0) == [SendReceipt()]
    assert link.say_receipt(7) == wire.Receipt(ENDS.log, ENDS.peer_log, 7, 2, HEADS[2], 0, ())


def test_a_replayed_receipt_changes_nothing() -> None:
    link = greeted(known=3)
    assert codes(link.receipt(receipt(3), b"proof", OUR_HEADS[3], 0.0)) == ["Acked"]
    assert link.receipt(receipt(2), b"proof", OUR_HEADS[2], 0.0) == []
    assert link.out.acked == 3


def test_unsound_content_advances_and_is_named_until_the_sender_knows() -> None:
    link = greeted()
    (store,) = link.entries(bundle(1, 2))
    assert isinstance(store, Store)
    link.stored(store, {2: "content.digest"})
    assert link.say_receipt(1).refused == ((2, "content.digest"),)
    store_all(link, link.entries(bundle(3, 3, acked=1)))
    assert link.say_receipt(1).refused == ((2, "content.digest"),)
    store_all(link, link.entries(bundle(4, 4, acked=3)))
    assert link.say_receipt(1).refused == ()


def test_a_receipt_of_progress_is_recorded() -> None:
    link = greeted(known=3)
    assert link.receipt(receipt(2), b"proof", OUR_HEADS[2], 0.0) == [Acked(receipt(2), (), b"proof")]


# -- frames with keys: the whole way in

OURS, PEER, THIRD = KemKey.from_seed(b"k" * 32), LinkKey.from_seed(b"p" * 32), LinkKey.from_seed(b"t" * 32)
ROUTE = Route("th", "my", ENDS.peer_log, ENDS.log, "real")


def sealed(route: Route = ROUTE, *, kem: KemKey = OURS, key: LinkKey = PEER) -> bytes:
    return frame.seal(wire.encode(bundle(1, 1).entries), wire.attach([{}]), route, Recipient(kem.public), key)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (sealed(replace(ROUTE, world="exercise")), "frame.seal"),
        (sealed(replace(ROUTE, log=b"O" * 16)), "frame.seal"),
        (sealed(replace(ROUTE, to_log=b"O" * 16)), "frame.seal"),
        (sealed(replace(ROUTE, to="id")), "frame.misdirected"),
        (sealed(replace(ROUTE, sender="id")), "frame.misdirected"),
        (sealed(kem=KemKey.from_seed(b"o" * 32)), "frame.key"),
        (sealed(key=THIRD), "frame.signature"),
    ],
    ids=["exercise", "old log", "our old log", "wrong recipient", "relabelled", "wrong key", "another signer"],
)
def test_a_frame_for_somebody_else_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(ProofError) as refused:
        frame.open_(frame.parse(raw), ROUTE, OURS, PEER.public)
    assert refused.value.code == code


def test_the_evidence_of_a_fork_convinces_a_third_party() -> None:
    opened = frame.open_(frame.parse(sealed()), ROUTE, OURS, PEER.public)
    entries = wire.parse(opened.body)
    assert isinstance(entries, wire.Entries)
    other = Facts(ENDS.peer_log).entered(ENDS.me, Line("recall", ()))
    link = fresh(replace(other, next=1))
    (freeze,) = link.entries(Bundle(entries, wire.attached(opened.attached, entries), opened.proof, 1))
    assert isinstance(freeze, Freeze)
    evidence = strict.decode(freeze.evidence, Evidence, limit=10_000)
    frame.verify_proof(evidence.proof, evidence.body, PEER.public)
