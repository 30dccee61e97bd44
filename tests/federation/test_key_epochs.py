"""KEM keys turn while alerts pass: nothing is lost, and what was sealed to a destroyed key is lost to everybody."""

from __future__ import annotations

import asyncio

import pytest

from rilon.app.directory_desk import fingerprint
from rilon.app.keys_desk import KEEP
from rilon.crypto import frame
from rilon.crypto.frame import Frame, Route
from rilon.crypto.keyring import Keyring
from rilon.crypto.keys import SigningKey
from rilon.domain.directory import Directory
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.peer_link import PeerLink
from rilon.domain.values import Role
from rilon.errors import NotFoundError, ProofError, RefusedError
from rilon.network import link_out
from rilon.network.health import LinkState
from tests.fakes.memory_bus import Faults, MemoryHub
from tests.federation.couriers import Post, delivered, hurry, pair, post_alerts, posts, until
from tests.nodes import MemoryNode


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def held(node: MemoryNode) -> int:
    return sum(isinstance(e, Holding.Granted) for e in await node.events())


def sealed_to(hub: MemoryHub, member: str) -> list[Frame]:
    found = [frame.parse(raw) for _, to, raw in hub.seen if to == member]
    return [each for each in found if each.form == frame.SEALED]


def hellos_to(hub: MemoryHub, member: str) -> int:
    return sum(frame.parse(raw).form == frame.HELLO for _, to, raw in hub.seen if to == member)


def opens(node: MemoryNode, ring: Keyring, peer: MemoryNode, found: Frame) -> bool:
    """What somebody could open who recorded the frame and has this keyring, and everything public."""
    route = Route(peer.member, node.member, peer.log_id, node.log_id, "real")
    for kem in ring.kems():
        try:
            frame.open_(found, route, kem, peer.desks.keys.ring().link.public)
        except ProofError:
            continue
        return True
    return False


async def known(made: dict[str, Post], peer: str, node: MemoryNode) -> None:
    """Wait until a peer's courier seals to the newest key."""
    newest = node.desks.keys.ring().kem().public
    life = made[peer].courier._life
    assert life is not None
    await until(lambda: life.peers[node.member].kem == newest)


async def test_a_key_turns_while_alerts_flow_over_a_bad_bus() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my", seed=5, faults=Faults(loss=0.2, duplicate=0.2, reorder=0.3))
    async with posts(hub, th, my) as made:
        for _ in range(3):
            await asyncio.gather(post_alerts(my, 3, "th"), post_alerts(th, 1, "my"), th.desks.epochs.rotate())
            await th.desks.epochs.tend()
        await delivered(made)
        await th.desks.epochs.tend()
        assert len(th.desks.keys.ring().kems()) == 1  # my has receipted every announcement
        await post_alerts(my, 1, "th")
        await delivered(made)
    assert (await held(th), await held(my)) == (10, 3)
    assert len({found.kid for found in sealed_to(hub, "th")}) >= 2


async def test_recorded_frames_go_dark_with_the_key_and_are_refused_by_name() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await post_alerts(my, 2, "th")
        await delivered(made)
        before = th.desks.keys.ring()
        old = before.kem().kid
        recorded = [found for found in sealed_to(hub, "th") if found.kid == old]
        assert recorded
        assert all(opens(th, before, my, found) for found in recorded)
        await th.desks.epochs.rotate()
        assert all(opens(th, th.desks.keys.ring(), my, found) for found in recorded)  # what is under way
        await known(made, "my", th)
        await delivered(made)
        await th.desks.epochs.tend()
        after = th.desks.keys.ring()
        assert not any(opens(th, after, my, found) for found in recorded)
        with pytest.raises(NotFoundError):
            after.kem(old)
        raw = next(raw for _, to, raw in hub.seen if to == "th" and frame.parse(raw) == recorded[0])
        said = hellos_to(hub, "my")
        hub.store("my", "th", raw, "recorded, and sent again")
        await until(lambda: made["th"].link("my").rejected)
        await until(lambda: hellos_to(hub, "my") > said)  # had it been my's own, my would know the new key by now
        assert made["th"].link("my").state is LinkState.OPEN
    assert [e.code for e in await th.events() if isinstance(e, PeerLink.FrameRejected)] == ["frame.key"]


async def test_what_was_under_way_when_the_key_was_destroyed_comes_again_to_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The peer was away for longer than the old key is kept. Once it is back nobody waits for a clock."""
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        monkeypatch.setattr(link_out, "RETRY_S", 3600.0)
        monkeypatch.setattr(link_out, "RETRY_MOST_S", 3600.0)
        old = th.desks.keys.ring().kem().kid
        hub.cut = {"th"}
        await post_alerts(my, 3, "th")
        await until(lambda: any(found.kid == old for found in sealed_to(hub, "th")[-1:]))
        new = await th.desks.epochs.rotate()
        await th.desks.epochs.tend()
        assert len(th.desks.keys.ring().kems()) == 2  # my has not receipted it, and cannot
        th.clock.at += KEEP
        await th.desks.epochs.tend()
        assert [key.kid for key in th.desks.keys.ring().kems()] == [new]
        hub.cut = set()
        hub.wake()
        await delivered(made)
    assert await held(th) == 3
    assert "frame.key" in {e.code for e in await th.events() if isinstance(e, PeerLink.FrameRejected)}


# -- a new log


async def renew(node: MemoryNode, log_id: bytes) -> None:
    node.log_id, kem = log_id, node.desks.keys.ring().kem().public
    await node.desks.directory.renew_log(node.root, log_id, kem, await node.log.head())


async def confirm(node: MemoryNode, peer: MemoryNode) -> None:
    focal = await node.officer(Role.FOCAL_POINT)
    await node.desks.directory.verify(focal.caller, peer.member, fingerprint(peer.root.public.raw))


async def test_a_node_restored_from_a_backup_begins_a_new_log_and_is_heard_again() -> None:
    """Its backup has forgotten an approver, a KEM key and an alert. No number it used before is taken for a fork."""
    th, my = await pair()
    hub = MemoryHub("th", "my")
    backup = my.copy()
    async with posts(hub, th, my) as made:
        await post_alerts(my, 1, "th")
        await my.desks.epochs.rotate()
        await delivered(made)
    kept = backup.copy()  # the keyring is never restored from a backup: it is the newest there is
    async with kept.desks.keys.exclusive():
        await kept.desks.keys.save(my.desks.keys.ring())
    kept.clock.forward(days=1)
    head = await kept.log.head()
    await renew(kept, b"N" * 16)
    async with posts(hub, th, kept) as made:
        await until(lambda: (h := made["th"].link("my")) and h.state is LinkState.UNVERIFIED)
        await post_alerts(kept, 2, "th")
        await asyncio.sleep(0.1)
        assert await held(th) == 1  # nobody has confirmed it
        await confirm(th, kept)
        await post_alerts(th, 1, "my")
        await delivered(made)
    (renewed,) = [e for e in await kept.events() if isinstance(e, Directory.LogRenewed)]
    assert (renewed.log_id, renewed.size, renewed.root) == (my.log_id, head.size, head.root)
    assert await held(kept) == 1
    assert await held(th) == 3  # the lost one is kept by who received it
    under_new = [e.seq for e in await th.events() if isinstance(e, Entry.Accepted) and e.log_id == kept.log_id]
    assert under_new == list(range(1, len(under_new) + 1))
    assert not [e for n in (th, kept) for e in await n.events() if isinstance(e, Entry.Refused | PeerLink.Frozen)]


async def test_it_takes_the_root_key_to_begin_a_new_log() -> None:
    th, _ = await pair()
    before = await th.log.head()
    other = SigningKey.from_seed(b"r" * 64)
    kem = th.desks.keys.ring().kem().public
    with pytest.raises(RefusedError) as refused:
        await th.desks.directory.renew_log(other, b"N" * 16, kem, before)
    assert refused.value.code == "directory.root-key"
    assert await th.log.head() == before
