"""Courier bags: two nodes that no hub joins, and people who carry files between them, carefully or not."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

import pytest

from rilon.app.failpoints import Failpoint
from rilon.app.follower import catch_up
from rilon.domain.base import Event
from rilon.domain.delivery import Delivery
from rilon.domain.holding import Holding
from rilon.domain.peer_link import PeerLink
from rilon.domain.values import Purpose, Sensitivity
from rilon.errors import MalformedError, NotFoundError, ProofError, RefusedError, UnavailableError
from rilon.network import bag, carrier, wire
from rilon.network.by_hand import Filled, Taken
from tests.fakes.memory_bus import MemoryHub
from tests.fakes.memory_views import MemoryViews
from tests.fakes.pictures import photo
from tests.federation.couriers import Executioner, Post, delivered, hurry, posts, until
from tests.nodes import MemoryNode, acquaint, draft_of, introduce, memory_node

T = TypeVar("T", bound=Event)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def pair(*, verified: bool = True) -> tuple[MemoryNode, MemoryNode]:
    th, my = await memory_node("th"), await memory_node("my")
    if verified:
        await acquaint(th, my)
    return th, my


async def release(node: MemoryNode, *to: str, picture: bool = False) -> UUID:
    author = await node.officer()
    tickets = await node.attach(author, ("face.jpg", photo(400, 300))) if picture else ()
    item = await node.post(author, draft_of("TIP-RECRUIT", *to, attachments=tickets))
    if (await node.disclosure(item)).state != "released":
        await node.approve(item, await node.approver())
    return item


async def met(*made: Post) -> None:
    for post in made:
        await until(lambda post=post: post.courier._life and post.courier._life.met)


@asynccontextmanager
async def at_work(hub: MemoryHub | None, *nodes: MemoryNode) -> AsyncIterator[dict[str, Post]]:
    async with posts(hub, *nodes) as made:
        await met(*made.values())
        yield made


async def export(post: Post, member: str) -> Filled:
    return await post.courier.fill_bag(member)


async def carry(here: Post, there: Post) -> Taken:
    made = await export(here, there.node.member)
    return await there.courier.take_bag(made.bag)


async def exchange(here: Post, there: Post, rounds: int = 12) -> int:
    """Carry to and fro as long as the nodes ask for it; how many bags it took."""
    for n in range(1, rounds + 1):
        if not (await carry(here, there)).answer:
            return n
        here, there = there, here
    raise AssertionError("it never ends")


async def delivery(node: MemoryNode, item: UUID) -> Delivery:
    """What the author sees."""
    views = MemoryViews()
    await catch_up(node.log, views)
    (found,) = [d for d in await views.deliveries(item) if d.kind == "release"]
    return found


async def of_type(node: MemoryNode, kind: type[T]) -> list[T]:
    return [e for e in await node.events() if isinstance(e, kind)]


async def test_the_whole_main_job_by_bags_only() -> None:
    th, my = await pair()
    async with at_work(None, th, my) as made:
        item = await release(th, "my")
        greeting = await export(made["th"], "my")
        assert greeting.frames == 1
        assert "greets MY" in greeting.sentence
        told = await made["my"].courier.take_bag(greeting.bag)
        assert (told.entries, told.answer, told.sentence) == (0, True, "Carry the answer back: rilon link export th")
        assert (await carry(made["my"], made["th"])).answer
        brought = await carry(made["th"], made["my"])
        assert (brought.entries, brought.answer) == (2, True)  # the approver's key, and the release
        last = await carry(made["my"], made["th"])
        assert (last.receipted, last.answer) == (2, False)
        assert last.sentence == "Nothing has to go back: both sides have everything."
        reader = await my.officer()
        purpose = Purpose.IDENTIFY_VICTIM
        shown = await my.desks.reading.open_(reader.caller, "th", item, Sensitivity.NOMINAL, purpose)
        assert shown.fields
        assert (await carry(made["my"], made["th"])).entries == 1
        assert await exchange(made["th"], made["my"]) == 1
    receipts = await of_type(th, PeerLink.Receipted)
    assert [r.upto for r in receipts] == [2]
    assert made["my"].link("th").waiting == made["th"].link("my").waiting == 0


async def test_nothing_is_sealed_before_the_peer_has_echoed_this_starts_nonce() -> None:
    th, my = await pair()
    async with at_work(None, th, my) as made:
        await release(th, "my")
        await exchange(made["th"], made["my"])
        await release(th, "my")
        assert (await export(made["th"], "my")).frames > 1
        await made["th"].stop()
        made["th"].start()
        await met(made["th"])
        assert (await export(made["th"], "my")).frames == 1
        assert await exchange(made["th"], made["my"]) == 4
    assert len(await of_type(my, Holding.Granted)) == 2


async def test_an_attachment_goes_whole_in_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "PIECE_BYTES", 5_000)
    th, my = await pair()
    async with at_work(None, th, my) as made:
        item = await release(th, "my", picture=True)
        assert (await delivery(th, item)).arrived_at is None
        bags = await exchange(made["th"], made["my"])
    assert len(await of_type(my, Holding.Arrived)) == 1
    assert not my.blobs.parcels
    assert bags <= 8
    known = await delivery(th, item)
    assert known.arrived_at is not None
    assert known.state == "stored"  # nobody has opened it


async def test_a_full_bag_leaves_the_rest_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "PIECE_BYTES", 2_000)
    monkeypatch.setattr(bag, "MAX_FRAMES", 5)
    th, my = await pair()
    async with at_work(None, th, my) as made:
        await release(th, "my", picture=True)
        assert await exchange(made["th"], made["my"], 40) > 8
    assert len(await of_type(my, Holding.Arrived)) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_bags_lost_repeated_and_out_of_order_change_nothing_in_the_end(seed: int) -> None:
    draw = random.Random(seed)
    th, my = await pair()
    async with at_work(None, th, my) as made:
        drawer: list[tuple[Post, bytes]] = []
        released: list[str] = []
        for _ in range(30):
            here, there = draw.sample(list(made.values()), 2)
            if draw.random() < 0.2:
                await release(here.node, there.node.member)
                released.append(here.node.member)
            drawer.append((there, (await export(here, there.node.member)).bag))
            for _ in range(draw.randint(0, 2)):
                post, old = draw.choice(drawer)
                await post.courier.take_bag(old)
        await exchange(made["th"], made["my"])
        for here, there in (("th", "my"), ("my", "th")):
            link = made[here].link(there)
            assert (link.waiting, link.rejected, link.state) == (0, 0, "open")
            assert link.sent == made[there].link(here).received
            assert len({e.originator_id for e in await of_type(made[there].node, Holding.Granted)}) == released.count(
                here
            )


async def greeted(th: Post, my: Post) -> bytes:
    """A bag of ``th`` that brings ``my`` an entry."""
    await carry(th, my)
    await carry(my, th)
    await release(th.node, "my")
    return (await export(th, "my")).bag


async def test_what_is_cut_altered_foreign_or_too_large_is_refused_whole() -> None:
    th, my = await pair()
    ph = await memory_node("ph")
    await introduce(th, ph)
    async with at_work(None, th, my, ph) as made:
        raw = await greeted(made["th"], made["my"])
        size, take = (await my.log.head()).size, made["my"].courier.take_bag
        draw = random.Random(1)
        for cut in [0, 1, len(bag.MAGIC), len(raw) - 1, *draw.sample(range(len(raw)), 20)]:
            with pytest.raises(MalformedError, match=r"bag\.(form|damaged)"):
                await take(raw[:cut])
            altered = bytearray(raw)
            altered[min(cut, len(raw) - 1)] ^= 1
            with pytest.raises(MalformedError, match=r"bag\.(form|damaged)"):
                await take(bytes(altered))
        with pytest.raises(MalformedError, match=r"bag\.too-large"):
            await take(bag.MAGIC + bytes(bag.MAX_BAG_BYTES))
        with pytest.raises(ProofError, match=r"bag\.elsewhere"):
            await take((await export(made["th"], "ph")).bag)
        with pytest.raises(ProofError, match=r"bag\.stranger"):
            await made["ph"].courier.take_bag((await export(made["th"], "ph")).bag)
        with pytest.raises(NotFoundError):
            await made["my"].courier.fill_bag("ph")
        assert (await my.log.head()).size == size
        assert (await take(raw)).entries == 2


async def test_what_a_stranger_wrote_under_a_members_name_counts_against_nobody() -> None:
    th, my = await pair()
    evil = await memory_node("th", seed=9)  # another root, log and link key, under the same name
    await introduce(evil, my)
    async with at_work(None, th, my, evil) as made:  # ``made`` knows the newest "th": the evil one
        size = (await my.log.head()).size
        told = await carry(made["th"], made["my"])
        assert dict(told.refused) == {"directory.root": 1}
        assert (await my.log.head()).size == size
        assert made["my"].link("th").rejected == 0


async def test_of_a_bag_with_one_bad_frame_the_others_are_taken() -> None:
    th, my = await pair()
    async with at_work(None, th, my) as made:
        raw = await greeted(made["th"], made["my"])
        hello, *rest = bag._inside(raw)
        broken = bytearray(rest[0])
        broken[-1] ^= 1
        told = await made["my"].courier.take_bag(bag.write([hello, bytes(broken), *rest[1:]]))
        assert (dict(told.refused), told.entries) == ({"frame.seal": 1}, 2)
        assert not await of_type(my, PeerLink.FrameRejected)


async def test_a_death_in_the_middle_costs_a_second_try() -> None:
    th, my = await pair()
    async with at_work(None, th, my) as made:
        raw = await greeted(made["th"], made["my"])
        life = made["my"].courier._life

        async def away(*_: object) -> None:
            raise UnavailableError("database.away", "The database is away.")

        made["my"].hook = away
        with pytest.raises(UnavailableError):
            await made["my"].courier.take_bag(raw)
        made["my"].hook = Executioner(Failpoint.COURIER_BEFORE_ACK, 99)
        await until(lambda: made["my"].courier._life is not life)
        await met(made["my"])
        await exchange(made["my"], made["th"])
        assert made["th"].link("my").waiting == 0
    assert len(await of_type(my, Holding.Granted)) == 1


async def test_peers_that_are_not_verified_or_are_revoked_get_nothing() -> None:
    th, my = await pair(verified=False)
    await introduce(th, my, verify=False)
    await introduce(my, th, verify=False)
    async with at_work(None, th, my) as made:
        made_bag = await export(made["th"], "my")
        assert made_bag.frames == 1
        assert "rilon link verify my" in made_bag.sentence
        told = await made["my"].courier.take_bag(made_bag.bag)
        assert not told.answer
        assert "not verified" in told.sentence
        focal = await th.approver()
        await th.desks.directory.revoke(focal.caller, "my")
        with pytest.raises(RefusedError, match=r"frame\.revoked\] Nothing goes to a revoked node"):
            await made["th"].courier.fill_bag("my")


async def test_bags_and_a_hub_go_together() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with at_work(hub, th, my) as made:
        await delivered(made)
        hub.cut.add("my")
        await release(th, "my", picture=True)
        await exchange(made["th"], made["my"])
        assert len(await of_type(my, Holding.Arrived)) == 1
        hub.cut.clear()
        hub.wake()
        await release(th, "my")
        await delivered(made)
    assert len(await of_type(my, Holding.Granted)) == 2
    assert not await of_type(my, PeerLink.FrameRejected)


async def test_nothing_of_an_alert_can_be_read_in_a_bag() -> None:
    th, my = await pair()
    async with at_work(None, th, my) as made:
        raw = await greeted(made["th"], made["my"])
    plain = [e.to["my"].kind for e in await th.events() if getattr(e, "to", None)]
    assert plain == ["directory", "release"]
    for word in (b"release", b"TIP-RECRUIT", b"entries", b"Online"):
        assert word not in raw
    assert len(bag.read(raw, "my").frames) == 3
    assert wire.parse_hello  # the hello alone is readable: keys, log ids, counts
