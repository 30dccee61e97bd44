"""The lives of alerts, holdings, entries, commands and links: every transition, legal or refused before an event."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import structs

from rilon.domain.alert import Alert
from rilon.domain.base import Unknown, lines_of, natural_id
from rilon.domain.command import Command
from rilon.domain.entry import Entry, entry_id
from rilon.domain.holding import REPLIES, Holding, holding_id
from rilon.domain.peer_link import Logs, PeerLink, Signed
from rilon.domain.permissions import Caller
from rilon.domain.values import Line, Purpose, Role, Sensitivity
from rilon.errors import NotFoundError, UnavailableError
from tests.fakes.histories import START, digest, edition, held, sealed
from tests.fakes.refusals import refused, state_of

ITEM = UUID(int=9)
BY, OTHER = "a" * 32, "b" * 32
LOGS = (b"O" * 16, b"P" * 16)
HOLDERS = ("id", "my")
LATER = START + timedelta(days=31)
WHY = Purpose.IDENTIFY_VICTIM
READER = Caller(BY, frozenset({Role.OFFICER}), "navy", "d1")
ELSEWHERE = Caller(OTHER, frozenset({Role.OFFICER}), "police", "d9")


# Alerts


def alert() -> Alert:
    found = Alert.post(ITEM, BY, "desk:navy:d1", edition(ITEM, 1, a=5), START)
    found.collect_events()
    return found


def end(found: Alert, how: str) -> None:
    if how == "withdrawn":
        found.withdraw(BY, sealed("why"), HOLDERS, START)
    else:
        found.close(BY, "found-safe", HOLDERS, START)


def test_a_correction_tells_every_holder_which_version_it_replaces() -> None:
    found = alert()
    old, new = found.edition, edition(ITEM, 2)
    found.correct(OTHER, new, HOLDERS, START)
    (event,) = found.collect_events()
    assert lines_of(event) == dict.fromkeys(HOLDERS, Line("superseded", (old.digest, new.digest)))
    assert (found.edition, found.editions, found.author) == (new, (old, new), BY)


@pytest.mark.parametrize("version", [1, 3])
def test_who_corrects_an_old_version_reads_it_again(version: int) -> None:
    found = alert()
    assert refused(found, found.correct, BY, edition(ITEM, version), (), START) == "alert.version"


@pytest.mark.parametrize(("how", "kind"), [("withdrawn", "withdrawal"), ("closed", "closure")])
def test_an_alert_ends_once_and_every_holder_is_told(how: str, kind: str) -> None:
    found = alert()
    end(found, how)
    (event,) = found.collect_events()
    assert lines_of(event) == dict.fromkeys(HOLDERS, Line(kind, (found.edition.digest,)))
    assert found.state == how
    for again in (
        lambda: end(found, "withdrawn"),
        lambda: end(found, "closed"),
        lambda: found.correct(BY, edition(ITEM, 2), (), START),
        found.must_be_live,
    ):
        assert refused(found, again) == f"alert.{how}"


def test_an_own_section_is_opened_until_the_alert_expires() -> None:
    found = alert()
    section = found.open_(BY, Sensitivity.NOMINAL, WHY, LATER - timedelta(days=2))
    assert section == found.edition.section(Sensitivity.NOMINAL)
    (event,) = found.collect_events()
    assert (event.by, event.version, event.sensitivity, event.purpose) == (BY, 1, Sensitivity.NOMINAL, WHY)
    assert refused(found, found.open_, BY, Sensitivity.NOMINAL, WHY, found.edition.expires_at) == "alert.expired"
    bare = Alert.post(ITEM, BY, "desk:navy:d1", edition(ITEM, 1, a=0), START)
    assert refused(bare, bare.open_, BY, Sensitivity.VICTIM, WHY, START) == "alert.no-section"


def test_openings_change_nothing_that_is_decided_upon() -> None:
    found = alert()
    before = state_of(found)
    found.open_(BY, Sensitivity.NOMINAL, WHY, START)
    assert {k: v for k, v in state_of(found).items() if k not in {"_version", "_modified_on"}} == {
        k: v for k, v in before.items() if k not in {"_version", "_modified_on"}
    }


# Holdings


def holding(**changes: object) -> Holding:
    found = Holding.grant("th", ITEM, held(ITEM, 1, 0, 2, sections=held(ITEM, 1, 0, 2).sections, **changes), START)
    found.collect_events()
    return found


def test_two_members_items_never_share_a_stream() -> None:
    assert holding_id("th", ITEM) != holding_id("id", ITEM)
    assert natural_id("a", "b", "c") != natural_id("a", "bc")
    assert natural_id("a", "b") != natural_id("b", "a")


def test_access_is_the_union_of_live_grants_newest_version_first() -> None:
    found = holding(days=5)
    found.grant_more(held(ITEM, 2, 1, 0, days=9, purposes=None), START)  # nominal only
    assert [e.version for e, _ in found.grants.live(START)] == [2, 1]
    assert [e.version for e, _ in found.grants.live(START + timedelta(days=5))] == [2]
    assert found.grants.live(START + timedelta(days=9)) == ()
    assert found.edition.version == 2
    assert found.find(READER, Sensitivity.SUMMARY, WHY, START)[0].version == 1
    assert found.find(READER, Sensitivity.NOMINAL, WHY, START)[0].version == 2


def test_a_correction_narrows_what_an_older_version_gave() -> None:
    found = holding(days=9, purposes=None)
    entitled, checking = {"readers": ("entitled",)}, frozenset({Purpose.DOCUMENT_VERIFICATION})
    found.grant_more(held(ITEM, 2, 1, 0, days=5, purposes=checking, **entitled), START)  # nominal only
    assert found.find(READER, Sensitivity.NOMINAL, Purpose.DOCUMENT_VERIFICATION, START)[0].version == 2
    assert refused(found, found.find, READER, Sensitivity.NOMINAL, WHY, START) == "holding.purpose"
    ended = START + timedelta(days=5)
    for purpose in (WHY, Purpose.DOCUMENT_VERIFICATION):
        assert refused(found, found.find, READER, Sensitivity.NOMINAL, purpose, ended) == NotFoundError().code
    assert found.find(READER, Sensitivity.SUMMARY, WHY, ended)[0].version == 1


def test_each_officer_reads_and_answers_what_was_granted_to_them() -> None:
    found = holding()  # for desk d1
    found.grant_more(held(ITEM, 1, 0, 2, readers=("agency:police",)), START)
    for caller in (READER, ELSEWHERE):
        assert caller.among(found.find(caller, Sensitivity.NOMINAL, WHY, START)[0].readers)
    found.grant_more(held(ITEM, 2, 0, 2), START)
    assert [e.version for e in found.seen_by(READER, START)] == [2]
    assert found.seen_by(ELSEWHERE, START) == ()  # all they had was of the old version
    assert refused(found, found.find, ELSEWHERE, Sensitivity.NOMINAL, WHY, START) == NotFoundError().code
    assert found.seen_by(READER, LATER) == ()


def test_a_grant_of_nothing_they_may_open_is_absent_for_an_officer() -> None:
    found = Holding.grant("th", ITEM, held(ITEM, 1, 3, 0), START)  # child
    assert found.seen_by(READER, START) == ()
    assert refused(found, found.find, READER, Sensitivity.CHILD, WHY, START) == NotFoundError().code


def test_an_opening_tells_the_originator_what_but_not_who() -> None:
    found = holding()
    section = found.open_(READER, Sensitivity.NOMINAL, WHY, START)
    (event,) = found.collect_events()
    assert section.sensitivity is Sensitivity.NOMINAL
    assert lines_of(event) == {"th": Line(f"status.opened.nominal.{WHY}", (found.edition.digest,))}
    assert (found.grants.openings, event.by) == ({(found.edition.digest, Sensitivity.NOMINAL): 1}, BY)


@pytest.mark.parametrize(
    ("sensitivity", "purpose", "at"),
    [
        (Sensitivity.SOURCE, WHY, START),  # never granted
        (Sensitivity.NOMINAL, WHY, LATER),  # over
        (Sensitivity.SUMMARY, WHY, LATER),
    ],
)
def test_what_is_not_granted_is_told_like_what_is_absent(
    sensitivity: Sensitivity, purpose: Purpose, at: object
) -> None:
    found = holding(purposes=frozenset({WHY}))
    assert refused(found, found.open_, READER, sensitivity, purpose, at) == NotFoundError().code


def test_what_is_granted_for_another_purpose_is_refused_only_to_whom_it_is_for() -> None:
    found, stranger = holding(purposes=frozenset({WHY})), Caller(OTHER, frozenset(), "navy", "d1")
    refusal = refused(found, found.open_, READER, Sensitivity.NOMINAL, Purpose.PROSECUTION, START)
    assert refusal == "holding.purpose"
    for purpose in (WHY, Purpose.PROSECUTION):
        assert refused(found, found.open_, stranger, Sensitivity.NOMINAL, purpose, START) == NotFoundError().code


@pytest.mark.parametrize("how", ["withdrawn", "closed"])
def test_an_ended_item_shows_its_summary_and_nothing_more(how: str) -> None:
    found = holding()
    found.end(how, START)
    assert found.state == how
    assert refused(found, found.open_, READER, Sensitivity.NOMINAL, WHY, START) == NotFoundError().code
    assert found.find(READER, Sensitivity.SUMMARY, WHY, START)[1].sensitivity is Sensitivity.SUMMARY
    for again in {"withdrawn": ("withdrawn", "closed"), "closed": ("closed",)}[how]:  # what was closed can be withdrawn
        assert refused(found, found.end, again, START) == f"holding.{how}"
    assert refused(found, found.reply, found.edition, BY, "reply.hit", sealed("t"), START) == f"holding.{how}"


def test_a_colleague_has_acknowledged_this_version_already() -> None:
    found = holding()
    found.acknowledge(found.edition, BY, START)
    assert refused(found, found.acknowledge, found.edition, OTHER, START) == "holding.acknowledged"
    found.grant_more(held(ITEM, 2), START)
    found.acknowledge(found.edition, OTHER, START)
    first, _, second = found.collect_events()
    assert lines_of(first) == {"th": Line("status.acknowledged", (held(ITEM, 1).digest,))}
    assert lines_of(second) == {"th": Line("status.acknowledged", (held(ITEM, 2).digest,))}


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_names_the_version_and_the_text(kind: str) -> None:
    found, text = holding(), sealed("text")
    found.reply(found.edition, BY, kind, text, START)
    (event,) = found.collect_events()
    assert lines_of(event) == {"th": Line(kind, (found.edition.digest, text.digest))}


def test_superseded_versions_are_remembered() -> None:
    found = holding()
    found.supersede(found.edition.digest, digest("new"), START)
    assert found.superseded == {found.edition.digest}


# Entries


def test_an_entry_is_of_one_peer_one_log_and_one_number() -> None:
    one = entry_id("th", b"L" * 16, 1)
    assert len({one, entry_id("id", b"L" * 16, 1), entry_id("th", b"M" * 16, 1), entry_id("th", b"L" * 16, 2)}) == 4
    line = Line("release", (digest("m"),))
    made = [
        Entry.accept("th", b"L" * 16, 1, line, START, item=ITEM, text=sealed("t"), withheld="expired"),
        Entry.refuse("th", b"L" * 16, 1, line, "section.seal", START),
        Entry.keep_unknown("th", b"L" * 16, 1, line, sealed("a"), START),
    ]
    for entry in made:
        assert (entry.id, entry.version) == (one, 1)
        assert (entry.peer, entry.log_id, entry.seq, entry.line) == ("th", b"L" * 16, 1, line)
    accepted = made[0].pending_events[0]
    assert (accepted.item, accepted.text, accepted.withheld) == (ITEM, sealed("t"), "expired")
    assert made[1].pending_events[0].code == "section.seal"
    assert made[2].pending_events[0].attachments == sealed("a")


# Commands


def test_a_command_answers_the_same_request_alike_and_no_other() -> None:
    command = Command.record(ITEM, digest("request"), b"answer", START)
    assert command.same(digest("request")) == b"answer"
    assert refused(command, command.same, digest("other")) == "command.key-reused"


# Links


def test_a_frozen_link_goes_on_when_two_people_say_so() -> None:
    link = PeerLink.begin("my", START)
    assert refused(link, link.reset, BY, b"", LOGS, START) == "link.not-frozen"
    link.freeze("link.fork", b"evidence", LOGS, START)
    assert link.frozen(LOGS) == "link.fork"
    first = link.must_be_frozen(LOGS)
    assert not link.reset(BY, b"", LOGS, START)
    assert refused(link, link.reset, BY, b"", LOGS, START) == "link.second-person"
    assert link.frozen(LOGS) == "link.fork"
    assert link.reset(OTHER, b"", LOGS, START)
    assert link.frozen(LOGS) == ""
    link.freeze("link.fork", b"evidence", LOGS, START)  # again: who signed before has signed for the other one
    assert link.must_be_frozen(LOGS) == structs.replace(first, number=2)
    assert not link.reset(OTHER, b"", LOGS, START)


@pytest.mark.parametrize("logs", [(b"P" * 16, b"O" * 16), (b"O" * 16, b"N" * 16)])
def test_a_new_log_at_either_end_is_not_frozen(logs: Logs) -> None:
    link = PeerLink.begin("my", START)
    link.freeze("link.fork", b"evidence", LOGS, START)
    assert link.frozen(logs) == ""
    assert refused(link, link.reset, BY, b"", logs, START) == "link.not-frozen"
    link.freeze("link.rolled-back", b"evidence", logs, START)
    assert link.frozen(logs) == "link.rolled-back"


def test_receipts_and_rejections_are_facts() -> None:
    link = PeerLink.begin("my", START)
    link.receipt(b"L" * 16, 3, 12, digest("head"), ((2, 8, "section.seal"),), Signed(b"", b""), START)
    link.reject_frame("frame.seal", 40, START)
    _, receipted, rejected = link.collect_events()
    assert (receipted.upto, receipted.through, receipted.refused) == (3, 12, ((2, 8, "section.seal"),))
    assert (rejected.code, rejected.count) == ("frame.seal", 40)
    assert link.receipted == (b"L" * 16, 3, digest("head"))


# All


def test_nothing_is_decided_on_a_stream_that_a_newer_program_wrote() -> None:
    found = alert()
    newer = Unknown(
        originator_id=found.id,
        originator_version=2,
        timestamp=START,
        position=7,
        topic="rilon.alert.renamed.1",
        state=b"?",
    )
    with pytest.raises(UnavailableError) as caught:
        newer.mutate(found)
    assert caught.value.code == "log.newer-than-this-node"
    assert "state" not in repr(newer)


def test_no_repr_of_an_aggregate_tells_more_than_which_it_is() -> None:
    assert repr(alert()) == f"Alert({ITEM}, version=1)"
    assert lines_of(object()) == {}
