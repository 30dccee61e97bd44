"""Whatever somebody sends: a clear answer, never a fault of ours, never a word of theirs sent back by a validator."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rilon.api.app import create_api
from rilon.api.example_facts import ITEM, OFFICER
from rilon.api.examples import BODIES
from rilon.api.schema import _operations
from rilon.domain.values import Role
from tests.api import ApiNode, Client, api_of
from tests.nodes import draft_of, introduce, memory_node

SENSIBLE = (
    "TIP-RECRUIT",
    "th",
    "id",
    "2026-05-03T10:00:00Z",
    "TLP:RED",
    "entitled",
    ITEM,
    "",
    "\0",
    "\u202e",
    "a" * 9000,
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(SENSIBLE)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.sampled_from(
    ["th", "id", ITEM, OFFICER, "zz", "..", "%2e", "%00", "%ff", "a" * 300, "{item}", "*", " ", "é"]
)
QUERY = st.text(alphabet="abkindlimtcuorsy=&%+0123456789é;", max_size=60)


@pytest_asyncio.fixture(scope="module")
async def api() -> AsyncIterator[ApiNode]:
    here, there = await memory_node(), await memory_node("id", seed=1)
    await introduce(here, there)
    async with api_of(here) as api:
        yield api


@pytest_asyncio.fixture(scope="module")
async def callers(api: ApiNode) -> list[Client]:
    everything = await api.approver(Role.OFFICER, Role.FOCAL_POINT, Role.PROTECTION)
    await api.node.post(await api.node.officer(), draft_of("TIP-RECRUIT", "id"))
    return [everything, await api.client(Role.AUDITOR)]


@pytest.fixture(scope="module")
def operations(api: ApiNode) -> list[tuple[str, str, str]]:
    """Method, path and name of every one; listed once, because building an API takes a while."""
    found = _operations(create_api(api.services))
    return sorted((m, p, h.handler_name) for p, m, h in found if h.handler_name != "listen")


def mutated(value: Any, draw: random.Random, other: Any) -> Any:
    """A body with one thing in it replaced, dropped or added."""
    if not isinstance(value, dict | list) or not value or draw.random() < 0.2:
        return other
    if isinstance(value, list):
        at = draw.randrange(len(value))
        return [mutated(v, draw, other) if i == at else v for i, v in enumerate(value)]
    name = draw.choice(sorted(value))
    turn = draw.random()
    if turn < 0.15:
        return {k: v for k, v in value.items() if k != name}
    if turn < 0.3:
        return value | {"another": other}
    return {k: mutated(v, draw, other) if k == name else v for k, v in value.items()}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_no_body_and_no_path_makes_a_fault(
    api: ApiNode, callers: list[Client], operations: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    method, path, name = data.draw(st.sampled_from(operations))
    filled = "/".join(data.draw(PARTS) if part.startswith("{") else part for part in path.split("/"))
    query = data.draw(st.just("") | QUERY)
    body: Any = None
    if name in BODIES:
        turn, other = random.Random(data.draw(st.integers())), data.draw(JSON)
        body = json.dumps(mutated(BODIES[name], turn, other)).encode("utf-8", "surrogatepass")
    answer = await data.draw(st.sampled_from(callers)).call(method, filled + (f"?{query}" if query else ""), body)
    no_courier = answer.status_code == 503 and answer.json()["type"] == "urn:rilon:link.no-courier"
    assert answer.status_code < 500 or no_courier, (method, filled, query, body, answer.text)
    api.node.clock.forward(minutes=1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
async def test_no_bytes_make_a_fault(api: ApiNode, callers: list[Client], raw: bytes) -> None:
    before = await api.node.stored()
    for path in (
        "/v1/alerts/preview",
        "/v1/alerts",
        "/v1/rules/draft",
        "/v1/rules/simulate",
        f"/v1/approvals/{ITEM}/cut",
    ):
        answer = await callers[0].post(path, raw or b" ")
        assert 400 <= answer.status_code < 500
    api.node.clock.forward(minutes=1)
    assert await api.node.stored() == before
