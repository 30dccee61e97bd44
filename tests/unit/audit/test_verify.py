"""``rilon verify`` finds what was done to a log, where it was done, and nothing in one that was left alone."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from rilon.crypto import merkle, release, statement, strict
from rilon.domain.alert import Alert
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.officer import Officer
from rilon.domain.peer_link import PeerLink, Signed
from rilon.domain.rulebook import RuleBooks
from rilon.domain.values import Line
from rilon.network import wire
from rilon.store.codec import HEADER_BYTES
from rilon.store.recorder import RawEvent
from rilon.store.snapshot import Tip
from tests.evidence import Evidence, Story, stranger


def test_a_log_that_was_left_alone_is_sound(story: Story, here: Evidence, there: Evidence) -> None:
    mine, theirs = here.verify(), there.verify()
    assert (mine.findings, theirs.findings) == ((), ())
    assert (mine.member, theirs.member, mine.newer) == ("th", "id", 0)
    assert mine.proved["events"] == mine.size == len(here.rows)
    assert mine.proved["lines"] > 8
    assert mine.proved["receipts"] == 2
    assert mine.proved["approvals"] > 3
    assert mine.proved["texts"] == len(story.here.blobs.ciphertexts)


def test_the_story_has_every_kind_of_statement(here: Evidence, there: Evidence) -> None:
    bases = {e.basis for e in here.events() if isinstance(e, Disclosure.Released)}
    assert bases == {"rule", "approval", "break-glass"}
    assert {2} <= {e.draft.approvers for e in here.events() if isinstance(e, Disclosure.Drafted)}
    kinds = {type(e) for e in (*here.events(), *there.events())}
    assert {Alert.Corrected, Alert.Withdrawn, Holding.Granted, Holding.GrantedMore, Entry.Accepted} <= kinds


def test_an_edited_row_is_named(here: Evidence) -> None:
    row = here.rows[9]
    here.rows[9] = replace(row, state=row.state[:-1] + bytes([row.state[-1] ^ 1]))
    found = here.found()
    assert (10, "log.leaf") in found
    assert not {"log.root", "log.subtree"} & {code for _, code in found}


def test_a_row_of_another_topic_is_named(here: Evidence) -> None:
    here.rows[9] = replace(here.rows[9], topic="rilon.alert.closed.1")
    assert (10, "log.leaf") in here.found()


@pytest.mark.parametrize("position", [1, 7])
def test_a_deleted_row_is_named(here: Evidence, position: int) -> None:
    del here.rows[position - 1]
    assert (position, "log.gap") in here.found()


def test_a_deleted_last_row_is_named(here: Evidence) -> None:
    here.rows.pop()
    assert (0, "log.size") in here.found()


def test_rows_beyond_the_head_are_named(here: Evidence) -> None:
    here.put(len(here.rows), here.events()[-1])
    here.rows.append(replace(here.rows[-1], position=len(here.rows) + 1))
    assert {"log.size", "log.root", "stream.version"} <= here.codes()


def test_swapped_rows_are_found_where_the_subtrees_end(here: Evidence) -> None:
    a, b = (here.place(Officer.Enrolled), here.place(RuleBooks.Adopted))
    here.rows[a - 1], here.rows[b - 1] = here.rows[b - 1], here.rows[a - 1]
    here.renumber()
    found = here.found()
    assert {"log.root", "log.subtree"} == {code for _, code in found}
    assert min(a, b) >= max(position for position, code in found if code == "log.subtree")


def test_a_changed_head_is_found(here: Evidence) -> None:
    assert here.tip is not None
    here.tip = replace(here.tip, root=bytes(32))
    assert here.found() == [(0, "log.head"), (0, "log.root")]


def test_a_head_of_another_log_is_found(here: Evidence) -> None:
    _, peaks = merkle.grow(0, (), [bytes([n]) * 32 for n in range(len(here.rows))])
    here.tip = Tip(len(here.rows), merkle.root(peaks), peaks, here.log_id)
    assert here.codes() == {"log.root", "log.subtree"}


def test_a_dropped_event_shows_in_its_stream_though_the_tree_was_made_anew(here: Evidence) -> None:
    place = here.place(Directory.RosterChanged)
    del here.rows[place - 1]
    here.renumber()
    here.tip = None
    assert "stream.version" in here.codes()


def test_an_event_in_other_bytes_is_found_though_its_leaf_and_the_tree_agree(here: Evidence) -> None:
    place = here.place(Directory.RosterChanged)
    row = here.rows[place - 1]
    fields = msgspec.msgpack.decode(row.state[HEADER_BYTES:])
    state = row.state[:HEADER_BYTES] + msgspec.msgpack.encode(dict(reversed(fields.items())))
    leaf = merkle.event_leaf(row.stream, row.version, row.topic, state)
    here.rows[place - 1] = replace(row, state=state, leaf=leaf)
    here.tip = None
    assert (place, "log.state-malformed") in here.found()


def resigned(data: bytes) -> bytes:
    said = statement.parse(data)
    return statement.sign(said.kind, said.body, stranger())


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (Directory.Founded, ("statement",)),
        (PeerNode.Introduced, ("statement",)),
        (PeerNode.RosterChanged, ("statement",)),
        (Directory.RosterChanged, ("statement",)),
        (Alert.Posted, ("edition", "manifest")),
        (Alert.Corrected, ("edition", "manifest")),
        (Disclosure.Released, ("release",)),
        (Holding.Granted, ("edition", "manifest")),
        (Holding.Granted, ("edition", "release")),
        (Holding.GrantedMore, ("edition", "release")),
    ],
)
def test_a_statement_by_another_key_is_found_though_all_hashes_agree(
    here: Evidence, there: Evidence, kind: type[Any], where: tuple[str, ...]
) -> None:
    evidence = there if issubclass(kind, Holding.Granted | Holding.GrantedMore) else here
    place = evidence.place(kind)
    event = evidence.events()[place - 1]
    first = getattr(event, where[0])
    changed = (
        resigned(first) if len(where) == 1 else structs.replace(first, **{where[1]: resigned(getattr(first, where[1]))})
    )
    evidence.rewrite(place, **{where[0]: changed})
    evidence.tip = None
    assert (place, "statement.kid") in evidence.found()


def forged(evidence: Evidence, kind: type[Any], **changes: Any) -> tuple[int, set[str]]:
    """What is found at an event that was rewritten together with every hash."""
    place = evidence.place(kind)
    evidence.rewrite(place, **changes)
    evidence.tip = None
    return place, {code for position, code in evidence.found() if position == place}


def test_a_draft_with_other_cells_is_found(here: Evidence) -> None:
    draft = here.events()[here.place(Disclosure.Drafted) - 1].draft
    cells = (structs.replace(draft.cells[0], recipient="my"), *draft.cells[1:])
    assert forged(here, Disclosure.Drafted, draft=structs.replace(draft, cells=cells))[1] == {"release.cells"}


def test_a_draft_that_asks_for_fewer_people_is_found(here: Evidence) -> None:
    draft = here.events()[here.place(Disclosure.Drafted) - 1].draft
    assert forged(here, Disclosure.Drafted, draft=structs.replace(draft, approvers=0))[1] == {"approval.missing"}


def test_an_approval_in_anothers_name_is_found(here: Evidence) -> None:
    assert forged(here, Disclosure.Approved, by="a" * 32)[1] == {"officer.unknown"}


def test_an_approval_that_was_never_signed_is_found(here: Evidence) -> None:
    approval = here.events()[here.place(Disclosure.Approved) - 1].approval
    other = bytes([approval[-1] ^ 1])
    assert forged(here, Disclosure.Approved, approval=approval[:-1] + other)[1] == {"signature.invalid"}


def test_an_author_made_approver_afterwards_is_found(here: Evidence) -> None:
    place = here.place(Disclosure.Drafted)
    stream = here.rows[place - 1].stream
    proposed = here.place(Disclosure.Proposed, lambda e: e.originator_id == stream)
    approved = here.place(Disclosure.Approved, lambda e: e.originator_id == stream)
    here.rewrite(proposed, author=here.events()[approved - 1].by)
    here.tip = None
    assert (approved, "disclosure.second-person") in here.found()


@pytest.mark.parametrize(
    ("basis", "code"),
    [("rule", "release.basis"), ("break-glass", "release.basis"), ("approval", "approval.missing")],
)
def test_who_runs_a_node_cannot_release_what_nobody_approved(
    story: Story, here: Evidence, basis: str, code: str
) -> None:
    """The node's signing key is within reach of its administrator; the approvers' keys are not."""
    place = here.place(Disclosure.Released, lambda e: e.basis == "approval")
    event = here.events()[place - 1]
    body = release.read(statement.parse(event.release).body).body
    alone = release.Release(structs.replace(body, basis=basis), ())
    said = statement.sign(release.KIND, release.strict.encode(alone), story.here.desks.keys.ring().signing)
    digest = statement.parse(said).digest
    to = dict.fromkeys(event.grants, Line("release", (event.manifest, digest)))
    here.rewrite(place, release=said, digest=digest, basis=basis, to=to)
    here.tip, here.selected = None, []
    assert (place, code) in here.found()


def test_a_line_that_no_release_stands_behind_is_found(here: Evidence) -> None:
    place = here.place(Disclosure.Released)
    to = here.events()[place - 1].to
    assert "event.contradiction" in forged(here, Disclosure.Released, to=to | {"my": next(iter(to.values()))})[1]


def test_a_line_that_was_dropped_contradicts_the_receipts(there: Evidence) -> None:
    there.rewrite(there.place(Holding.Acknowledged), to={})
    there.tip, there.selected = None, []
    assert there.codes() == {"link.head"}


def test_a_receipt_for_what_was_never_sent_is_found(here: Evidence) -> None:
    assert forged(here, PeerLink.Receipted, upto=999)[1] == {"link.receipt"}


def test_a_receipt_that_the_peer_did_not_sign_is_found(here: Evidence) -> None:
    """Who owns the database may write what the peer has stored; they cannot write that the peer said so."""
    genuine = here.events()[here.place(PeerLink.Receipted) - 1]
    said = strict.decode(genuine.signed.said, wire.Receipt, limit=1 << 16)
    more = structs.replace(said, size=said.size + 1)
    signed = Signed(wire.encode(more), genuine.signed.proof)
    assert forged(here, PeerLink.Receipted, signed=signed)[1] == {"frame.signature"}
    assert forged(here, PeerLink.Receipted, signed=Signed(b"", b""))[1] == {"cbor.truncated"}
    spared = structs.replace(said, refused=())
    signed = Signed(wire.encode(spared), genuine.signed.proof)
    assert forged(here, PeerLink.Receipted, signed=signed)[1] == {"link.receipt"}


def test_a_refusal_of_another_place_is_found(here: Evidence) -> None:
    place = here.place(PeerLink.Receipted)
    event = here.events()[place - 1]
    refused = tuple((n, at + 1, code) for n, at, code in event.refused)
    assert refused
    assert forged(here, PeerLink.Receipted, refused=refused)[1] == {"link.refused"}


def test_a_dropped_entry_of_a_peer_is_found(there: Evidence) -> None:
    place = there.place(Entry.Accepted, lambda e: e.seq == 2)
    del there.rows[place - 1]
    there.renumber()
    there.tip, there.selected = None, []
    found = there.found()
    assert [code for _, code in found].count("link.log-gap") == 1


def test_what_the_courier_notes_is_what_the_log_addresses(here: Evidence) -> None:
    here.selected[0] = replace(here.selected[0], head=bytes(32))
    assert here.found() == [(here.selected[0].position, "link.selected")]
    here.selected = [replace(here.selected[1], n=999)]
    assert here.codes() == {"link.selected"}


def test_an_exchanged_or_lost_ciphertext_is_named(here: Evidence) -> None:
    one, two, *_ = here.texts
    here.texts |= {one: bytes(32), two: None}
    report = here.verify()
    assert {f.code for f in report.findings} == {"blob.digest", "blob.missing"}
    assert all(f.position > 0 for f in report.findings)


def test_a_ciphertext_without_an_event_waits_for_one(here: Evidence) -> None:
    here.texts[b"\1" * 32] = bytes(32)
    assert here.verify().sound


def test_a_founding_by_another_root_shows_in_the_fingerprint(story: Story, here: Evidence) -> None:
    before = here.verify().fingerprint
    place = here.place(Directory.Founded)
    identity = structs.replace(here.events()[place - 1].identity, root=stranger().public.raw)
    said = statement.sign("identity", release.strict.encode(identity), stranger())
    here.rewrite(place, identity=identity, statement=said)
    here.tip = None
    assert here.verify().fingerprint != before


def test_events_of_a_newer_program_are_counted_and_not_judged(here: Evidence) -> None:
    last = here.rows[-1]
    state = b"\1" + bytes(16) + b"\x80"
    stream, topic = UUID(int=5), "rilon.novelty.seen.1"
    leaf = merkle.event_leaf(stream, 1, topic, state)
    here.rows.append(RawEvent(last.position + 1, stream, 1, topic, leaf, state))
    here.tip = None
    report = here.verify()
    assert report.newer == 1
    assert {f.code for f in report.findings} == {"link.newer-event"}


def test_a_stream_that_is_half_understood_is_not_judged(here: Evidence) -> None:
    place = here.place(Disclosure.Drafted)
    row = here.rows[place - 1]
    topic, state = "rilon.disclosure.novelty.1", b"\1" + bytes(16) + b"\x80"
    leaf = merkle.event_leaf(row.stream, row.version, topic, state)
    here.rows[place - 1] = replace(row, topic=topic, state=state, leaf=leaf)
    here.tip, here.selected = None, []
    assert here.found() == [(place, "link.newer-event")]


def test_no_damage_is_an_exception_and_none_is_overlooked(story: Story) -> None:
    """Random vandalism of rows with every hash made anew where that is possible: found or harmless, never a crash."""
    dice = random.Random(7)
    for _ in range(60):
        evidence = dice.choice((story.evidence, story.theirs)).copy()
        at = dice.randrange(len(evidence.rows))
        row = evidence.rows[at]
        match dice.randrange(4):
            case 0:
                del evidence.rows[at]
                evidence.renumber()
            case 1:
                other = dice.randrange(len(evidence.rows))
                evidence.rows[at], evidence.rows[other] = evidence.rows[other], row
                evidence.renumber()
            case 2:
                evidence.rows[at] = replace(row, stream=dice.choice(evidence.rows).stream)
            case _:
                spot = dice.randrange(len(row.state))
                state = row.state[:spot] + bytes([row.state[spot] ^ 1 << dice.randrange(8)]) + row.state[spot + 1 :]
                leaf = merkle.event_leaf(row.stream, row.version, row.topic, state)
                evidence.rows[at] = replace(row, state=state, leaf=leaf)
        if evidence.rows not in (story.evidence.rows, story.theirs.rows):
            assert not evidence.verify().sound  # against the old head
        evidence.tip = None
        evidence.verify()
