"""The directory: newer statements, forks, other worlds, new roots and logs, and whom people have verified."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from rilon.domain.base import lines_of
from rilon.domain.directory import MAX_REMEMBERED, QUOTA, QUOTA_SPAN, Book, Directory, PeerNode
from rilon.domain.identity import MAX_APPROVERS, Approver, Identity, Roster
from rilon.domain.values import Line
from rilon.errors import NotFoundError, RilonError
from tests.fakes.histories import START, digest

BY = "f" * 32
ROOT = digest("fingerprint")


def identity(member: str = "my", **changes: Any) -> Identity:
    facts: dict[str, Any] = {
        "member": member,
        "seq": 1,
        "root": member.encode().ljust(1984, b"r"),
        "signing": member.encode().ljust(1984, b"s"),
        "link": digest("link", member),
        "log_id": member.encode().ljust(16, b"l"),
        "world": "real",
    }
    return Identity(**facts | changes)


def approver(n: int) -> Approver:
    return Approver(format(n, "032x"), n.to_bytes(1984, "big"))


def roster(member: str = "my", **changes: Any) -> Roster:
    facts: dict[str, Any] = {
        "member": member,
        "seq": 1,
        "kem": bytes(1216),
        "approvers": (),
        "two_for": (),
        "account": "",
    }
    return Roster(**facts | changes)


class Known:
    """Thailand's directory, and what its peers say of themselves."""

    def __init__(self, *verified: str) -> None:
        self.directory = Directory.found(identity("th"), b"statement", START)
        self.nodes: dict[str, PeerNode] = {}
        for peer in verified:
            self.told(identity(peer))
            self.seen(roster(peer))
            self.verify(peer)
        self.events()

    def told(self, said: Identity, at: datetime = START) -> bool:
        """Whether an identity was news."""
        if said.member == "th":
            return self.directory.change_identity(said, b"statement", digest(said), at)
        known = self.nodes.get(said.member)
        before = known.version if known else 0
        self.nodes[said.member] = self.directory.take_in(known, said, b"statement", at)
        return self.nodes[said.member].version > before

    def seen(self, said: Roster, at: datetime = START) -> bool:
        """Whether a roster was news."""
        stream = self.directory if said.member == "th" else self.nodes[said.member]
        return stream.change_roster(said, b"statement", digest(said), at)

    def verify(self, member: str, heard: bytes = ROOT) -> None:
        self.directory.verify(self.nodes[member], ROOT, heard, bytes(32), BY, START)

    def revoke(self, member: str) -> None:
        self.directory.revoke(member, BY, START)

    def state(self) -> list[tuple[UUID, int]]:
        return [(a.id, a.version) for a in (self.directory, *self.nodes.values())]

    def code(self, change: Callable[..., object], *given: Any) -> str:
        """The code a change is refused with; nothing has moved."""
        before = self.state()
        with pytest.raises(RilonError) as caught:
            change(*given)
        assert self.state() == before
        return caught.value.code

    def events(self) -> list[Any]:
        return [e for a in (self.directory, *self.nodes.values()) for e in a.collect_events()]

    @property
    def peers(self) -> tuple[str, ...]:
        return self.directory.peers

    def standing(self, member: str) -> str:
        return self.directory.standing(member)


def test_a_peer_is_verified_by_people_once_there_is_a_key_to_seal_to() -> None:
    found = Known()
    assert found.standing("my") == "absent"
    assert found.told(identity())
    assert (found.standing("my"), found.peers) == ("unverified", ())
    assert found.code(found.verify, "my") == "directory.no-roster"
    assert found.seen(roster())
    found.verify("my")
    assert (found.standing("my"), found.peers) == ("verified", ("my",))
    assert found.standing("th") == "verified"
    assert found.code(found.verify, "my") == "directory.verified"


def test_a_fingerprint_that_was_heard_otherwise_verifies_nobody() -> None:
    found = Known()
    found.told(identity())
    for heard in (digest("other"), b"", ROOT[:-1]):
        assert found.code(found.verify, "my", heard) == "directory.fingerprint"


def test_only_a_newer_statement_changes_anything() -> None:
    found = Known("my")
    for old in (identity(), identity(seq=0, link=digest("old"))):
        assert found.told(old) is False
    assert found.seen(roster()) is False
    assert found.events() == []
    assert found.code(found.told, identity(link=digest("x"))) == "directory.fork"
    assert found.code(found.seen, roster(kem=b"x" * 1216)) == "directory.fork"
    assert found.told(identity(seq=2, signing=b"n" * 1984))
    assert found.seen(roster(seq=5))
    assert found.seen(roster(seq=4, kem=b"x" * 1216)) is False
    assert found.standing("my") == "verified"  # a new signing key changes no trust in the root


def test_exercise_and_real_never_mix() -> None:
    found = Known()
    assert found.code(found.told, identity(world="exercise")) == "directory.world"


def test_a_new_log_is_confirmed_by_people_again() -> None:
    found = Known("my")
    found.told(identity(seq=2, log_id=b"new log id 00000"))
    assert (found.standing("my"), found.peers) == ("unverified", ())
    assert found.nodes["my"].roster == roster()


def test_a_new_root_is_a_new_node_that_counts_anew() -> None:
    found = Known("my")
    found.seen(roster(seq=2, approvers=(approver(1),)))
    assert found.told(identity(root=b"n" * 1984))
    assert (found.standing("my"), found.nodes["my"].roster) == ("unverified", None)
    assert found.nodes["my"].approvers == {}
    assert found.seen(roster(kem=b"k" * 1216))
    found.verify("my")
    assert found.standing("my") == "verified"


def test_this_node_keeps_its_root_and_tells_its_peers_of_the_rest() -> None:
    found = Known("id", "my")
    for another in ({"root": b"n" * 1984}, {"world": "exercise"}):
        assert found.code(found.told, identity("th", seq=2, **another)) == "directory.root"
    new = identity("th", seq=2, log_id=b"new log id 00000")
    assert found.told(new)
    assert found.standing("th") == "verified"
    assert found.seen(roster("th"))
    first, second = found.events()
    assert lines_of(first) == dict.fromkeys(("id", "my"), Line("directory", (digest(new),)))
    assert lines_of(second) == dict.fromkeys(("id", "my"), Line("directory", (digest(roster("th")),)))


def test_of_peers_nobody_is_told() -> None:
    found = Known("id", "my")
    found.told(identity(seq=2))
    found.seen(roster(seq=2))
    assert [lines_of(e) for e in found.events()] == [{}, {}]


def test_a_revoked_node_stays_revoked_until_there_is_a_new_root() -> None:
    found = Known("my")
    found.revoke("my")
    assert (found.standing("my"), found.peers) == ("revoked", ())
    assert found.code(found.revoke, "my") == "directory.revoked"
    assert found.code(found.revoke, "th") == "directory.revoked"
    assert found.code(found.revoke, "id") == NotFoundError().code
    found.told(identity(seq=2, log_id=b"new log id 00000"))
    found.seen(roster(seq=2))
    assert found.standing("my") == "revoked"
    found.told(identity(root=b"n" * 1984))
    assert found.standing("my") == "unverified"


def test_who_left_may_still_have_approved_what_arrives_late() -> None:
    found = Known("my")
    found.seen(roster(seq=2, approvers=(approver(1), approver(2))))
    found.seen(roster(seq=3, approvers=(replace(approver(2), key=b"k" * 1984),)))
    known = found.nodes["my"]
    assert known.approvers == {approver(1).officer: approver(1).key, approver(2).officer: b"k" * 1984}
    assert known.roster is not None
    assert len(known.roster.approvers) == 1


def test_a_peer_moves_nothing_that_decisions_stand_on_however_much_it_says() -> None:
    """They guard the directory's stream: a flood of statements would make every one of them wait, and decide again."""
    found = Known("my")
    before, at = found.directory.version, START
    for n in range(2, 200):
        at += timedelta(minutes=6)
        found.seen(roster(seq=n, approvers=(approver(n),)), at)
        found.told(identity(seq=n, signing=bytes([n]) * 1984), at)
    assert found.directory.version == before
    found.told(identity(seq=500, log_id=b"a log of theirs "), at + timedelta(hours=2))
    assert (found.standing("my"), found.directory.version) == ("unverified", before + 1)
    found.told(identity(seq=501, log_id=b"one more of them"), at + timedelta(hours=2))
    assert found.directory.version == before + 1  # people look before it can move it again


def test_what_is_kept_of_a_peer_has_an_end() -> None:
    found = Known("my")
    for n in range(2, 300):
        found.seen(roster(seq=n, approvers=(approver(n),)), START + timedelta(hours=n))
    kept = list(found.nodes["my"].approvers)
    assert len(kept) == MAX_REMEMBERED
    assert kept[-1] == approver(299).officer
    assert approver(298).officer in kept
    assert len(found.nodes["my"].taken_in) <= QUOTA


def test_a_peer_that_says_too_much_is_heard_again_an_hour_later_and_then_the_newest() -> None:
    found = Known("my")
    for n in range(2, QUOTA + 1):  # its introduction's roster was the first
        assert found.seen(roster(seq=n))
    assert found.code(found.seen, roster(seq=900)) == "directory.quota"
    assert found.code(found.told, identity(seq=2)) == "directory.quota"
    assert found.seen(roster(seq=5)) is False  # of the old ones nothing is made
    assert found.seen(roster(seq=901), START + QUOTA_SPAN)
    other = Known("id", "my")
    assert other.seen(roster("id", seq=2))  # nobody pays for another's flood


def test_peers_would_refuse_what_too_many_or_twins_have_signed() -> None:
    found = Known()
    full = tuple(approver(n) for n in range(MAX_APPROVERS + 1))
    assert found.code(found.seen, roster("th", approvers=full)) == "directory.approvers-full"
    twins = (approver(1), replace(approver(2), key=approver(1).key))
    assert found.code(found.seen, roster("th", approvers=twins)) == "directory.key-shared"
    assert found.seen(roster("th", approvers=full[:-1]))


def test_the_book_is_everybody_as_they_said_last() -> None:
    found = Known("my", "id")
    book = Book(found.directory, found.nodes.values())
    assert {m: x.standing for m, x in book.listings.items()} == dict.fromkeys(("th", "my", "id"), "verified")
    assert (book.listing("my").identity, book.listing("my").roster) == (identity("my"), roster("my"))
    assert (book.me, book.own, book.peers) == ("th", book.listing("th"), ("id", "my"))
    with pytest.raises(NotFoundError):
        book.listing("bd")
