"""From a post to another node's board, over the real hub and real databases; and what one alert to 44 recipients costs.

Five nodes share this process, so each step's share includes waiting for the others' processor time.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.crypto import chain, frame
from rilon.crypto.keys import KemKey, LinkKey
from rilon.domain.base import lines_of
from rilon.domain.disclosure import Disclosure
from rilon.domain.holding import Holding
from rilon.domain.members import MEMBERS
from rilon.domain.values import Role
from rilon.network import wire
from rilon.node.core import World
from tests.cluster import Node, cluster
from tests.fakes.drafts import example
from tests.fakes.keys import CHEAP
from tests.nodes import introduce, memory_node

NODES = ("th", "id", "my", "bd", "iom")
RATE, SECONDS = 10, 20
RECIPIENTS = 44


@dataclass
class Marks:
    """When each step of each alert was done, by the loop's clock."""

    posted: dict[UUID, float] = field(default_factory=dict)
    committed: dict[UUID, float] = field(default_factory=dict)
    received: dict[tuple[str, UUID], float] = field(default_factory=dict)
    shown: dict[tuple[str, UUID], float] = field(default_factory=dict)

    def steps(self) -> dict[str, list[float]]:
        """Milliseconds of each step, over all (alert, recipient) pairs."""
        pairs = [(place, place[1]) for place in self.shown if place[1] in self.posted]
        return {
            "post to another node's board": [1e3 * (self.shown[p] - self.posted[i]) for p, i in pairs],
            "  of it: post, sealed and committed": [1e3 * (self.committed[i] - self.posted[i]) for _, i in pairs],
            "  of it: on its way, verified, committed": [
                1e3 * (self.received[p] - self.committed[i]) for p, i in pairs
            ],
            "  of it: on the board": [1e3 * (self.shown[p] - self.received[p]) for p, i in pairs],
        }


def percentile(values: list[float], q: float) -> float:
    """The q-th percentile, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


async def watch(node: Node, marks: Marks) -> None:
    """Note when items arrive in a node's log, and when its views show them."""
    log, after = node.core.log, (await node.core.log.head()).size
    while True:
        page = await log.page(after, 500)
        now = time.perf_counter()
        arrived = [r.event.item for r in page if isinstance(r.event, Holding.Granted)]
        marks.received.update({(node.member, item): now for item in arrived})
        if page:
            after = page[-1].position
            await node.running.progress.wait_for(after, 10)
            now = time.perf_counter()
            marks.shown.update({(node.member, item): now for item in arrived})
        else:
            await log.wait(after, 1)


async def post(node: Node, marks: Marks) -> None:
    """Post one alert that every rule book lets go at once."""
    draft = AlertDraft(kind="INC-FATAL", fields=example("INC-FATAL")["fields"], audience=AudienceDraft(everyone=True))
    caller = await node.caller("officer")
    begun = time.perf_counter()
    item = UUID(bytes=(await node.core.desks.alerts.post(caller, draft)).answer)
    marks.posted[item], marks.committed[item] = begun, time.perf_counter()


async def latency() -> Iterator[dict[str, Any]]:
    """p50 and p99 of the way to the board, and of its steps."""
    marks = Marks()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        async with cluster(Path(folder) / "bench", NODES, World(floor=CHEAP)) as nodes:
            watching = [asyncio.create_task(watch(n, marks)) for n in nodes.values()]
            posting = []
            for n in range(RATE * SECONDS):
                posting.append(asyncio.create_task(post(nodes[NODES[n % len(NODES)]], marks)))
                await asyncio.sleep(1 / RATE)
            await asyncio.gather(*posting)
            with suppress(TimeoutError):
                async with asyncio.timeout(30):
                    while len(marks.shown) < RATE * SECONDS * (len(NODES) - 1):
                        await asyncio.sleep(0.1)
            for task in watching:
                task.cancel()
    missing = RATE * SECONDS * (len(NODES) - 1) - len(marks.shown)
    rows = [
        {"name": name, "p50_ms": round(percentile(v, 0.5), 1), "p99_ms": round(percentile(v, 0.99), 1), "n": len(v)}
        for name, v in marks.steps().items()
    ]
    return iter([*rows, {"name": "not delivered within 30 s", "n": missing}])


async def fan_out(rounds: int = 9) -> dict[str, Any]:
    """CPU of one alert to 44 recipients: posting it, gathering what goes to each, signing and sealing a frame each."""
    names = [m for m, entry in MEMBERS.items() if entry.in_everyone][: RECIPIENTS + 1]
    nodes = [await memory_node(name) for name in names]
    sender = nodes[0]
    for other in nodes[1:]:
        await introduce(sender, other)
    officer = (await sender.officer(Role.OFFICER)).caller
    recipients = {n.member: frame.Recipient(KemKey.generate().public) for n in nodes[1:]}
    key, spent = LinkKey.generate(), []
    draft = AlertDraft(kind="INC-FATAL", fields=example("INC-FATAL")["fields"], audience=AudienceDraft(everyone=True))
    for _ in range(rounds):
        begun = time.process_time()
        done = await sender.desks.alerts.post(officer, draft)
        tail = await sender.log.page(done.position - 10, 10)
        released = next(r.event for r in tail if isinstance(r.event, Disclosure.Released))
        await seal_all(sender, released, recipients, key)
        spent.append(1e3 * (time.process_time() - begun))
    return {"name": f"one alert to {len(recipients)} recipients, CPU", "p50_ms": round(statistics.median(spent), 1)}


async def seal_all(sender: Any, released: Disclosure.Released, recipients: dict[str, Any], key: LinkKey) -> None:
    """What the courier does for each recipient."""
    log = sender.log_id
    for member, line in lines_of(released).items():
        attached = wire.attach([await sender.desks.outgoing.attach(released, member)])
        body = wire.Entries(log=log, to_log=log, acked=0, first=1, prev=chain.START, lines=(line,))
        route = frame.Route(sender.member, member, log, log, "real")
        frame.seal(wire.encode(body), attached, route, recipients[member], key)


async def measure() -> list[dict[str, Any]]:
    """All rows."""
    return [*(await latency()), await fan_out()]


def run() -> list[dict[str, Any]]:
    """Rows with name, p50 and p99 in milliseconds."""
    return asyncio.run(measure())


if __name__ == "__main__":
    for row in run():
        print(row)
