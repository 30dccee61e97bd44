"""The API's description: whole, by the types that validate, with examples that are examples."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
import pytest
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from rilon.api.app import create_api
from rilon.api.example_facts import DRAFT
from rilon.api.examples import ANSWERS, BODIES
from rilon.api.schema import _operations, describe
from tests.api import api_node, services_of
from tests.golden import golden
from tests.nodes import memory_node


async def described() -> dict[str, Any]:
    return json.loads(msgspec.json.encode(describe(create_api(services_of(await memory_node())))))


async def handlers() -> dict[str, HTTPRouteHandler]:
    api = create_api(services_of(await memory_node()))
    return {h.handler_name: h for _, _, h in _operations(api)}


async def test_golden_openapi() -> None:
    golden.check("openapi.json", json.dumps(await described(), indent=1, ensure_ascii=False) + "\n")


async def test_it_is_served_to_anybody() -> None:
    async with api_node() as api:
        for _ in range(2):
            answer = await api.anybody.get("/v1/openapi.json")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == await described()


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


async def test_every_reference_is_there_and_every_pattern_is_one_of_ecma() -> None:
    found = await described()
    components = found["components"]
    for node in walk(found):
        if isinstance(node.get("$ref"), str):
            _, _, kind, name = node["$ref"].split("/")
            assert name in components[kind]
        if isinstance(node.get("pattern"), str):
            re.compile(node["pattern"])
            assert not re.search(r"\\[AZ]", node["pattern"])


async def test_nested_patterns_are_told() -> None:
    schemas = (await described())["components"]["schemas"]
    readers = schemas["AudienceDraft"]["properties"]["readers"]
    assert readers["items"]["pattern"].startswith("^(entitled|")
    assert readers["maxItems"] == 64


async def test_operation_ids_are_unique_and_say_something() -> None:
    found = await described()
    operations = [o for methods in found["paths"].values() for o in methods.values()]
    assert len({o["operationId"] for o in operations}) == len(operations)
    assert all(o["summary"] for o in operations)


async def test_parameters_are_told() -> None:
    board = (await described())["paths"]["/v1/board"]["get"]
    limit = next(p for p in board["parameters"] if p["name"] == "limit")
    assert limit == {
        "name": "limit",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    }
    posts = (await described())["paths"]["/v1/alerts"]["post"]
    assert [p["name"] for p in posts["parameters"] if p["required"]] == ["Idempotency-Key"]


async def test_every_command_tells_a_repetition_but_what_is_shown_once() -> None:
    found = await described()
    silent = set()
    for operation in (o for methods in found["paths"].values() for o in methods.values()):
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ())):
            answer = next(said for status, said in operation["responses"].items() if status < "300")
            name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            if "repeated" not in found["components"]["schemas"][name]["properties"]:
                silent.add(operation["operationId"])
    assert silent == {"make_token", "invite"}


async def test_every_example_is_an_example() -> None:
    known = await handlers()
    assert BODIES.keys() | ANSWERS.keys() <= known.keys()
    bodies = {**BODIES, "enrol_key": {"public_key": b64encode(bytes(1984)).decode()}}
    for name, body in bodies.items():
        form = known[name].parsed_fn_signature.parameters["data"].annotation
        msgspec.json.decode(msgspec.json.encode(body), type=form)
    for name, answer in ANSWERS.items():
        returns = known[name].parsed_fn_signature.return_type.annotation
        returns = get_args(returns)[0] if get_origin(returns) is Response else returns
        again = msgspec.to_builtins(msgspec.json.decode(msgspec.json.encode(answer), type=returns))
        if isinstance(answer, dict):
            assert answer.keys() <= again.keys() | {"health"}


async def test_every_operation_has_an_example_of_what_is_sent_and_what_comes() -> None:
    spoken = {"read_schema", "listen", "read_attachment", "read_kinds", "read_members", "read_rules"}
    for name, handler in (await handlers()).items():
        if "data" in handler.parsed_fn_signature.parameters:
            assert name in BODIES
        assert name in ANSWERS.keys() | spoken | SAME


SAME = {
    "revoke_token",
    "call_upon",
    "relieve",
    "suspend",
    "reinstate",
    "grant_role",
    "revoke_role",
    "enrol_key",
    "confirm",
}
"""Commands that answer as ``post_alert`` does."""


async def test_the_example_draft_is_one_that_can_be_previewed() -> None:
    async with api_node(knows=("id", "my")) as api:
        answer = await (await api.client()).post("/v1/alerts/preview", DRAFT, key=None)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", ["listen"])
async def test_a_stream_is_told_as_one(name: str) -> None:
    assert (await handlers())[name].parsed_fn_signature.return_type.annotation is Stream
    told = (await described())["paths"]["/v1/notices"]["get"]["responses"]["200"]
    assert list(told["content"]) == ["text/event-stream"]
