"""Reading the views from a real Postgres: the same answers as a fold in memory gives, for every caller and question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from rilon.app.follower import catch_up
from rilon.domain.alert import Alert
from rilon.domain.holding import Holding
from rilon.domain.permissions import Caller
from rilon.domain.values import Role
from rilon.errors import UnavailableError
from rilon.front.views import BoardFilter
from rilon.projections import reader
from rilon.projections.reader import Reader
from rilon.projections.rebuild import prepare, rebuild
from rilon.store.database import open_pool
from tests.fakes.histories import PEERS, START, World, busy, callers
from tests.fakes.memory_views import MemoryViews
from tests.integration.test_projector import Node, node
from tests.postgres_log import prepare as migrated
from tests.servers import PostgresServer

pytestmark = pytest.mark.real

ALL = BoardFilter()
NOW = START + timedelta(days=12)


class Both:
    """A node's reader, and the same log folded in memory."""

    def __init__(self, world: World, found: Reader, memory: MemoryViews, node: Node) -> None:
        self.world, self.reader, self.memory, self.node = world, found, memory, node

    async def board(self, caller: Caller, at: datetime, wanted: BoardFilter = ALL, limit: int = 50) -> list[Any]:
        """All pages, one after the other, each as the memory gives it."""
        found: list[Any] = []
        before = None
        while True:
            page = await self.reader.board(caller, at, wanted, before, limit)
            assert list(page) == list(await self.memory.board(caller, at, wanted, before, limit))
            found += page
            if len(page) < limit:
                return found
            before = page[-1].position


def seer(world: World) -> Caller:
    """Somebody who may see much."""
    return next(c for c in callers(world) if Role.FOCAL_POINT in c.roles)


@pytest_asyncio.fixture(scope="module")
async def both(postgres: PostgresServer) -> AsyncIterator[Both]:
    world, memory, dsn = busy(1200), MemoryViews(), await postgres.create_database()
    await migrated(dsn)
    async with node(dsn) as found, open_pool(dsn, role="rilon_app") as pool:  # a reader owns nothing
        await prepare(found.pool, found.log)
        await found.append(world.events)
        await catch_up(found.log, found.projector)
        await memory.apply(world.events)
        yield Both(world, Reader(pool), memory, found)


@pytest.mark.parametrize("days", [0, 12, 30, 60])
async def test_every_caller_sees_what_the_fold_shows_them(both: Both, days: int) -> None:
    sizes = [len(await both.board(c, START + timedelta(days=days), limit=7)) for c in callers(both.world)]
    assert days == 60 or max(sizes) > 12
    assert min(sizes) == 0  # an auditor


async def test_the_database_alone_passes_over_what_is_not_for_the_caller(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes from it is judged again, but nothing is left to be found."""
    fetch = both.reader._fetch
    judged: list[tuple[Caller, Any]] = []

    async def spied(query: Any, *arguments: object) -> Any:
        records = await fetch(query, *arguments)
        judged.extend((caller, record) for record in records)
        return records

    monkeypatch.setattr(both.reader, "_fetch", spied)
    for caller in callers(both.world):
        await both.reader.board(caller, NOW, ALL, None, 200)
    assert judged
    for caller, record in judged:
        assert record["until"] > NOW
        assert caller.among(tuple(record["readers"]))
        assert any(caller.may_read(s) for s in record["sensitivities"])


@pytest.mark.parametrize(
    "wanted",
    [
        BoardFilter(kinds=frozenset({"SEA-DISTRESS"})),
        BoardFilter(urgencies=frozenset({"high", "life_at_risk"})),
        BoardFilter(origins=frozenset({"id", ""})),
        BoardFilter(own=True),
        BoardFilter(own=False, states=frozenset({"live"})),
        BoardFilter(states=frozenset({"superseded"})),
        BoardFilter(states=frozenset({"withdrawn", "closed"})),
        BoardFilter(since=START + timedelta(days=2)),
        BoardFilter(until=START + timedelta(days=2)),
        BoardFilter(kinds=frozenset({"no-such-kind"})),
        BoardFilter(places=frozenset()),
    ],
)
async def test_filters(both: Both, wanted: BoardFilter) -> None:
    caller = seer(both.world)
    everything = await both.board(caller, NOW)
    found = await both.board(caller, NOW, wanted, limit=3)
    assert found == [entry for entry in everything if wanted.takes(entry)]
    assert len(found) < len(everything)


async def test_what_was_found_by_words_is_found_by_version(both: Both) -> None:
    """A page is full although most of the items the database finds for it have their words in another version."""
    caller = seer(both.world)
    everything = await both.board(caller, NOW)
    places = frozenset((e.origin, e.item, e.summary_version + (n % 4 != 0)) for n, e in enumerate(everything))
    found = await both.board(caller, NOW, BoardFilter(places=places), limit=3)
    assert found == everything[::4]


async def test_pictures_are_made_of_the_boards_own_lines(both: Both) -> None:
    since = START + timedelta(days=2)
    counted = []
    for caller in callers(both.world):
        found = list(await both.reader.sights(caller, NOW, since, 10_000))
        assert found == list(await both.memory.sights(caller, NOW, since, 10_000))
        assert found[:3] == list(await both.reader.sights(caller, NOW, since, 3))
        counted.append(len(found))
    assert max(counted) > 10
    assert min(counted) < max(counted)


async def test_times_are_those_of_the_deliveries_that_the_caller_may_know(both: Both) -> None:
    since, counted = START + timedelta(hours=2), []
    for caller in callers(both.world):
        found = list(await both.reader.sendings(caller, since, 10_000))
        assert found == list(await both.memory.sendings(caller, since, 10_000))
        assert found[:3] == list(await both.reader.sendings(caller, since, 3))
        counted.append(len(found))
    assert len(set(counted)) > 2
    assert all(any(getattr(s, name) for s in found) for name in ("stored_at", "answered_at"))
    decided = list(await both.reader.decisions(since, 10_000))
    assert decided == list(await both.memory.decisions(since, 10_000))
    assert {d.ended for d in decided} >= {"", "released", "returned", "refused", "lapsed", "corrected"}


async def test_links_are_told_as_they_were_at_any_instant(both: Both) -> None:
    instants = [START + timedelta(hours=h) for h in range(0, 150, 6)]
    found = list(await both.reader.contacts(PEERS, instants))
    assert found == list(await both.memory.contacts(PEERS, instants))
    assert {c.state for c in found} == {"", "frozen", "verified"}
    assert len({c.oldest_at for c in found}) > 5
    assert len({c.heard_at for c in found}) > 20


async def test_ties_and_what_of_them_a_caller_may_see(both: Both) -> None:
    streams = [a.id for a in (*both.world.all_of(Alert), *both.world.all_of(Holding))]
    found = await both.reader.ties(streams, [], 10_000)
    assert {t.kind.split(".")[0] for t in found} >= {"quotes", "corrected", "referred", "reply"}
    for n, stream in enumerate(streams):
        for limit in (2, 500):
            asked = [stream], streams[n : n + 2], limit
            assert await both.reader.ties(*asked) == await both.memory.ties(*asked)
    for caller in callers(both.world):
        some = await both.reader.some(caller, NOW, streams[:9])
        assert list(some) == list(await both.memory.some(caller, NOW, streams[:9]))


async def test_one_line_and_what_is_not_for_you_is_not_there(both: Both) -> None:
    seen = {entry.id for entry in await both.board(seer(both.world), NOW)}
    nobody = Caller("e" * 32, frozenset({Role.AUDITOR}), "navy", "d1")
    for holding in both.world.all_of(Holding):
        for caller in callers(both.world):
            found = await both.reader.entry(caller, NOW, holding.origin, holding.item)
            assert found == await both.memory.entry(caller, NOW, holding.origin, holding.item)
        assert await both.reader.entry(nobody, NOW, holding.origin, holding.item) is None
        for id_ in (holding.item, holding.id):
            assert await both.reader.entry(seer(both.world), NOW, "", id_) is None
    for alert in both.world.all_of(Alert):
        found = await both.reader.entry(seer(both.world), NOW, "", alert.id)
        assert (found is not None) == (alert.id in seen)
        assert await both.reader.entry(seer(both.world), NOW, "id", alert.id) is None


async def test_queue_deliveries_replies_and_officers(both: Both) -> None:
    first = list(await both.reader.queue(None, 4))
    rest = list(await both.reader.queue(first[-1].approval.position, 200))
    assert first + rest == list(await both.memory.queue(None, 200))
    assert len(rest) > 2
    replied = 0
    for alert in both.world.all_of(Alert):
        assert await both.reader.deliveries(alert.id) == await both.memory.deliveries(alert.id)
        assert await both.reader.replies(alert.id) == await both.memory.replies(alert.id)
        several = await both.reader.deliveries_of([alert.id, UUID(int=7)])
        assert several == {alert.id: await both.memory.deliveries(alert.id), UUID(int=7): []}
        replied += len(await both.reader.replies(alert.id))
    assert replied
    assert await both.reader.officers() == await both.memory.officers()


async def test_openings_of_some_days(both: Both) -> None:
    since, until = START + timedelta(days=1), START + timedelta(days=5)
    found = await both.reader.openings(since, until)
    assert found == await both.memory.openings(since, until)
    assert found


async def test_a_page_has_a_limit_whatever_is_asked(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_PAGE", 3)
    assert len(await both.reader.board(seer(both.world), START, ALL, None, 10_000)) == 3
    assert len(await both.reader.queue(None, 10_000)) == 3
    assert await both.reader.board(seer(both.world), START, ALL, 0, 10) == []


async def test_pages_are_read_while_the_views_are_rebuilt(both: Both) -> None:
    caller = seer(both.world)
    expected = list(await both.memory.board(caller, NOW, ALL, None, 50))
    rebuilding = asyncio.create_task(rebuild(both.node.pool, both.node.log))
    while not rebuilding.done():
        assert list(await both.reader.board(caller, NOW, ALL, None, 50)) == expected
    await rebuilding
    assert list(await both.reader.board(caller, NOW, ALL, None, 50)) == expected


async def test_views_that_are_not_there_are_away(database: str) -> None:
    await migrated(database)
    async with node(database) as found:
        with pytest.raises(UnavailableError) as caught:
            await Reader(found.pool).officers()
        assert caught.value.code == "views.not-built"
