"""Vital interest: a victim's section goes to a named rescue desk at once, and two people look afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import structs

from rilon.app.drafts import AlertDraft
from rilon.app.follower import catch_up
from rilon.domain.clocks import REVIEW_WITHIN
from rilon.domain.disclosure import Disclosure
from rilon.domain.rules import Rule, When
from rilon.domain.values import Effect, Purpose, Role, Sensitivity, Urgency
from rilon.errors import InvalidError, NotFoundError, RilonError
from rilon.projections.approvals import Approval
from tests.fakes.memory_views import MemoryViews
from tests.nodes import MemoryNode, acquaint, draft_of, memory_node, pump

DESK = "desk:navy:rescue"
VICTIM, NOMINAL, SUMMARY = Sensitivity.VICTIM, Sensitivity.NOMINAL, Sensitivity.SUMMARY


def drowning(**audience: Any) -> AlertDraft:
    draft = draft_of("VIC-REFER", "id", "my", urgency=Urgency.LIFE_AT_RISK)
    return structs.replace(draft, audience=structs.replace(draft.audience, rescue={"id": DESK}, **audience))


@pytest.fixture
async def th() -> MemoryNode:
    return await memory_node("th")


@pytest.fixture
async def id_(th: MemoryNode) -> MemoryNode:
    there, my = await memory_node("id", seed=1), await memory_node("my", seed=2)
    await acquaint(th, there, my)
    return there


async def released(node: MemoryNode, basis: str) -> dict[tuple[str, Sensitivity], bool]:
    events = [e for e in await node.events() if isinstance(e, Disclosure.Released) and e.basis == basis]
    return {cell.key: cell.break_glass for e in events for cell in e.cells}


async def test_the_rescue_desk_has_the_victims_section_at_once_and_nobody_else_does(
    th: MemoryNode, id_: MemoryNode
) -> None:
    author = await th.officer()
    item = await th.post(author, drowning())
    glass = await released(th, "break-glass")
    assert {key for key in glass if key[1] is not SUMMARY} == {("id", VICTIM)}
    assert await pump(th, id_) == [""] * len([member for member, _ in glass if member == "id"])
    rescuer = await id_.approver(Role.OFFICER, Role.PROTECTION)
    at_desk = structs.replace(rescuer.caller, agency="navy", desk="rescue")
    opened = await id_.desks.reading.open_(at_desk, "th", item, VICTIM, Purpose.PROTECT_AND_REFER)
    assert opened
    elsewhere = structs.replace(rescuer.caller, agency="police", desk="rescue")
    for caller, what in ((elsewhere, VICTIM), (at_desk, NOMINAL)):
        with pytest.raises(NotFoundError):
            await id_.desks.reading.open_(caller, "th", item, what, Purpose.PROTECT_AND_REFER)


async def test_two_people_review_within_a_day(th: MemoryNode, id_: MemoryNode) -> None:
    del id_
    author, one, two = await th.officer(), await th.approver(), await th.approver()
    item, desk = await th.post(author, drowning()), th.desks.disclosures
    (row,) = [a for a in await queue(th) if a.item == item]
    assert (row.reviews, row.review_by) == (2, th.clock.at + REVIEW_WITHIN)
    await desk.review(one.caller, item, sound=True)
    with pytest.raises(RilonError, match=r"disclosure\.second-person"):
        await desk.review(one.caller, item, sound=True)
    (row,) = [a for a in await queue(th) if a.item == item]
    assert (row.reviews, row.review_since) == (1, th.clock.at)
    await desk.review(two.caller, item, sound=True)
    assert (await th.disclosure(item)).reviews_due == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"urgency": Urgency.HIGH}, "audience.rescue"),
        ({"members": ("my",)}, "audience.rescue"),
        ({"rescue": {"id": "agency:navy"}}, ""),
    ],
)
async def test_a_rescue_desk_is_one_desk_of_an_addressee_for_a_life_at_risk(
    th: MemoryNode, id_: MemoryNode, changes: dict[str, Any], code: str
) -> None:
    del id_
    author, draft = await th.officer(), drowning()
    audience = {k: v for k, v in changes.items() if k != "urgency"}
    wrong = structs.replace(
        draft, urgency=changes.get("urgency", draft.urgency), audience=structs.replace(draft.audience, **audience)
    )
    if not code:  # what no rescue desk is does not even parse
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(msgspec.json.encode(wrong), type=AlertDraft)
        return
    before = await th.stored()
    with pytest.raises(InvalidError, match=code.replace(".", r"\.")):
        await th.post(author, wrong)
    assert await th.stored() == before


async def test_who_may_have_to_flee_is_not_shown_even_then(th: MemoryNode, id_: MemoryNode) -> None:
    """Where no State of origin is named, somebody looks first."""
    del id_
    author = await th.officer()
    draft = structs.replace(drowning(), handling={"caveats": ["NO_ORIGIN_STATE"]})
    item = await th.post(author, draft)
    assert VICTIM not in {section for _, section in await released(th, "break-glass")}
    waiting = (await th.disclosure(item)).waiting()
    assert ("id", VICTIM) in {cell.key for cell in waiting.cells}


async def test_a_rule_that_refuses_is_not_overruled_about_a_victim(th: MemoryNode, id_: MemoryNode) -> None:
    del id_
    focal = await th.approver()
    await th.publish(focal, Rule("never", Effect.REFUSE, "Never.", When(sensitivities=frozenset({VICTIM}))))
    await th.post(await th.officer(), drowning())
    assert VICTIM not in {section for _, section in await released(th, "break-glass")}


async def queue(node: MemoryNode) -> list[Approval]:
    views = MemoryViews()
    await catch_up(node.log, views)
    return [waiting.approval for waiting in await views.queue(None, 50)]
