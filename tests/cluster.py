"""Real nodes in one process: real hub, a real Postgres cluster each, real couriers; founded cheaply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from msgspec import structs

from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.app.release import body_of
from rilon.crypto import approval, strict
from rilon.domain.permissions import Caller
from rilon.errors import FatalError
from rilon.node.core import Core, World, open_core
from rilon.node.demo.world import DemoWorld
from rilon.node.hub_server import open_hub, running_hub
from rilon.node.serve import Running, running_node
from tests.fakes.keys import CHEAP


@dataclass
class Node:
    """One running node and its people."""

    member: str
    demo: DemoWorld
    running: Running

    @property
    def core(self) -> Core:
        return self.running.core

    async def caller(self, name: str) -> Caller:
        return await self.core.desks.members.authenticate(self.demo.persona(self.member, name).token)

    async def post(self, kind: str, fields: dict, to: Sequence[str], **more: object) -> UUID:
        draft = AlertDraft(kind=kind, fields=fields, audience=AudienceDraft(members=tuple(to)), **more)
        done = await self.core.desks.alerts.post(await self.caller("officer"), draft)
        return UUID(bytes=done.answer)

    async def approve(self, item: UUID, name: str = "focal-1") -> str:
        caller = await self.caller(name)
        waiting = await self.core.desks.disclosures.show(caller, item)
        path = Path(self.demo.persona(self.member, name).key_file)
        key = approval.unlock(path.read_bytes(), self.demo.state.passphrase, floor=CHEAP)
        signed = strict.encode(key.approve(body_of(waiting.draft), self.core.desks.entropy.bytes(32)))
        return (await self.core.desks.disclosures.approve(caller, item, signed)).answer.decode()


def _fatal(error: FatalError) -> None:
    raise error


WORLD = World(floor=CHEAP, fsync=False)


@asynccontextmanager
async def started(demo: DemoWorld, member: str, world: World = WORLD) -> AsyncIterator[Node]:
    """One node of a founded network, running."""
    async with (
        open_core(demo.home(member), demo.state.passphrase, world) as core,
        running_node(core, world, _fatal) as running,
    ):
        yield Node(member, demo, running)


@asynccontextmanager
async def cluster(
    path: Path, members: Sequence[str], world: World = WORLD, *, config: Mapping[str, Any] = MappingProxyType({})
) -> AsyncIterator[dict[str, Node]]:
    """Running nodes of these Members, introduced and verified.

    Args:
        config: what all of them are configured with besides.
    """
    demo = DemoWorld(path, members, cost=CHEAP, world=world)
    await demo.make_homes()
    await demo.found_all()
    for home in map(demo.home, members):
        home.write(structs.replace(home.read(), **config))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_hub(open_hub(demo.hub)))
        yield {member: await stack.enter_async_context(started(demo, member, world)) for member in members}


async def eventually(check: Callable[[], Awaitable[bool]], timeout_s: float = 30) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(timeout_s):
        while not await check():
            await asyncio.sleep(0.05)
