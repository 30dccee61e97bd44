"""A database comes to this program's schema whole or not at all; what somebody else did to it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from rilon.errors import FatalError, UnavailableError
from rilon.store.database import open_pool
from rilon.store.migrate import Migration, check, migrate, migrations
from tests.fakes.entropy import SeededEntropy
from tests.servers import PostgresServer

pytestmark = pytest.mark.real

STEPS = migrations()


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def schemas(owner: Any) -> set[str]:
    rows = await owner.fetch("SELECT nspname FROM pg_namespace WHERE nspname IN ('rilon', 'views')")
    return {row["nspname"] for row in rows}


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [step.number for step in STEPS] == list(range(1, len(STEPS) + 1))
    assert len({step.name for step in STEPS}) == len(STEPS)
    assert all(len(step.checksum) == 32 for step in STEPS)


async def test_a_new_database_gets_everything_once(owner: Any) -> None:
    assert await migrate(owner, SeededEntropy(1)) == len(STEPS)
    head = await owner.fetchrow("SELECT * FROM rilon.log_head")
    assert (head["size"], head["peaks"], head["log_id"]) == (0, b"", SeededEntropy(1).bytes(16))
    assert await migrate(owner, SeededEntropy(2)) == 0
    assert await owner.fetchrow("SELECT * FROM rilon.log_head") == head
    await check(owner)


async def test_two_first_starts_at_once_are_one(database: str) -> None:
    one, two = await asyncpg.connect(database), await asyncpg.connect(database)
    done = await asyncio.gather(migrate(one, SeededEntropy(1)), migrate(two, SeededEntropy(2)))
    assert sorted(done) == [0, len(STEPS)]
    await one.close()
    await two.close()


async def test_a_step_that_fails_leaves_nothing(owner: Any) -> None:
    broken = [*STEPS, Migration(len(STEPS) + 1, "broken", "CREATE TABLE rilon.half (n int); SELECT 1/0;")]
    with pytest.raises(FatalError, match=r"migration\.failed"):
        await migrate(owner, SeededEntropy(), steps=broken)
    assert await schemas(owner) == set()
    assert await migrate(owner, SeededEntropy()) == len(STEPS)
    with pytest.raises(FatalError, match=r"migration\.failed"):
        await migrate(owner, SeededEntropy(), steps=broken)
    assert await owner.fetchval("SELECT to_regclass('rilon.half')") is None
    await check(owner)


async def test_a_start_that_dies_in_the_middle_is_begun_anew(owner: Any, database: str) -> None:
    slow = [*STEPS, Migration(len(STEPS) + 1, "slow", "SELECT pg_sleep(60);")]
    other = await asyncpg.connect(database)
    pid = other.get_server_pid()
    starting = asyncio.create_task(migrate(other, SeededEntropy(), steps=slow))
    while not await owner.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'", pid
    ):
        await asyncio.sleep(0.01)
    await owner.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(UnavailableError, match=r"database\.unavailable"):
        await starting
    assert await schemas(owner) == set()
    assert await migrate(owner, SeededEntropy()) == len(STEPS)


async def test_an_edited_a_newer_and_a_missing_migration_are_refused(owner: Any) -> None:
    await migrate(owner, SeededEntropy())
    edited = [replace(STEPS[0], sql=STEPS[0].sql + " "), *STEPS[1:]]
    with pytest.raises(FatalError, match=r"migration\.edited"):
        await migrate(owner, SeededEntropy(), steps=edited)
    with pytest.raises(FatalError, match=r"migration\.newer"):
        await migrate(owner, SeededEntropy(), steps=STEPS[:-1])
    await owner.execute("DELETE FROM rilon.migration WHERE number = 2")
    for refusing in (migrate(owner, SeededEntropy()), check(owner)):
        with pytest.raises(FatalError, match=r"migration\.half-finished"):
            await refusing


async def test_a_half_finished_schema_is_refused_and_left_alone(owner: Any) -> None:
    await owner.execute("CREATE SCHEMA rilon; CREATE TABLE rilon.event (n int)")
    for refusing in (migrate(owner, SeededEntropy()), check(owner)):
        with pytest.raises(FatalError, match=r"migration\.half-finished") as caught:
            await refusing
        assert caught.value.fix
    assert await owner.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'rilon'") == 1


async def test_work_done_without_its_record_is_refused(owner: Any) -> None:
    await migrate(owner, SeededEntropy())
    step = Migration(len(STEPS) + 1, "more", "CREATE TABLE rilon.more (n int);")
    await owner.execute(step.sql)
    with pytest.raises(FatalError, match=r"migration\.half-finished"):
        await migrate(owner, SeededEntropy(), steps=[*STEPS, step])
    await check(owner)


async def test_a_process_that_may_not_migrate_only_checks(owner: Any, postgres: PostgresServer, database: str) -> None:
    with pytest.raises(FatalError, match=r"migration\.pending"):
        await check(owner)
    await migrate(owner, SeededEntropy())
    async with open_pool(database, role="rilon_app") as pool, pool.acquire() as app:
        await check(app)
        assert await migrate(owner, SeededEntropy()) == 0
        with pytest.raises(FatalError, match=r"migration\.not-owner"):
            await migrate(app, SeededEntropy())


async def test_a_database_that_is_away_is_told_so(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.close()
    for asking in (migrate(connection, SeededEntropy()), check(connection)):
        with pytest.raises(UnavailableError, match=r"database\.unavailable"):
            await asking


@pytest.mark.parametrize("prefix", ["", "Upper", "a b", 'x"; DROP', "1st", "a" * 41])
async def test_a_role_prefix_is_a_plain_name(owner: Any, prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        await migrate(owner, SeededEntropy(), prefix=prefix)
