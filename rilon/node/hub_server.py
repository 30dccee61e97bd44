"""The hub as one process: nats-server from its wheel, and the loop that puts lost inboxes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from rilon.network.hub import Hub
from rilon.network.hub_home import HubSettings
from rilon.node.embedded import EmbeddedNats
from rilon.node.system import SystemClock, SystemEntropy


def init_hub(path: Path, settings: HubSettings) -> Hub:
    """A new hub. Raises ConflictError ``hub.exists``."""
    return Hub.init(path, settings, SystemClock(), SystemEntropy())


def open_hub(path: Path) -> Hub:
    """The hub of a folder. Raises RefusedError or NotFoundError where there is none."""
    return Hub.open(path, SystemClock(), SystemEntropy())


@asynccontextmanager
async def running_hub(hub: Hub) -> AsyncIterator[EmbeddedNats]:
    """The hub's server, serving, with its inboxes kept there until the block ends."""
    async with EmbeddedNats(hub.home.config, hub.home.health_url) as server, anyio.create_task_group() as tasks:
        await hub.ensure_streams()
        tasks.start_soon(hub.keep_streams)
        yield server
        tasks.cancel_scope.cancel()
