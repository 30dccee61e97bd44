"""What a node holds in memory: at rest, and with 100,000 alerts; and what its index of opened summaries takes.

The log is written through the node's own store, in large batches. Every summary is sealed as a posted one is, with
words of its own, its key wrapped by the node's keyring; what no follower opens (signatures, other sections) is random.
Four of five alerts came from other Members. The node runs as ``rilon serve`` does; figures are read from outside.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg

from bench import network
from bench.made import Draws, posted, received
from rilon.app.follower import catch_up
from rilon.app.summaries import Summaries
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.crypto.section import SealedSection
from rilon.domain.alert import SectionRef
from rilon.domain.base import Event, Root
from rilon.domain.kinds import encode_content, parse_fields
from rilon.domain.values import Sealed, Sensitivity
from rilon.node.core import PROJECTOR_ROLE, Core, database, open_core
from rilon.node.demo.processes import NodeProcess
from rilon.node.demo.world import DemoWorld
from rilon.node.hub_server import open_hub, running_hub
from rilon.projections.progress import Progress
from rilon.projections.runner import Projector
from rilon.store.database import open_pool
from tests.fakes.drafts import example

ALERTS = 100_000
OWN = 5
"""Every so manieth alert is the node's own."""
FILL = 1_000
MEMBER = "th"
QUIET_S, BUSY = 2.0, 0.05
"""A program that used less than this share of a core for so long has done what it had to do."""
CAUGHT_UP = """
SELECT (SELECT position FROM views.progress) = size AND (SELECT min(position) FROM rilon.positions) = size
FROM rilon.log_head
"""


class Filler:
    """Makes alerts and stores them, a batch at a time."""

    def __init__(self, core: Core) -> None:
        self._core, self._draws = core, Draws()
        self._vault = Vault(core.blobs, core.keys, self._draws)
        self._fields = parse_fields("INC-FATAL", example("INC-FATAL")["fields"], now=datetime.now(UTC))[
            Sensitivity.SUMMARY
        ]
        self._sealed: dict[bytes, SealedSection] = {}
        self._n = 0

    async def fill(self, alerts: int) -> None:
        """Store so many alerts, and nothing of them twice."""
        now = datetime.now(UTC)
        for first in range(0, alerts, FILL):
            roots: list[Root] = []
            for n in range(first, min(first + FILL, alerts)):
                made = (
                    received(self._draws, now, n, self._section) if n % OWN else posted(self._draws, now, self._section)
                )
                roots += made
            await self._vault.adopt(self._sealed)
            wraps = self._vault.wrap({slot: s.key for slot, s in self._sealed.items()})
            events = [cast("Event", e) for r in roots for e in r.collect_events()]
            await self._core.log.append(events, wraps=list(wraps.values()))
            self._sealed.clear()

    def _section(self, origin: str, item: UUID, sensitivity: Sensitivity) -> SectionRef:
        if sensitivity is not Sensitivity.SUMMARY:
            return self._draws.section(origin, item, sensitivity)
        self._n += 1
        place = {**self._fields["place"], "name": f"Sample Island {self._n}"}  # type: ignore[dict-item]
        words = {"title": f"Boat {self._n} capsized near Sample Island {self._n}", "place": place}
        position, slot = 3, self._draws.bytes(32)
        context = section.item_context(origin, item.bytes, 1, position, sensitivity)
        made = section.seal(encode_content({**self._fields, **words}), context, self._draws.bytes(section.KEY_BYTES))
        self._sealed[slot] = made
        lies = Sealed(slot, made.digest, made.commitment)
        return SectionRef(position, sensitivity, lies, self._draws.bytes(16), self._draws.bytes(128))


@asynccontextmanager
async def served(world: DemoWorld) -> AsyncIterator[NodeProcess]:
    """The node's program, from the moment it is started."""
    async with running_hub(open_hub(world.hub)):
        node = NodeProcess(world, MEMBER)
        (world.path / "passphrase").write_text(world.state.passphrase)
        await node.start()
        try:
            yield node
        finally:
            await node.stop()


async def settled(pid: int) -> None:
    """Wait until a program rests."""
    used = -1.0
    while (now := network.cpu_s(pid)) - used > BUSY * QUIET_S:
        used = now
        await asyncio.sleep(QUIET_S)


async def caught_up(world: DemoWorld) -> None:
    """Wait until views and courier have read the whole log."""
    home = world.home(MEMBER)
    async with database(home, home.read(), world.world) as (dsn, _):
        connection = await asyncpg.connect(dsn)
        while not await connection.fetchval(CAUGHT_UP):
            await asyncio.sleep(0.5)
        await connection.close()


async def look(world: DemoWorld, name: str) -> dict[str, Any]:
    """Start the node, let it settle, and say what it holds and how long that took."""
    begun = time.monotonic()
    async with served(world) as node:
        await node.ready()
        ready = time.monotonic() - begun
        pid = network.process(node)
        await settled(pid)
        rested = time.monotonic() - begun - QUIET_S
        return {
            "name": name,
            "program_mb": round(network.memory_mb(pid)),
            "most_mb": round(network.memory_mb(pid, "VmHWM")),
            "postgres_mb": round(network.shared_mb(network.family(network.postmaster(pid)))),
            "ready_s": round(ready, 1),
            "all_read_s": round(rested, 1),
        }


async def measure(alerts: int = ALERTS) -> list[dict[str, Any]]:
    """A node at rest, the same with many alerts, and the index by itself."""
    async with network.founded([MEMBER]) as world:
        rows = [await look(world, "node at rest")]
        begun = time.monotonic()
        async with open_core(world.home(MEMBER), world.state.passphrase, world.world) as core:
            await Filler(core).fill(alerts)
            async with open_pool(core.dsn, role=PROJECTOR_ROLE) as pool:  # behind so far, no node calls itself ready
                await catch_up(core.log, Projector(pool, Progress(pool)))
        filled = time.monotonic() - begun
        async with served(world) as node:
            await node.ready()
            await caught_up(world)
        rows.append(await look(world, f"node with {alerts:,} alerts, started again"))
        rows.append(await _index(world))
        return [*rows, {"name": "(making the alerts, and their views)", "s": round(filled, 1)}]


async def _index(world: DemoWorld) -> dict[str, Any]:
    """In a process of its own, so that nothing else lies in its memory."""
    words = [sys.executable, "-m", "bench.memory", str(world.path)]
    child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


async def index(world: DemoWorld) -> dict[str, Any]:
    """The index of summaries, made from the log as at every start of a node."""
    pid = "self"
    async with open_core(world.home(MEMBER), world.state.passphrase, world.world) as core:
        summaries = Summaries(MEMBER, core.desks.vault, world.world.clock)
        before, begun = network.memory_mb(pid), time.perf_counter()
        await catch_up(core.log, summaries)
        took, grown = time.perf_counter() - begun, network.memory_mb(pid) - before
    return {
        "name": "its index of summaries, by itself",
        "summaries": len(summaries),
        "index_mb": round(grown),
        "start_s": round(took, 1),
        "log_events": await summaries.position(),
    }


def run(alerts: int = ALERTS) -> list[dict[str, Any]]:
    """Rows in MB of resident memory and seconds."""
    return asyncio.run(measure(alerts))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(index(DemoWorld(Path(sys.argv[1]))))))
