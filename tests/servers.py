"""Real servers for tests: started once a session, thrown away after it."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from rilon.network.bus import NatsBus
from rilon.network.hub import Hub
from rilon.network.hub_home import HubSettings
from rilon.node.embedded import EmbeddedNats, EmbeddedPostgres
from tests.fakes.entropy import SeededEntropy

MOST_HELD = 64
_HELD: deque[socket.socket] = deque()


@contextmanager
def open_dir() -> Iterator[Path]:
    """A temporary directory that the servers' user may enter (pytest's own are root's alone, when we are root)."""
    path = Path(tempfile.mkdtemp(prefix="rilon-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A directory on a disk of its own that fills up. Skips, aloud, where no disk can be mounted."""
    with open_dir() as parent:
        path = parent / "disk"
        path.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(path)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("no small disk can be mounted here: disk-full behaviour is NOT tested")
        try:
            yield path
        finally:
            subprocess.run(["umount", str(path)], check=True)


class PostgresServer:
    """One cluster for the session; ``create_database`` gives each test its own database."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self.embedded = embedded
        self._numbers = itertools.count(1)

    def dsn(self, database: str = "postgres", user: str = "rilon") -> str:
        return self.embedded.dsn(database, user)

    def password_of(self, user: str) -> str:
        """What ``dsn`` expects of a role that a test made: ``CREATE ROLE x LOGIN PASSWORD '…'``."""
        return self.embedded.password_of(user)

    async def create_database(self) -> str:
        """The URL of a fresh, empty database, as its owner."""
        name = f"test_{next(self._numbers)}"
        admin = await asyncpg.connect(self.dsn())
        try:
            await admin.execute(f"CREATE DATABASE {name}")
        finally:
            await admin.close()
        return self.dsn(name)


@asynccontextmanager
async def postgres_server() -> AsyncIterator[PostgresServer]:
    with open_dir() as path:
        async with EmbeddedPostgres(path / "postgres", fsync=False) as embedded:
            yield PostgresServer(embedded)


class WallClock:
    """The real time: nats-server judges expiry by its own clock, which no test can turn."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def free_port() -> int:
    """A port for a server that starts later; it stays bound until many more were given.

    Else whoever asks meanwhile, such as the worker beside us, could be given it too. Linux lets a server listen on it
    all the same, for servers set ``SO_REUSEADDR``.
    """
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _HELD.append(held)
    let_go(MOST_HELD)
    port: int = held.getsockname()[1]
    return port


def free_ports(count: int) -> list[int]:
    """Some of those."""
    return [free_port() for _ in range(count)]


def let_go(kept: int = 0) -> None:
    """Hold no more than so many ports, the last ones given."""
    while len(_HELD) > kept:
        _HELD.popleft().close()


class HubServer:
    """A real hub. ``add`` lets Members in; ``bus`` connects one."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.nats = EmbeddedNats(hub.home.config, hub.home.health_url)

    async def add(self, *members: str) -> None:
        for member in members:
            await self.hub.add_member(member)

    def bus(self, member: str) -> NatsBus:
        return NatsBus(self.hub.home.url, self.hub.home.creds(f"members/{member}"))

    def account(self, member: str) -> str:
        found = self.hub.home.record.serving(member)
        assert found is not None
        return found.account

    def lose_store(self) -> None:
        """Delete all of JetStream's files; only while the server is down."""
        shutil.rmtree(self.hub.home.server / "store")


@asynccontextmanager
async def hub_server(disk: Path | None = None, **settings: object) -> AsyncIterator[HubServer]:
    port, monitor_port = free_ports(2)
    with open_dir() if disk is None else nullcontext(disk) as path:
        chosen = HubSettings(**{"port": port, "monitor_port": monitor_port, **settings})
        server = HubServer(Hub.init(path / "hub", chosen, WallClock(), SeededEntropy(int.from_bytes(os.urandom(8)))))
        async with server.nats:
            yield server
