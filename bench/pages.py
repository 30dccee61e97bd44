"""The pages with many alerts on the board: server time of each, three hundred open streams, and a browser on 2G.

A node runs as ``rilon serve`` does, with a board of 10,000 alerts, four of five from others. Its officers come in by
one-time links, as a demo lets them. Server time is a whole request over the loopback, so an upper bound; the browser is
Chromium, its network narrowed by its own tools, its service worker off, for that would go round them.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from bench import memory, network
from bench.latency import DRAFT, percentile
from rilon.app.follower import catch_up
from rilon.domain.values import Role
from rilon.node.client import NodeClient
from rilon.node.core import PROJECTOR_ROLE, Core, open_core
from rilon.node.demo.world import DemoWorld
from rilon.projections.progress import Progress
from rilon.projections.rebuild import prepare
from rilon.projections.runner import Projector
from rilon.store.database import open_pool

ALERTS, STREAMS, ROUNDS = 10_000, 300, 40
APPROVERS = 2
EACH = 8
"""Streams an officer may have open."""
PATIENCE_S = 60
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 240_000 / 8, "uploadThroughput": 240_000 / 8}
"""2G as a browser's tools shape it: milliseconds, bytes a second."""
SAME = {"sec-fetch-site": "same-origin"}
PAGES = (
    "/inbox",
    "/inbox?tab=all",
    "/inbox?tab=all&words=island+77",
    "/new?kind=TIP-RECRUIT",
    "/may-i-share",
    "/deliveries",
    "/pictures/map",
    "/pictures/trend",
    "/pictures/times",
    "/pictures/links",
    "/pictures/network",
    "/network",
    "/outbox",
    "/me",
)


async def filled(world: DemoWorld, alerts: int, officers: int) -> list[str]:
    """Fill a node's log and views; codes of one-time links of its new officers, who are focal points too."""
    async with open_core(world.home(memory.MEMBER), world.state.passphrase, world.world) as core:
        codes = [await _officer(core, n) for n in range(officers)]
        await memory.Filler(core).fill(alerts)
        async with open_pool(core.dsn, role=PROJECTOR_ROLE) as pool:
            await prepare(pool, core.log)
            await catch_up(core.log, Projector(pool, Progress(pool)))
            await pool.execute("ANALYZE")  # as the database does by itself within a minute of so many new rows
    return codes


async def _officer(core: Core, n: int) -> str:
    desks = core.desks
    roles = frozenset({Role.OFFICER} | ({Role.FOCAL_POINT} if n < APPROVERS else set()))  # a Member has few of them
    done = await desks.members.enrol(None, f"Bench {n} (invented)", "immigration", "duty", roles)
    return (await desks.access.invite(None, UUID(bytes=done.answer))).code


class Visitor:
    """Somebody signed in, by no more than a cookie."""

    def __init__(self, world: DemoWorld) -> None:
        port = world.state.ports[memory.MEMBER]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=PATIENCE_S)
        self._headers = {"host": f"{memory.MEMBER}.localhost:{port}", **SAME}

    async def join(self, code: str) -> None:
        """Follow a one-time link."""
        answer = await self._http.post("/join/demo", json={"code": code}, headers=self._headers)
        answer.raise_for_status()
        self._headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]

    async def page(self, path: str) -> float:
        """Milliseconds until a page was there."""
        begun = time.perf_counter()
        answer = await self._http.get(path, headers=self._headers)
        answer.raise_for_status()
        return 1e3 * (time.perf_counter() - begun)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[httpx.Response]:
        """An open stream of notices."""
        async with self._http.stream("GET", "/live", headers=self._headers) as answer:
            answer.raise_for_status()
            yield answer

    async def close(self) -> None:
        """Let go."""
        await self._http.aclose()


async def times(visitor: Visitor, pid: int, rounds: int) -> list[dict[str, Any]]:
    """How long each page takes, and how much of a processor in the node's program."""
    rows = []
    for path in PAGES:
        await visitor.page(path)
        before = network.cpu_s(pid)
        took = [await visitor.page(path) for _ in range(rounds)]
        cpu = 1e3 * (network.cpu_s(pid) - before) / rounds
        p50, p95 = percentile(took, 0.5), percentile(took, 0.95)
        rows.append({"name": path, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "cpu_ms": round(cpu, 1)})
    return rows


async def heard(answer: httpx.Response, item: asyncio.Future[str]) -> float:
    """When a stream told of an item."""
    async for line in answer.aiter_lines():
        if line.startswith("data:") and "position" in line:
            told = json.loads(line.removeprefix("data:"))
            if told.get("item") == await item:
                break
    return time.perf_counter()


async def streams(world: DemoWorld, visitors: Sequence[Visitor], many: int) -> dict[str, Any]:
    """Open streams, post one alert, and see when everybody has heard of it."""
    async with AsyncExitStack() as stack:
        item: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        opened = [await stack.enter_async_context(visitors[n // EACH].listening()) for n in range(many)]
        waiting = [asyncio.create_task(heard(answer, item)) for answer in opened]
        await asyncio.sleep(1)
        token = world.persona(memory.MEMBER, "officer").token
        async with NodeClient(world.url(memory.MEMBER), token) as client:
            begun = time.perf_counter()
            posted = await client.post("/alerts", DRAFT)
            item.set_result(posted["id"])
            async with asyncio.timeout(PATIENCE_S):
                at = [t - begun for t in await asyncio.gather(*waiting)]
    return {
        "name": f"{many} open streams hear of an alert",
        "first_ms": round(1e3 * min(at)),
        "p50_ms": round(1e3 * statistics.median(at)),
        "last_ms": round(1e3 * max(at)),
    }


async def on_2g(world: DemoWorld, code: str) -> list[dict[str, Any]]:
    """A browser with nothing kept signs in by a link and sees its inbox, then again with the assets kept."""
    from playwright.async_api import async_playwright

    program = next((p for name in ("chromium", "google-chrome") if (p := shutil.which(name))), None)
    if program is None:
        return []
    home, rows = world.url(memory.MEMBER), []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(service_workers="block", viewport={"width": 390, "height": 844})
        page = await context.new_page()
        tools = await context.new_cdp_session(page)
        await tools.send("Network.enable")
        await tools.send("Network.emulateNetworkConditions", SLOW)
        for name, path in (("sign-in, nothing kept", "/sign-in"), ("inbox, assets kept", "/inbox")):
            begun = time.perf_counter()
            await page.goto(f"{home}{path}", wait_until="load", timeout=PATIENCE_S * 1000)
            rows.append({"name": f"2G: {name}", "s": round(time.perf_counter() - begun, 2)})
            if path == "/sign-in":
                await page.evaluate(
                    "code => fetch('/join/demo', {method: 'POST', body: JSON.stringify({code}),"
                    " headers: {'content-type': 'application/json'}}).then(() => true)",
                    code,
                )
        await browser.close()
    return rows


async def measure(alerts: int, many: int, rounds: int) -> list[dict[str, Any]]:
    """All of it, on one node."""
    officers = -(-many // EACH)
    async with network.founded([memory.MEMBER]) as world:
        codes = await filled(world, alerts, officers + 1)
        visitors = [Visitor(world) for _ in range(officers)]
        async with memory.served(world) as node:
            await node.ready()
            await memory.caught_up(world)
            await memory.settled(network.process(node))
            for visitor, code in zip(visitors, codes[1:], strict=True):
                await visitor.join(code)
            rows = [*await times(visitors[0], network.process(node), rounds), await streams(world, visitors, many)]
            rows += await on_2g(world, codes[0])
            async with AsyncExitStack() as stack:
                for n in range(many):
                    await stack.enter_async_context(visitors[n // EACH].listening())
                begun = time.perf_counter()
                await node.stop()
                rows.append({"name": f"stopped with {many} open streams", "s": round(time.perf_counter() - begun, 2)})
        for visitor in visitors:
            await visitor.close()
        return rows


def run(alerts: int = ALERTS, streams: int = STREAMS, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """One row a page, one for the streams, and those of the browser if there is one."""
    return asyncio.run(measure(alerts, streams, rounds))
