"""The directory: newer statements, forks, other worlds, new roots and logs, and whom people have verified."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rilon.domain.base import lines_of
from rilon.domain.directory import MAX_APPROVERS, Approver, Directory, Identity, Roster
from rilon.domain.values import Line
from rilon.errors import NotFoundError
from tests.fakes.histories import START, digest
from tests.fakes.refusals import refused

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


def directory(*verified: str) -> Directory:
    """Thailand's, with these peers."""
    found = Directory.found(identity("th"), b"statement", START)
    for peer in verified:
        told(found, identity(peer))
        seen(found, roster(peer))
        found.verify(peer, ROOT, ROOT, BY, START)
    found.collect_events()
    return found


def told(found: Directory, said: Identity) -> bool:
    return found.change_identity(said, b"statement", digest(said), START)


def seen(found: Directory, said: Roster) -> bool:
    return found.change_roster(said, b"statement", digest(said), START)


def test_a_peer_is_verified_by_people_and_sealed_to_once_it_has_a_key() -> None:
    found = directory()
    assert (found.standing("my"), found.peers) == ("absent", ())
    assert told(found, identity())
    assert found.standing("my") == "unverified"
    found.verify("my", ROOT, ROOT, BY, START)
    assert (found.standing("my"), found.peers) == ("unverified", ())  # no key to seal to
    assert seen(found, roster())
    assert (found.standing("my"), found.peers) == ("verified", ("my",))
    assert found.standing("th") == "verified"
    assert refused(found, found.verify, "my", ROOT, ROOT, BY, START) == "directory.verified"


def test_a_fingerprint_that_was_heard_otherwise_verifies_nobody() -> None:
    found = directory()
    told(found, identity())
    for heard in (digest("other"), b"", ROOT[:-1]):
        assert refused(found, found.verify, "my", ROOT, heard, BY, START) == "directory.fingerprint"
    assert refused(found, found.verify, "id", ROOT, ROOT, BY, START) == NotFoundError().code
    assert refused(found, seen, found, roster("id")) == NotFoundError().code


def test_only_a_newer_statement_changes_anything() -> None:
    found = directory("my")
    for old in (identity(), identity(seq=0, link=digest("old"))):
        assert told(found, old) is False
    assert seen(found, roster()) is False
    assert found.collect_events() == []
    assert refused(found, told, found, identity(link=digest("x"))) == "directory.fork"
    assert refused(found, seen, found, roster(kem=b"x" * 1216)) == "directory.fork"
    assert told(found, identity(seq=2, signing=b"n" * 1984))
    assert seen(found, roster(seq=5))
    assert seen(found, roster(seq=4, kem=b"x" * 1216)) is False
    assert found.standing("my") == "verified"  # a new signing key changes no trust in the root


def test_exercise_and_real_never_mix() -> None:
    found = directory()
    assert refused(found, told, found, identity(world="exercise")) == "directory.world"


def test_a_new_log_is_confirmed_by_people_again() -> None:
    found = directory("my")
    told(found, identity(seq=2, log_id=b"new log id 00000"))
    assert (found.standing("my"), found.peers) == ("unverified", ())
    assert found.listing("my").roster == roster()


def test_a_new_root_is_a_new_node_that_counts_anew() -> None:
    found = directory("my")
    seen(found, roster(seq=2, approvers=(approver(1),)))
    assert told(found, identity(root=b"n" * 1984))
    assert (found.standing("my"), found.listing("my").roster) == ("unverified", None)
    assert found.approvers.get("my") is None
    assert seen(found, roster(kem=b"k" * 1216))
    found.verify("my", ROOT, ROOT, BY, START)
    assert found.standing("my") == "verified"


def test_this_node_keeps_its_root_and_tells_its_peers_of_the_rest() -> None:
    found = directory("id", "my")
    assert refused(found, told, found, identity("th", seq=2, root=b"n" * 1984)) == "directory.root"
    new = identity("th", seq=2, log_id=b"new log id 00000")
    assert told(found, new)
    assert found.standing("th") == "verified"
    assert seen(found, roster("th"))
    first, second = found.collect_events()
    assert lines_of(first) == dict.fromkeys(("id", "my"), Line("directory", (digest(new),)))
    assert lines_of(second) == dict.fromkeys(("id", "my"), Line("directory", (digest(roster("th")),)))


def test_of_peers_nobody_is_told() -> None:
    found = directory("id", "my")
    told(found, identity(seq=2))
    seen(found, roster(seq=2))
    assert [lines_of(e) for e in found.collect_events()] == [{}, {}]


def test_a_revoked_node_stays_revoked_until_people_verify_a_new_root() -> None:
    found = directory("my")
    found.revoke("my", BY, START)
    assert (found.standing("my"), found.peers) == ("revoked", ())
    assert refused(found, found.revoke, "my", BY, START) == "directory.revoked"
    assert refused(found, found.revoke, "th", BY, START) == "directory.revoked"
    assert refused(found, found.revoke, "id", BY, START) == NotFoundError().code
    told(found, identity(seq=2, log_id=b"new log id 00000"))
    seen(found, roster(seq=2))
    assert found.standing("my") == "revoked"
    told(found, identity(root=b"n" * 1984))
    assert found.standing("my") == "unverified"


def test_who_left_may_still_have_approved_what_arrives_late() -> None:
    found = directory("my")
    seen(found, roster(seq=2, approvers=(approver(1), approver(2))))
    seen(found, roster(seq=3, approvers=(replace(approver(2), key=b"k" * 1984),)))
    assert found.approvers["my"] == {approver(1).officer: approver(1).key, approver(2).officer: b"k" * 1984}
    listed = found.listing("my").roster
    assert listed is not None
    assert len(listed.approvers) == 1


def test_peers_would_refuse_what_too_many_or_twins_have_signed() -> None:
    found = directory()
    full = tuple(approver(n) for n in range(MAX_APPROVERS + 1))
    assert refused(found, seen, found, roster("th", approvers=full)) == "directory.approvers-full"
    twins = (approver(1), replace(approver(2), key=approver(1).key))
    assert refused(found, seen, found, roster("th", approvers=twins)) == "directory.key-shared"
    assert seen(found, roster("th", approvers=full[:-1]))


@pytest.mark.parametrize("member", ["th", "my"])
def test_a_listing_is_what_was_said_last(member: str) -> None:
    found = directory("my")
    assert found.listing(member).identity == identity(member)
    assert (found.own, found.me) == (found.listing("th"), "th")
