"""Replay: the live views' own code, stopped at a moment of the past."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rilon.audit.replay import as_of, as_of_time
from rilon.domain.alert import Alert
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.holding import Holding
from rilon.domain.officer import Officer
from rilon.errors import InvalidError
from rilon.front.views import BoardFilter
from rilon.projections.changes import Tables
from rilon.projections.views import VIEWS, fold
from rilon.store.codec import Codec
from tests.fakes.entropy import SeededEntropy
from tests.fakes.histories import START, World, busy, callers
from tests.fakes.memory_log import MemoryEventLog
from tests.fakes.memory_views import MemoryViews

ALL = BoardFilter()


async def log_of(world: World) -> MemoryEventLog:
    log = MemoryEventLog(Codec(CATALOGUE, SeededEntropy()))
    await log.append([r.event for r in world.events])
    return log


async def test_as_of_any_position_is_what_the_live_views_were_then() -> None:
    world = busy(250)
    log, live, live_views = await log_of(world), Tables(), MemoryViews()
    for recorded in world.events:
        fold([recorded], live)
        if recorded.position % 29 == 0:
            past = await as_of(log, recorded.position, VIEWS)
            assert past.tables.dump() == live.dump()
    past = await as_of(log, len(world.events), VIEWS)
    await live_views.apply(world.events)
    for caller in callers(world):
        shown = await live_views.board(caller, past.at, ALL, None, 10_000)
        assert past.board(caller) == list(shown)


async def test_as_of_a_time_is_everything_that_had_happened_and_nothing_that_had_ended() -> None:
    world = busy(400)
    log = await log_of(world)
    caller = callers(world)[0]
    for hours in (0, 5, 30):
        at = START + timedelta(hours=hours)
        past = await as_of_time(log, at)
        assert past.position == sum(r.event.timestamp <= at for r in world.events)
        assert past.at == at
        assert all(at < entry.until and entry.at <= at for entry in past.board(caller))
    late = await as_of_time(log, START + timedelta(days=365))
    assert late.position == len(world.events)
    assert late.board(caller) == []
    assert late.held() == []
    assert (await as_of_time(log, START - timedelta(days=1))).position == 0


async def test_what_was_held_who_could_see_it_and_who_opened_it() -> None:
    world = busy(1200)
    past = await as_of(await log_of(world), len(world.events))
    held = {h.id: h for h in past.held()}
    for holding in world.all_of(Holding):
        standing = holding.grants.live(past.at)
        assert (holding.id in held) == bool(standing)
        if not standing:
            continue
        sights = {s.officer: set(s.sensitivities) for s in held[holding.id].seen_by}
        for officer in world.all_of(Officer):
            caller = officer.caller(past.at) if officer.active else None
            could = {
                s.sensitivity
                for e, sections in standing
                for s in sections
                if caller and holding.is_for(caller, e) and caller.may_read(s.sensitivity)
            }
            assert sights.get(officer.ref, set()) == could
    opened = [(o.officer, o.sensitivity, o.position) for h in held.values() for o in h.opened]
    events = [r for r in world.events if isinstance(r.event, Holding.Opened | Alert.Opened)]
    expected = [(r.event.by, r.event.sensitivity, r.position) for r in events if r.event.originator_id in held]
    assert sorted(opened) == sorted(expected)
    assert len(expected) > 3


async def test_roles_are_those_of_the_day() -> None:
    world = World()
    world.grant(0, 0)
    before = len(world.events)
    officer = world.all_of(Officer)[0]
    officer.suspend("0" * 32, world.now)
    world._keep(officer)
    log = await log_of(world)
    for position, could in ((before, True), (len(world.events), False)):
        [held] = (await as_of(log, position)).held()
        assert (officer.ref in {s.officer for s in held.seen_by}) is could


async def test_pages_of_what_was_held() -> None:
    past = await as_of(await log_of(busy(300)), 200)
    first = past.held(limit=3)
    assert [*first, *past.held(before=first[-1].position)] == past.held()
    assert len(first) == 3


async def test_a_position_that_is_not_there_yet_is_refused() -> None:
    world = busy(20)
    log = await log_of(world)
    assert (await as_of(log, 0)).held() == []
    with pytest.raises(InvalidError) as caught:
        await as_of(log, len(world.events) + 1)
    assert caught.value.code == "replay.position"
