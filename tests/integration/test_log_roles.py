"""Every role can do what it is for, and nothing else: tried one statement at a time, each as a login of its own."""

from __future__ import annotations

import asyncpg
import pytest

from rilon.store.database import open_pool
from rilon.store.migrate import Role, migrate
from tests.fakes.entropy import SeededEntropy
from tests.servers import PostgresServer

pytestmark = pytest.mark.real

ROLES: tuple[Role, ...] = ("app", "projector", "auditor")
HASH = r"'\x" + "00" * 32 + "'"
KEK = r"'\x" + "00" * 16 + "'"
EVENT = f"INSERT INTO rilon.event VALUES (2, gen_random_uuid(), 1, 't', {HASH}, '')"

READS = {
    "migration": "SELECT * FROM rilon.migration",
    "head": "SELECT * FROM rilon.log_head",
    "events": "SELECT * FROM rilon.event",
    "positions": "SELECT * FROM rilon.positions",
    "keks": "SELECT * FROM rilon.keks",
    "which keys live": "SELECT slot, kek FROM rilon.keywraps",
    "views": "SELECT * FROM views.board",
}
CIPHERTEXT = {"wrapped keys": "SELECT * FROM rilon.keywraps", "ciphertext": "SELECT * FROM rilon.blobs"}
APPENDS = {
    "append": EVENT,
    "move the head": "UPDATE rilon.log_head SET size = 1, root = root, peaks = peaks",
    "add a key": f"INSERT INTO rilon.keywraps VALUES ({HASH}, {KEK}, '')",
    "erase a key": "DELETE FROM rilon.keywraps",
    "turn a key": "UPDATE rilon.keywraps SET kek = kek, wrapped = ''",
    "keep ciphertext": f"INSERT INTO rilon.blobs VALUES ({HASH}, '', now())",
    "renew a lease": "UPDATE rilon.blobs SET leased_until = now()",
    "sweep ciphertext": "DELETE FROM rilon.blobs",
    "begin a turning": "INSERT INTO rilon.keks VALUES (substr(sha256('x'), 1, 16), 1)",
    "end a turning": "DELETE FROM rilon.keks WHERE bucket = 9",
    "follow": "INSERT INTO rilon.positions VALUES ('x', 0) ON CONFLICT (name) DO UPDATE SET position = 0",
}
PROJECTS = {
    "make a view": "CREATE TABLE views.other (n int)",
    "swap a view": "ALTER TABLE views.board RENAME TO old",
    "fill a view": "INSERT INTO views.board VALUES (1)",
    "drop a view": "DROP TABLE views.board",
}
NOBODY = {
    "change an event": "UPDATE rilon.event SET state = ''",
    "delete an event": "DELETE FROM rilon.event",
    "truncate the log": "TRUNCATE rilon.event",
    "another log id": "UPDATE rilon.log_head SET log_id = log_id",
    "delete the head": "DELETE FROM rilon.log_head",
    "a second head": "INSERT INTO rilon.log_head SELECT false, size, root, peaks, log_id FROM rilon.log_head",
    "forge a migration": "INSERT INTO rilon.migration VALUES (99, 'x', '')",
    "move a key to another bucket": "UPDATE rilon.keks SET bucket = 1",
    "move ciphertext": "UPDATE rilon.blobs SET ciphertext = ''",
    "forget a follower": "DELETE FROM rilon.positions",
    "make a table in rilon": "CREATE TABLE rilon.x (n int)",
    "make a table in public": "CREATE TABLE public.x (n int)",
    "make a temporary table": "CREATE TEMPORARY TABLE x (n int)",
    "make a schema": "CREATE SCHEMA x",
    "change a table": "ALTER TABLE rilon.event ADD COLUMN x int",
    "make a role": "CREATE ROLE evil",
    "become another": "SET ROLE rilon",
    "read a file": "SELECT pg_read_file('/etc/hostname')",
}
MAY: dict[Role, dict[str, str]] = {
    "app": READS | CIPHERTEXT | APPENDS,
    "projector": READS | PROJECTS,
    "auditor": READS | CIPHERTEXT,
}
EVERYTHING = READS | CIPHERTEXT | APPENDS | PROJECTS | NOBODY


@pytest.fixture
async def prepared(database: str, postgres: PostgresServer) -> str:
    """Name of a database with the schema, an event, a key and a view."""
    owner = await asyncpg.connect(database)
    passwords = {role: postgres.password_of(f"rt_{role}") for role in ROLES}
    for _ in range(2):  # the second start sets the same
        await migrate(owner, SeededEntropy(), prefix="rt", passwords=passwords)
    await owner.execute(f"{EVENT.replace('(2,', '(1,')}; INSERT INTO rilon.keks VALUES ({KEK}, 0)")
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute("SET ROLE rt_projector; CREATE TABLE views.board (n int)")
    await owner.close()
    return str(name)


async def attempts(login: str) -> set[str]:
    """What of everything a login can do; each tried in a transaction that is rolled back."""
    connection, done = await asyncpg.connect(login), set[str]()
    for name, statement in EVERYTHING.items():
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(statement)
            done.add(name)
        except asyncpg.InsufficientPrivilegeError:
            pass
        finally:
            await transaction.rollback()
    await connection.close()
    return done


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_does_just_that(role: Role, prepared: str, postgres: PostgresServer) -> None:
    assert await attempts(postgres.dsn(prepared, f"rt_{role}")) == set(MAY[role])


async def test_a_login_may_act_as_a_role(prepared: str, postgres: PostgresServer) -> None:
    async with open_pool(postgres.dsn(prepared), role="rt_app") as pool:
        assert await pool.fetchval("SELECT current_user") == "rt_app"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("DELETE FROM rilon.event")


async def test_the_roles_of_one_node_stay_out_of_anothers_database(prepared: str, postgres: PostgresServer) -> None:
    owner = await asyncpg.connect(await postgres.create_database())
    await migrate(owner, SeededEntropy(), prefix="rt2")
    other = await owner.fetchval("SELECT current_database()")
    await owner.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(postgres.dsn(other, "rt_app"))


async def test_without_a_password_nobody_logs_in(prepared: str, postgres: PostgresServer) -> None:
    owner = await asyncpg.connect(postgres.dsn(prepared))
    await migrate(owner, SeededEntropy(), prefix="rt3")
    await owner.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn(prepared, "rt3_app"))
