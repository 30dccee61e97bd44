"""Whole nodes with their couriers on one bus, and a way to let them die and start again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from rilon.app.failpoints import Failpoint, Hook, passing
from rilon.app.ports import LinkStore
from rilon.network import courier as courier_module
from rilon.network import link, link_out, peer
from rilon.network.courier import Courier
from rilon.network.office import Office
from rilon.network.ports import Bus
from tests.fakes.memory_bus import MemoryHub
from tests.fakes.memory_links import MemoryLinks
from tests.nodes import MemoryNode, acquaint, draft_of, memory_node


class KilledError(Exception):
    """The process was killed at a failpoint."""


class Executioner:
    """Kills at the ``nth`` time somebody passes a failpoint."""

    def __init__(self, at: Failpoint, nth: int = 1) -> None:
        self._at, self._left = at, nth

    async def __call__(self, point: Failpoint) -> None:
        self._left -= point is self._at
        if self._left == 0 and point is self._at:
            raise KilledError(point)


class Post:
    """A node's courier, which can be started, killed and started again over the same log."""

    def __init__(self, node: MemoryNode, hub: MemoryHub | None) -> None:
        self.node, self.hub = node, hub
        self.store: LinkStore = MemoryLinks()
        self.bus: Bus | None = None
        self.deaths = 0
        self.hook: Hook = passing
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.bus = self.hub.bus(self.node.member) if self.hub else None
        desks = self.node.desks
        office = Office(
            desks.log, self.store, desks.keys, desks.entropy, self.bus, desks.directory, desks.incoming,
            desks.outgoing, desks.links, desks.parcels, desks.vault, self._pass,
        )  # fmt: skip
        self.courier = Courier(office)
        self._task = asyncio.create_task(self._live())

    async def _pass(self, point: Failpoint) -> None:
        await self.hook(point)

    async def _live(self) -> None:
        """Live, and rise again when killed."""
        while True:
            try:
                await self.courier.run()
            except* KilledError:
                self.deaths += 1

    @property
    def task(self) -> asyncio.Task[None]:
        assert self._task is not None
        return self._task

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self.bus is not None:
            await self.bus.close()

    def link(self, member: str) -> Any:
        return next((h for h in self.courier.health() if h.peer == member), None)


@asynccontextmanager
async def posts(hub: MemoryHub | None, *nodes: MemoryNode) -> AsyncIterator[dict[str, Post]]:
    made = {node.member: Post(node, hub) for node in nodes}
    for post in made.values():
        post.start()
    try:
        yield made
    finally:
        for post in made.values():
            await post.stop()


async def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.005)


async def delivered(made: dict[str, Post]) -> None:
    """Wait until every link is open and everything addressed on it is receipted."""

    def quiet() -> bool:
        health = [h for post in made.values() for h in post.courier.health()]
        return bool(health) and all(h.state == "open" and h.waiting == 0 for h in health)

    async with asyncio.timeout(30):
        for _ in range(3):  # receipts of receipts do not exist, but events may still be read
            await until(quiet)
            await asyncio.sleep(0.02)


async def kinds(node: MemoryNode) -> Counter[str]:
    return Counter(type(event).TOPIC for event in await node.events())


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that takes seconds takes hundredths."""
    monkeypatch.setattr(link_out, "RETRY_S", 0.05)
    monkeypatch.setattr(link_out, "RETRY_MOST_S", 0.2)
    monkeypatch.setattr(link, "ANSWER_EVERY_S", 0.01)
    monkeypatch.setattr(link, "AWAY_S", 0.02)
    monkeypatch.setattr(peer, "LOOK_S", 0.02)
    monkeypatch.setattr(courier_module, "AGAIN_S", 0.02)


async def pair() -> tuple[MemoryNode, MemoryNode]:
    """Thailand and Malaysia, who trust each other."""
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    return th, my


async def post_alerts(node: MemoryNode, count: int, *to: str) -> None:
    """Post alerts and have them approved, so that each becomes a line for every recipient."""
    author, focal = await node.officer(), await node.approver()
    for _ in range(count):
        item = await node.post(author, draft_of("TIP-RECRUIT", *to))
        if (await node.disclosure(item)).state != "released":
            await node.approve(item, focal)
