"""The demo's processes: one for each node, as an operator would run it; they die with us and stop in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from rilon.errors import UnavailableError
from rilon.node.config import write_private
from rilon.node.demo.world import DemoWorld
from rilon.node.embedded_process import Identity

READY_S = 60.0
STOP_S = 25.0


class NodeProcess:
    """One ``rilon serve``, its output in ``node.log`` of its home."""

    def __init__(self, world: DemoWorld, member: str) -> None:
        self.member, self._url = member, f"http://127.0.0.1:{world.state.ports[member]}"
        self._home, self._passphrase = world.home(member).path, world.path / "passphrase"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """What the node says."""
        return self._home / "node.log"

    async def start(self) -> None:
        """Start it; in a session of its own, so that a Ctrl-C reaches us only and we stop it in order."""
        words: list[str | Path] = [sys.executable, "-m", "rilon.node.cli", "serve", "--home", self._home]
        command = Identity(os.geteuid(), os.getegid()).command(words, signal.SIGTERM)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"RILON_PASSPHRASE_FILE": str(self._passphrase), "PATH": os.defpath, "LANG": "C.UTF-8"},
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until it serves.

        Raises:
            UnavailableError: ``demo.node``: it ended, or is not ready in time; its log says why.
        """
        try:
            async with asyncio.timeout(READY_S), httpx.AsyncClient() as client:
                while not await self._serves(client):  # noqa: ASYNC110  another process has no event of ours
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise self._trouble("is not ready in time") from None

    async def _serves(self, client: httpx.AsyncClient) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise self._trouble("ended")
        try:
            return (await client.get(f"{self._url}/v1/ready")).is_success
        except httpx.TransportError:
            return False

    def _trouble(self, what: str) -> UnavailableError:
        return UnavailableError("demo.node", f"The node of {self.member.upper()} {what}.", fix=f"See {self.log}.")

    async def stop(self) -> None:
        """Stop it in order; killed when it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running_nodes(world: DemoWorld, say: Callable[[str], None]) -> AsyncIterator[list[NodeProcess]]:
    """All nodes of the demo, serving, until the block ends."""
    write_private(world.path / "passphrase", f"{world.state.passphrase}\n".encode())
    nodes = [NodeProcess(world, member) for member in world.members]
    try:
        await _all(node.start() for node in nodes)
        for node in nodes:
            await node.ready()
            say(f"{node.member.upper()} answers at {world.url(node.member)}")
        yield nodes
    finally:
        await _all(node.stop() for node in nodes)


async def _all(jobs: Iterable[object]) -> None:
    await asyncio.gather(*jobs)  # type: ignore[call-overload]
