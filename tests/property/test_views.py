"""Views: pure folds of the log, and no board that shows what a grant does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from rilon.domain.alert import Alert
from rilon.domain.delivery import Delivery, State
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry as LinkEntry
from rilon.domain.holding import Holding
from rilon.domain.officer import Officer
from rilon.domain.peer_link import PeerLink
from rilon.domain.permissions import Caller
from rilon.domain.recall import Recall
from rilon.domain.values import Sensitivity
from rilon.projections.approvals import Approval
from rilon.projections.board import Edition, Entry, Item, entry
from rilon.projections.changes import Tables
from rilon.projections.deliveries import Answer, Receipt, Sent, delivery
from rilon.projections.officers import Enrolled
from rilon.projections.views import fold
from tests.fakes.histories import PEERS, START, World, busy, callers, histories

quick = settings(max_examples=40, deadline=None)
instants = st.integers(0, 45).map(lambda d: START + timedelta(days=d))


def folded(world: World) -> Tables:
    tables = Tables()
    fold(world.events, tables)
    return tables


def board(tables: Tables, caller: Caller, now: datetime) -> dict[Any, Entry]:
    editions = tables.rows(Edition).values()
    shown = {i.stream: entry(i, editions, caller, now) for i in tables.rows(Item).values()}
    return {stream: found for stream, found in shown.items() if found}


def test_the_histories_are_rich() -> None:
    world = busy(1500, 9)
    kinds = {type(r.event).__qualname__ for r in world.events}
    assert {
        "Alert.Corrected",
        "Alert.Withdrawn",
        "Holding.GrantedMore",
        "Holding.Superseded",
        "Holding.Recalled",
        "Holding.SectionsClosed",
        "Recall.Ordered",
        "Recall.Confirmed",
        "Entry.Accepted",
    } <= kinds
    assert {"Disclosure.Released", "Disclosure.Returned", "Disclosure.Lapsed", "Disclosure.Reviewed"} <= kinds
    assert {"Disclosure.Approved", "PeerLink.Receipted", "Officer.TokenRevoked", "Officer.Suspended"} <= kinds


@quick
@given(histories(), st.data())
def test_folding_a_prefix_and_then_the_rest_equals_folding_all(world: World, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(world.events)))
    parts = Tables()
    fold(world.events[:cut], parts)
    fold(world.events[cut:], parts)
    assert parts.dump() == folded(world).dump()


@quick
@given(histories(), instants)
def test_a_board_shows_exactly_what_the_grants_give(world: World, now: datetime) -> None:
    """The aggregates are the judges: they know nothing of views."""
    tables = folded(world)
    for caller in callers(world):
        shown = board(tables, caller, now)
        for holding in world.all_of(Holding):
            mine = [(e, sections) for e, sections in holding.grants.live(now) if holding.is_for(caller, e)]
            granted = {s.sensitivity for _, sections in mine for s in sections if caller.may_read(s.sensitivity)}
            assert set(shown[holding.id].sensitivities if holding.id in shown else ()) == granted
            if granted:
                newest = max(e.version for e, some in mine if any(caller.may_read(s.sensitivity) for s in some))
                assert shown[holding.id].version == newest
        for alert in world.all_of(Alert):
            may = {s for s in Sensitivity if alert.shown(s, now) and caller.may_read(s)}
            live = bool(may) and caller.among(alert.readers)
            assert (alert.id in shown) == live
            if live:
                assert shown[alert.id].manifest == alert.edition.digest
        assert set(shown) <= {a.id for a in (*world.all_of(Holding), *world.all_of(Alert))}


@quick
@given(histories(), instants)
def test_a_board_says_of_an_item_what_its_aggregate_says(world: World, now: datetime) -> None:
    tables = folded(world)
    for caller in callers(world):
        for stream, found in board(tables, caller, now).items():
            aggregate: Any = world.aggregates[stream]
            old = getattr(aggregate, "superseded", ())
            state = "superseded" if aggregate.state == "live" and found.manifest in old else aggregate.state
            assert (found.state, found.own) == (state, isinstance(aggregate, Alert))
            if not found.own:
                assert found.acknowledged == (found.manifest in aggregate.acknowledged)
                assert (found.origin, found.item) == (aggregate.origin, aggregate.item)


@quick
@given(histories())
def test_the_queue_says_what_the_disclosures_say(world: World) -> None:
    tables = folded(world)
    for disclosure in world.all_of(Disclosure):
        row = tables.find(Approval, disclosure.id)
        assert row is not None
        waiting = disclosure.draft
        assert (row.item, row.author, row.manifest) == (disclosure.item, disclosure.author, disclosure.manifest)
        assert (row.state, set(row.signed)) == (disclosure.state, set(disclosure.approvals))
        assert (row.draft, row.needed) == ((waiting.digest, waiting.approvers) if waiting else (None, 0))
        assert len(row.cells) == (len(waiting.cells) if waiting else 0)
        assert (row.reviews, row.review_since is not None) == (disclosure.reviews_due, bool(disclosure.reviews_due))


@quick
@given(histories())
def test_officers_are_as_their_aggregates_say(world: World) -> None:
    tables = folded(world)
    for officer in world.all_of(Officer):
        row = tables.find(Enrolled, officer.id)
        assert row is not None
        assert (set(row.roles), row.active, row.has_key) == (officer.roles, officer.active, bool(officer.approval_key))
        assert dict(zip(row.tokens, row.token_ends, strict=True)) == {
            t.id: t.expires_at for t in officer.tokens.values()
        }
        nobody = Caller(officer.ref, frozenset(), officer.agency, officer.desk)
        caller = officer.caller(world.now) if officer.active else nobody
        assert row.caller(world.now) == structs.replace(caller, until=None)
        assert row.offers_key == bool(officer.offered_key)


@quick
@given(histories())
def test_a_delivery_is_stored_only_when_a_receipt_of_that_peer_covers_it(world: World) -> None:
    tables = folded(world)
    receipts, answers = tables.rows(Receipt).values(), tables.rows(Answer).values()
    receipted = [r.event for r in world.events if isinstance(r.event, PeerLink.Receipted)]
    lines = {(p, r.position) for r in world.events for p in _ours(r.event)}
    assert {(s.recipient, s.n) for s in tables.rows(Sent).values()} == lines
    for sent in tables.rows(Sent).values():
        found = delivery(sent, receipts, answers)
        said = [e for e in receipted if e.originator_id == sent.stream]
        assert (found.stored_at is not None) == any(e.through >= sent.n for e in said)
        refused = [e.timestamp for e in said if any(sent.n == position for _, position, _ in e.refused)]
        assert (bool(found.code), found.refused_at) == (bool(refused), min(refused, default=None))
        heard = [r.event for r in world.events if isinstance(r.event, LinkEntry.Accepted)]
        about = [e for e in heard if (e.peer, e.line.digests) == (sent.recipient, (sent.manifest,))]
        acknowledged = any(e.line.kind == "status.acknowledged" for e in about) and sent.kind == "release"
        assert (found.acknowledged_at is not None) == acknowledged
        opened = [e for e in about if e.line.kind.startswith("status.opened.")]
        opened = [e for e in opened if e.line.kind.split(".")[2:3] in [[s] for s in sent.sensitivities]]
        assert sum(n for *_, n in found.openings) == (len(opened) if sent.kind == "release" else 0)


def _ours(event: object) -> list[str]:
    if not isinstance(event, Disclosure.Released | Recall.Ordered | Alert.Corrected | Alert.Withdrawn | Alert.Closed):
        return []
    return [p for p in PEERS if p in event.to]


facts = st.tuples(st.sampled_from([s for s in State if s is not State.SENT]), st.integers(0, 5))


@given(st.lists(facts, max_size=8), st.randoms())
def test_the_order_in_which_facts_come_makes_no_difference(learned: list[tuple[State, int]], random: Any) -> None:
    shuffled = list(learned)
    random.shuffle(shuffled)
    assert _told(learned) == _told(shuffled)


@given(st.lists(facts, min_size=1, max_size=8))
def test_a_delivery_never_goes_back(learned: list[tuple[State, int]]) -> None:
    ranks = [list(State).index(_told(learned[:n]).state) for n in range(len(learned) + 1)]
    assert ranks == sorted(ranks)


def _told(learned: list[tuple[State, int]]) -> Delivery:
    found = Delivery("id", "release", b"m" * 32, (Sensitivity.SUMMARY,), START)
    for state, hours in learned:
        at = START + timedelta(hours=hours)
        if state is State.REFUSED:
            found = found.refuse("section.invalid", at)
        elif state is State.OPENED:
            found = found.open_(Sensitivity.SUMMARY, "prosecution", at)
        else:
            found = found.reach(state, at)
    return found


@pytest.mark.parametrize("wrong", ["officer", "role", "late"])
def test_what_is_not_for_you_is_not_there(wrong: str) -> None:
    """Three ways in which a grant that exists shows nothing."""
    world = World()
    world.grant(0, 3)
    tables, caller = folded(world), world.all_of(Officer)[0].caller(START)
    now = START + timedelta(days=100 if wrong == "late" else 0)
    assert len(board(tables, caller, START)) == 1
    if wrong == "officer":
        caller = Caller("e" * 32, caller.roles, caller.agency, caller.desk)
    if wrong == "role":
        caller = Caller(caller.ref, frozenset(), caller.agency, caller.desk)
    assert board(tables, caller, now) == {}
