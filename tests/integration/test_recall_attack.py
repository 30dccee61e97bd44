"""A recall over real nodes, one of them down for the time, against whoever has kept everything but the keyrings.

The attacker holds every file of every node and of the hub, backups and a dump made before, every frame that was ever
published, and the keyrings as they are *afterwards*. With the keyrings of before the very same attacker finds the key
in backup, dump and frames, so what it does not find afterwards is gone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

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
from rilon.node.core import Core
from rilon.node.demo.world import DemoWorld
from rilon.node.hub_server import open_hub, running_hub
from tests.cluster import WORLD, Node, eventually, started
from tests.fakes.keys import CHEAP
from tests.integration.test_erasure import Attacker
from tests.nodes import draft_of
from tests.servers import open_dir
from tests.whole import assert_links_whole, read_story

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


async def shared(th: Node, holders: Iterable[Node]) -> UUID:
    draft = draft_of("TIP-RECRUIT", *(h.member for h in holders))
    draft.fields["promise"] = WORDS
    item = UUID(bytes=(await th.core.desks.alerts.post(await th.caller("officer"), draft)).answer)
    await th.approve(item)
    for holder in holders:
        await eventually(lambda holder=holder: holds(holder, item))  # type: ignore[misc]
    return item


@pytest.mark.parametrize(
    "members", [("th", "id", DOWN), pytest.param(("th", "id", DOWN, "ph", "bd"), marks=pytest.mark.long)], ids=len
)
async def test_whoever_kept_everything_but_the_keyrings_opens_nothing(
    members: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    tap = Tap(monkeypatch)
    with open_dir() as path:
        demo = DemoWorld(path, members, cost=CHEAP, world=WORLD)
        await demo.make_homes()
        await demo.found_all()
        async with AsyncExitStack() as stack:
            hub = open_hub(demo.hub)
            await stack.enter_async_context(running_hub(hub))
            nodes = {m: await stack.enter_async_context(started(demo, m)) for m in members if m != DOWN}
            th, holders = nodes["th"], [m for m in members if m != "th"]
            async with started(demo, DOWN) as away:
                nodes[DOWN] = away
                item = await shared(th, [nodes[m] for m in holders])
                for _ in range(2):
                    officer = await nodes["id"].caller("officer")
                    await nodes["id"].core.desks.reading.open_(
                        officer, "th", item, NOMINAL, Purpose.INVESTIGATE_TRAFFICKING
                    )
                await eventually(lambda: settled(nodes.values()))
                loots = {m: await loot(node, item) for m, node in nodes.items()}
                logs = {m: (await n.core.desks.directory.current()).own.identity.log_id for m, n in nodes.items()}
                slot = loots["th"].slot
                key = (await th.core.desks.vault.keys([slot]))[slot]
                assert isinstance(key, bytes)
            del nodes[DOWN]

            await th.core.desks.recalls.recall(
                await th.caller("officer"), "th", item, RecallOrder("It was fictional.", "mistake")
            )
            for member in set(holders) - {DOWN}:
                await eventually(lambda member=member: closed(th, item, member))  # type: ignore[misc]
            assert DOWN not in await receipts(th, item)
            focal = await th.caller("focal-1")
            await th.core.desks.recalls.erase(focal, "th", item, ErasureOrder("It was fictional.", "court-order"))

            nodes[DOWN] = await stack.enter_async_context(started(demo, DOWN))
            await eventually(lambda: destroyed(th, item, holders))
            said = {m: dict(r.openings)[NOMINAL] for m, r in (await receipts(th, item)).items()}
            assert said == {m: 2 if m == "id" else 0 for m in holders}
            await eventually(lambda: erased_at_home(th, slot))
            await eventually(lambda: settled(nodes.values()))

            for member, node in nodes.items():
                await flushed(node.core)
                loots[member].keep("files", node.core.home.path)
                loots[member].keep("hub", hub.home.server)
                loots[member].files["dump after"] = await dump(node.core)
            before = {m: Keyring.unlock(l.before, demo.state.passphrase, floor=CHEAP) for m, l in loots.items()}
            after = {
                m: Keyring.unlock(n.core.home.keyring.read_bytes(), demo.state.passphrase, floor=CHEAP)
                for m, n in nodes.items()
            }
            for member, kept in loots.items():
                assert kept.keys_in(before[member], "backup", "dump") == [{key}, {key}], f"no competent: {member}"
                assert not any(kept.keys_in(after[member])), member
                stolen = [*kept.files.values()]
                assert not any(key in data or WORDS.encode() in data for files in stolen for data in files), member
            assert any(key in attached for attached in tap.opened(before, logs)), "no competent attacker: frames"
            assert not any(key in attached for attached in tap.opened(after, logs))
            stories = {m: await read_story(m, n.core.dsn) for m, n in nodes.items()}
            assert_links_whole(stories)


async def erased_at_home(th: Node, slot: bytes) -> bool:
    return not await th.core.desks.vault.has([slot])
