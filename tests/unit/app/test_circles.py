"""Circles: who is in one sees it and reaches it; nobody else learns that there is one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rilon.app.circle_desk import CharterDraft
from rilon.app.drafts import AudienceDraft
from rilon.app.follower import catch_up
from rilon.app.vault import Vault
from rilon.domain.book_file import format_book
from rilon.domain.circle import Circles, ref_of
from rilon.domain.rules import Rule, When
from rilon.domain.values import Effect, Purpose, Role, Sensitivity
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from tests.evidence import evidence_of
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, Person, World, acquaint, draft_of, memory_node, pump

END = NOW + timedelta(days=90)


def charter(*members: str, **changes: Any) -> CharterDraft:
    """A fictional charter."""
    facts: dict[str, Any] = {
        "kind": "operation",
        "name": "Operation Example",
        "charter": "Find the fictional boat.",
        "purpose": Purpose.INVESTIGATE_SMUGGLING,
        "themes": ("maritime",),
        "members": members,
        "ends": END,
    }
    return CharterDraft(**facts | changes)


async def nodes(*members: str, world: World = "real") -> list[MemoryNode]:
    made = [await memory_node(m, world=world) for m in members]
    await acquaint(*made)
    return made


async def convened(here: MemoryNode, person: Person, *members: str, **changes: Any) -> str:
    return (await here.desks.circles.convene(person.caller, charter(*members, **changes))).answer.decode()


async def members_of(node: MemoryNode, ref: str) -> tuple[str, ...] | None:
    """Who is in it, as this node's focal points see it; None: absent."""
    try:
        return (await node.desks.circles.read((await node.officer(Role.FOCAL_POINT)).caller, ref)).members
    except NotFoundError:
        return None


async def purged(node: MemoryNode) -> list[str]:
    """The circles that a look at the clock ends."""
    before = {e.originator_version for e in await node.events() if isinstance(e, Circles.Purged)}
    await catch_up(node.log, node.desks.circle_ends)
    await node.desks.circle_ends.tend()
    gone = [e for e in await node.events() if isinstance(e, Circles.Purged) and e.originator_version not in before]
    return [ref_of((await node.desks.work.read(Circles, e.originator_id)).chair, e.circle) for e in gone]


async def test_members_see_a_circle_and_others_see_nothing() -> None:
    th, my, sg = await nodes("th", "my", "sg")
    focal = await th.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my")
    assert await pump(th, my) == [""]
    assert await pump(th, sg) == []
    shown = await my.desks.circles.read((await my.officer()).caller, ref)
    assert (shown.name, shown.members, shown.state, shown.chair) == ("Operation Example", ("my", "th"), "live", "th")
    outsider = await sg.officer(Role.FOCAL_POINT)
    assert await sg.desks.circles.all(outsider.caller) == []
    told = []
    for asked in (ref, "th." + "0" * 32, "th.none", "atlantis." + "1" * 32):
        with pytest.raises(NotFoundError) as absent:
            await sg.desks.circles.read(outsider.caller, asked)
        told.append((absent.value.code, absent.value.message))
    assert len(set(told)) == 1
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        with pytest.raises(NotFoundError):
            await my.desks.circles.read((await my.officer(role)).caller, ref)
        with pytest.raises(RefusedError):
            await my.desks.circles.all((await my.officer(role)).caller)


async def test_the_log_of_a_member_names_neither_words_nor_members() -> None:
    th, my, _ = await nodes("th", "my", "sg")
    await convened(th, await th.officer(Role.FOCAL_POINT), "my", "sg", name="Canary name", charter="Canary words")
    await pump(th, my)
    stored = b"".join(bytes(row) for rows in [await my.log.page(0, 1000)] for row in [repr(rows).encode()])
    stored += b"".join(my.blobs.ciphertexts.values())
    assert b"Canary" not in stored
    written = [e for e in await my.events() if "circles" in type(e).TOPIC]
    assert "sg" not in repr([vars(e) for e in written if hasattr(e, "to")])


async def test_an_item_goes_to_the_members_of_that_moment() -> None:
    th, *_ = await nodes("th", "my", "sg")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    draft = draft_of("TIP-RECRUIT", "my", audience=AudienceDraft(circle=ref))
    assert (await th.desks.alerts.preview(author.caller, draft)).recipients == ("my",)
    item = await th.post(author, draft)
    await th.desks.circles.change(focal.caller, ref, 1, charter("my", "sg"))
    assert (await th.desks.alerts.preview(author.caller, draft)).recipients == ("my", "sg")
    assert {v.recipient for v in (await th.disclosure(item)).verdicts} == {"my"}


async def test_a_correction_reaches_a_joiner_only_when_the_chair_admitted_them() -> None:
    th, *_ = await nodes("th", "my", "sg")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    draft = draft_of("TIP-RECRUIT", "my", audience=AudienceDraft(circle=ref))
    item = await th.post(author, draft)

    async def corrected() -> set[str]:
        shown = await th.desks.alerts.preview(author.caller, draft, item)
        await th.desks.alerts.correct(author.caller, item, draft)
        verdicts = (await th.disclosure(item)).verdicts
        assert shown.matrix.verdicts == verdicts, "what the preview shows is what leaves"
        return {v.recipient for v in verdicts}

    await th.desks.circles.change(focal.caller, ref, 1, charter("my", "sg"))
    assert await corrected() == {"my"}
    await th.desks.circles.change(focal.caller, ref, 2, charter("my", "sg", admitted=("sg",)))
    assert await corrected() == {"my", "sg"}


async def test_an_older_item_takes_the_chairs_and_the_originators_act() -> None:
    th, my, sg = await nodes("th", "my", "sg")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    fields = draft_of("TIP-RECRUIT", "my", audience=AudienceDraft(circle=ref))
    item = await th.post(author, fields)
    approver = await th.approver()
    with pytest.raises(ConflictError) as waits:
        await th.desks.alerts.admit(author.caller, item)
    assert waits.value.code == "disclosure.waits"
    await th.approve(item, approver)
    await th.desks.circles.change(focal.caller, ref, 1, charter("my", "sg"))
    with pytest.raises(ConflictError) as nobody:
        await th.desks.alerts.admit(author.caller, item)
    assert nobody.value.code == "circle.nobody-new"
    await th.desks.circles.change(focal.caller, ref, 2, charter("my", "sg", admitted=("sg",)))
    await th.desks.alerts.admit(author.caller, item)
    await th.approve(item, approver)
    assert (await th.disclosure(item)).holders == ("my", "sg")
    assert not any(c for c in await pump(th, sg) if not c.startswith("withheld"))
    reader = await sg.officer()
    assert (
        await sg.desks.reading.open_(reader.caller, "th", item, Sensitivity.SUMMARY, Purpose.IDENTIFY_VICTIM)
    ).fields
    assert (await evidence_of(th)).verify().findings == ()
    with pytest.raises(ConflictError):
        await th.desks.alerts.admit(author.caller, item)
    assert await pump(th, my)
    book = format_book(await th.desks.rules.current(focal.caller)).encode()
    tried = await th.desks.rules.simulate(focal.caller, book, NOW - timedelta(days=1))
    assert (tried.disclosures, tried.changed) == (2, 0)


async def test_a_rule_for_a_circle_is_for_its_members_alone() -> None:
    th, *_ = await nodes("th", "my", "sg")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    rule = Rule("th.circle", Effect.ALLOW, "The circle agreed on it.", When(circles=frozenset({ref})))
    await th.publish(focal, rule)
    draft = draft_of("TIP-RECRUIT", "my", audience=AudienceDraft(circle=ref, members=("sg",)))
    shown = await th.desks.alerts.preview(author.caller, draft)
    carried = {c.recipient for c in shown.matrix.cells if "th.circle" in c.verdict.rules}
    assert carried <= {"my"}
    assert {f.rule for c in shown.matrix.cells if c.recipient == "my" for f in c.decision.findings} >= {"th.circle"}
    assert all(f.rule != "th.circle" for c in shown.matrix.cells if c.recipient == "sg" for f in c.decision.findings)


async def test_who_is_taken_off_learns_that_and_nothing_else() -> None:
    th, my, sg = await nodes("th", "my", "sg")
    focal = await th.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my", "sg")
    await pump(th, my)
    await pump(th, sg)
    await th.desks.circles.change(focal.caller, ref, 1, charter("my", name="A new secret"))
    await pump(th, my)
    assert await pump(th, sg) == [""]
    assert await members_of(my, ref) == ("my", "th")
    assert await members_of(sg, ref) is None
    assert await purged(sg) == [ref]
    assert await purged(sg) == []
    await th.desks.circles.change(focal.caller, ref, 2, charter("my", "sg"))
    assert await pump(th, sg) == [""]
    assert await members_of(sg, ref) == ("my", "sg", "th")


async def test_who_is_taken_in_again_while_the_keys_go_stays_in(monkeypatch: pytest.MonkeyPatch) -> None:
    th, _, sg = await nodes("th", "my", "sg")
    focal = await th.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my", "sg")
    await pump(th, sg)
    await th.desks.circles.change(focal.caller, ref, 1, charter("my"))
    await pump(th, sg)
    erase = Vault.erase

    async def slowly(self: Vault, slots: Iterable[bytes]) -> None:
        await erase(self, slots)
        monkeypatch.undo()
        await th.desks.circles.change(focal.caller, ref, 2, charter("my", "sg"))
        await pump(th, sg)
        await catch_up(sg.log, sg.desks.circle_ends)

    monkeypatch.setattr(Vault, "erase", slowly)
    assert await purged(sg) == []
    assert await members_of(sg, ref) == ("my", "sg", "th")
    await th.desks.circles.change(focal.caller, ref, 3, charter("my"))
    await pump(th, sg)
    assert await purged(sg) == [ref]


async def test_a_member_that_was_away_gets_the_newest_version_only() -> None:
    th, my, sg = await nodes("th", "my", "sg")
    focal = await th.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my", "sg")
    await th.desks.circles.change(focal.caller, ref, 1, charter("my"))
    await th.desks.circles.change(focal.caller, ref, 2, charter("my", ends=END + timedelta(days=1)))
    assert await pump(th, sg) == ["withheld.superseded", ""]
    assert await members_of(sg, ref) is None
    assert await pump(th, my) == ["withheld.superseded", "withheld.superseded", ""]
    assert await members_of(my, ref) == ("my", "th")


async def test_a_circle_ends_by_the_clock_alone() -> None:
    th, _ = await nodes("th", "my")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    th.clock.at = END
    assert (await th.desks.circles.read(focal.caller, ref)).state == "ended"
    for desk in (th.desks.alerts.preview, th.desks.alerts.post):
        with pytest.raises(InvalidError) as over:
            await desk(author.caller, draft_of("TIP-RECRUIT", "my", audience=AudienceDraft(circle=ref)))  # type: ignore[operator]
        assert over.value.code == "circle.unknown"
    with pytest.raises(ConflictError) as ended:
        await th.desks.circles.change(focal.caller, ref, 1, charter("my"))
    assert ended.value.code == "circle.ended"


async def test_nothing_goes_to_a_circle_whose_chair_nobody_trusts_any_more() -> None:
    th, my, _ = await nodes("th", "my", "sg")
    ref = await convened(th, await th.officer(Role.FOCAL_POINT), "my", "sg")
    await pump(th, my)
    author, draft = await my.officer(), draft_of("GOOD-PRACTICE", "sg", audience=AudienceDraft(circle=ref))
    assert (await my.desks.alerts.preview(author.caller, draft)).recipients == ("sg", "th")
    await my.desks.directory.revoke((await my.officer(Role.FOCAL_POINT)).caller, "th")
    for desk in (my.desks.alerts.preview, my.desks.alerts.post):
        with pytest.raises(InvalidError) as refused:
            await desk(author.caller, draft)  # type: ignore[operator]
        assert (refused.value.code, refused.value.field) == ("circle.chair", "audience.circle")
    own = await convened(my, await my.officer(Role.FOCAL_POINT), "sg")
    again = draft_of("GOOD-PRACTICE", "sg", audience=AudienceDraft(circle=own))
    assert (await my.desks.alerts.preview(author.caller, again)).recipients == ("sg",)


async def test_a_consultation_lives_by_both_co_chairs_and_closes_with_a_note() -> None:
    id_, au, th = await nodes("id", "au", "th")
    focal, second = await id_.officer(Role.FOCAL_POINT), await au.officer(Role.FOCAL_POINT)
    ref = await convened(id_, focal, "au", "th", kind="consultation")
    assert (await pump(id_, th), await pump(id_, au)) == ([], [""])
    assert await members_of(th, ref) is None
    assert (await au.desks.circles.read(second.caller, ref)).state == "proposed"
    with pytest.raises(ConflictError):
        await id_.desks.circles.consent(focal.caller, ref)
    await au.desks.circles.consent(second.caller, ref)
    assert await pump(au, id_) == [""]
    assert (await pump(id_, th), await pump(id_, au)) == ([""], [""])
    for node in (id_, au, th):
        shown = await node.desks.circles.read((await node.officer()).caller, ref)
        assert (shown.state, shown.signed_by) == ("live", ("id", "au"))
    await id_.desks.circles.close(focal.caller, ref, "A fictional outcome.")
    assert await pump(id_, th) == [""]
    shown = await th.desks.circles.read((await th.officer()).caller, ref)
    assert (shown.state, shown.outcome) == ("closed", "A fictional outcome.")


async def test_an_exercise_is_marked_and_purged_at_its_end() -> None:
    th, my = await nodes("th", "my", world="exercise")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    await pump(th, my)
    assert (await my.desks.circles.read((await my.officer()).caller, ref)).exercise
    item = await th.post(author, draft_of("TIP-RECRUIT", "my", audience=AudienceDraft(circle=ref)))
    assert (await th.desks.reading._work.read(_alert(), item)).edition.expires_at <= END
    assert await purged(my) == []
    my.clock.at = END
    assert await purged(my) == [ref]
    assert await members_of(my, ref) is None


async def test_an_exercise_that_is_closed_early_takes_along_what_was_posted_to_it() -> None:
    th, my = await nodes("th", "my", world="exercise")
    focal, author = await th.officer(Role.FOCAL_POINT), await th.officer()
    ref = await convened(th, focal, "my")
    ours = await th.post(author, draft_of("GOOD-PRACTICE", "my", audience=AudienceDraft(circle=ref)))
    other = await th.post(author, draft_of("GOOD-PRACTICE", "my"))
    await pump(th, my)
    reader, read = await my.officer(), my.desks.reading.open_
    assert (await read(reader.caller, "th", ours, Sensitivity.SUMMARY, Purpose.BORDER_DECISION)).fields
    await th.desks.circles.close(focal.caller, ref, "A fictional outcome.")
    assert await purged(th) == []
    await pump(th, my)
    assert await purged(my) == []
    assert (await my.desks.circles.read(reader.caller, ref)).outcome == "A fictional outcome."
    for node, person in ((th, author), (my, reader)):
        with pytest.raises((NotFoundError, RefusedError)):
            await node.desks.reading.open_(person.caller, "th", ours, Sensitivity.SUMMARY, Purpose.BORDER_DECISION)
        found = node.desks.reading.open_(person.caller, "th", other, Sensitivity.SUMMARY, Purpose.BORDER_DECISION)
        assert (await found).fields
    th.clock.at = my.clock.at = END
    assert (await purged(th), await purged(my)) == ([ref], [ref])
    assert (await evidence_of(th)).verify().findings == ()


def _alert() -> Any:
    from rilon.domain.alert import Alert

    return Alert


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"members": ("atlantis",)}, "member.unknown"),
        ({"members": ("th",)}, "circle.alone"),
        ({"members": ("sg",)}, "circle.unverified"),
        ({"admitted": ("sg",)}, "circle.admitted"),
        ({"themes": ("gossip",)}, "circle.theme"),
        ({"ends": NOW}, "circle.ends"),
        ({"ends": NOW + timedelta(days=9999)}, "circle.ends"),
        ({"kind": "consultation"}, "circle.co-chair"),
        ({"name": "two\nlines"}, "text.lines"),
    ],
)
async def test_what_is_wrong_with_a_charter_is_named(changes: dict[str, Any], code: str) -> None:
    (th, _), focal = await nodes("th", "my"), None
    focal = await th.officer(Role.FOCAL_POINT)
    before = await th.stored()
    with pytest.raises(Exception, match=code) as refused:
        await th.desks.circles.convene(focal.caller, charter(**{"members": ("my",)} | changes))
    assert refused.value.code == code  # type: ignore[attr-defined]
    assert await th.stored() == before


async def test_only_the_chairs_focal_points_write() -> None:
    th, my = await nodes("th", "my")
    focal = await th.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my")
    await pump(th, my)
    with pytest.raises(RefusedError):
        await th.desks.circles.change((await th.officer()).caller, ref, 1, charter("my"))
    with pytest.raises(NotFoundError):
        await my.desks.circles.change((await my.officer(Role.FOCAL_POINT)).caller, ref, 1, charter("th"))
    with pytest.raises(ConflictError) as behind:
        await th.desks.circles.change(focal.caller, ref, 2, charter("my"))
    assert behind.value.code == "circle.version"
    assert UUID(hex=ref.partition(".")[2])


async def test_a_member_leaves_by_itself_and_the_chair_writes_on_without_it() -> None:
    th, my, sg = await nodes("th", "my", "sg")
    focal, leaver = await th.officer(Role.FOCAL_POINT), await my.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my", "sg", admitted=("my",))
    await pump(th, my)
    with pytest.raises(RefusedError):
        await my.desks.circles.leave((await my.officer()).caller, ref)
    await my.desks.circles.leave(leaver.caller, ref)
    assert await members_of(my, ref) is None
    assert await purged(my) == [ref]
    await th.desks.circles.change(focal.caller, ref, 1, charter("my", "sg", name="Written before the chair heard"))
    assert await pump(th, my) == [""]
    assert await members_of(my, ref) is None, "nothing that was under way brings it back"
    assert await pump(my, th) == [""]
    assert await members_of(th, ref) == ("sg", "th")
    assert (await th.desks.circles.read(focal.caller, ref)).version == 3
    assert await pump(th, my) == [""]
    assert "" in await pump(th, sg)
    assert await members_of(sg, ref) == ("sg", "th")
    await th.desks.circles.change(focal.caller, ref, 3, charter("my", "sg"))
    await pump(th, my)
    assert await members_of(my, ref) == ("my", "sg", "th"), "the chair may ask it in again"


async def test_who_leaves_and_is_taken_off_at_once_is_out_and_nobody_is_blamed() -> None:
    th, my = await nodes("th", "my")
    focal, leaver = await th.officer(Role.FOCAL_POINT), await my.officer(Role.FOCAL_POINT)
    ref = await convened(th, focal, "my")
    await pump(th, my)
    await my.desks.circles.leave(leaver.caller, ref)
    await th.desks.circles.close(focal.caller, ref, "Over, invented.")
    assert await pump(my, th) == [""]
    assert (await th.desks.circles.read(focal.caller, ref)).version == 2, "after a closing note nothing follows"
    await pump(th, my)
    assert await members_of(my, ref) is None
    again = await convened(th, focal, "my")
    await pump(th, my)
    await my.desks.circles.leave(leaver.caller, again)
    assert await pump(my, th) == [""]
    assert await members_of(th, again) == ("th",), "the chair stands alone until it closes the circle"
    await th.desks.circles.close(focal.caller, again, "All others have left, invented.")


async def test_a_chair_and_a_co_chair_stay_and_are_told_what_to_do_instead() -> None:
    id_, au, th = await nodes("id", "au", "th")
    focal, other = await id_.officer(Role.FOCAL_POINT), await au.officer(Role.FOCAL_POINT)
    ref = await convened(id_, focal, "au", "th", kind="consultation")
    await pump(id_, au)
    await au.desks.circles.consent(other.caller, ref)
    await pump(au, id_)
    await pump(id_, au)
    for node, person, code in ((id_, focal, "circle.chair-stays"), (au, other, "circle.co-chair-stays")):
        with pytest.raises(ConflictError) as told:
            await node.desks.circles.leave(person.caller, ref)
        assert (told.value.code, told.value.fix[:5]) == (code, "Close" if person is focal else "Ask t")
    await pump(id_, th)
    await th.desks.circles.leave((await th.officer(Role.FOCAL_POINT)).caller, ref)
    await pump(th, id_)
    shown = await id_.desks.circles.read(focal.caller, ref)
    assert (shown.members, shown.signed_by, shown.state) == (("au", "id"), ("id", "au"), "live")
