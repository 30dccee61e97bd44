"""Fixtures that every test may ask for. A test that uses a real server carries ``@pytest.mark.real``."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from rilon.node.demo import world
from tests.servers import HubServer, PostgresServer, free_port, hub_server, let_go, postgres_server

# A shell that runs us in its background has us ignore Ctrl-C, and whatever we start to be told by it too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Who works here may have exported where their own node is, and their token (docs/cli.md): no test asks it.
for name in [each for each in os.environ if each.startswith("RILON_")]:
    del os.environ[name]


@pytest.fixture(scope="session", autouse=True)
def _ports_of_our_own() -> Iterator[None]:
    """Demos, too, are given ports that no other test is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "free_port", free_port)
        yield
    let_go()


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    async with postgres_server() as server:
        yield server


@pytest_asyncio.fixture
async def database(postgres: PostgresServer) -> str:
    """The URL of a database of this test's own."""
    return await postgres.create_database()


@pytest_asyncio.fixture(scope="session")
async def hub() -> AsyncIterator[HubServer]:
    """A hub for the session. Tests share it: name Members of your own, and start one of your own to break it."""
    async with hub_server() as server:
        yield server
