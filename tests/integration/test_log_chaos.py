"""The log when its processes, its connections and its database die: what was acknowledged stays, without a gap."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from rilon.app.failpoints import Failpoint
from rilon.crypto import merkle
from rilon.domain.base import Unknown
from rilon.errors import ConflictError, FatalError, RilonError, UnavailableError
from rilon.node.embedded import EmbeddedPostgres
from rilon.store import queries
from rilon.store.log import PostgresEventLog
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import CATALOGUE, noted, opened
from tests.postgres_log import PostgresWorld, postgres_world, prepare, real_log
from tests.servers import open_dir

pytestmark = pytest.mark.real

WRITER = Path(__file__).with_name("log_writer.py")
ROOT = WRITER.parents[2]
stream = SeededEntropy(11).uuid


@pytest.fixture
async def world(database: str) -> AsyncIterator[PostgresWorld]:
    async with postgres_world(database) as world:
        yield world


async def assert_whole(world: PostgresWorld) -> dict[int, UUID]:
    """Gapless, every leaf that of its bytes, the root that of the leaves; stream by position."""
    rows = [row async for row in world.log.raw()]
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert [row.leaf for row in rows] == await world.leaves()
    head = await world.log.head()
    assert (head.size, head.root) == (len(rows), merkle.Tree(row.leaf for row in rows).root())
    return {row.position: row.stream for row in rows}


async def sessions(dsn: str, query: str) -> list[int]:
    owner = await asyncpg.connect(dsn)
    rows = await owner.fetch(
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1", f"%{query}%"
    )
    await owner.close()
    return [row["pid"] for row in rows]


async def end_session(dsn: str, pid: int) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await owner.close()


@asynccontextmanager
async def writer(dsn: str, number: int, told: Path, *death: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that appends, and writes what it was told is stored into a file (a pipe would fill and stop it)."""
    argv = [sys.executable, str(WRITER), dsn, str(number), "16", *(death or ("never", "1"))]
    with told.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def read_told(told: Path) -> dict[int, UUID]:
    """What a dead writer had been told is stored; its last line may be cut."""
    lines = [line.split() for line in told.read_text().split("\n")[:-1]]
    return {int(position): UUID(stream) for position, stream in lines}


@pytest.mark.parametrize("die_at", ["log.before-insert", "log.after-insert"])
async def test_two_processes_one_of_them_killed(world: PostgresWorld, die_at: str, tmp_path: Path) -> None:
    """Both write, a third follows; one dies at its worst moment."""
    followed: list[int] = []

    async def follow() -> None:
        while True:
            page = await world.log.page(len(followed), 1000)
            followed.extend(recorded.position for recorded in page)
            if not page:
                await world.log.wait(len(followed), 5)

    following = asyncio.create_task(follow())
    told = tmp_path / "survivor", tmp_path / "victim"
    async with writer(world.dsn, 1, told[0]) as survivor, writer(world.dsn, 2, told[1], die_at, "20") as victim:
        assert await asyncio.wait_for(victim.wait(), 30) == -signal.SIGKILL
        grown = (await world.log.head()).size + 100
        while not await world.log.wait(grown, 5):
            assert survivor.returncode is None
    stored = await assert_whole(world)
    while len(followed) < len(stored):
        await asyncio.sleep(0.01)
    following.cancel()
    assert followed == list(stored)
    for one in told:
        assert read_told(one)
        assert read_told(one).items() <= stored.items()


async def test_a_connection_lost_before_the_answer_leaves_the_outcome_unknown(database: str) -> None:
    """The statement was committed, its answer never came: the caller must ask again, and finds it stored."""
    await prepare(database)
    cut, one = True, stream()

    async def lose(point: Failpoint) -> None:
        nonlocal cut
        if point is Failpoint.LOG_AFTER_INSERT and cut:
            cut = False
            raise ConnectionResetError

    async with real_log(database, failpoint=lose) as world:
        done = await asyncio.gather(
            world.log.append([opened(one)]), world.log.append([opened(stream())]), return_exceptions=True
        )
        assert [getattr(error, "code", error) for error in done] == ["log.outcome-unknown"] * 2
        with pytest.raises(ConflictError, match=r"log\.version-taken"):
            await world.log.append([opened(one)])
        assert await world.log.append([noted(one)]) == 3
        assert len(await assert_whole(world)) == 3


async def test_a_session_ended_while_storing(world: PostgresWorld) -> None:
    """The head is locked by another transaction, so the statement is in flight when its session ends."""
    one = stream()
    await world.log.append([opened(one)])
    blocker = await asyncpg.connect(world.dsn)
    async with blocker.transaction():
        await blocker.execute("SELECT 1 FROM rilon.log_head FOR UPDATE")
        storing = asyncio.create_task(world.log.append([noted(one)]))
        while not (pids := await sessions(world.dsn, "UPDATE rilon.log_head SET size")):
            await asyncio.sleep(0.01)
        waiting = asyncio.create_task(world.log.append([noted(one)]))
        await end_session(world.dsn, pids[0])
        with pytest.raises(UnavailableError, match=r"log\.outcome-unknown"):
            await storing
    await blocker.close()
    assert await waiting == 2
    await assert_whole(world)


async def test_two_writers_in_contention_share_one_log(world: PostgresWorld) -> None:
    async with real_log(world.dsn, seed=5) as other:

        async def write(log: PostgresEventLog) -> None:
            own = stream()
            await log.append([opened(own)])
            for version in range(2, 12):
                await log.append([noted(own, version)])

        await asyncio.gather(*(write(one.log) for one in (world, other) for _ in range(16)))
        assert len(await assert_whole(world)) == 2 * 16 * 11
        assert await world.log.head() == await other.log.head()


async def test_a_flood_of_copies_costs_few_statements(database: str) -> None:
    """Neither copies of one command nor a crowd that fails may slow everybody else down."""
    await prepare(database)
    statements = 0

    async def count(point: Failpoint) -> None:
        nonlocal statements
        statements += point is Failpoint.LOG_BEFORE_INSERT

    async with real_log(database, failpoint=count) as world:
        one, others = stream(), [stream() for _ in range(20)]
        copies = [world.log.append([opened(one)]) for _ in range(200)]
        moved = [world.log.append([opened(stream())], unchanged={stream(): 1}) for _ in range(100)]
        done = await asyncio.gather(
            *copies, *moved, *(world.log.append([opened(o)]) for o in others), return_exceptions=True
        )
        assert sum(isinstance(position, int) for position in done) == 1 + len(others)
        assert statements <= 8, "of many that wait half are tried at a time"
        done = await asyncio.gather(*(world.log.append([opened(one)]) for _ in range(200)), return_exceptions=True)
        assert {getattr(error, "code", "") for error in done} == {"log.version-taken"}
        assert statements <= 14


async def test_contradicting_decisions_of_two_processes_have_one_winner(world: PostgresWorld) -> None:
    async with real_log(world.dsn, seed=6) as other:
        for _ in range(100):
            item, approval = stream(), stream()
            await world.log.append([opened(item), opened(approval)])
            done = await asyncio.gather(
                world.log.append([noted(approval)], unchanged={item: 1}),
                other.log.append([noted(item)], unchanged={approval: 1}),
                return_exceptions=True,
            )
            assert [error.code for error in done if isinstance(error, RilonError)] == ["log.guard-moved"]
        await assert_whole(world)


async def test_waiting_survives_its_connection(world: PostgresWorld) -> None:
    waiting = asyncio.create_task(world.log.wait(0, 20))
    while not (pids := await sessions(world.dsn, queries.SIZE)):
        await asyncio.sleep(0.01)
    await end_session(world.dsn, pids[0])
    begun = time.monotonic()
    async with real_log(world.dsn, seed=7) as other:
        await other.log.append([opened(stream())])
        assert await waiting
    assert time.monotonic() - begun < 4


async def test_a_lost_notification_costs_a_second_at_most(world: PostgresWorld) -> None:
    waiting = asyncio.create_task(world.log.wait(0, 20))
    await asyncio.sleep(0.1)
    owner = await asyncpg.connect(world.dsn)  # stores without announcing it
    await owner.execute(queries.APPEND.replace("pg_notify", "concat"), *await one_row(owner))
    await owner.close()
    begun = time.monotonic()
    assert await waiting
    assert time.monotonic() - begun < 1.5


async def one_row(owner: Any) -> list[Any]:
    row = await owner.fetchrow(queries.HEAD)
    leaf = merkle.leaf(b"")
    return [row["size"], row["root"], leaf, leaf, [stream()], [1], ["t"], [leaf], [b""], [], [], [], [], []]


async def test_followers_that_ask_together_are_read_to_once(
    world: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.log.append([opened(stream())])
    asked, page = 0, world.log.recorder.page

    async def slow(after: int, limit: int, *, upto: int | None = None) -> list[queries.Row]:
        nonlocal asked
        asked += 1
        rows = await page(after, limit, upto=upto)
        await asyncio.sleep(0.2)
        return rows

    monkeypatch.setattr(world.log.recorder, "page", slow)
    together = [asyncio.create_task(world.log.page(0, 10)) for _ in range(3)]
    await asyncio.sleep(0.1)
    together[0].cancel()  # one that goes takes nobody with it
    await world.log.append([opened(stream())])
    mine = await world.log.page(0, 10)  # what one has appended oneself is there, whoever was reading meanwhile
    assert len(mine) == 2
    assert [len(each) for each in await asyncio.gather(*together[1:])] == [1, 1]
    assert asked == 2


async def test_a_mistake_while_storing_leaves_nobody_waiting(database: str) -> None:
    await prepare(database)
    wrong = True

    async def fail(_: Failpoint) -> None:
        nonlocal wrong
        if wrong:
            wrong = False
            raise RuntimeError

    async with real_log(database, failpoint=fail) as world:
        one = stream()
        attempts = [world.log.append([opened(id_)]) for id_ in (one, one, stream())]
        done = await asyncio.gather(*attempts, return_exceptions=True)
        assert [getattr(error, "code", error) for error in done] == ["log.outcome-unknown"] * 3
        with pytest.raises(RuntimeError):  # and it is heard of
            await world.log.recorder._writer  # type: ignore[misc]
        assert await world.log.append([opened(one)]) == 1


async def test_an_append_builds_on_the_stored_root_never_on_a_remembered_one(world: PostgresWorld) -> None:
    """The database was replaced by another of the same size: what is appended continues that one."""
    await world.log.append([opened(stream())])
    other = merkle.leaf(b"another history")
    owner = await asyncpg.connect(world.dsn)
    await owner.execute("UPDATE rilon.log_head SET root = $1, peaks = $1", other)
    await owner.close()
    await world.log.append([opened(stream())])
    assert (await world.log.head()).root == merkle.node(other, (await world.leaves())[1])


async def test_a_row_beyond_the_head_stops_the_node(world: PostgresWorld) -> None:
    await world.log.append([opened(stream())])
    await world.pool.execute("INSERT INTO rilon.event VALUES (2, $1, 1, 't', $2, '')", stream(), merkle.EMPTY)
    with pytest.raises(FatalError, match=r"log\.contradiction"):
        await world.log.append([opened(stream())])
    assert (await world.log.head()).size == 1


async def test_a_log_that_lost_its_head_stops_the_node(world: PostgresWorld) -> None:
    owner = await asyncpg.connect(world.dsn)
    await owner.execute("DELETE FROM rilon.log_head")
    await owner.close()
    for asking in (world.log.append([opened(stream())]), world.log.head()):
        with pytest.raises(FatalError, match=r"log\.no-head"):
            await asking


async def test_a_changed_row_is_never_taken_for_an_event(world: PostgresWorld) -> None:
    one = stream()
    await world.log.append([opened(one)])
    owner = await asyncpg.connect(world.dsn)
    await owner.execute("UPDATE rilon.event SET state = state || '\\x00'")
    await owner.close()
    for reading in (world.log.page(0, 1), world.log.stream(one)):
        with pytest.raises(FatalError, match=r"log\.unreadable"):
            await reading
    assert [row.position async for row in world.log.raw()] == [1]


async def test_what_a_newer_program_stored_is_followed_and_kept(world: PostgresWorld) -> None:
    one = stream()
    await world.log.append([opened(one), noted(one)])
    older = {"rilon.ledger.opened.1": CATALOGUE["rilon.ledger.opened.1"]}
    async with real_log(world.dsn, older) as other:
        first, second = [recorded.event for recorded in await other.log.page(0, 10)]
        assert first == opened(one)
        assert isinstance(second, Unknown)
        assert (second.position, second.topic) == (2, "rilon.ledger.noted.1")
        assert [row.state async for row in other.log.raw(1)] == [second.state]


async def test_a_log_without_schema_rights_stops_the_node(database: str) -> None:
    async with real_log_of_nobody(database) as log:
        with pytest.raises(FatalError, match=r"log\.database-refuses"):
            await log.append([opened(stream())])


@asynccontextmanager
async def real_log_of_nobody(database: str) -> AsyncIterator[PostgresEventLog]:
    await prepare(database)
    owner = await asyncpg.connect(database)
    await owner.execute("REVOKE INSERT ON rilon.event FROM rilon_app")
    await owner.close()
    async with real_log(database) as world:
        yield world.log


async def test_every_log_has_an_id_of_its_own(world: PostgresWorld) -> None:
    assert await world.log.log_id() == SeededEntropy().bytes(16)


async def test_postgres_killed_while_writing() -> None:
    """SIGKILL of the whole cluster: callers are told the truth, and after its recovery the log goes on."""
    told: dict[int, UUID] = {}
    failed: dict[UUID, str] = {}

    async def write(log: PostgresEventLog) -> None:
        while True:
            own = stream()
            try:
                told[await log.append([opened(own)])] = own
            except UnavailableError as error:
                failed[own] = error.code
                await asyncio.sleep(0.05)

    with open_dir() as path:
        async with EmbeddedPostgres(path / "postgres") as server, postgres_world(server.dsn()) as world:
            writing = [asyncio.create_task(write(world.log)) for _ in range(16)]
            waiting = asyncio.create_task(world.log.wait(10**9, 0.5))
            await asyncio.sleep(0.4)
            before = len(told)
            server.kill()
            while "log.unavailable" not in failed.values():
                await asyncio.sleep(0.01)
            for reading in (world.log.page(0, 1), world.log.stream(stream()), world.log.head()):
                with pytest.raises(UnavailableError, match=r"log\.unavailable"):
                    await reading
            await server.start()
            while len(told) < before + 100:
                await asyncio.sleep(0.01)
            for task in writing:
                task.cancel()
            await world.log.append([opened(stream())])  # behind what the cancelled ones still have under way
            assert not await waiting
            assert before
            stored = await assert_whole(world)
            assert told.items() <= stored.items()
            assert all(code == "log.outcome-unknown" for own, code in failed.items() if own in stored.values())
            assert await world.log.wait(before, 10)
