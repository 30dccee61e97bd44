"""Both buses do what ``Bus`` says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rilon.network.ports import Bus
from tests.contract.bus import INBOX_FRAMES, BusContract, Playground
from tests.fakes.memory_bus import MemoryHub
from tests.servers import HubServer, hub_server

MEMBERS = ("th", "my", "au")


class MemoryPlayground(Playground):
    def __init__(self) -> None:
        self.hub = MemoryHub(*MEMBERS, inbox_frames=INBOX_FRAMES)

    @asynccontextmanager
    async def bus(self, member: str) -> AsyncIterator[Bus]:
        bus = self.hub.bus(member)
        yield bus
        await bus.close()

    async def down(self) -> None:
        self.hub.down = True

    async def up(self) -> None:
        self.hub.down = False
        self.hub.wake()


class TestMemoryBus(BusContract):
    @pytest.fixture
    async def ground(self) -> Playground:
        return MemoryPlayground()


class NatsPlayground(Playground):
    def __init__(self, server: HubServer) -> None:
        self.server = server

    @asynccontextmanager
    async def bus(self, member: str) -> AsyncIterator[Bus]:
        async with self.server.bus(member) as bus:
            await bus.connected()
            yield bus

    async def down(self) -> None:
        self.server.nats.kill()

    async def up(self) -> None:
        await self.server.nats.start()


@pytest.mark.real
class TestNatsBus(BusContract):
    @pytest.fixture
    async def ground(self) -> AsyncIterator[Playground]:
        async with hub_server(inbox_frames=INBOX_FRAMES, ack_wait_s=0.5) as server:
            await server.add(*MEMBERS)
            yield NatsPlayground(server)
