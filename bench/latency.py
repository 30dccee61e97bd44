"""From a post to another node's officer, over the real hub and real databases, each node a process of its own.

An officer posts over HTTP; the clock stops when the live notice of it reaches an officer of each recipient, which a
node sends when its board shows the item. All clocks are this machine's, and so are its cores: five nodes, five
databases, the hub and the clients share them, which no user's do.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import network
from rilon.errors import UnavailableError
from rilon.node.client import NodeClient
from tests.fakes.drafts import example

NODES = ("th", "id", "my", "bd", "iom")
RATE, SECONDS, WARM_S = 10, 20, 2
PATIENCE_S = 30
DRAFT = {"kind": "INC-FATAL", "fields": example("INC-FATAL")["fields"], "audience": {"everyone": True}}
"""One that every rule book lets go at once."""


@dataclass
class Marks:
    """When each step of each alert was done, in seconds of this machine's clock; by item, and by node and item."""

    posted: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    verified: dict[tuple[str, str], float] = field(default_factory=dict)
    shown: dict[tuple[str, str], float] = field(default_factory=dict)

    def steps(self) -> dict[str, list[float]]:
        """Milliseconds of each step, over all (recipient, item) pairs."""
        ways = [(p, p[1]) for p in self.shown if p[1] in self.posted]
        return {
            "post to another node's board": [1e3 * (self.shown[p] - self.posted[i]) for p, i in ways],
            "  posted: HTTP, judged, sealed, committed": [1e3 * (self.answered[i] - self.posted[i]) for _, i in ways],
            "  on its way: framed, hub, opened, verified": [
                1e3 * (self.verified[p] - self.answered[i]) for p, i in ways
            ],
            "  taken in: committed, projected, officer told": [
                1e3 * (self.shown[p] - self.verified[p]) for p, _ in ways
            ],
        }


def percentile(values: Sequence[float], q: float) -> float:
    """The q-th percentile, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


async def listen(client: NodeClient, member: str, marks: Marks) -> None:
    """Note when an officer hears that an item came, and when the node had verified it."""
    with suppress(UnavailableError):
        async for line in client.notices():
            now, (name, _, data) = time.time(), line.partition(": ")
            if name == "data" and (told := json.loads(data))["about"] == "item.received":
                place = member, told["item"]
                marks.verified[place] = datetime.fromisoformat(told["at"]).timestamp()
                marks.shown[place] = now


async def post(client: NodeClient, marks: Marks, *, counted: bool) -> None:
    """Post one alert."""
    begun = time.time()
    item = (await client.post("/alerts", DRAFT))["id"]
    if counted:
        marks.posted[item], marks.answered[item] = begun, time.time()


async def load(clients: Sequence[NodeClient], marks: Marks, seconds: float) -> None:
    """Post at a steady rate, from one node after the other, and wait until all has come."""
    async with asyncio.TaskGroup() as posting:
        for n in range(int(RATE * (WARM_S + seconds))):
            posting.create_task(post(clients[n % len(clients)], marks, counted=n >= RATE * WARM_S))
            await asyncio.sleep(1 / RATE)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while missing(marks):
                await asyncio.sleep(0.1)


def missing(marks: Marks) -> int:
    """How many deliveries nobody has heard of."""
    return sum((member, item) not in marks.shown for item in marks.posted for member in NODES) - len(marks.posted)


async def measure(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """p50 and p99 of the way to the board, of its steps, and what it costs the nodes' processes."""
    marks = Marks()
    async with network.founded(NODES) as world, network.running(world) as nodes, AsyncExitStack() as stack:
        officers = [NodeClient(world.url(m), world.persona(m, "officer").token) for m in NODES]
        clients = [await stack.enter_async_context(officer) for officer in officers]
        listening = [asyncio.create_task(listen(c, m, marks)) for c, m in zip(clients, NODES, strict=True)]
        pids, before = [network.process(node) for node in nodes], _busy()
        spent = -sum(map(network.cpu_s, pids))
        await load(clients, marks, seconds)
        spent += sum(map(network.cpu_s, pids))
        busy = [after - at for at, after in zip(before, _busy(), strict=True)]
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return [*_rows(marks), _cost(spent / (RATE * (WARM_S + seconds)), busy)]


def _rows(marks: Marks) -> list[dict[str, Any]]:
    steps = marks.steps()
    whole = statistics.fmean(next(iter(steps.values())))
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "p50_ms": round(percentile(v, 0.5), 1),
            "p99_ms": round(percentile(v, 0.99), 1),
            "share": f"{statistics.fmean(v) / whole:.0%}",
            "n": len(v),
        }
        for name, v in steps.items()
    ]
    return [*rows, {"name": f"not delivered within {PATIENCE_S} s", "n": missing(marks)}]


def _cost(seconds: float, busy: Sequence[int]) -> dict[str, Any]:
    return {
        "name": "CPU of one alert to four, all five nodes' programs",
        "cpu_ms": round(1e3 * seconds, 1),
        "machine_busy": f"{busy[0] / sum(busy):.0%}",
    }


def _busy() -> tuple[int, int]:
    """Ticks that the machine's cores have worked and rested."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], ticks[3] + ticks[4]


def run(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Rows with name, p50 and p99 in milliseconds, and each step's share of the mean."""
    return asyncio.run(measure(seconds))


if __name__ == "__main__":
    for row in run():
        print(row)
