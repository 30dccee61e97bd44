"""Who of one's own Member may read an item, who may change it, and who is told that it exists at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from rilon.app.alert_desk import AlertDesk
from rilon.app.drafts import AlertDraft
from rilon.app.notices import Notices
from rilon.domain.handling import Tlp
from rilon.domain.values import Purpose, Role, Sensitivity
from rilon.errors import NotFoundError, RilonError
from rilon.front.views import BoardFilter
from tests.fakes.memory_views import MemoryViews
from tests.nodes import MemoryNode, Person, acquaint, draft_of, memory_node, pump

WHY = Purpose.INVESTIGATE_TRAFFICKING


async def refused(attempt: Awaitable[object]) -> str:
    with pytest.raises(RilonError) as caught:
        await attempt
    return caught.value.code


async def board(node: MemoryNode, who: Person) -> dict[UUID, Any]:
    views = MemoryViews()
    await views.apply(await node.log.page(0, 1_000_000))
    lines = await views.board(who.caller, node.clock.now(), BoardFilter(), None, 50)
    return {line.item: line for line in lines}


async def opens(node: MemoryNode, who: Person, item: UUID, some: Sensitivity = Sensitivity.NOMINAL) -> bool:
    try:
        await node.desks.reading.open_(who.caller, "th", item, some, WHY)
    except NotFoundError:
        return False
    return True


@pytest.fixture
async def th() -> MemoryNode:
    th, id_ = await memory_node("th"), await memory_node("id")
    await acquaint(th, id_)
    return th


def changes(desk: AlertDesk, who: Person, item: UUID, draft: AlertDraft) -> list[Callable[[], Awaitable[object]]]:
    return [
        lambda: desk.correct(who.caller, item, draft),
        lambda: desk.withdraw(who.caller, item, "It was nothing."),
        lambda: desk.close(who.caller, item, "done"),
    ]


@pytest.mark.parametrize(
    ("tlp", "agency", "elsewhere"),
    [
        (Tlp.RED, False, False),
        (Tlp.AMBER_STRICT, True, False),
        (Tlp.AMBER, True, False),
        (Tlp.GREEN, True, True),
    ],
)
async def test_unless_its_author_says_more_an_item_is_for_as_few_as_its_mark_says(
    th: MemoryNode, tlp: Tlp, agency: bool, elsewhere: bool
) -> None:
    author, near = await th.officer(), await th.officer(desk="airport")
    far, focal = await th.officer(agency="police"), await th.officer(Role.FOCAL_POINT, agency="ministry")
    item = await th.post(author, draft_of("TIP-RECRUIT", "id", handling={"tlp": tlp}))
    for who, may in ((author, True), (near, agency), (far, elsewhere), (focal, True)):
        assert (item in await board(th, who)) is may
        assert (await opens(th, who, item)) is may
    assert await opens(th, far, item, Sensitivity.SUMMARY) is elsewhere


async def test_the_duty_desk_of_another_agency_is_another_desk(th: MemoryNode) -> None:
    item = await th.post(await th.officer(), draft_of("TIP-RECRUIT", "id", handling={"tlp": Tlp.RED}))
    assert not await opens(th, await th.officer(agency="police"), item)
    assert not await opens(th, await th.officer(agency="police", desk="immigration:duty"), item)
    assert await opens(th, await th.officer(), item)


async def test_protection_officers_read_own_items_with_sections_of_theirs_only(th: MemoryNode) -> None:
    author, protection = await th.officer(), await th.officer(Role.PROTECTION, agency="welfare")
    victim = await th.post(author, draft_of("VIC-REFER", "id"))
    other = await th.post(author, draft_of("TIP-RECRUIT", "id"))
    assert await opens(th, protection, victim, Sensitivity.VICTIM)
    assert not await opens(th, protection, other)


async def test_who_may_not_read_an_item_can_do_nothing_to_it_and_learns_nothing(th: MemoryNode) -> None:
    author, far = await th.officer(), await th.officer(agency="police")
    draft = draft_of("TIP-RECRUIT", "id")
    item, before = await th.post(author, draft), await th.stored()
    for attempt, absent in zip(
        changes(th.desks.alerts, far, item, draft), changes(th.desks.alerts, far, UUID(int=4), draft), strict=True
    ):
        assert await refused(attempt()) == await refused(absent()) == NotFoundError().code
    assert await refused(th.desks.reading.must_know(far.caller, item)) == NotFoundError().code
    assert (await th.stored())[:2] == before[:2]


async def test_its_author_their_desk_and_the_focal_points_change_it(th: MemoryNode) -> None:
    author, near = await th.officer(), await th.officer(desk="airport")
    draft, desk = draft_of("TIP-RECRUIT", "id"), th.desks.alerts
    item = await th.post(author, draft)
    for attempt in changes(desk, near, item, draft):
        assert await refused(attempt()) == "alert.not-yours"
    colleague, focal = await th.officer(), await th.officer(Role.FOCAL_POINT, agency="ministry")
    await desk.correct(colleague.caller, item, draft)
    assert await opens(th, author, item)
    await desk.withdraw(focal.caller, item, "It was nothing.")


async def test_notices_of_own_items_reach_their_readers(th: MemoryNode) -> None:
    author, near, far = await th.officer(), await th.officer(), await th.officer(agency="police")
    await th.post(author, draft_of("TIP-RECRUIT", "id"))
    notices = Notices(th.desks.work)
    heard = [
        a for r in await th.log.page(0, 1_000_000) if (a := await notices.of(r)) and a.notice.about == "item.posted"
    ]
    assert [(a.concerns(near.caller), a.concerns(far.caller)) for a in heard] == [(True, False)]


async def test_an_author_names_other_readers_and_refers_it_to_more(th: MemoryNode) -> None:
    author, far, farther = await th.officer(), await th.officer(agency="police"), await th.officer(agency="customs")
    draft = draft_of("TIP-RECRUIT", "id")
    audience = draft.audience
    named = msgspec.structs.replace(draft, audience=_home(audience, "agency:police"))
    item = await th.post(author, named)
    assert (await opens(th, far, item), await opens(th, farther, item)) == (True, False)
    assert not await opens(th, await th.officer(desk="airport"), item)
    assert (
        await refused(th.desks.reading.refer(far.caller, "th", item, frozenset({"agency:customs"})))
        == "alert.not-yours"
    )
    await th.desks.reading.refer(author.caller, "th", item, frozenset({"agency:customs"}))
    assert (await opens(th, far, item), await opens(th, farther, item), await opens(th, author, item)) == (
        False,
        True,
        True,
    )
    assert item in await board(th, farther)
    assert item not in await board(th, far)
    await th.desks.alerts.correct(author.caller, item, named)
    assert (await opens(th, far, item), await opens(th, farther, item)) == (True, False)


def _home(audience: Any, *readers: str) -> Any:
    return msgspec.structs.replace(audience, home=readers)


async def test_readers_at_home_are_no_wider_than_the_mark(th: MemoryNode) -> None:
    author = await th.officer()
    draft = draft_of("AIR-TRAVELLER", "id")
    wide = msgspec.structs.replace(draft, audience=_home(draft.audience, "agency:police"))
    assert await refused(th.desks.alerts.post(author.caller, wide)) == "audience.readers"
    item = await th.post(author, draft)
    refer = th.desks.reading.refer
    assert await refused(refer(author.caller, "th", item, frozenset({"agency:police"}))) == "audience.readers"
    await refer(author.caller, "th", item, frozenset({"desk:police:duty"}))
    assert await opens(th, await th.officer(agency="police"), item)


async def test_a_focal_point_narrows_what_another_member_sent() -> None:
    th, id_ = await memory_node("th"), await memory_node("id")
    await acquaint(th, id_)
    author, signer = await th.officer(), await th.approver()
    item = await th.post(author, draft_of("TIP-RECRUIT", "id"))
    await th.approve(item, signer)
    await pump(th, id_)
    near, far, focal = await id_.officer(), await id_.officer(agency="police"), await id_.officer(Role.FOCAL_POINT)
    refer, police = id_.desks.reading.refer, frozenset({"agency:police"})
    assert await refused(refer(near.caller, "th", item, police)) == "item.refer"
    assert item in await board(id_, near)
    await refer(focal.caller, "th", item, police)
    for who, may in ((near, False), (far, True), (focal, True)):
        assert (item in await board(id_, who)) is may
        assert (await opens(id_, who, item)) is may
    assert await refused(refer(near.caller, "th", item, police)) == NotFoundError().code
    assert await refused(id_.desks.reading.acknowledge(near.caller, "th", item)) == NotFoundError().code


async def test_a_line_says_what_may_be_done_with_it_and_when_its_review_is_due(th: MemoryNode) -> None:
    author = await th.officer()
    review = th.clock.now() + timedelta(days=3)
    marks = {"pap": "PAP:RED", "caveats": ["ORCON"], "review_by": review.isoformat()}
    item = await th.post(author, draft_of("TIP-RECRUIT", "id", handling=marks))
    line = (await board(th, author))[item]
    assert (line.pap, line.review_at, line.review_due) == ("PAP:RED", review, False)
    assert "ORCON" in line.caveats
    th.clock.forward(days=3)
    assert (await board(th, author))[item].review_due
    await th.desks.alerts.close(author.caller, item, "done")
    assert not (await board(th, author))[item].review_due


async def test_nothing_is_posted_under_an_embargo(th: MemoryNode) -> None:
    author, ends = await th.officer(), th.clock.now() + timedelta(days=2)
    draft = draft_of("TIP-RECRUIT", "id", handling={"embargo_until": ends.isoformat()})
    assert await refused(th.desks.alerts.preview(author.caller, draft)) == "handling.embargo"
    assert await refused(th.desks.alerts.post(author.caller, draft)) == "handling.embargo"
    th.clock.forward(days=2)
    await th.post(author, draft)
