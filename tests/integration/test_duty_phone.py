"""A running node rings a telephone: from the log over the outbox to its administrator's command."""

from __future__ import annotations

import json

import pytest

from rilon.domain.reach import Plan, Quiet
from rilon.domain.values import Urgency
from rilon.node.config import Hook
from tests.cluster import cluster, eventually
from tests.nodes import draft_of
from tests.servers import open_dir

pytestmark = pytest.mark.real


async def test_the_duty_phone_rings() -> None:
    with open_dir() as path:
        hook = Hook(("/bin/sh", "-c", 'cat >> "$0"', str(path / "rung")))
        async with cluster(path, ["th", "id"], config={"hook": hook}) as nodes:
            th, focal = nodes["th"], await nodes["th"].caller("focal-1")
            plan = Plan(phone="+6620000000", quiet=Quiet("00:00", "23:59"))
            await th.core.desks.reach.choose(focal, plan)
            draft = draft_of("TIP-RECRUIT", "id", urgency=Urgency.LIFE_AT_RISK)
            await th.core.desks.alerts.post(await th.caller("officer"), draft)
            assert focal.desk == "duty", "the quiet hours of others hold"

            async def rung() -> bool:
                return (path / "rung").exists() and (path / "rung").read_bytes().endswith(b"\n")

            await eventually(rung)
            told = json.loads((path / "rung").read_text().splitlines()[0])
            assert (told["to"], told["urgency"], told["member"]) == ("+6620000000", "life_at_risk", "th")
            assert await th.running.services.checks["notices"]() == ""
