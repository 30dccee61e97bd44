"""Two real nodes, one whose hub is away and one that has none, do the main job by bags, through the commands' API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from msgspec import structs

from rilon.api.requests import MAX_BODY_BYTES
from rilon.network.bag import MAX_BAG_BYTES
from rilon.node.config import HubAccess
from rilon.node.core import open_core
from rilon.node.demo.world import DemoWorld
from rilon.node.serve import running_node
from tests.api import Client
from tests.cluster import WORLD, Node, eventually, started
from tests.fakes.keys import CHEAP
from tests.integration.test_api_node import client, ok, released
from tests.servers import open_dir

pytestmark = pytest.mark.real


async def carry(here: Node, there: Node) -> dict[str, object]:
    """What the focal point over there is told of a bag of ours."""
    made = ok(await client(here, "administrator").get(f"/v1/links/{there.member}/bag"))
    return ok(await client(there, "focal-1").post("/v1/links/bag", {"bag": made["bag"]}, key=None))


async def state_of(th: Client, item: str) -> str:
    (found,) = [d for d in ok(await th.get(f"/v1/deliveries/{item}")) if d["kind"] == "release"]
    return str(found["state"])


@asynccontextmanager
async def without_hub(demo: DemoWorld, member: str) -> AsyncIterator[Node]:
    async with open_core(demo.home(member), demo.state.passphrase, WORLD) as core:
        alone = replace(core, config=structs.replace(core.config, hub=HubAccess()))
        async with running_node(alone, WORLD, lambda _: None) as running:
            yield Node(member, demo, running)


async def test_the_main_job_by_bags_while_the_hub_is_away() -> None:
    async with AsyncExitStack() as stack:
        demo = DemoWorld(stack.enter_context(open_dir()) / "demo", ("th", "id"), cost=CHEAP, world=WORLD)
        await demo.make_homes()
        await demo.found_all()
        nodes = {
            "th": await stack.enter_async_context(started(demo, "th")),
            "id": await stack.enter_async_context(without_hub(demo, "id")),
        }
        th, id_ = nodes["th"], nodes["id"]
        item = await released(nodes)
        author, reader = client(th, "officer"), client(id_, "officer")

        async def lies_there() -> bool:
            await carry(th, id_)
            await carry(id_, th)
            return await state_of(author, item) == "stored"

        await eventually(lies_there)
        opened = {"sensitivity": "nominal", "purpose": "investigate_trafficking"}
        assert ok(await reader.post(f"/v1/items/th/{item}/open", opened, key=None))

        async def is_known_to_be_opened() -> bool:
            await carry(id_, th)
            return await state_of(author, item) == "opened"

        await eventually(is_known_to_be_opened)
        assert not (await carry(th, id_))["answer"]
        await a_large_bag_is_read_and_a_larger_one_is_not(id_)


async def a_large_bag_is_read_and_a_larger_one_is_not(node: Node) -> None:
    focal = client(node, "focal-1")
    for length, status, code in (
        (MAX_BODY_BYTES, 400, "bag.form"),
        (MAX_BAG_BYTES, 400, "bag.form"),
        (MAX_BAG_BYTES + 1, 400, "bag.too-large"),
        (MAX_BAG_BYTES + (2 << 20), 413, "http.too-large"),
    ):
        answer = await focal.post("/v1/links/bag", {"bag": bytes(length)}, key=None)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:rilon:{code}")
