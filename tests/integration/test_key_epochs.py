"""A KEM key turns while real nodes send: nothing is lost, and who recorded the hub opens nothing with what is left."""

from __future__ import annotations

import asyncio

import pytest

from rilon.crypto import frame
from rilon.crypto.frame import Frame, Route
from rilon.crypto.keyring import Keyring
from rilon.domain.holding import Holding
from rilon.domain.peer_link import PeerLink
from rilon.errors import ProofError
from rilon.network.bus import NatsBus
from rilon.network.ports import Posted
from tests.cluster import Node, cluster, eventually
from tests.fakes.drafts import example
from tests.fakes.keys import CHEAP
from tests.servers import open_dir

pytestmark = pytest.mark.real

ALERTS = 12


async def send(node: Node, count: int, to: str) -> None:
    """Post fatal incidents, which the shipped rules let go at once."""
    for _ in range(count):
        await node.post("INC-FATAL", example("INC-FATAL")["fields"], [to])


async def granted(node: Node) -> int:
    return sum(isinstance(r.event, Holding.Granted) for r in await node.core.log.page(0, 100_000))


async def rejected(node: Node) -> set[str]:
    found = await node.core.log.page(0, 100_000)
    return {r.event.code for r in found if isinstance(r.event, PeerLink.FrameRejected)}


async def arrived(node: Node, count: int) -> None:
    """Wait until so many alerts of the peer are here; none more ever comes."""

    async def all_here() -> bool:
        return await granted(node) >= count

    await eventually(all_here)
    assert await granted(node) == count


async def destroyed(node: Node) -> None:
    """Wait until the peer has receipted the newest key, and the hourly job has found that out."""

    async def alone() -> bool:
        await node.core.desks.epochs.tend()
        return len(stolen(node).kems()) == 1

    await eventually(alone)


def stolen(node: Node) -> Keyring:
    """The keyring file as it lies there now, opened with its passphrase."""
    data = node.core.home.keyring.read_bytes()
    return Keyring.unlock(data, node.demo.state.passphrase, floor=CHEAP)


async def opens(ring: Keyring, node: Node, peer: Node, found: Frame) -> bool:
    own, other = await node.core.log.log_id(), await peer.core.log.log_id()
    route = Route(peer.member, node.member, other, own, "exercise")
    for kem in ring.kems():
        try:
            frame.open_(found, route, kem, peer.core.keys.ring().link.public)
        except ProofError:
            continue
        return True
    return False


async def test_a_key_turns_while_alerts_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[tuple[NatsBus, str, bytes]] = []
    publish = NatsBus.publish

    async def tapped(self: NatsBus, to: str, raw: bytes, attempt: str) -> Posted:
        recorded.append((self, to, raw))
        return await publish(self, to, raw, attempt)

    monkeypatch.setattr(NatsBus, "publish", tapped)
    with open_dir() as path:
        async with cluster(path, ("th", "my")) as nodes:
            th, my = nodes["th"], nodes["my"]
            await send(my, 1, "th")
            await arrived(th, 1)
            before = stolen(th)
            old = before.kem().kid
            _, new = await asyncio.gather(send(my, ALERTS, "th"), th.core.desks.epochs.rotate())
            assert [key.kid for key in stolen(th).kems()] == [old, new]
            await destroyed(th)
            await send(my, 1, "th")
            await arrived(th, ALERTS + 2)

            after = stolen(th)
            assert [key.kid for key in after.kems()] == [new]
            heard = [(bus, raw) for bus, to, raw in recorded if to == "th" and frame.parse(raw).kid == old]
            assert heard
            for _, raw in heard:
                assert await opens(before, th, my, frame.parse(raw))
                assert not await opens(after, th, my, frame.parse(raw))

            bus, raw = heard[0]
            await publish(bus, "th", raw, "recorded and sent again")

            async def refused() -> bool:
                return "frame.key" in await rejected(th)

            await eventually(refused)
            await send(my, 1, "th")
            await arrived(th, ALERTS + 3)
