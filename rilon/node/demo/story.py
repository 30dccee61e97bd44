"""The story the demo tells: one alert's way from Thailand to two other countries, and what each of them sees.

Everybody in it is invented. Each step is a call of the same API that people and programs use.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from rilon.errors import UnavailableError
from rilon.node.client import NodeClient
from rilon.node.demo.world import DemoWorld
from rilon.node.signing import read_key, sign

Say = Callable[[str], None]
PATIENCE_S = 20.0
_EFFECT = {"allow": "yes", "ask": "ask", "refuse": "no"}

SMUGGLING: dict[str, Any] = {
    "kind": "TIP-RECRUIT",
    "fields": {
        "title": "Online job offers that end in a scam centre",
        "promise": "Customer service, flight and room paid.",
        "origin": {"country": "PH"},
        "destination": {"country": "KH"},
        "recruiter_identifiers": [{"type": "social_handle", "value": "telegram:demo_jobs_invented"}],
    },
    "grade": {"scheme": "admiralty_6x6", "source": "B", "information": "2"},
    "audience": {"members": ["my", "id", "mm"]},
    "handling": {"no_origin_states": ["mm"]},
}
DISTRESS: dict[str, Any] = {
    "kind": "MAR-DISTRESS",
    "fields": {
        "title": "Boat adrift, engine failed (invented)",
        "place": {"name": "Bay of Bengal, invented position", "point": {"lat": 18.2, "lon": 90.1}},
        "observed_at": "2026-05-03T01:20:00Z",
        "persons_estimate": {"low": 90, "high": 120},
        "condition": "Engine failed two days ago, no water left (invented).",
        "rescue_authority_informed": True,
    },
    "audience": {"members": ["th", "id", "my", "iom"]},
    "handling": {"tlp": "TLP:AMBER"},
}


def _names(members: Sequence[str]) -> str:
    return ", ".join(member.upper() for member in members)


class Story:
    """Tells the story on a running demo."""

    def __init__(self, world: DemoWorld, say: Say) -> None:
        self._world, self._say = world, say
        self._clients: dict[tuple[str, str], NodeClient] = {}

    async def tell(self) -> None:
        """Tell it all."""
        async with AsyncExitStack() as stack:
            for member in self._world.members:
                for name in ("officer", "focal-1", "auditor"):
                    client = NodeClient(self._world.url(member), self._world.persona(member, name).token)
                    self._clients[member, name] = await stack.enter_async_context(client)
            await self._wait_for_links()
            item = await self._post()
            await self._approve(item)
            await self._read_abroad(item)
            await self._life_at_risk()
            await self._deliveries(item)
            await self._boards()
            await self._replay()

    def _at(self, member: str, name: str = "officer") -> NodeClient:
        return self._clients[member, name]

    async def _wait_for_links(self) -> None:
        async def open_() -> bool:
            links = await self._at("th", "focal-1").get("/links")
            return all(link["health"]["state"] == "open" for link in links if link.get("health"))

        await self._until(open_, "the links to open")
        self._say("Every node has greeted every other; from now on only ciphertext passes the courier.")

    async def _post(self) -> str:
        officer = self._at("th")
        preview = await officer.post("/alerts/preview", SMUGGLING)
        self._say("\n1. An officer in Thailand writes an alert. Before posting, the rule book answers:")
        for cell in preview["cells"]:
            why = " ".join(f["because"] for f in cell["findings"] if f["effect"] == cell["effect"])
            self._say(f"   {cell['recipient'].upper()} {cell['sensitivity']:<8} {_EFFECT[cell['effect']]:<4} {why}")
        placed = await officer.post("/alerts", SMUGGLING)
        await self._until(lambda: self._has("my", placed["id"]), "Malaysia to see it")
        self._say("2. Posted. Malaysia has it already, by rule; Indonesia's part waits for the focal point.")
        return str(placed["id"])

    async def _approve(self, item: str) -> None:
        focal, persona = self._at("th", "focal-1"), self._world.persona("th", "focal-1")
        waiting = await focal.get(f"/approvals/{item}")
        key = await asyncio.to_thread(read_key, Path(persona.key_file), self._world.state.passphrase)
        begun = time.monotonic()
        decided = await focal.post(f"/approvals/{item}/approve", {"approval": sign(waiting, key)})
        await self._until(lambda: self._has("id", item), "Indonesia to see it")
        taken = (time.monotonic() - begun) * 1000
        self._say(f"3. The focal point checks what leaves and signs it with a key of their own: {decided['outcome']}.")
        self._say(f"   Indonesia's board shows it {taken:.0f} ms after the signature was sent.")

    async def _read_abroad(self, item: str) -> None:
        officer = self._at("id")
        opened = await officer.post(
            f"/items/th/{item}/open", {"sensitivity": "nominal", "purpose": "investigate_trafficking"}
        )
        await officer.post(f"/items/th/{item}/acknowledge")
        await self._at("my").post(f"/items/th/{item}/reply", {"kind": "reply.hit", "text": "Known here (invented)."})
        fields = ", ".join(sorted(opened["fields"]))
        self._say(f"4. An Indonesian officer opens the personal part for a stated purpose ({fields}) and acknowledges;")
        self._say("   a Malaysian officer answers that the account is known there.")

    async def _life_at_risk(self) -> None:
        placed = await self._at("bd").post("/alerts", DISTRESS)
        item = str(placed["id"])
        sent = await self._at("bd").get(f"/deliveries/{item}", after=placed["position"])
        recipients = {row["recipient"] for row in sent}
        at_once = [member for member in self._world.members if member in recipients]
        for member in at_once:
            await self._until(partial(self._has, member, item), f"the distress call to reach {member.upper()}")
        self._say(
            "5. Bangladesh reports a boat in distress. Life at risk: its summary waits for nobody's signature, and"
        )
        self._say(f"   stands on the boards of {_names(at_once)} already; its focal points review that afterwards.")
        if without := [m for m in self._world.members if m != "bd" and not await self._has(m, item)]:
            self._say(f"   It is not for {_names(without)}: nothing of it is there.")

    async def _deliveries(self, item: str) -> None:
        async def answered() -> bool:
            rows = await self._at("th").get(f"/deliveries/{item}")
            return bool(rows) and {r["state"] for r in rows} <= {"acknowledged", "acted"}

        await self._until(answered, "receipts")
        self._say("6. Thailand sees, from signed receipts only, what became of it:")
        for row in await self._at("th").get(f"/deliveries/{item}"):
            self._say(f"   {row['recipient'].upper()}: {row['state']}")

    async def _boards(self) -> None:
        self._say("7. What each country's board shows now:")
        for member in self._world.members:
            rows = (await self._at(member).get("/board"))["rows"]
            shown = ", ".join(f"{r['kind']} from {r['origin'].upper()}" for r in rows) or "nothing"
            self._say(f"   {member.upper():<4} {shown}")

    async def _replay(self) -> None:
        """The auditor asks what Indonesia's board was before and after the release; no content is shown to auditors."""
        auditor = self._at("id", "auditor")
        history = await auditor.get("/history", limit=200)
        arrived = next(r["position"] for r in history["rows"] if r["topic"].startswith("rilon.holding.granted"))
        self._say("8. Any day later, an auditor in Indonesia replays what that country held:")
        for position in (arrived - 1, arrived):
            then = await auditor.get("/replay/board", as_of=position)
            shown = ", ".join(f"{r['kind']} from {r['origin'].upper()}" for r in then["rows"]) or "nothing"
            self._say(f"   as of event {position}: {shown}")

    async def _has(self, member: str, item: str) -> bool:
        rows = (await self._at(member).get("/board"))["rows"]
        return any(row["item"] == item for row in rows)

    async def _until(self, check: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await check():  # noqa: ASYNC110  other processes have no event of ours
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise UnavailableError("demo.waited", f"Waited in vain for {what}.") from None
