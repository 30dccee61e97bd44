"""Contradicting decisions on a real Postgres, each at a process of its own: many rounds, one story in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rilon.domain.alert import Alert
from rilon.domain.disclosure import Disclosure
from rilon.node.config import Config, Database, Home
from rilon.node.core import World, open_core
from rilon.node.desks import Desks
from rilon.node.founding import found, make_keys
from rilon.node.system import SystemEntropy
from tests.fakes.keys import CHEAP
from tests.fakes.races import RACES, Stage, judge, run, set_stage
from tests.nodes import MemoryNode, SetClock
from tests.servers import PostgresServer

MANY = pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(1200)])
ROUNDS = pytest.mark.parametrize("rounds", [60, MANY])
PASSPHRASE = "a passphrase of tests"

pytestmark = pytest.mark.real


@dataclass
class Processes:
    """Thailand twice over one database: two logs, two caches, two keyrings read from one file."""

    stage: Stage
    one: Desks
    two: Desks


@pytest_asyncio.fixture(scope="module")
async def processes(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Processes]:
    home = Home(Path(tmp_path_factory.mktemp("races")) / "th")
    root = make_keys(home, PASSPHRASE, CHEAP)
    home.write(Config("th", database=Database(await postgres.create_database())))
    clock = SetClock()
    world = World(clock=clock, entropy=SystemEntropy(), floor=CHEAP)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(open_core(home, PASSPHRASE, world))
        log_id = await one.log.log_id()
        await found(one.desks, one.config, root, log_id)
        two = await stack.enter_async_context(open_core(home, PASSPHRASE, world))
        log: Any = one.log
        blobs: Any = one.blobs
        node = MemoryNode("th", one.desks, log, blobs, clock, root, log_id)
        yield Processes(await set_stage(node), one.desks, two.desks)


async def race(name: str, processes: Processes, rounds: int) -> tuple[Counter[str], list[Any]]:
    """How often which attempts won, and all events of the rounds."""
    results, seen, stage = Counter[str](), list[Any](), processes.stage
    await stage.publish(stage.node.desks)  # another race may have left a strict book in force
    for n in range(rounds):
        before, outcomes = await run(RACES[name], stage, processes.one, processes.two, n % 41 - 20)
        events = await stage.node.events(before)
        judge(RACES[name], outcomes, events)
        results["".join("-" if isinstance(o, Exception) else "+" for o in outcomes)] += 1
        seen += events
    return results, seen


@ROUNDS
async def test_approving_and_withdrawing_many_times(processes: Processes, rounds: int) -> None:
    results, events = await race("approve / withdraw", processes, rounds)
    released = {e.originator_id: set(e.grants) for e in events if isinstance(e, Disclosure.Released)}
    withdrawn = [e for e in events if isinstance(e, Alert.Withdrawn)]
    assert len(withdrawn) == rounds
    assert sum(bool(e.to) for e in withdrawn) == len(released) == results["++"]  # every holder is told, nobody else
    assert results["++"] + results["-+"] == rounds
    assert min(results["++"], results["-+"]) > 0, results


@ROUNDS
async def test_releasing_and_publishing_a_rule_book_many_times(processes: Processes, rounds: int) -> None:
    results, _ = await race("release / rule book published", processes, rounds)
    assert results["++"] + results["-+"] == rounds
    assert min(results["++"], results["-+"]) > 0, results


@ROUNDS
async def test_opening_and_ending_a_grant_many_times(processes: Processes, rounds: int) -> None:
    results, _ = await race("open / grant ended", processes, rounds)
    assert results["++"] + results["-+"] == rounds
    assert min(results["++"], results["-+"]) > 0, results


OTHERS = sorted(set(RACES) - {"approve / withdraw", "release / rule book published", "open / grant ended"})


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("rounds", [12, pytest.param(100, marks=pytest.mark.long)])
async def test_the_other_races_too(processes: Processes, name: str, rounds: int) -> None:
    results, _ = await race(name, processes, rounds)
    assert results.total() == rounds
