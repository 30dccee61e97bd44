"""Three running nodes with their APIs on real ports, and people at their keyboards."""

from __future__ import annotations

import asyncio
import json
import shlex
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest_asyncio
from click.testing import CliRunner

from rilon.api.app import create_app
from rilon.crypto import approval
from rilon.front.server import ApiServer, listen_tcp
from rilon.node.cli import cli
from rilon.node.client import NodeClient
from rilon.node.commands import imports
from rilon.node.commands.common import EXERCISE
from rilon.node.config import Hook
from tests.cluster import Node, cluster
from tests.e2e.script import Said
from tests.fakes.keys import CHEAP
from tests.fakes.pictures import photo
from tests.servers import open_dir

RINGS = {"hook": Hook(("/bin/true",))}
_ONE = threading.Lock()
"""The runner exchanges stdout and the environment of the whole process."""


@dataclass(frozen=True)
class Desk:
    """Where the commands are run."""

    folder: Path
    nodes: dict[str, Node]
    calls: set[tuple[str, str]] = field(default_factory=set)
    """What was asked of a node and done: method and path."""

    def run(self, who: str, command: str) -> Said:
        """Run a command as a persona, such as ``th-officer``; blocks, so call it in a thread."""
        member, _, name = who.partition("-")
        env: dict[str, str | None] = {"RILON_TOKEN": None, "RILON_URL": None, "COLUMNS": "200"}
        if who:
            demo = self.nodes[member].demo
            token = name if name.startswith("rilon_") else demo.persona(member, name).token
            env |= {"RILON_URL": demo.url(member), "RILON_TOKEN": token}
            env |= {"RILON_HOME": str(demo.home(member).path)}
        program, *words = shlex.split(command)
        assert program == "rilon"
        cheap = partial(approval.unlock, floor=CHEAP)  # as the demo's keys are made here
        asked = len(self.calls)
        elsewhere = patch.object(imports, "DEMO", self.folder / "none")  # not what `make demo` left beside the tests
        with _ONE, elsewhere, patch.object(approval, "unlock", cheap), patch.object(NodeClient, "_send", self._noted()):
            found = CliRunner().invoke(cli, words, env=env, prog_name="rilon")
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        marks = found.stderr.count(f"{EXERCISE}\n")
        assert marks == 1 or len(self.calls) == asked, "an answer of an exercise without its watermark"
        return Said(found.stdout, found.stderr.replace(f"{EXERCISE}\n", "", 1), found.exit_code)

    def _noted(self) -> Callable[..., Awaitable[httpx.Response]]:
        send = NodeClient._send

        async def noting(client: NodeClient, method: str, path: str, **more: Any) -> httpx.Response:
            answer = await send(client, method, path, **more)
            self.calls.add((method, f"/v1/{path.lstrip('/')}"))
            return answer

        return noting


def charters(folder: Path) -> None:
    """Charters as focal points write them; they end, so they cannot lie beside the scripts."""
    facts = {
        "name": "Operation Fictional Reef",
        "charter": "Find the fictional boat before the storm does.",
        "purpose": "prevent_loss_of_life",
        "themes": ["documents", "maritime"],
        "ends": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
    }
    for name, more in CHARTERS.items():
        (folder / f"{name}.json").write_text(json.dumps(facts | more))


CHARTERS: dict[str, dict[str, object]] = {
    "operation": {"kind": "operation", "members": ["au"]},
    "joined": {"kind": "operation", "members": ["au", "th"]},
    "admitted": {"kind": "operation", "members": ["au", "th"], "admitted": ["th"]},
    "consultation": {"kind": "consultation", "members": ["au", "th"], "name": "Consultation on a fictional boat"},
    "alone": {"kind": "operation", "members": ["atlantis"]},
}


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[None]:
    """The node's API on its port."""
    services = node.running.services
    server = ApiServer(create_app(services), services.notifier.close, signals=False)
    port = node.demo.state.ports[node.member]
    task = asyncio.create_task(server.run_on(listen_tcp("127.0.0.1", port)))
    try:
        yield
    finally:
        server.stop()
        await task


async def _hold(ready: asyncio.Future[Desk], done: asyncio.Event) -> None:
    """Keep everything running in one task: a fixture is set up in one and torn down in another."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(open_dir())
        nodes = await stack.enter_async_context(cluster(folder / "demo", ("th", "id", "au"), config=RINGS))
        for node in nodes.values():
            await stack.enter_async_context(serving(node))
        (folder / "demo-passphrase").write_text(nodes["th"].demo.state.passphrase)
        (folder / "pier.jpg").write_bytes(photo(300, 200))
        (folder / "drawing.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
        charters(folder)
        (folder / "huge.toml").write_bytes(b"# a comment\n" * 60_000)
        ready.set_result(Desk(folder, nodes))
        await done.wait()


@pytest_asyncio.fixture(scope="session")
async def desk() -> AsyncIterator[Desk]:
    ready, done = asyncio.get_running_loop().create_future(), asyncio.Event()
    holding = asyncio.create_task(_hold(ready, done))
    await asyncio.wait({holding, ready}, return_when=asyncio.FIRST_COMPLETED)
    if holding.done():
        holding.result()
    yield ready.result()
    done.set()
    await holding
