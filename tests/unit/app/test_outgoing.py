"""What still goes to a recipient when its line is sent late, and what both ends then say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from rilon.domain.delivery import Delivery, State
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding, holding_id
from rilon.errors import FatalError, NotFoundError
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, acquaint, draft_of, lines, memory_node, pump


async def posted() -> tuple[MemoryNode, MemoryNode, UUID]:
    """An alert that Malaysia is to get by rule, and that has not been sent."""
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    item = await th.post(await th.officer(), draft_of("GOOD-PRACTICE", "my"))
    assert [e for e in await th.events() if isinstance(e, Disclosure.Released)]
    return th, my, item


async def withdraw(node: MemoryNode, item: UUID) -> None:
    await node.desks.alerts.withdraw((await node.officer()).caller, item, "Untrue.")


async def close(node: MemoryNode, item: UUID) -> None:
    await node.desks.alerts.close((await node.officer()).caller, item, "resolved")


async def correct(node: MemoryNode, item: UUID) -> None:
    await node.desks.alerts.correct((await node.officer()).caller, item, draft_of("GOOD-PRACTICE", "my"))


async def expire(node: MemoryNode, _: UUID) -> None:
    node.clock.at = NOW + timedelta(days=3650)


OVER = {"withdrawn": withdraw, "closed": close, "superseded": correct, "expired": expire}


@pytest.mark.parametrize("reason", OVER)
async def test_a_release_that_is_over_before_it_goes_goes_empty(reason: str) -> None:
    th, my, item = await posted()
    await OVER[reason](th, item)
    first = next(a.attachment for a in await lines(th, my) if a.line.kind == "release")
    assert first == {"withheld": reason.encode()}


async def test_a_release_of_a_version_that_never_was_goes_nowhere() -> None:
    """Only a log that somebody tampered with says so; what it names must not be filled with another version."""
    th, _, _ = await posted()
    released = next(e for e in await th.events() if isinstance(e, Disclosure.Released))
    with pytest.raises(FatalError) as caught:
        await th.desks.outgoing.attach(replace(released, manifest=bytes(32)), "my")
    assert caught.value.code == "log.release-without-edition"


@pytest.mark.parametrize("reason", ["withdrawn", "closed"])
async def test_its_end_is_accepted_where_it_never_came(reason: str) -> None:
    th, my, item = await posted()
    await OVER[reason](th, item)
    before = (await my.log.head()).size
    assert await pump(th, my) == [f"withheld.{reason}", ""]
    entries = await my.events(before)
    assert all(isinstance(e, Entry.Accepted) for e in entries)
    assert entries[-1].item == item
    with pytest.raises(NotFoundError):
        await my.desks.work.read(Holding, holding_id("th", item))


async def test_of_a_corrected_item_only_the_new_version_comes() -> None:
    th, my, item = await posted()
    await correct(th, item)
    assert await pump(th, my) == ["withheld.superseded", "", ""]
    holding = await my.desks.work.read(Holding, holding_id("th", item))
    assert [e.version for e in holding.grants.editions] == [2]


async def test_a_restored_node_may_say_an_end_again_and_a_graver_one() -> None:
    th, my, item = await posted()
    (release,) = await lines(th, my)
    await close(th, item)
    (closure,) = await lines(th, my)
    await my.desks.incoming.accept("th", th.log_id, [release, closure])
    again = [type(closure)(n, closure.line, closure.attachment) for n in (1,)]
    assert await my.desks.incoming.accept("th", b"N" * 16, again) == [""]
    graver = type(closure)(2, type(closure.line)("withdrawal", closure.line.digests), closure.attachment)
    assert await my.desks.incoming.accept("th", b"N" * 16, [graver]) == [""]
    assert (await my.desks.work.read(Holding, holding_id("th", item))).state == "withdrawn"


def test_an_empty_line_is_no_delivery() -> None:
    delivery = Delivery("my", "release", bytes(32), (), NOW).reach(State.STORED, NOW)
    assert delivery.refuse("withheld.withdrawn", NOW).state is State.WITHHELD
    assert delivery.refuse("release.until", NOW).state is State.REFUSED
