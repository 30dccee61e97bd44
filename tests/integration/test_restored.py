"""A real node comes back from an old copy of its database, is reminded by its peers, and takes back what it forgot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from rilon.app.directory_desk import fingerprint
from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.app.recall_desk import RecallOrder
from rilon.domain.alert import Alert
from rilon.domain.directory import Directory
from rilon.domain.disclosure import Disclosure
from rilon.domain.holding import Holding, holding_id
from rilon.domain.recall import Recall
from rilon.front.views import BoardFilter
from rilon.node.core import open_core
from rilon.node.demo.world import DemoWorld
from rilon.node.examine import examine
from rilon.node.founding import read_root_key, renew_log
from rilon.node.hub_server import open_hub, running_hub
from tests.cluster import WORLD, Node, eventually, started
from tests.fakes.drafts import example
from tests.fakes.keys import CHEAP
from tests.servers import open_dir

pytestmark = [pytest.mark.real, pytest.mark.long]

FIELDS = example("INC-FATAL")["fields"]


async def count(node: Node, kind: type) -> int:
    return sum(isinstance(r.event, kind) for r in await node.core.log.page(0, 1_000_000))


async def has(node: Node, kind: type, wanted: int) -> None:
    """Wait until so many events of a kind are in its log; none more comes."""

    async def all_here() -> bool:
        return await count(node, kind) >= wanted

    await eventually(all_here)
    assert await count(node, kind) == wanted


async def held(node: Node, item: UUID) -> Holding:
    return await node.core.desks.work.read(Holding, holding_id("th", item))


async def restore(demo: DemoWorld, backup: Path) -> None:
    """Put the old database back under the keyring of today, and begin a new log with the root key."""
    home, passphrase = demo.home("th"), demo.state.passphrase
    shutil.rmtree(home.postgres)
    shutil.move(backup, home.postgres)
    async with open_core(home, passphrase, WORLD) as core:
        await renew_log(core, read_root_key(home.root_key, passphrase, CHEAP))


async def confirmed(by: Node, peer: Node) -> None:
    """Its focal point confirms the new log, once a hello has brought it."""
    root = (await peer.core.desks.directory.current()).own.identity.root
    renewed = await peer.core.log.log_id()

    async def met() -> bool:
        known = await by.core.desks.directory.current()
        log_id: bytes = known.listing(peer.member).identity.log_id
        return log_id == renewed and known.standing(peer.member) == "unverified"

    await eventually(met)
    await by.core.desks.directory.verify(await by.caller("focal-1"), peer.member, fingerprint(root))


async def take_back(th: Node, withdrawn: UUID, recalled: UUID, corrected: UUID) -> None:
    focal, alerts = await th.caller("focal-1"), th.core.desks.alerts
    await alerts.withdraw(focal, withdrawn, "posted by mistake")
    await th.core.desks.recalls.recall(focal, "th", recalled, RecallOrder("by mistake", "mistake"))
    await alerts.correct(
        focal, corrected, AlertDraft("INC-FATAL", FIELDS, audience=AudienceDraft(members=("id", "my")))
    )


async def test_what_a_backup_forgot_is_returned_and_can_be_withdrawn_recalled_and_corrected() -> None:
    with open_dir() as path:
        demo = DemoWorld(path, ("th", "my", "id"), cost=CHEAP, world=WORLD)
        await demo.make_homes()
        await demo.found_all()
        async with running_hub(open_hub(demo.hub)), started(demo, "my") as my, started(demo, "id") as id_:
            holders, backup = (my, id_), path / "backup"
            async with started(demo, "th") as th:
                kept = await th.post("INC-FATAL", FIELDS, ["my", "id"])
                for node in holders:
                    await has(node, Holding.Granted, 1)
            subprocess.run(["cp", "-a", demo.home("th").postgres, backup], check=True)
            async with started(demo, "th") as th:
                lost = [await th.post("INC-FATAL", FIELDS, ["my", "id"]) for _ in range(3)]
                for node in holders:
                    await has(node, Holding.Granted, 4)
            await restore(demo, backup)
            async with started(demo, "th") as th:
                assert await count(th, Directory.LogRenewed) == 1
                for node in holders:
                    await confirmed(node, th)
                await has(th, Disclosure.Recovered, 2 * len(lost))
                await has(th, Alert.Recovered, len(lost))
                shown = await th.running.services.views.board(
                    await th.caller("focal-1"), th.running.services.clock.now(), BoardFilter(own=True), None, 9
                )
                assert {e.item: e.basis for e in shown} == dict.fromkeys(lost, "recovered") | {kept: "own"}
                await take_back(th, *lost)
                await has(th, Recall.Confirmed, 2)

                async def obeyed() -> bool:
                    ends = [(await held(n, lost[0])).state for n in holders]
                    newest = [(await held(n, lost[2])).edition.version for n in holders]
                    return (ends, newest) == (["withdrawn"] * 2, [2, 2])

                await eventually(obeyed)
                for node in (th, *holders):
                    report = await examine(node.core.dsn)
                    assert report.sound, report.findings
                    assert await count(node, Holding.Reminded) == (0 if node is th else len(lost))
