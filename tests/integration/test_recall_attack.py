"""A recall, an erasure and an end over real nodes that are down or cut off, against who kept all but the keyrings.

The attacker holds every file of every node and of the hub, backups and a dump made before, every frame that was ever
published, and the keyrings as they are *afterwards*. With the keyrings of before the very same attacker finds the key
in backup, dump and frames, so what it does not find afterwards is gone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from rilon.app.drafts import AlertDraft
from rilon.app.keys_desk import EPOCH, KEEP
from rilon.app.recall_desk import ErasureOrder, RecallOrder
from rilon.crypto import frame
from rilon.crypto.frame import Route
from rilon.crypto.keyring import Keyring
from rilon.domain.alert import Alert
from rilon.domain.holding import Holding, holding_id
from rilon.domain.recall import Confirmation, Recall, recall_id
from rilon.domain.values import Purpose, Sensitivity
from rilon.errors import ProofError
from rilon.network.bus import NatsBus
from rilon.network.ports import Posted
from rilon.node.core import Core, World
from rilon.node.demo.world import DemoWorld
from rilon.node.hub_server import open_hub, running_hub
from rilon.node.system import SystemClock
from tests.cluster import WORLD, Node, eventually, started
from tests.fakes.keys import CHEAP
from tests.integration.test_erasure import Attacker
from tests.nodes import draft_of
from tests.servers import open_dir
from tests.whole import assert_links_whole, assert_views_and_log_sound, read_story

pytestmark = pytest.mark.real

NOMINAL = Sensitivity.NOMINAL
WORDS = "a fictional scam centre behind the red gate"
DOWN = "my"
REACH = 80
"""A wrap begins 40 to 60 bytes after its slot, in a row and in a dump; see the attacker of before."""


@dataclass
class Loot:
    """What the attacker keeps of one node.

    Attributes:
        slot, kek: where the section's wrap lay, and under which key.
        before: the keyring file when the section was there.
        files: by where they come from, the files in which anything of the section stands.
    """

    slot: bytes
    kek: bytes
    before: bytes
    files: dict[str, list[bytes]] = field(default_factory=dict)

    def keep(self, name: str, folder: Path) -> None:
        self.files[name] = [data for data in map(_read, folder.rglob("*")) if self.slot in data]

    def keys_in(self, ring: Keyring, *names: str) -> list[set[bytes]]:
        """What the attacker finds in some of it, or all."""
        attacker = Attacker(ring, self.slot, self.kek, reach=REACH)
        return [attacker.keys_in(self.files[name]) for name in names or self.files]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    except FileNotFoundError:
        return b""  # a server has removed it meanwhile


class Tap:
    """Listens at the hub."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames: list[bytes] = []
        publish = NatsBus.publish

        async def listen(bus: NatsBus, recipient: str, raw: bytes, message_id: str) -> Posted:
            self.frames.append(raw)
            return await publish(bus, recipient, raw, message_id)

        monkeypatch.setattr(NatsBus, "publish", listen)

    def opened(self, rings: dict[str, Keyring], logs: dict[str, bytes]) -> list[bytes]:
        """All that any of these keyrings opens of it."""
        found: list[bytes] = []
        for said in map(frame.parse, self.frames):
            route = Route(said.sender, said.to, logs[said.sender], logs[said.to], "exercise")
            for kem in rings[said.to].kems() if said.form == frame.SEALED else ():
                try:
                    found.append(frame.open_(said, route, kem, rings[said.sender].link.public).attached)
                except ProofError:
                    continue
        return found


async def flushed(core: Core) -> None:
    owner = await asyncpg.connect(core.dsn)
    await owner.execute("CHECKPOINT")
    await owner.close()


async def dump(core: Core) -> list[bytes]:
    """``pg_dump`` as text; its hexadecimal bytes read back, in their order."""
    assert core.server is not None
    command = [str(core.server.binary("pg_dump")), core.dsn]
    done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await done.communicate()
    assert done.returncode == 0
    return [b"".join(bytes.fromhex(hexed.decode()) for hexed in re.findall(rb"\\\\x([0-9a-f]+)", said))]


async def slot_of(node: Node, item: UUID) -> bytes:
    work = node.core.desks.work
    if node.member == "th":
        sections: Any = (await work.read(Alert, item)).edition.sections
    else:
        sections = (await work.read(Holding, holding_id("th", item))).grants.editions[0].sections
    return next(bytes(s.sealed.slot) for s in sections if s.sensitivity is NOMINAL)


async def loot(node: Node, item: UUID) -> Loot:
    """Everything of a node before the recall: a copy of its running files, a dump, its keyring."""
    core, slot = node.core, await slot_of(node, item)
    await flushed(core)
    (wrap,) = (await core.blobs.wraps([slot])).values()
    found = Loot(slot, wrap.kek, core.home.keyring.read_bytes())
    found.keep("backup", core.home.postgres)
    found.files["dump"] = await dump(core)
    return found


async def holds(node: Node, item: UUID) -> bool:
    return await node.core.desks.work.seek(Holding, holding_id("th", item)) is not None


async def receipts(th: Node, item: UUID) -> dict[str, Confirmation]:
    """Of each holder, its newest."""
    events = await th.core.log.stream(recall_id(item))
    return {e.receipt.peer: e.receipt for e in events if isinstance(e, Recall.Confirmed)}


async def destroyed(th: Node, item: UUID, holders: Iterable[str]) -> bool:
    said = await receipts(th, item)
    return all(h in said and said[h].destroyed_at is not None for h in holders)


async def closed(th: Node, item: UUID, holder: str) -> bool:
    return holder in await receipts(th, item)


async def settled(nodes: Iterable[Node]) -> bool:
    return all(link.state == "open" and not link.waiting for node in nodes for link in node.running.links())


async def shared(th: Node, draft: AlertDraft, holders: Iterable[Node]) -> UUID:
    draft.fields["promise"] = WORDS
    item = UUID(bytes=(await th.core.desks.alerts.post(await th.caller("officer"), draft)).answer)
    await th.approve(item)
    for holder in holders:
        await eventually(lambda holder=holder: holds(holder, item))  # type: ignore[misc]
    return item


@dataclass
class Heist:
    """A network from before it shared anything to after it forgot; and what its attacker has kept of it."""

    demo: DemoWorld
    tap: Tap
    nodes: dict[str, Node] = field(default_factory=dict)
    item: UUID = field(init=False)
    key: bytes = field(init=False)
    loots: dict[str, Loot] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)

    @property
    def th(self) -> Node:
        return self.nodes["th"]

    @property
    def holders(self) -> list[str]:
        return [member for member in self.demo.members if member != "th"]

    async def share(self, draft: AlertDraft) -> None:
        """Let everybody hold it, Indonesia open it twice, and the attacker copy everything."""
        self.item = await shared(self.th, draft, [self.nodes[m] for m in self.holders])
        reading, officer = self.nodes["id"].core.desks.reading, await self.nodes["id"].caller("officer")
        for _ in range(2):
            await reading.open_(officer, "th", self.item, NOMINAL, Purpose.INVESTIGATE_TRAFFICKING)
        await eventually(lambda: settled(self.nodes.values()))
        self.loots = {m: await loot(node, self.item) for m, node in self.nodes.items()}
        self.logs = {m: (await n.core.desks.directory.current()).own.identity.log_id for m, n in self.nodes.items()}
        key = (await self.th.core.desks.vault.keys([self.loots["th"].slot]))[self.loots["th"].slot]
        assert isinstance(key, bytes)
        self.key = key

    async def forgotten(self) -> bool:
        """Whether no node has the key in force any more, whoever knows of whom."""
        left = [await n.core.desks.vault.has([self.loots[m].slot]) for m, n in self.nodes.items()]
        return not any(left)

    async def counted(self) -> bool:
        """Whether every holder's receipt says: destroyed, after so many openings."""
        if not await destroyed(self.th, self.item, self.holders):
            return False
        said = {m: dict(r.openings)[NOMINAL] for m, r in (await receipts(self.th, self.item)).items()}
        assert said == {m: 2 if m == "id" else 0 for m in self.holders}
        return True

    async def attack(self, hub: Path) -> None:
        """Take every file as it is now, and every keyring, and try all of it on all of it."""
        for member, node in self.nodes.items():
            await flushed(node.core)
            self.loots[member].keep("files", node.core.home.path)
            self.loots[member].keep("hub", hub)
            self.loots[member].files["dump after"] = await dump(node.core)
        passphrase = self.demo.state.passphrase
        before = {m: Keyring.unlock(each.before, passphrase, floor=CHEAP) for m, each in self.loots.items()}
        rings = {m: n.core.home.keyring.read_bytes() for m, n in self.nodes.items()}
        after = {m: Keyring.unlock(ring, passphrase, floor=CHEAP) for m, ring in rings.items()}
        for member, kept in self.loots.items():
            assert kept.keys_in(before[member], "backup", "dump") == [{self.key}] * 2, f"no competent: {member}"
            assert not any(kept.keys_in(after[member])), member
            stolen = [data for files in kept.files.values() for data in files]
            assert not any(self.key in data or WORDS.encode() in data for data in stolen), member
        assert any(self.key in attached for attached in self.tap.opened(before, self.logs)), "no competent: frames"
        assert not any(self.key in attached for attached in self.tap.opened(after, self.logs))


@asynccontextmanager
async def heist(members: tuple[str, ...], world: World, patch: pytest.MonkeyPatch) -> AsyncIterator[Heist]:
    """A founded network of which nothing runs."""
    tap = Tap(patch)
    with open_dir() as path:
        demo = DemoWorld(path, members, cost=CHEAP, world=world)
        await demo.make_homes()
        await demo.found_all()
        yield Heist(demo, tap)


QUICK = 3
MEMBERS = pytest.mark.parametrize(
    "members", [("th", "id", DOWN), pytest.param(("th", "id", DOWN, "ph", "bd"), marks=pytest.mark.long)], ids=len
)


@MEMBERS
async def test_whoever_kept_everything_but_the_keyrings_opens_nothing(
    members: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with heist(members, WORLD, monkeypatch) as it, AsyncExitStack() as stack:
        hub = open_hub(it.demo.hub)
        await stack.enter_async_context(running_hub(hub))
        it.nodes = {m: await stack.enter_async_context(started(it.demo, m)) for m in members if m != DOWN}
        async with started(it.demo, DOWN) as it.nodes[DOWN]:
            await it.share(draft_of("TIP-RECRUIT", *it.holders))
        del it.nodes[DOWN]

        th, recalls = it.th, it.th.core.desks.recalls
        officer, focal = await th.caller("officer"), await th.caller("focal-1")
        await recalls.recall(officer, "th", it.item, RecallOrder("It was fictional.", "mistake"))
        for member in set(it.holders) - {DOWN}:
            await eventually(lambda member=member: closed(th, it.item, member))  # type: ignore[misc]
        assert DOWN not in await receipts(th, it.item)
        await recalls.erase(focal, "th", it.item, ErasureOrder("It was fictional.", "court-order"))

        it.nodes[DOWN] = await stack.enter_async_context(started(it.demo, DOWN))
        await eventually(it.counted)
        await eventually(it.forgotten)
        await eventually(lambda: settled(it.nodes.values()))
        await it.attack(hub.home.server)
        assert_links_whole({m: await read_story(m, n.core.dsn) for m, n in it.nodes.items()})
        for node in it.nodes.values():
            await assert_views_and_log_sound(node.core.dsn)


class LateClock(SystemClock):
    """The machine's clock, and how far a test has turned it on."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


@MEMBERS
async def test_at_its_end_every_node_forgets_by_itself_though_it_is_cut_off(
    members: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The item's end at its originator, the grant's at its holders: nobody can tell anybody, and all of them act."""
    world = replace(WORLD, clock=(clock := LateClock()))
    async with heist(members, world, monkeypatch) as it, AsyncExitStack() as stack:
        hub = open_hub(it.demo.hub)
        async with running_hub(hub):
            it.nodes = {m: await stack.enter_async_context(started(it.demo, m, world)) for m in members}
            end = (clock.now() + timedelta(days=2)).replace(microsecond=0).isoformat()
            await it.share(draft_of("TIP-RECRUIT", *it.holders, handling={"review_by": end, "expires_at": end}))
        clock.ahead = timedelta(days=3)
        await eventually(it.forgotten)
        assert not await receipts(it.th, it.item)
        for more in (EPOCH, KEEP):  # the frames that brought it go dark with the KEM keys' epoch, also unheard
            clock.ahead += more + timedelta(hours=1)
            for node in it.nodes.values():
                await node.core.desks.epochs.tend()
        await eventually(lambda: everywhere_destroyed(it))
        await it.attack(hub.home.server)
        if len(members) > QUICK:  # until they know each other's new keys again, some half a minute
            await stack.enter_async_context(running_hub(hub))
            await eventually(it.counted, timeout_s=90)
            await eventually(lambda: settled(it.nodes.values()), timeout_s=90)
        for node in it.nodes.values():
            await assert_views_and_log_sound(node.core.dsn)


async def everywhere_destroyed(it: Heist) -> bool:
    held = [await it.nodes[m].core.desks.work.read(Holding, holding_id("th", it.item)) for m in it.holders]
    return not any(h.grants.undestroyed or h.grants.unclosed(it.th.core.desks.clock.now()) for h in held)
