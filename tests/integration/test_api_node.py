"""The API of real nodes: Postgres, hub and courier behind it; two Members, and what one tells the other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from rilon.api.app import create_app
from rilon.crypto import approval
from rilon.front.stream import stream
from rilon.node.signing import sign
from tests.api import Client
from tests.cluster import Node, cluster, eventually
from tests.fakes.keys import CHEAP
from tests.nodes import draft_of
from tests.servers import open_dir

pytestmark = pytest.mark.real


def client(node: Node, persona: str) -> Client:
    transport: Any = httpx.ASGITransport(app=create_app(node.running.services))  # type: ignore[arg-type]
    http = httpx.AsyncClient(transport=transport, base_url=f"http://{node.member}.localhost")
    return Client(http, None, node.demo.persona(node.member, persona).token)


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


async def released(nodes: dict[str, Node]) -> str:
    """Post an alert to Indonesia and approve it, all over the API; its id."""
    th = nodes["th"]
    item: str = ok(await client(th, "officer").post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"]
    focal = client(th, "focal-1")
    file = Path(th.demo.persona("th", "focal-1").key_file).read_bytes()
    key = approval.unlock(file, th.demo.state.passphrase, floor=CHEAP)
    signed = {"approval": sign(ok(await focal.get(f"/v1/approvals/{item}")), key)}
    assert ok(await focal.post(f"/v1/approvals/{item}/approve", signed))["outcome"] == "released"
    return item


async def ones_own_write_is_read_with_its_summary(nodes: dict[str, Node]) -> None:
    author = client(nodes["th"], "officer")
    placed = ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)
    for _ in range(3):
        (row, *_) = ok(await author.get(f"/v1/board?after={placed['position']}&limit=1"))["rows"]
        assert row["item"] == placed["id"]
        assert row["summary"]["title"]
    assert ok(await author.get(f"/v1/items/th/{placed['id']}"))["state"] == "live"


async def an_alert_goes_from_api_to_api_and_its_notice_comes_first_to_who_listens(nodes: dict[str, Node]) -> None:
    there = nodes["id"]
    reader, services = client(there, "officer"), there.running.services
    caller = await there.caller("officer")
    frames = stream(services.notifier, services.clock, caller, None)
    assert (await anext(frames)).startswith(b"retry")
    item = await released(nodes)
    started = monotonic()
    async with asyncio.timeout(10):
        while item.encode() not in await anext(frames):
            pass
    assert item in {row["item"] for row in ok(await reader.get("/v1/board"))["rows"]}, "heard, but not shown yet"
    assert monotonic() - started < 5
    await frames.aclose()

    ok(
        await reader.post(
            f"/v1/items/th/{item}/open", {"sensitivity": "nominal", "purpose": "identify_victim"}, key=None
        )
    )
    ok(await reader.post(f"/v1/items/th/{item}/acknowledge"))
    ok(await reader.post(f"/v1/items/th/{item}/reply", {"kind": "reply.hit", "text": "Known at a fictional desk."}))
    author = client(nodes["th"], "officer")

    async def answered() -> bool:
        return [d["state"] for d in ok(await author.get(f"/v1/deliveries/{item}"))] == ["acted"]

    await eventually(answered)
    assert [r["text"] for r in ok(await author.get(f"/v1/replies/{item}"))] == ["Known at a fictional desk."]


async def filters_words_and_pages_on_the_real_views(nodes: dict[str, Node]) -> None:
    author = client(nodes["th"], "officer")
    last = [ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201) for _ in range(5)][-1]
    every: list[str] = []
    cursor = ""
    while True:
        page = ok(await author.get(f"/v1/board?own=true&words=SCAM&after={last['position']}&limit=2{cursor}"))
        every += [row["item"] for row in page["rows"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert every[0] == last["id"]
    assert len(every) == len(set(every)) >= 5
    assert ok(await author.get("/v1/board?words=nowhere"))["rows"] == []


async def links_history_replay_and_readiness(nodes: dict[str, Node]) -> None:
    item = await released(nodes)
    auditor = client(nodes["th"], "auditor")
    (link,) = ok(await auditor.get("/v1/links"))
    assert (link["member"], link["standing"]) == ("id", "verified")
    assert link["health"]["sent"] >= link["health"]["receipted"]
    rows = ok(await auditor.get("/v1/history?limit=200"))["rows"]
    assert [r["position"] for r in rows] == list(range(1, len(rows) + 1))
    size = (await nodes["th"].core.log.head()).size
    held = ok(await auditor.get(f"/v1/replay/board?as_of={size}&limit=200"))["rows"]
    assert item in {row["item"] for row in held}

    async def ready() -> bool:
        return bool((await client(nodes["th"], "officer").get("/v1/ready")).json()["ready"])

    await eventually(ready)


async def test_the_api_of_real_nodes() -> None:
    with open_dir() as path:
        async with cluster(path, ("th", "id")) as nodes:
            await ones_own_write_is_read_with_its_summary(nodes)
            await an_alert_goes_from_api_to_api_and_its_notice_comes_first_to_who_listens(nodes)
            await filters_words_and_pages_on_the_real_views(nodes)
            await links_history_replay_and_readiness(nodes)
