"""The hub as one process: nats-server from its wheel, and the loops that put it and lost inboxes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

import anyio

from rilon.errors import UnavailableError
from rilon.network.hub import Hub
from rilon.network.hub_home import HubSettings
from rilon.node.embedded import EmbeddedNats, revive
from rilon.node.system import SystemClock, SystemEntropy

LOOK_S: Final = 1.0
"""How long a server that died may lie at most."""


def init_hub(path: Path, settings: HubSettings) -> Hub:
    """A new hub. Raises ConflictError ``hub.exists``."""
    return Hub.init(path, settings, SystemClock(), SystemEntropy())


def open_hub(path: Path) -> Hub:
    """The hub of a folder. Raises RefusedError or NotFoundError where there is none."""
    return Hub.open(path, SystemClock(), SystemEntropy())


@asynccontextmanager
async def running_hub(hub: Hub) -> AsyncIterator[EmbeddedNats]:
    """The hub's server, serving; it and its inboxes are put back when they are lost, until the block ends."""
    async with EmbeddedNats(hub.home.config, hub.home.health_url) as server, anyio.create_task_group() as tasks:
        await hub.ensure_streams()
        tasks.start_soon(hub.keep_streams)
        tasks.start_soon(_keep, server)
        yield server
        tasks.cancel_scope.cancel()


async def _keep(server: EmbeddedNats) -> NoReturn:
    while True:
        await anyio.sleep(LOOK_S)
        with suppress(UnavailableError):
            await revive(server)
