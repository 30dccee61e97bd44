"""Nodes that were away come back by themselves; those that were cut off, or never let in, leave nothing but a count."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest

from rilon.app.directory_desk import Introduction, fingerprint
from rilon.app.link_facts import Facts, LinkBook
from rilon.crypto import frame
from rilon.crypto.frame import Recipient, Route
from rilon.crypto.keys import LinkKey
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.errors import InvalidError, ProofError
from rilon.network import wire
from rilon.network.bus import NatsBus
from rilon.network.link import Link
from rilon.network.link_state import Ends, SendEntries
from rilon.network.packing import Packer
from rilon.network.ports import Posted
from rilon.node.config import Config
from rilon.node.core import Core, open_core
from rilon.node.demo.world import DemoWorld
from rilon.node.hub_server import open_hub, running_hub
from tests.cluster import WORLD, Node, cluster, eventually, started
from tests.fakes.drafts import example
from tests.fakes.entropy import SeededEntropy
from tests.fakes.keys import CHEAP
from tests.fakes.memory_links import MemoryLinks
from tests.servers import open_dir
from tests.whole import assert_links_whole, introductions, read_story

pytestmark = pytest.mark.real

draws = SeededEntropy(7)


async def post(node: Node, *to: str) -> UUID:
    """Something that any rule book lets go at once."""
    return await node.post("INC-FATAL", example("INC-FATAL")["fields"], to)


async def events_about(core: Core, peer: str) -> list[object]:
    """What a node's log holds that came from a peer."""
    events = [r.event for r in await core.log.page(0, 1_000_000)]
    entries = [e for e in events if isinstance(e, Entry.Accepted | Entry.Refused | Entry.Unknown) and e.peer == peer]
    return [*entries, *(e for e in events if isinstance(e, Holding.Granted) and e.origin == peer)]


async def rejections(core: Core) -> list[tuple[UUID, str]]:
    """Frames that a log says were rejected: the link they are counted at, and why."""
    events = [r.event for r in await core.log.page(0, 1_000_000)]
    return [(e.originator_id, e.code) for e in events if isinstance(e, PeerLink.FrameRejected)]


async def on_board(core: Core, origin: str) -> int:
    count: int = await core.pool.fetchval("SELECT count(*) FROM views.item WHERE origin = $1", origin)
    return count


async def shows(core: Core, origin: str, count: int) -> bool:
    """Whether the views, which follow the log, have come to show so many items of an origin."""
    return await on_board(core, origin) == count


class Intruder:
    """A Member's genuine account, database and keys, in the hands of another program than ours."""

    def __init__(self, core: Core) -> None:
        self.core, self.me = core, core.config.member

    async def frame(self, to: str, *, key: LinkKey | None = None, world: str = "exercise") -> bytes:
        """Everything this Member has for another, sealed; with another key or for another world, when told so."""
        directory = await self.core.desks.directory.current()
        theirs, log = directory.listing(to), directory.own.identity.log_id
        ends = Ends(self.me, log, to, theirs.identity.log_id)
        packed = await (await self._packer(log)).pack(to, SendEntries(1, 64))
        said = Link.start(ends, Facts(), draws.bytes(16), 0).say_entries(packed.first, packed.prev, packed.lines)
        assert theirs.roster is not None
        route = Route(self.me, to, log, theirs.identity.log_id, world)
        signing = key or self.core.keys.ring().link
        return frame.seal(wire.encode(said), packed.attached, route, Recipient(theirs.roster.kem), signing)

    async def _packer(self, log: bytes) -> Packer:
        book, links = LinkBook(self.me, log, {}), MemoryLinks()
        page = await self.core.log.page(0, 1_000_000)
        selected = [entry for r in page for entry in book.fold(r.position, r.event)]
        await links.save(0, page[-1].position, selected, book.links)
        return Packer(self.core.log, links, self.core.desks.outgoing)

    async def send(self, to: str, raw: bytes) -> None:
        access = self.core.config.hub
        async with NatsBus(access.url, self.core.home.path / access.creds) as bus:
            await bus.connected()
            assert await bus.publish(to, raw, draws.bytes(16).hex()) is Posted.TAKEN


async def test_a_node_that_was_away_catches_up_alone() -> None:
    with open_dir() as path:
        demo = DemoWorld(path, ("th", "id", "my"), cost=CHEAP, world=WORLD)
        await demo.make_homes()
        await demo.found_all()
        async with AsyncExitStack() as stack:
            hub = open_hub(demo.hub)
            nats = await stack.enter_async_context(running_hub(hub))
            th, id_ = [await stack.enter_async_context(started(demo, m)) for m in ("th", "id")]
            async with started(demo, "my") as my:
                await post(th, "id", "my")
                await eventually(lambda: holds(my, 1))
            for _ in range(30):
                await post(th, "id", "my")
                await post(id_, "th", "my")
            nats.kill()
            shutil.rmtree(hub.home.server / "store")  # whatever lay there for Malaysia is gone
            my = await stack.enter_async_context(started(demo, "my"))
            await post(my, "th", "id")
            for node in (th, id_, my):
                await eventually(lambda node=node: holds(node, 31 + 30 + 1))  # type: ignore[misc]
                await eventually(lambda node=node: receipted(node))  # type: ignore[misc]
            stories = {n.member: await read_story(n.member, n.core.dsn) for n in (th, id_, my)}
            lines = {"release": 2 * (31 + 30 + 1), "directory": introductions(stories)}  # however often a node starts
            assert assert_links_whole(stories) == lines


async def holds(node: Node, count: int) -> bool:
    return len(node.running.services.summaries) == count


async def receipted(node: Node) -> bool:
    return all(link.waiting == 0 for link in node.running.links())


async def test_frames_that_lie_about_who_or_where_leave_a_count_and_nothing_else() -> None:
    """A wrong link key, a Member's name over another's account, and a frame of another world."""
    with open_dir() as path:
        async with cluster(path, ("th", "id", "my")) as nodes:
            th = nodes["th"].core
            for member in ("id", "my"):
                await post(nodes[member], "th")
            await eventually(lambda: holds(nodes["th"], 2))
            before = [await events_about(th, m) for m in ("id", "my")], await blobs(th)
            my, id_ = Intruder(nodes["my"].core), Intruder(nodes["id"].core)
            await my.send("th", await my.frame("th", key=LinkKey.from_seed(draws.bytes(32))))
            await eventually(lambda: has_rejected(th, ["frame.signature"]))
            await id_.send("th", await id_.frame("th", world="real"))
            await eventually(lambda: has_rejected(th, ["frame.signature", "frame.seal"]))
            await id_.send("th", await my.frame("th", key=id_.core.keys.ring().link))  # in Malaysia's name
            await eventually(lambda: has_rejected(th, ["frame.signature", "frame.seal", "frame.account"]))
            assert await rejections(th) == [
                (link_stream("my"), "frame.signature"),
                (link_stream("id"), "frame.seal"),
                (link_stream("id"), "frame.account"),  # it stands with whose account it came by, not whom it named
            ]
            assert (counted(nodes["th"], "my"), counted(nodes["th"], "id")) == (1, 2)
            assert ([await events_about(th, m) for m in ("id", "my")], await blobs(th)) == before
            await post(nodes["my"], "th")  # and the honest ones still pass
            await eventually(lambda: holds(nodes["th"], 3))


async def has_rejected(core: Core, codes: list[str]) -> bool:
    return [code for _, code in await rejections(core)] == codes


def counted(node: Node, peer: str) -> int:
    return next(link.rejected for link in node.running.links() if link.peer == peer)


async def blobs(core: Core) -> int:
    count: int = await core.pool.fetchval("SELECT count(*) FROM rilon.blobs")
    return count


async def test_a_revoked_node_is_not_heard_and_gets_nothing() -> None:
    with open_dir() as path:
        async with cluster(path, ("th", "my")) as nodes:
            th, my = nodes["th"], nodes["my"]
            await post(my, "th")
            await eventually(lambda: holds(th, 1))
            before = await events_about(th.core, "my"), await blobs(th.core)
            told = (await read_story("th", th.core.dsn)).lines_to("my")
            await th.core.desks.directory.revoke(await th.caller("focal-1"), "my")
            await post(my, "th")
            await eventually(lambda: has_rejected(th.core, ["frame.revoked"]))
            assert (await events_about(th.core, "my"), await blobs(th.core)) == before
            await eventually(lambda: shows(th.core, "my", 1))
            with pytest.raises(InvalidError, match=r"audience\.unverified"):
                await post(th, "my")
            assert (await read_story("th", th.core.dsn)).lines_to("my") == told
            assert await knows(th, "revoked")


class Strangers(DemoWorld):
    """A network in which nobody has verified Bangladesh yet."""

    async def _introduce(self, member: str, known: dict[str, Introduction]) -> None:
        await super()._introduce(member, {m: i for m, i in known.items() if m != "bd"})
        if member != "bd":
            async with open_core(self.home(member), self.state.passphrase, self.world) as core:
                await core.desks.directory.take_in(known["bd"])


async def test_an_unverified_node_is_not_heard_until_somebody_compares_its_fingerprint() -> None:
    """The very same frame is nothing before, and an alert on the board after."""
    with open_dir() as path:
        demo = Strangers(path, ("th", "bd"), cost=CHEAP, world=WORLD)
        await demo.make_homes()
        await demo.found_all()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running_hub(open_hub(demo.hub)))
            th = await stack.enter_async_context(started(demo, "th"))
            async with started(demo, "bd") as bd:
                await post(bd, "th")
                await eventually(lambda: knows(bd, "greeting"))
            core = await stack.enter_async_context(open_core(demo.home("bd"), demo.state.passphrase, WORLD))
            intruder = Intruder(core)
            raw = await intruder.frame("th")
            await intruder.send("th", raw)
            await eventually(lambda: has_rejected(th.core, ["link.unverified"]))
            assert not await events_about(th.core, "bd")
            assert await on_board(th.core, "bd") == await blobs_of_others(th.core) == 0
            root = (await core.desks.directory.current()).own.identity.root
            await th.core.desks.directory.verify(await th.caller("focal-1"), "bd", fingerprint(root))
            await eventually(lambda: knows(th, "greeting"))
            await intruder.send("th", raw)
            await eventually(lambda: holds(th, 1))
            await eventually(lambda: shows(th.core, "bd", 1))


async def knows(node: Node, state: str) -> bool:
    return {link.state for link in node.running.links()} == {state}


async def blobs_of_others(core: Core) -> int:
    return len([e for e in await events_about(core, "bd") if isinstance(e, Holding.Granted)])


class TwoWorlds(DemoWorld):
    """Malaysia's node belongs to another network, which is real."""

    def _config(self, member: str, hub_url: str) -> Config:
        config = super()._config(member, hub_url)
        return config if member != "my" else Config(member, "real", hub=config.hub, http=config.http)

    async def _introduce(self, member: str, known: dict[str, Introduction]) -> None:
        async with open_core(self.home(member), self.state.passphrase, self.world) as core:
            for other, introduction in known.items():
                if other != member:
                    with pytest.raises(ProofError, match="world"):
                        await core.desks.directory.take_in(introduction)


async def test_a_node_of_a_real_network_and_one_of_an_exercise_never_meet(tmp_path: Path) -> None:
    with open_dir() as path:
        demo = TwoWorlds(path, ("th", "my"), cost=CHEAP, world=WORLD)
        await demo.make_homes()
        await demo.found_all()
        for member in demo.members:
            async with open_core(demo.home(member), demo.state.passphrase, WORLD) as core:
                assert not [m for m in (await core.desks.directory.current()).listings if m != member]
