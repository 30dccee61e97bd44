"""What the client sends where, and how a node's problems become errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from rilon.errors import (
    ConflictError,
    FatalError,
    InvalidError,
    MalformedError,
    NotFoundError,
    RefusedError,
    RilonError,
    UnavailableError,
)
from rilon.node.client import NodeClient, problem


def answer(status: int, **told: Any) -> httpx.Response:
    return httpx.Response(
        status, json={"type": "urn:rilon:a.b", "title": "T", "status": status, "detail": "No.", **told}
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, MalformedError),
        (401, RefusedError),
        (403, RefusedError),
        (404, NotFoundError),
        (405, MalformedError),
        (409, ConflictError),
        (413, MalformedError),
        (422, InvalidError),
        (429, UnavailableError),
        (500, FatalError),
        (503, UnavailableError),
    ],
)
def test_a_problem_is_the_error_it_was(status: int, kind: type[RilonError]) -> None:
    error = problem(answer(status, field="title", fix="Mend it."))
    assert type(error) is kind
    assert (error.code, error.message) == ("a.b", "No.")
    if kind is not NotFoundError:
        assert (error.field, error.fix) == ("title", "Mend it.")


def test_a_person_is_told_what_to_do_about_a_token() -> None:
    error = problem(answer(401, type="urn:rilon:auth.token", fix="Send a header."))
    assert "rilon officer token" in error.fix


def test_every_fault_of_a_problem_is_told() -> None:
    faults = [{"code": "x.y", "detail": "First.", "field": "f", "fix": "Mend."}, {"code": "z", "detail": "Second."}]
    error = problem(answer(422, problems=faults))
    assert isinstance(error, InvalidError)
    assert [(p.code, p.message, p.field, p.fix) for p in error.problems] == [
        ("x.y", "First.", "f", "Mend."),
        ("z", "Second.", "", ""),
    ]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"message": "x"}', b""])
def test_what_is_no_problem_comes_from_no_node(body: bytes) -> None:
    with pytest.raises(UnavailableError, match=r"node\.answer"):
        raise problem(httpx.Response(502, content=body))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://node.example", "client.plain-http"),
        ("http://192.0.2.1", "client.plain-http"),
        ("http://localhost.example", "client.plain-http"),
        ("http://[2001:db8::1]:8400", "client.plain-http"),
        ("ftp://localhost", "client.url"),
        ("localhost:8400", "client.url"),
        ("https://", "client.url"),
        ("https://user:secret@node.example", "client.url"),
        ("https://node.example/path", "client.url"),
        ("http://localhost:port", "client.url"),
        ("", "client.url"),
    ],
)
def test_no_token_goes_where_others_listen(url: str, code: str) -> None:
    with pytest.raises(RilonError) as caught:
        NodeClient(url, "token")
    assert caught.value.code == code


@asynccontextmanager
async def client(
    url: str, *answers: httpx.Response | Exception
) -> AsyncIterator[tuple[NodeClient, list[httpx.Request]]]:
    """A client whose requests end here."""
    seen: list[httpx.Request] = []
    waiting = list(answers)

    async def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async with NodeClient(url, "token") as made:
        made._http._transport = httpx.MockTransport(handle)
        yield made, seen


@pytest.mark.parametrize(
    ("url", "place", "host"),
    [
        ("https://node.example", "https://node.example/v1/board", "node.example"),
        ("http://th.localhost:8401", "http://127.0.0.1:8401/v1/board", "th.localhost:8401"),
        ("http://localhost:8401", "http://127.0.0.1:8401/v1/board", "localhost:8401"),
        ("http://127.0.0.1:8401/", "http://127.0.0.1:8401/v1/board", "127.0.0.1:8401"),
        ("http://[::1]:8401", "http://[::1]:8401/v1/board", "[::1]:8401"),
    ],
)
async def test_names_of_this_machine_are_not_looked_up(url: str, place: str, host: str) -> None:
    async with client(url, httpx.Response(200, json={})) as (node, seen):
        await node.get("board")
    assert str(seen[0].url) == place
    assert seen[0].headers["host"] == host
    assert seen[0].headers["authorization"] == "Bearer token"


async def test_a_command_has_one_key_and_a_body_only_if_there_is_one() -> None:
    ok = [httpx.Response(200, json={}), httpx.Response(200, json={}), httpx.Response(200, json={})]
    async with client("http://localhost", *ok) as (node, seen):
        await node.post("a")
        await node.post("b", {"x": 1}, key="a-key-of-mine")
        await node.post("c")
    keys = [request.headers["idempotency-key"] for request in seen]
    assert keys[1] == "a-key-of-mine"
    assert len({*keys}) == 3
    assert [request.content for request in seen] == [b"", b'{"x":1}', b""]


async def test_who_is_not_answered_learns_how_to_ask_again() -> None:
    async with client("http://localhost", httpx.ReadTimeout("")) as (node, _):
        with pytest.raises(UnavailableError) as caught:
            await node.post("a", key="a-key-of-mine")
    assert caught.value.code == "node.away"
    assert "a-key-of-mine" in caught.value.fix


async def test_who_reads_has_nothing_to_repeat() -> None:
    async with client("http://localhost", httpx.ConnectError("")) as (node, _):
        with pytest.raises(UnavailableError) as caught:
            await node.get("a")
    assert "key" not in caught.value.fix


async def test_what_is_no_json_comes_from_no_node() -> None:
    async with client("http://localhost", httpx.Response(200, text="<html>")) as (node, _):
        with pytest.raises(UnavailableError, match=r"node\.answer"):
            await node.get("a")


async def test_absent_parameters_are_left_out_and_lists_repeated() -> None:
    async with client("http://localhost", httpx.Response(200, json={})) as (node, seen):
        await node.get("board", kind=["A", "B"], words=None, state=[], limit=5)
    assert seen[0].url.query == b"kind=A&kind=B&limit=5"


def test_a_client_shows_no_token() -> None:
    assert "token" not in repr(NodeClient("http://localhost", "token"))
