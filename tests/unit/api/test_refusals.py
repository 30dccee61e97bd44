"""Bad input, each with its code: never a 500, never an echo, never anything stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from rilon.api.requests import MAX_BODY_BYTES, MAX_DEPTH
from rilon.domain.handling import Tlp
from rilon.domain.shapes import SubjectRole
from rilon.domain.values import Role, Urgency
from rilon.errors import FatalError, NotFoundError, UnavailableError
from rilon.front.problems import NOT_FOUND, encode, of_error
from tests.api import ApiNode, Client, api_node, api_of
from tests.nodes import draft_of, introduce, memory_node

CANARY = "xyzzy-canary"


@pytest_asyncio.fixture(scope="module")
async def api() -> AsyncIterator[ApiNode]:
    node, other = await memory_node(), await memory_node("id", seed=1)
    await introduce(node, other)
    async with api_of(node) as api:
        yield api


@pytest_asyncio.fixture(scope="module")
async def officer(api: ApiNode) -> Client:
    return await api.client()


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code, after checking that it is a problem in all its parts."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert {"type", "title", "status", "detail", "fix"} <= found.keys()
    assert all(each["fix"] for each in found.get("problems", ()))
    assert CANARY not in answer.text
    return answer.status_code, found["type"].removeprefix("urn:rilon:")


def draft(**changes: Any) -> dict[str, Any]:
    return msgspec.to_builtins(draft_of("TIP-RECRUIT", "id")) | changes


def nested(depth: int) -> bytes:
    return json.dumps(draft(fields={"title": None})).replace("null", "[" * depth + "]" * depth).encode()


BODIES = {
    "no json": (b"{not json", 400, "json.malformed"),
    "no utf-8": (b'{"kind": "\xff"}', 400, "json.malformed"),
    "byte order mark": (b"\xef\xbb\xbf{}", 400, "json.malformed"),
    "utf-16": ('{"kind": "a"}'.encode("utf-16"), 400, "json.malformed"),
    "lone surrogate": (b'{"kind": "\\ud800"}', 400, "json.malformed"),
    "NaN": (b'{"kind": NaN}', 400, "json.malformed"),
    "huge number": (b'{"kind": ' + b"9" * 5000 + b"}", 400, "json.malformed"),
    "trailing bytes": (b"{} {}", 400, "json.malformed"),
    "too deep": (nested(10_000), 400, "json.depth"),
    "a little too deep": (nested(MAX_DEPTH), 400, "json.depth"),
    "key twice": (b'{"kind": "a", "kind": "b"}', 400, "json.repeated"),
    "key twice, deep": (b'{"kind": "a", "fields": {"x": [{"y": 1, "y": 1}]}}', 400, "json.repeated"),
    "no body": (b"", 422, "body.absent"),
    "no object": (b"[]", 422, "body.value"),
    "null": (b"null", 422, "body.value"),
    "missing field": (b'{"kind": "TIP-RECRUIT", "fields": {}}', 422, "body.missing"),
    "unknown field": (json.dumps(draft(xyzzy=1)).encode(), 422, "body.unknown"),
    "odd unknown field": (json.dumps(draft(**{CANARY + " <b>": 1})).encode(), 422, "body.unknown"),
    "number for text": (json.dumps(draft(kind=5)).encode(), 422, "body.value"),
    "text for truth": (json.dumps(draft(audience={"everyone": "true"})).encode(), 422, "body.value"),
    "unknown urgency": (json.dumps(draft(urgency=CANARY)).encode(), 422, "body.value"),
    "reader of no form": (
        json.dumps(draft(audience={"members": ["id"], "readers": [CANARY]})).encode(),
        422,
        "body.value",
    ),
    "unknown kind": (json.dumps(draft(kind="NO-SUCH")).encode(), 422, "kind.unknown"),
    "unknown member": (json.dumps(draft(audience={"members": ["atlantis"]})).encode(), 422, "member.unknown"),
    "nobody": (json.dumps(draft(audience={})).encode(), 422, "audience.empty"),
    "too wide": (json.dumps(draft(audience={"everyone": True})).encode(), 422, "audience.wider-than-tlp"),
    "no such mark": (json.dumps(draft(handling={"shiny": 1})).encode(), 422, "handling.unknown-field"),
    "empty REL_TO": (json.dumps(draft(handling={"rel_to": []})).encode(), 422, "handling.rel-to-empty"),
    "classified": (json.dumps(draft(handling={"classification": 2})).encode(), 422, "handling.classification"),
    "expired": (
        json.dumps(
            draft(handling={"expires_at": "2020-01-01T00:00:00Z", "review_by": "2019-01-01T00:00:00Z"})
        ).encode(),
        422,
        "handling.expired",
    ),
    "year 9999": (
        json.dumps(draft(handling={"expires_at": "9999-12-31T23:59:59Z"})).encode(),
        422,
        "handling.expiry-too-far",
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_draft_is_refused_by_name_and_leaves_nothing(api: ApiNode, officer: Client, name: str) -> None:
    body, status, expected = BODIES[name]
    before = await api.node.stored()
    for path in ("/v1/alerts/preview", "/v1/alerts"):
        assert code(await officer.post(path, body)) == (status, expected)
    assert await api.node.stored() == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nul \0 byte", "text.control"),
        ("right \u202e left", "text.bidi"),
        ("hid\U000e0041den", "text.hidden"),
        ("private \ue000", "text.private"),
    ],
)
async def test_deceiving_text_is_refused(officer: Client, text: str, expected: str) -> None:
    fields = dict(draft()["fields"], title=text)
    answer = await officer.post("/v1/alerts", draft(fields=fields))
    assert code(answer) == (400, expected)
    assert answer.json()["field"].endswith("title")


async def test_all_that_is_wrong_is_told_at_once(officer: Client) -> None:
    bad = draft(fields={**draft()["fields"], "xyzzy": 1, "observed_at": "2031-01-01T00:00:00Z"}, handling={"shiny": 1})
    answer = await officer.post("/v1/alerts", bad)
    assert code(answer) == (422, "invalid.several")
    found = {p["code"] for p in answer.json()["problems"]}
    assert {"field.unknown", "handling.unknown-field"} <= found


async def test_a_code_that_is_none_is_told_which_there_are(officer: Client) -> None:
    for change, field, one in (
        ({"urgency": CANARY}, "urgency", Urgency.NORMAL),
        ({"handling": {"tlp": CANARY}}, "handling.tlp", Tlp.RED),
        ({"fields": {**draft()["fields"], "persons": [{"role": CANARY}]}}, "persons[0].role", SubjectRole.WITNESS),
    ):
        answer = await officer.post("/v1/alerts", draft(**change))
        assert code(answer)[0] == 422
        assert answer.json()["field"] == field
        assert f"{one}," in answer.json()["fix"].replace(".", ",")


async def test_a_body_has_a_limit(officer: Client) -> None:
    assert code(await officer.post("/v1/alerts", b" " * (MAX_BODY_BYTES + 1))) == (413, "http.too-large")
    assert code(await officer.post("/v1/alerts", b" " * MAX_BODY_BYTES)) == (400, "json.malformed")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/msgpack", ""],
)
async def test_only_json_is_read(officer: Client, kind: str) -> None:
    answer = await officer.call("POST", "/v1/alerts", b"{}", headers={"content-type": kind})
    assert code(answer) == (415, "http.media-type")


async def test_a_charset_parameter_is_no_other_type(officer: Client) -> None:
    kind = {"content-type": "application/json; charset=utf-8"}
    assert (await officer.call("POST", "/v1/alerts/preview", draft(), headers=kind)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/v1/nope", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/v1/approvals/not-a-uuid", 404, "not-found"),
        ("POST", "/v1/alerts/%00/withdraw", 404, "not-found"),
        ("GET", "/v1/" + "a" * 5000, 404, "not-found"),
        ("GET", "/v1/alerts", 405, "http.method"),
        ("PATCH", "/v1/alerts", 405, "http.method"),
        ("BREW", "/v1/alerts", 405, "http.method"),
        ("HEAD", "/v1/me", 405, ""),
        ("GET", "/v1/me?x=1", 422, "query.unknown"),
        ("DELETE", "/v1/me", 405, "http.method"),
    ],
)
async def test_what_is_not_there_is_told_alike(
    officer: Client, method: str, path: str, status: int, expected: str
) -> None:
    answer = await officer.call(method, path)
    if method == "HEAD":
        assert answer.status_code == status
    else:
        assert code(answer) == (status, expected)
    if status == 405:
        assert answer.headers["allow"]


async def test_a_body_nobody_asked_for_is_refused(officer: Client) -> None:
    answer = await officer.post("/v1/items/id/00000000-0000-0000-0000-000000000001/acknowledge", {"a": 1})
    assert code(answer) == (422, "body.unexpected")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, "idempotency.missing"),
        ("short", "idempotency.form"),
        ("a" * 129, "idempotency.form"),
        ("with blanks", "idempotency.form"),
        ("eight\xe9chars", "idempotency.form"),
    ],
)
async def test_a_command_needs_a_proper_idempotency_key(officer: Client, key: str | None, expected: str) -> None:
    headers = {"idempotency-key": key} if key is not None else {}
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await officer.call("POST", "/v1/alerts", draft(), key=None, headers=raw)  # type: ignore[arg-type]
    assert code(answer) == (422, expected)


class Failing:
    """A desk on which everything goes wrong in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def preview(self, *_: object) -> None:
        raise self.error


async def failing(error: Exception, **changes: Any) -> httpx.Response:
    async with api_node(alerts=Failing(error), **changes) as api:
        return await (await api.client()).post("/v1/alerts/preview", draft())


async def test_a_fault_of_ours_says_nothing_but_that_it_happened(caplog: pytest.LogCaptureFixture) -> None:
    assert code(await failing(ZeroDivisionError(CANARY))) == (500, "internal")
    assert "ZeroDivisionError in POST /v1/alerts/preview at test_refusals.py:" in caplog.text
    assert CANARY not in caplog.text


async def test_what_is_away_says_when_to_come_again() -> None:
    answer = await failing(UnavailableError("log.unavailable", "The database is away."))
    assert code(answer) == (503, "log.unavailable")
    assert answer.headers["retry-after"] == "2"


async def test_an_unknown_state_ends_the_process() -> None:
    told: list[FatalError] = []
    assert code(await failing(FatalError("log.broken", CANARY), fatal=told.append)) == (500, "internal")
    assert [e.code for e in told] == ["log.broken"]


async def test_every_answer_carries_the_security_headers(api: ApiNode, officer: Client) -> None:
    for answer in (
        await api.anybody.get("/v1/health"),
        await api.anybody.get("/v1/nope"),
        await api.anybody.get("/v1/me"),
        await api.anybody.get("/v1/health", host="evil.example"),
        await officer.get("/v1/me"),
        await officer.call("OPTIONS", "/v1/alerts"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "th.localhost.evil.example", "", "th.localhost:8400@evil", "[::1"])
async def test_other_names_are_not_answered(api: ApiNode, host: str) -> None:
    assert code(await api.anybody.get("/v1/health", host=host)) == (400, "http.host")


@pytest.mark.parametrize("host", ["th.localhost", "TH.localhost", "th.localhost:8400"])
async def test_its_own_name_is_answered_at_any_port(api: ApiNode, host: str) -> None:
    assert (await api.anybody.get("/v1/health", host=host)).status_code == 200


async def test_a_forwarded_host_or_address_changes_nothing(api: ApiNode) -> None:
    headers = {"x-forwarded-host": "th.localhost", "host": "evil.example", "x-forwarded-for": "203.0.113.9"}
    assert code(await api.anybody.get("/v1/health", **headers)) == (400, "http.host")


async def test_the_access_log_has_no_words_of_the_caller(
    api: ApiNode, officer: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rilon")
    await officer.get(f"/v1/members?words={CANARY}")
    await officer.get(f"/v1/{CANARY}")
    await officer.post(f"/v1/items/{CANARY}/00000000-0000-0000-0000-000000000001/acknowledge")
    lines = [r.getMessage() for r in caplog.records if r.name == "rilon.access"]
    assert len(lines) == 3
    assert CANARY not in "".join(lines)
    assert lines[2].startswith("POST /v1/items/{origin}/{item}/acknowledge 404 ")


async def test_roles_decide(api: ApiNode, officer: Client) -> None:
    auditor = await api.client(Role.AUDITOR)
    assert code(await auditor.post("/v1/alerts", draft())) == (403, "permission.denied")
    assert code(await officer.get("/v1/links")) == (403, "permission.denied")
    assert (await auditor.get("/v1/links")).status_code == 200


def test_why_something_cannot_be_had_is_never_said() -> None:
    """Erased, ended, unknown, not for you: one answer, whatever the desk calls it."""
    reasons = [NotFoundError(), NotFoundError("vault.erased", "Erased."), NotFoundError("entry.unknown-item", CANARY)]
    assert {encode(of_error(reason)) for reason in reasons} == {encode(NOT_FOUND)}
