"""The log alone says how every link stands."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from rilon.app.link_facts import WINDOW, Facts, LinkBook, Selected, line_bytes
from rilon.crypto import chain
from rilon.domain.base import Event, Unknown
from rilon.domain.directory import Directory
from rilon.domain.entry import Entry
from rilon.domain.identity import Identity
from rilon.domain.peer_link import PeerLink, Signed, link_stream
from rilon.domain.values import Line
from rilon.errors import FatalError

AT = datetime(2026, 1, 1, tzinfo=UTC)
OURS, OLD, THEIRS = b"O" * 16, b"o" * 16, b"T" * 16
LINES = [Line("release", (bytes([n]) * 32,)) for n in range(1, 6)]


def identity(member: str, log: bytes, seq: int = 1) -> Identity:
    return Identity(member, seq, b"r", b"s", b"l" * 32, log, "real")


def founded(log: bytes = OURS) -> list[Event]:
    return list(Directory.found(identity("my", log), b"", AT).collect_events())


def introduced(member: str, log: bytes, seq: int = 1) -> Event:
    return Directory.IdentityChanged(
        originator_id=UUID(int=1), originator_version=seq, timestamp=AT, identity=identity(member, log, seq),
        statement=b"", to={},
    )  # fmt: skip


def addressed(n: int, *peers: str) -> Event:
    line = LINES[n - 1]
    return Directory.Verified(
        originator_id=UUID(int=1), originator_version=n, timestamp=AT, member="id", by="", to=dict.fromkeys(peers, line)
    )


def entered(seq: int, log: bytes = THEIRS) -> Event:
    return next(iter(Entry.accept("th", log, seq, LINES[seq - 1], AT).collect_events()))


def refused(seq: int) -> Event:
    return next(iter(Entry.refuse("th", THEIRS, seq, LINES[seq - 1], "content.digest", AT).collect_events()))


def link_events(*upto: int, log: bytes = THEIRS, freeze: str = "", reset: bool = False) -> list[Event]:
    link = PeerLink.begin("th", AT)
    for n in upto:
        link.receipt(log, n, n, b"h" * 32, (), Signed(b"", b""), AT)
    if freeze:
        link.freeze(freeze, b"", (OURS, log), AT)
    if reset:
        for by in ("a" * 32, "b" * 32):
            link.reset(by, b"", (OURS, log), AT)
    return list(link.collect_events())


def book(*events: Event, log: bytes = OURS) -> LinkBook:
    made = LinkBook("my", log, {})
    for position, event in enumerate(events, 1):
        made.fold(position, event)
    return made


def heads(log: bytes, to: str, count: int) -> list[bytes]:
    found = [chain.START]
    for n, line in enumerate(LINES[:count], 1):
        found.append(chain.advance(log, to, found[-1], n, line_bytes(line)))
    return found


BEGUN = (*founded(), introduced("th", THEIRS))


def test_the_nth_line_for_a_peer_is_entry_n() -> None:
    made = LinkBook("my", OURS, {})
    selected = [
        entry
        for position, event in enumerate([addressed(1, "th"), addressed(2, "th", "id"), addressed(3, "th")], 7)
        for entry in made.fold(position, event)
    ]
    expected = heads(OURS, "th", 3)
    assert [e for e in selected if e.peer == "th"] == [Selected("th", n, n + 6, expected[n]) for n in (1, 2, 3)]
    assert [(e.n, e.position) for e in selected if e.peer == "id"] == [(1, 8)]
    assert (made.links["th"].known, made.links["th"].out_head) == (3, expected[3])


def test_a_line_to_oneself_is_no_entry() -> None:
    assert LinkBook("my", OURS, {}).fold(1, addressed(1, "my")) == []


def test_what_came_in_moves_the_chain() -> None:
    facts = book(*BEGUN, entered(1), refused(2), entered(3)).links["th"]
    assert (facts.next, facts.head, facts.refused) == (4, heads(THEIRS, "my", 3)[3], {2: "content.digest"})


def test_receipts_and_freezes_are_noted() -> None:
    assert book(*BEGUN, *link_events(2, 5)).links["th"].acked == 5
    assert book(*BEGUN, *link_events(2, freeze="link.fork")).links["th"].frozen == "link.fork"
    assert book(*BEGUN, *link_events(2, freeze="link.fork", reset=True)).links["th"].frozen == ""


def test_a_new_log_of_the_peer_begins_anew() -> None:
    facts = book(*BEGUN, addressed(1, "th"), entered(1), *link_events(1), introduced("th", b"N" * 16, 2)).links["th"]
    assert (facts.peer_log, facts.known, facts.acked, facts.next) == (b"N" * 16, 1, 0, 1)
    again = book(*BEGUN, introduced("th", b"N" * 16, 2), entered(1), *link_events(1)).links["th"]
    assert (again.acked, again.next) == (0, 1)  # late words about the old log change nothing


def test_the_same_log_named_again_changes_nothing() -> None:
    assert book(*BEGUN, entered(1), introduced("th", THEIRS, 2)).links["th"].next == 2


def test_in_a_new_log_of_ours_nothing_was_receipted_and_nothing_forked() -> None:
    """The chains are new, so all lines are entries of the new log; what came in stays."""
    history = [*founded(OLD), introduced("th", THEIRS), addressed(1, "th"), entered(1), *link_events(1, freeze="x")]
    facts = book(*history, introduced("my", OURS, 2), addressed(2, "th")).links["th"]
    assert (facts.known, facts.out_head) == (2, heads(OURS, "th", 2)[2])
    assert (facts.acked, facts.next, facts.frozen) == (0, 2, "")
    again = [e for e in link_events(1, 2) if isinstance(e, PeerLink.Receipted)]
    assert book(*history, introduced("my", OURS, 2), addressed(2, "th"), *again).links["th"].acked == 2


def test_folding_a_part_and_then_the_rest_is_folding_all() -> None:
    events = [*founded(OLD), introduced("th", THEIRS), addressed(1, "th"), entered(1), *link_events(1)]
    events += [introduced("my", OURS, 2), addressed(2, "th"), refused(2), *link_events(2, freeze="link.fork")]
    whole = book(*events)
    for cut in range(len(events)):
        part = LinkBook("my", OURS, book(*events[:cut]).links)
        for event in events[cut:]:
            part.fold(0, event)
        assert part.links == whole.links


def test_a_hole_in_the_log_stops_the_node() -> None:
    with pytest.raises(FatalError, match=r"link\.log-gap"):
        book(*BEGUN, entered(2))


def test_an_event_of_a_newer_program_stops_the_courier() -> None:
    newer = Unknown(UUID(int=1), 1, AT, position=1, topic="rilon.future.1", state=b"")
    with pytest.raises(FatalError, match=r"link\.newer-event"):
        book(newer)


def test_only_recent_refusals_are_kept() -> None:
    facts = Facts(THEIRS)
    for _ in range(WINDOW + 10):
        facts = facts.entered("my", LINES[0], "x")
    assert min(facts.refused) > 9
    assert len(facts.refused) == WINDOW


def test_what_does_not_hold_is_counted_by_reason_for_ever() -> None:
    """A new log of the peer, which it can have when it likes, makes nobody forget."""
    junk = [
        PeerLink.FrameRejected(originator_id=link_stream("th"), originator_version=n, timestamp=AT, code=code, count=5)
        for n, code in enumerate(("frame.seal", "frame.key", "frame.seal"), 2)
    ]
    later = book(*BEGUN, entered(1), refused(2), refused(3), *junk, introduced("th", b"N" * 16, 2)).links["th"]
    assert {code: told.count for code, told in later.unsound.items()} == {
        "content.digest": 2,
        "frame.seal": 10,
        "frame.key": 5,
    }
    assert {told.last_at for told in later.unsound.values()} == {AT}
