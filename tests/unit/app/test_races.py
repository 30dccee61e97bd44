"""Races on the log in memory: others run at every await, in hundreds of orders, and one story comes out."""

from __future__ import annotations

from collections import Counter

import pytest
import pytest_asyncio

from rilon.domain.alert import Alert
from rilon.domain.disclosure import Disclosure
from tests.fakes.races import RACES, Stage, judge, run, set_stage
from tests.fakes.unreliable_log import InterleavingLog, UnguardedLog
from tests.nodes import memory_node

SEEDS = 20


@pytest_asyncio.fixture(scope="module")
async def founded() -> Stage:
    return await set_stage(await memory_node("th"))


def at(stage: Stage, seed: int) -> Stage:
    """A copy of the stage whose log lets others run in between."""
    node = stage.node.copy(lambda log: InterleavingLog(log, seed))
    return Stage(**{**vars(stage), "node": node, "peer": stage.peer.copy()})


@pytest.mark.parametrize("name", RACES)
async def test_two_decisions_that_contradict_have_one_winner(founded: Stage, name: str) -> None:
    race, results = RACES[name], Counter[str]()
    for seed in range(SEEDS):
        stage = at(founded, seed)
        before, outcomes = await run(race, stage, stage.node.desks, stage.node.desks, seed - SEEDS // 2)
        judge(race, outcomes, await stage.node.events(before))
        results["".join("-" if isinstance(o, Exception) else "+" for o in outcomes)] += 1
    assert (len(results) > 1) is not race.both, results  # both orders were seen, or the race is none


async def test_the_holders_that_a_withdrawal_tells_are_all_there_are(founded: Stage) -> None:
    told = Counter[tuple[str, ...]]()
    for seed in range(SEEDS):
        stage = at(founded, seed)
        before, _ = await run(RACES["approve / withdraw"], stage, stage.node.desks, stage.node.desks, seed - SEEDS // 2)
        events = await stage.node.events(before)
        released = {m for e in events if isinstance(e, Disclosure.Released) for m in e.grants}
        (withdrawn,) = [e for e in events if isinstance(e, Alert.Withdrawn)]
        assert set(withdrawn.to) == released
        told[tuple(withdrawn.to)] += 1
    assert set(told) == {(), ("id",)}


@pytest.mark.parametrize("name", ["release / rule book published", "post / suspend"])
async def test_without_guards_the_judge_finds_two_stories(founded: Stage, name: str) -> None:
    found = 0
    for seed in range(SEEDS):
        node = founded.node.copy(lambda log, seed=seed: UnguardedLog(log, seed))  # type: ignore[misc]
        stage = Stage(**{**vars(founded), "node": node, "peer": founded.peer.copy()})
        before, outcomes = await run(RACES[name], stage, node.desks, node.desks, seed - SEEDS // 2)
        try:
            judge(RACES[name], outcomes, await node.events(before))
        except AssertionError:
            found += 1
    assert found > 0
