"""What a reader learns of the life of an item here: all of what is theirs, nothing of what is not."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from rilon.domain.alert import Alert, Ending, ErasedSection
from rilon.domain.base import Event
from rilon.domain.clocks import Due, Pause, Told
from rilon.domain.closing import ClosedSection, Closing
from rilon.domain.happened import happened
from rilon.domain.holding import Holding
from rilon.domain.permissions import Caller
from rilon.domain.values import Purpose, Role, Sensitivity
from tests.fakes.histories import START, digest, edition, held, sealed, sections

ITEM = UUID(int=9)
WHY = Purpose.IDENTIFY_VICTIM
OFFICER = Caller("a" * 32, frozenset({Role.OFFICER}), "navy", "d1")
PROTECTION = Caller("b" * 32, frozenset({Role.OFFICER, Role.PROTECTION}), "navy", "d1")
ELSEWHERE = Caller("c" * 32, frozenset({Role.OFFICER}), "police", "d9")
NOMINAL, VICTIM = Sensitivity.NOMINAL, Sensitivity.VICTIM


def whole_life() -> list[Event]:
    """One version, recalled but for its summary; then a second; and all that is done with an item."""
    first = held(ITEM, 1, readers=("agency:navy",), sections=sections(ITEM, (Sensitivity.SUMMARY, NOMINAL, VICTIM)))
    second = held(ITEM, 2, 0, 1, readers=("entitled",))
    found = Holding.grant("th", ITEM, first, START)
    found.open_(OFFICER, NOMINAL, WHY, START)
    found.acknowledge(first, OFFICER.ref, START)
    found.reply(first, PROTECTION.ref, "reply.hit", sealed("words"), START)
    found.refer(OFFICER.ref, ("agency:navy",), START)
    for sensitivity in (NOMINAL, VICTIM):
        found.recall(first.digest, sensitivity, START)
        closed = (ClosedSection(digest("slot"), sensitivity, (1,), 0),)
        found.close(Closing(first.digest, closed, (), b"", digest("closing")), START)
        found.destroy(first.digest, b"", digest("closing"), START)
    found.grant_more(second, START)
    found.supersede(first.digest, second.digest, START)
    found.trigger_event(Holding.Paused, manifest=first.digest, by=OFFICER.ref, why=Pause.COURT, to={}, timestamp=START)
    found.trigger_event(Holding.Resumed, manifest=first.digest, by=OFFICER.ref, to={}, timestamp=START)
    found.escalate(first.digest, Due.ANSWER, Told.DUTY_DESK, START)
    found.remind(b"O" * 16, first.digest, digest("release"), START)
    found.end("withdrawn", START + timedelta(1))
    return list(found.collect_events())


def told(caller: Caller) -> list[tuple[object, ...]]:
    return [(h.what, h.by[:1], h.version, *h.sections) for h in happened(whole_life(), caller)]


ALIKE = [
    ("granted", "", 2, "summary", "nominal"),
    ("superseded", "", 1),
    ("paused", "a", 0),
    ("resumed", "a", 0),
    ("escalated", "", 0),
    ("reminded", "", 0),
    ("ended", "", 0),
]


def test_a_reader_learns_of_every_event_that_is_about_what_was_granted_to_them() -> None:
    assert told(OFFICER) == [
        ("granted", "", 1, "summary", "nominal"),
        ("opened", "a", 0, "nominal"),
        ("acknowledged", "a", 0),
        ("replied", "b", 0),
        ("referred", "a", 0),
        ("recalled", "", 1, "nominal"),
        ("sections-closed", "", 0, "nominal"),
        ("sections-destroyed", "", 0, "nominal"),
        *ALIKE,
    ]


def test_sections_that_a_reader_may_not_open_do_not_exist_for_them_and_openings_of_others_have_no_name() -> None:
    found = told(PROTECTION)
    assert ("granted", "", 1, "summary", "nominal", "victim") in found
    assert ("opened", "", 0, "nominal") in found
    assert [each for each in found if "victim" in each[3:]][1:] == [
        ("recalled", "", 1, "victim"),
        ("sections-closed", "", 0, "victim"),
        ("sections-destroyed", "", 0, "victim"),
    ]
    assert ("sections-destroyed", "", 0, "nominal") in found
    assert not any("victim" in each for each in told(OFFICER))


def test_of_one_version_each_learns_of_the_sections_that_were_granted_to_them() -> None:
    """A victim's section goes to the rescue desk alone, the rest of the same version to everybody entitled."""
    wide = held(ITEM, 1, readers=("entitled",), sections=sections(ITEM, (Sensitivity.SUMMARY,)))
    narrow = held(ITEM, 1, readers=("desk:navy:d7",), sections=sections(ITEM, (VICTIM, Sensitivity.ATTACHMENT)))
    rescue = Caller("e" * 32, PROTECTION.roles, "navy", "d7")
    found = Holding.grant("th", ITEM, wide, START)
    found.grant_more(narrow, START)
    found.open_(rescue, VICTIM, WHY, START)
    found.arrive(narrow.digest, 1, START)
    events = found.collect_events()
    assert [each.what for each in happened(events, PROTECTION)] == ["granted"]
    assert [each.what for each in happened(events, rescue)] == ["granted", "granted", "opened", "arrived"]


def test_a_version_that_was_not_for_them_leaves_no_trace() -> None:
    found = told(ELSEWHERE)
    assert found[:3] == [("acknowledged", "a", 0), ("replied", "b", 0), ("referred", "a", 0)]
    assert found[3:] == [each for each in ALIKE if each[0] != "superseded"]
    assert all(each.text is None for each in happened(whole_life(), ELSEWHERE))


def test_what_a_file_was_is_told_to_those_who_open_files() -> None:
    first = held(ITEM, 1, readers=("entitled",), sections=sections(ITEM, (Sensitivity.SUMMARY, Sensitivity.ATTACHMENT)))
    found = Holding.grant("th", ITEM, first, START)
    found.arrive(first.digest, 1, START)
    events = found.collect_events()
    assert "arrived" in {each.what for each in happened(events, OFFICER)}
    auditor = Caller("d" * 32, frozenset({Role.AUDITOR}), "navy", "d1")
    assert happened(events, auditor) == []


def test_what_never_came_and_what_is_not_known_yet_tell_nothing() -> None:
    barred = Holding.bar("th", ITEM, digest("manifest"), START)
    assert happened([*barred.collect_events(), object()], OFFICER) == []  # type: ignore[list-item]


def own_life() -> list[Event]:
    """Posted, read, corrected, warned about, referred and withdrawn; then ordered to go, in part and whole."""
    some = (Sensitivity.SUMMARY, NOMINAL, VICTIM)
    first, second = (edition(ITEM, n, sections=sections((ITEM, n), some)) for n in (1, 2))
    found = Alert.post(ITEM, OFFICER.ref, "desk:navy:d1", first, START)
    found.open_(PROTECTION.ref, VICTIM, WHY, START)
    found.open_(OFFICER.ref, NOMINAL, WHY, START)
    found.correct(PROTECTION.ref, second, ("my",), START)
    found.note_erased(tuple(ErasedSection(1, s.sensitivity, s.sealed.slot) for s in first.sections), START)
    found.warn(Ending.REVIEW, START)
    found.refer(OFFICER.ref, ("agency:navy",), START)
    found.withdraw(OFFICER.ref, sealed("why"), ("my",), START)
    found.order_erasure(OFFICER.ref, "mistake", sealed("why"), VICTIM, START)
    found.order_erasure(None, "exercise", sealed("why"), None, START)
    found.note_erased(found.over(START), START)
    return list(found.collect_events())


def own(caller: Caller) -> list[tuple[object, ...]]:
    return [(h.what, h.by[:1], h.version, h.code, *h.sections) for h in happened(own_life(), caller)]


def test_of_an_item_of_ours_a_reader_learns_what_became_of_each_version() -> None:
    assert own(OFFICER) == [
        ("posted", "a", 1, ""),
        ("opened", "a", 0, WHY, "nominal"),
        ("superseded", "b", 1, ""),
        ("sections-erased", "", 1, "", "summary", "nominal"),
        ("warned", "", 2, "review"),
        ("referred", "a", 0, ""),
        ("ended", "a", 0, "withdrawn"),
        ("sections-erased", "", 2, "", "summary", "nominal"),
    ]


def test_of_an_item_of_ours_sections_that_a_reader_may_not_open_do_not_exist_either() -> None:
    found = own(PROTECTION)
    assert ("opened", "b", 0, WHY, "victim") in found
    assert ("opened", "", 0, WHY, "nominal") in found
    assert ("erase-ordered", "a", 0, "", "victim") in found
    assert ("sections-erased", "", 2, "", "summary", "nominal", "victim") in found
    assert not any("victim" in each for each in own(OFFICER))


def test_of_a_version_of_ours_that_was_not_theirs_a_reader_learns_nothing_but_that_it_was() -> None:
    """A correction takes names out and lets more people read: who comes then must not learn whose names they were."""
    first = edition(ITEM, 1, readers=("agency:navy",), sections=sections(ITEM, (Sensitivity.SUMMARY, NOMINAL)))
    second = edition(ITEM, 2, readers=("entitled",), sections=sections((ITEM, 2), (Sensitivity.SUMMARY,)))
    third = edition(ITEM, 3, readers=("agency:navy",), sections=sections((ITEM, 3), (Sensitivity.SUMMARY, NOMINAL)))
    found = Alert.post(ITEM, OFFICER.ref, "desk:navy:d1", first, START)
    found.open_(OFFICER.ref, NOMINAL, WHY, START)
    found.order_erasure(OFFICER.ref, "mistake", sealed("why"), NOMINAL, START)
    found.correct(OFFICER.ref, second, ("my",), START)
    found.note_erased(found.over(START), START)
    found.correct(OFFICER.ref, third, ("my",), START)
    found.open_(OFFICER.ref, NOMINAL, WHY, START)
    found.refer(OFFICER.ref, ("agency:police",), START)
    found.open_(OFFICER.ref, NOMINAL, WHY, START)
    events = found.collect_events()
    said = [(h.what, h.version, *h.sections) for h in happened(events, ELSEWHERE)]
    versions = [("posted", 1), ("superseded", 1), ("superseded", 2)]
    assert said == [*versions, ("referred", 0), ("opened", 0, "nominal")]
    assert sum(h.what == "opened" for h in happened(events, OFFICER)) == 3


def test_an_item_of_ours_that_was_found_again_says_so_and_what_contradicts_it() -> None:
    found = Alert.recover(ITEM, edition(ITEM, 2), START)
    found.recover_edition(edition(ITEM, 1), START)
    found.recover_edition(edition(ITEM, 2, digest=digest("other")), START)
    found.close(OFFICER.ref, "resolved", (), START)
    said = [(h.what, h.version, h.code) for h in happened(found.collect_events(), OFFICER)]
    assert said == [("recovered", 2, ""), ("recovered", 1, ""), ("forked", 2, ""), ("ended", 0, "closed")]
