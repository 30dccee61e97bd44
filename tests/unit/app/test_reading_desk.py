"""Reading and answering: what is not for an officer is, for that officer, not there, whatever they try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
import pytest_asyncio

from rilon.domain.directory import DIRECTORY_ID
from rilon.domain.disclosure import disclosure_id
from rilon.domain.holding import Holding, holding_id
from rilon.domain.values import Purpose, Role, Sensitivity
from rilon.errors import InvalidError, NotFoundError
from tests.fakes.forgery import full
from tests.fakes.receiving import HELD, World, receiving
from tests.nodes import MemoryNode, Person, draft_of, introduce, memory_node

WHY = Purpose.BORDER_DECISION


@pytest_asyncio.fixture(scope="module")
async def world() -> World:
    return await receiving()


async def child_only(world: World) -> MemoryNode:
    """A node that was granted the child's section of an item, and nothing else of it."""
    forged = world.forge(texts=full(), granted=("child",), basis="approval", terms={"rules": ()})
    codes, my = await world.take(world.signed(forged, world.focal, world.second).arrives())
    assert codes == [""]
    return my


def attempts(my: MemoryNode, who: Person) -> list[Callable[[], Awaitable[object]]]:
    desk = my.desks.reading
    return [
        lambda: desk.open_(who.caller, "th", HELD, Sensitivity.CHILD, WHY),
        lambda: desk.open_(who.caller, "th", HELD, Sensitivity.SUMMARY, WHY),
        lambda: desk.acknowledge(who.caller, "th", HELD),
        lambda: desk.reply(who.caller, "th", HELD, "reply.hit", "Is there a child?"),
    ]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.PROTECTION}))
async def test_who_may_open_nothing_of_an_item_cannot_answer_it_either(world: World, role: Role) -> None:
    my = await child_only(world)
    someone, before = await my.officer(role), len(await my.events())
    for attempt in attempts(my, someone):
        with pytest.raises(NotFoundError) as caught:
            await attempt()
        assert (caught.value.code, caught.value.message) == (NotFoundError().code, NotFoundError().message)
    assert len(await my.events()) == before


@pytest.mark.parametrize("kind", ["reply.nonsense", "reply", "withdrawal", "release", "status.acknowledged"])
async def test_an_answer_is_of_a_kind_that_there_is_and_makes_no_other_line(world: World, kind: str) -> None:
    my = await child_only(world)
    protection = await my.officer(Role.PROTECTION)
    before = await my.stored()
    with pytest.raises(InvalidError, match=r"reply\.kind"):
        await my.desks.reading.reply(protection.caller, "th", HELD, kind, "Yes.")
    with pytest.raises(InvalidError, match=r"pause\.why"):
        await my.desks.reading.pause(protection.caller, "th", HELD, kind)
    assert await my.stored() == before


async def test_who_may_open_it_answers_the_version_they_see(world: World) -> None:
    my = await child_only(world)
    protection = await my.officer(Role.PROTECTION)
    await my.desks.reading.acknowledge(protection.caller, "th", HELD)
    assert any(isinstance(e, Holding.Acknowledged) for e in await my.events())


async def test_the_history_of_what_is_not_theirs_is_as_absent_as_one_that_never_was() -> None:
    th = await memory_node("th")
    await introduce(th, await memory_node("my", seed=1))
    author, elsewhere = await th.officer(), await th.officer(agency="police", desk="watch")
    item = await th.post(author, draft_of("TIP-RECRUIT", "my"))
    told = await th.desks.reading.history(author.caller, "th", item)
    assert [each.what for each, _ in told] == ["posted"]
    for who, origin, asked in (
        (elsewhere, "th", item),
        (author, "my", item),
        (author, "th", UUID(int=1)),
        (author, "th", disclosure_id(item)),
        (author, "th", DIRECTORY_ID),
    ):
        with pytest.raises(NotFoundError) as caught:
            await th.desks.reading.history(who.caller, origin, asked)
        assert (caught.value.code, caught.value.message) == (NotFoundError().code, NotFoundError().message)
    th.clock.forward(days=3650)
    assert await th.desks.reading.history(author.caller, "th", item) == [], "it is over"


async def test_the_history_of_anothers_item_has_one_address(world: World) -> None:
    my = await child_only(world)
    protection = await my.officer(Role.PROTECTION)
    assert await my.desks.reading.history(protection.caller, "th", HELD)
    with pytest.raises(NotFoundError):
        await my.desks.reading.history(protection.caller, "my", holding_id("th", HELD))
