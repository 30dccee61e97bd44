"""A network as users have it: a hub, and every node a process of its own with a Postgres of its own, fsync on."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rilon.node.client import NodeClient
from rilon.node.demo.processes import NodeProcess, running_nodes
from rilon.node.demo.world import DemoWorld
from rilon.node.hub_server import open_hub, running_hub

TICKS = os.sysconf("SC_CLK_TCK")


def process(node: NodeProcess) -> int:
    """The number of a node's Python process: the demo starts it behind one that drops rights."""
    assert node._process is not None
    own = [pid for pid in family(node._process.pid) if "serve" in _words(pid) and "python" in _words(pid)[0]]
    return own[-1]


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def _words(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICKS


def memory_mb(pid: int | str, what: str = "VmRSS") -> float:
    """Resident memory of a process, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def postmaster(pid: int) -> int:
    """The database server that a node's program runs."""
    return next(child for child in family(pid) if "postgres" in _words(child)[0] and "-D" in _words(child))


def shared_mb(pids: Iterable[int]) -> float:
    """Memory of processes that share some of it, each page counted once, in MB."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids]
    return sum(int(line.split()[1]) / 1024 for lines in rollups for line in lines if line.startswith("Pss:"))


@asynccontextmanager
async def founded(members: Sequence[str]) -> AsyncIterator[DemoWorld]:
    """Members' nodes, founded and introduced; nothing runs."""
    with tempfile.TemporaryDirectory(prefix="rilon-bench-") as folder:
        Path(folder).chmod(0o711)
        world = DemoWorld(Path(folder) / "network", members)
        await world.make_homes()
        await world.found_all()
        yield world


@asynccontextmanager
async def running(world: DemoWorld) -> AsyncIterator[list[NodeProcess]]:
    """Hub and nodes, serving, and every link open."""
    async with running_hub(open_hub(world.hub)), running_nodes(world, lambda _: None) as nodes:
        for member in world.members:
            await _linked(world, member)
        yield nodes


async def _linked(world: DemoWorld, member: str) -> None:
    async with NodeClient(world.url(member), world.persona(member, "focal-1").token) as client, asyncio.timeout(60):
        while any(link["health"]["state"] != "open" for link in await client.get("/links") if link.get("health")):
            await asyncio.sleep(0.1)
