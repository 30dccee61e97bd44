"""A real network: the hub, and every node a process that is started again whenever it dies, as systemd would."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rilon.errors import UnavailableError
from rilon.network.hub import Hub
from rilon.node.client import NodeClient
from rilon.node.core import World
from rilon.node.demo.world import DemoWorld
from rilon.node.embedded import EmbeddedNats, EmbeddedPostgres
from rilon.node.embedded_process import Identity
from rilon.node.hub_server import open_hub, running_hub
from tests.cluster import eventually
from tests.fakes.keys import CHEAP

ROOT = Path(__file__).parents[1]


class NodeProcess:
    """A node's process.

    Args:
        plan: failpoints at which it is to die, as ``POINT:COUNT``; one for each life, until all have been met.
    """

    def __init__(self, demo: DemoWorld, member: str, plan: Sequence[str] = ()) -> None:
        self.member, self.plan, self.lives = member, tuple(plan), 0
        self.home, self._secret = demo.home(member), demo.state.passphrase
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def log(self) -> Path:
        return self.home.path / "node.log"

    @property
    def dsn(self) -> str:
        return EmbeddedPostgres(self.home.postgres).dsn()

    def deaths(self) -> list[str]:
        """The failpoints it has died at."""
        return re.findall(r"^died at (\S+)$", self.log.read_text(), re.MULTILINE) if self.log.exists() else []

    async def live(self) -> None:
        """Run it, again and again, until it is told to stop."""
        while not self._stopping:
            self.lives += 1
            met = len(self.deaths())
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(*self.plan[met : met + 1]),
                    cwd=ROOT,
                    env={"RILON_PASSPHRASE": self._secret, "PATH": os.defpath, "PYTHONPATH": str(ROOT)},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            await self._process.wait()

    def _command(self, *death: str) -> list[str]:
        words = [sys.executable, "-m", "tests.node_process", str(self.home.path), *death]
        return Identity(os.geteuid(), os.getegid()).command(words, signal.SIGKILL)

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def kill_postgres(self) -> bool:
        """SIGKILL its database; False when there is none just now."""
        with suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
            os.kill(int((self.home.postgres / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
            return True
        return False

    async def stop(self) -> None:
        """Stop it in order."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 20)
            except TimeoutError:
                self._process.kill()
                raise


class Network:
    """The nodes of some Members and their hub, running."""

    def __init__(self, demo: DemoWorld, hub: Hub, nats: EmbeddedNats, nodes: dict[str, NodeProcess]) -> None:
        self.demo, self.hub, self.nats, self.nodes = demo, hub, nats, nodes

    def client(self, member: str, person: str = "officer") -> NodeClient:
        return NodeClient(self.demo.url(member), self.demo.persona(member, person).token)

    def kill_hub(self, *, lose: bool = False) -> None:
        """SIGKILL the hub, and delete all that JetStream stored."""
        self.nats.kill()
        if lose and (self.hub.home.server / "store").exists():
            shutil.rmtree(self.hub.home.server / "store")

    async def ready(self, timeout_s: float = 60) -> None:
        """Wait until every node has met every other."""
        await eventually(self._met, timeout_s)

    async def at_rest(self, timeout_s: float = 60) -> None:
        """Wait until every line that any node has for another is receipted."""
        await eventually(self._quiet, timeout_s)

    async def _met(self) -> bool:
        return all(link["state"] == "open" for link in await self._links())

    async def _quiet(self) -> bool:
        return await self._done() and await self._done()  # a courier may not have read the newest events at once

    async def _done(self) -> bool:
        await asyncio.sleep(0.3)
        return all(link["state"] == "open" and link["waiting"] == 0 for link in await self._links())

    async def _links(self) -> list[dict[str, Any]]:
        found = []
        for member in self.nodes:
            try:
                async with self.client(member, "focal-1") as client:
                    links = await client.get("links")
            except UnavailableError:
                links = []
            found += [link.get("health") or {"state": "away"} for link in links] or [{"state": "away"}]
        return found


@asynccontextmanager
async def network(
    path: Path, members: Sequence[str], plans: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> AsyncIterator[Network]:
    """Found these Members' nodes, and run them and their hub until the block ends."""
    demo = DemoWorld(path, members, cost=CHEAP, world=World(floor=CHEAP, fsync=False))
    await demo.make_homes()
    await demo.found_all()
    nodes = {member: NodeProcess(demo, member, plans.get(member, ())) for member in members}
    async with AsyncExitStack() as stack:
        hub = open_hub(demo.hub)
        nats = await stack.enter_async_context(running_hub(hub))
        lives = [asyncio.create_task(node.live()) for node in nodes.values()]
        try:
            found = Network(demo, hub, nats, nodes)
            await found.ready()
            yield found
        finally:
            await asyncio.gather(*(node.stop() for node in nodes.values()))
            await asyncio.gather(*lives)
