"""The summaries in memory: what is over is not found any more."""

from __future__ import annotations

from datetime import timedelta

from rilon.app.follower import catch_up
from rilon.app.summaries import Summaries
from rilon.domain.alert import Alert
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, acquaint, draft_of, memory_node, pump


def of(node: MemoryNode) -> Summaries:
    return Summaries(node.member, node.desks.vault, node.clock)


async def test_a_corrected_summary_takes_the_place_of_the_old_one_at_both_ends() -> None:
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    author, draft = await th.officer(), draft_of("GOOD-PRACTICE", "my")
    item = await th.post(author, draft)
    await pump(th, my)
    await th.desks.alerts.correct(author.caller, item, draft)
    await pump(th, my)
    for node in (th, my):
        summaries = of(node)
        await catch_up(node.log, summaries)
        assert summaries.get("th", item, 1) is None
        assert summaries.get("th", item, 2)
        assert summaries.find("") == [("th", item, 2)]


async def test_a_withdrawn_items_summary_stays_and_an_expired_ones_goes() -> None:
    th = await memory_node("th")
    author, summaries = await th.officer(), of(th)
    item = await th.post(author, draft_of("GOOD-PRACTICE"))
    await th.desks.alerts.withdraw(author.caller, item, "Untrue.")
    await catch_up(th.log, summaries)
    assert summaries.get("th", item, 1)
    th.clock.at = NOW + timedelta(days=3650)
    assert summaries.get("th", item, 1) is None
    assert (len(summaries), summaries.find("")) == (0, [])


async def test_an_erased_one_is_forgotten() -> None:
    th = await memory_node("th")
    summaries = of(th)
    item = await th.post(await th.officer(), draft_of("GOOD-PRACTICE"))
    await catch_up(th.log, summaries)
    edition = (await th.desks.work.read(Alert, item)).edition
    summaries.forget(s.sealed.slot for s in edition.sections)
    assert summaries.get("th", item, 1) is None
