"""Real servers for tests: started once a session, thrown away after it."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from rilon.node.embedded import EmbeddedPostgres


@contextmanager
def open_dir() -> Iterator[Path]:
    """A temporary directory that the servers' user may enter (pytest's own are root's alone, when we are root)."""
    path = Path(tempfile.mkdtemp(prefix="rilon-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path)


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
