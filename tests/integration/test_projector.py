"""The projector on a real Postgres: what it stores is what a fold in memory gives, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from msgspec.structs import fields

from rilon.app.follower import catch_up, follow
from rilon.app.ports import Recorded
from rilon.domain.catalogue import CATALOGUE
from rilon.errors import FatalError, UnavailableError
from rilon.projections import progress
from rilon.projections import rebuild as rebuilding
from rilon.projections.changes import Row, Tables
from rilon.projections.contact import Heard
from rilon.projections.progress import Progress
from rilon.projections.rebuild import prepare, rebuild
from rilon.projections.rows import MANY, Rows, read_row
from rilon.projections.runner import Projector
from rilon.projections.views import VIEWS, fold
from rilon.store.database import Pool, open_pool
from rilon.store.log import PostgresEventLog
from tests.fakes.histories import World, busy
from tests.postgres_log import prepare as migrated
from tests.postgres_log import real_log

pytestmark = pytest.mark.real

TABLES: list[type[Row]] = [table for view in VIEWS for table in view.tables]


@dataclass
class Node:
    log: PostgresEventLog
    pool: Pool
    progress: Progress
    projector: Projector
    dsn: str

    async def append(self, events: Sequence[Recorded]) -> None:
        for start in range(0, len(events), 500):
            await self.log.append([r.event for r in events[start : start + 500]])

    async def stored(self) -> Tables:
        tables = Tables()
        for table in TABLES:
            for record in await self.pool.fetch(f"SELECT * FROM views.{table.TABLE}"):
                tables.apply(read_row(table, tuple(record)))
        return tables


@asynccontextmanager
async def node(dsn: str) -> AsyncIterator[Node]:
    async with AsyncExitStack() as stack:
        log = (await stack.enter_async_context(real_log(dsn, dict(CATALOGUE)))).log
        pool = await stack.enter_async_context(open_pool(dsn, role="rilon_projector", size=4))
        near = Progress(pool)
        yield Node(log, pool, near, Projector(pool, near), dsn)


@pytest_asyncio.fixture
async def empty(database: str) -> AsyncIterator[Node]:
    await migrated(database)
    async with node(database) as found:
        assert await prepare(found.pool, found.log)
        yield found


def expected(world: World, upto: int | None = None) -> bytes:
    tables = Tables()
    fold(world.events[:upto], tables)
    return tables.dump()


@pytest.mark.parametrize("batch", [1, 7, 1000])
async def test_what_is_stored_is_what_a_fold_in_memory_gives(empty: Node, batch: int) -> None:
    world = busy(250 if batch == 1 else 900)
    await empty.append(world.events)
    assert await catch_up(empty.log, empty.projector, batch=batch) == len(world.events)
    assert (await empty.stored()).dump() == expected(world)
    assert await empty.progress.position() == len(world.events)


async def test_many_rows_replace_what_stood_as_one_does(empty: Node) -> None:
    """Many are copied, as if their places were free; what one may not be told by is how many came with it."""
    link, first, last = UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    days = range(2 * MANY)
    async with empty.pool.acquire() as connection, connection.transaction():
        await Rows(connection).store([Heard(link, n, first) for n in days[:MANY]])
        await Rows(connection).store([Heard(link, n, last) for n in days])
    assert (await empty.stored()).rows(Heard) == {(link, n): Heard(link, n, last) for n in days}


async def test_columns_are_the_fields(empty: Node) -> None:
    """Rows are read and written by place, so a column that moved would be read as another."""
    for table in TABLES:
        columns = await empty.pool.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum",
            f"views.{table.TABLE}",
        )
        assert [c["attname"] for c in columns] == [f.name for f in fields(table)], table


async def test_a_crash_in_a_batch_leaves_none_of_it(empty: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(600)
    await empty.append(world.events)
    store = Rows.store

    async def dies(self: Rows, changes: Any) -> None:
        await store(self, changes)
        if await empty.progress.position() >= 200:
            raise asyncpg.ConnectionDoesNotExistError("the process is gone, or the connection: all the same")

    monkeypatch.setattr(Rows, "store", dies)
    with pytest.raises(UnavailableError):
        await catch_up(empty.log, empty.projector, batch=100)
    assert await empty.progress.position() == 200
    assert (await empty.stored()).dump() == expected(world, 200)
    monkeypatch.undo()
    async with node(empty.dsn) as after:
        assert not await prepare(after.pool, after.log)
        await catch_up(after.log, after.projector)
        assert (await after.stored()).dump() == expected(world)


async def test_two_projectors_do_not_disturb_each_other(empty: Node) -> None:
    world = busy(600)
    await empty.append(world.events)
    async with node(empty.dsn) as other:
        await asyncio.gather(
            catch_up(empty.log, empty.projector, batch=13), catch_up(other.log, other.projector, batch=17)
        )
    assert (await empty.stored()).dump() == expected(world)


async def test_a_batch_that_comes_again_changes_nothing_and_a_gap_is_refused(empty: Node) -> None:
    world = busy(500)
    await empty.append(world.events)
    page = await empty.log.page(0, 100)
    await empty.projector.apply(page)
    await empty.projector.apply(page)
    assert (await empty.stored()).dump() == expected(world, 100)
    with pytest.raises(FatalError) as caught:
        await empty.projector.apply(await empty.log.page(150, 10))
    assert caught.value.code == "views.gap"
    await empty.projector.apply(await empty.log.page(50, 200))  # overlaps
    assert (await empty.stored()).dump() == expected(world, 250)


async def test_a_rebuild_during_writes_equals_the_live_view(empty: Node) -> None:
    world = busy(1500)
    half = len(world.events) // 2
    await empty.append(world.events[:half])
    await catch_up(empty.log, empty.projector)
    following = asyncio.create_task(follow(empty.log, empty.projector, batch=20))
    reading = asyncio.create_task(_read_without_a_break(empty))
    for start in range(half, len(world.events), 60):
        await empty.append(world.events[start : start + 60])
        if start % 2:
            await rebuild(empty.pool, empty.log)
        else:
            await rebuild(empty.pool, empty.log, VIEWS[start // 2 % 4 :])
    await empty.progress.wait_for(len(world.events), 20)
    for task in (following, reading):
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    live = (await empty.stored()).dump()
    await rebuild(empty.pool, empty.log)
    assert (await empty.stored()).dump() == live == expected(world)


async def _read_without_a_break(empty: Node) -> None:
    """No reader finds a table missing, or a view that is behind what it was before."""
    seen = 0
    while True:
        found = await empty.pool.fetchval("SELECT count(*) FROM views.item")
        assert found >= seen
        seen = found
        await asyncio.sleep(0)


async def test_a_rebuild_that_died_is_begun_anew(empty: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(300)
    await empty.append(world.events)
    await catch_up(empty.log, empty.projector)

    async def dies(*_: Any) -> None:
        raise asyncpg.ConnectionDoesNotExistError("gone")

    monkeypatch.setattr(rebuilding, "hold", dies)
    with pytest.raises(UnavailableError):
        await rebuild(empty.pool, empty.log)
    assert (await empty.stored()).dump() == expected(world)
    monkeypatch.undo()
    await rebuild(empty.pool, empty.log)
    assert (await empty.stored()).dump() == expected(world)
    left = "SELECT count(*) FROM pg_tables WHERE schemaname = 'views' AND tablename LIKE 'next%'"
    assert await empty.pool.fetchval(left) == 0


async def test_another_programs_views_are_rebuilt_and_never_written(empty: Node) -> None:
    world = busy(300)
    await empty.append(world.events)
    await catch_up(empty.log, empty.projector)
    await empty.pool.execute("UPDATE views.progress SET format = 'older'; DELETE FROM views.item")
    with pytest.raises(FatalError) as caught:
        await empty.projector.apply(await empty.log.page(0, 10))
    assert caught.value.code == "views.other-program"
    with pytest.raises(FatalError):
        await rebuild(empty.pool, empty.log, VIEWS[:1])
    assert await prepare(empty.pool, empty.log)
    assert (await empty.stored()).dump() == expected(world)


async def test_views_that_lost_their_position_are_never_written_and_made_anew_at_the_next_start(empty: Node) -> None:
    world = busy(300)
    await empty.append(world.events)
    await catch_up(empty.log, empty.projector)
    await empty.pool.execute("DELETE FROM views.progress; DELETE FROM views.item")
    for write in (empty.projector.apply(await empty.log.page(0, 10)), rebuild(empty.pool, empty.log, VIEWS[:1])):
        with pytest.raises(FatalError) as caught:
            await write
        assert caught.value.code == "views.no-position"
    with pytest.raises(UnavailableError):
        await Progress(empty.pool).wait_for(1, 0.1)
    assert await prepare(empty.pool, empty.log)
    await catch_up(empty.log, empty.projector)
    assert (await empty.stored()).dump() == expected(world)


async def test_before_the_first_projector_the_views_are_away(database: str) -> None:
    await migrated(database)
    async with node(database) as found:
        with pytest.raises(UnavailableError) as caught:
            await found.progress.position()
        assert caught.value.code == "views.not-built"
        first, second = await asyncio.gather(prepare(found.pool, found.log), prepare(found.pool, found.log))
        assert {first, second} == {True, False}


async def test_who_waits_for_a_position_reads_its_own_write(empty: Node) -> None:
    world = busy(100)
    with pytest.raises(UnavailableError) as caught:
        await empty.progress.wait_for(1, 0.01)
    assert caught.value.code == "views.behind"
    other = Progress(empty.pool)  # of a process without a projector
    waiting = [asyncio.create_task(p.wait_for(len(world.events), 5)) for p in (empty.progress, other)]
    await asyncio.sleep(0)
    await empty.append(world.events)
    await catch_up(empty.log, empty.projector)
    await asyncio.gather(*waiting)


async def test_a_projector_wakes_the_readers_of_its_process(empty: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "POLL_S", 60)
    world = busy(100)
    waiting = asyncio.create_task(empty.progress.wait_for(len(world.events), 5))
    await empty.append(world.events)
    await catch_up(empty.log, empty.projector)
    await waiting
