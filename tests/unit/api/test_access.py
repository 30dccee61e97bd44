"""Who may call what: tokens, roles, limits; and that nobody forgot to say it of a route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from rilon.api.access import ACTION, Gate
from rilon.api.app import create_api
from rilon.domain.permissions import ENTITLEMENTS, PERMISSIONS, Action
from rilon.domain.values import Role, Sensitivity
from rilon.errors import RilonError
from rilon.front.limits import FAILED, MOST_BUCKETS, TOKEN, Buckets, Rate
from rilon.front.problems import NOT_FOUND, Refusals, encode, mended
from tests.api import Client, api_node, services_of
from tests.golden import golden
from tests.nodes import SetClock, memory_node

PUBLIC = {"/v1/health", "/v1/ready", "/v1/openapi.json"}


async def routes() -> list[tuple[str, str, HTTPRouteHandler]]:
    api = create_api(services_of(await memory_node()))
    return [
        (method, route.path_format, handler)
        for route in api.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if method != "OPTIONS"
    ]


async def test_every_route_says_who_may_call_it() -> None:
    for method, path, handler in await routes():
        if path in PUBLIC:
            assert handler.opt.get("public") is True
        else:
            assert isinstance(handler.opt.get(ACTION), Action), f"{method} {path} has no action"
            assert not handler.opt.get("public")


KEYLESS = (
    *("/preview", "/open", "/rules/check", "/rules/simulate", "/may-i-share", "/reach/test", "/explanations"),
    *("/attachments", "/attachments/{number}", "/links/bag"),
)


async def test_every_command_takes_an_idempotency_key() -> None:
    """All but what stores nothing, gives out content nobody may keep (opening), or is taken once anyhow (a bag)."""
    for method, path, handler in await routes():
        takes = "key" in handler.parsed_fn_signature.parameters
        assert takes == (method in {"POST", "PUT", "DELETE"} and not path.endswith(KEYLESS)), path


@get("/forgotten")
async def forgotten() -> None:
    """Nobody said who may call this."""


async def test_a_route_that_nobody_may_call_is_called_by_nobody() -> None:
    async with api_node() as api:
        officer = await api.client(*set(Role) - {Role.AUDITOR, Role.ADMINISTRATOR, Role.DEPUTY})
        app = Litestar([forgotten], guards=[Gate(api.services).admit], openapi_config=None, logging_config=None)
        app.exception_handlers[RilonError] = Refusals(lambda _: None).error
        transport: Any = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            answer = await Client(http, officer.person, officer.token).get("/forgotten")
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:rilon:permission.undeclared")


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def permission_table(first: str, allowed: Callable[[Any, Role], bool], subjects: Iterable[str]) -> str:
    rows = [[subject, *("yes" if allowed(subject, role) else "." for role in Role)] for subject in subjects]
    return table([[first, *Role], *rows])


async def test_golden_permissions() -> None:
    """Role x action, role x sensitivity, and which action each route asks for: tables that a lawyer can read."""
    assert set(PERMISSIONS) == set(Action)
    actions = permission_table("action", lambda action, role: role in PERMISSIONS[action], sorted(Action))
    sections = permission_table("may open", lambda section, role: section in ENTITLEMENTS[role], Sensitivity)
    calls = sorted((path, method, str(handler.opt.get(ACTION, "anybody"))) for method, path, handler in await routes())
    golden.check("permissions.txt", f"{actions}\n{sections}\n{table([(m, p, a) for p, m, a in calls])}")


def bad_tokens(token: str, officer: str) -> Iterator[str]:
    prefix, who, token_id, secret = token.split("_")
    yield ""
    yield "Bearer"
    yield "Bearer "
    yield f"Basic {token}"
    yield token
    yield f"Bearer {token}x"
    yield f"Bearer {token[:-1]}"
    yield f"Bearer {token[:-1]}{'0' if token[-1] != '0' else '1'}"
    yield f"Bearer {prefix}_{UUID(int=1).hex}_{token_id}_{secret}"
    yield f"Bearer {prefix}_{who}_0000000000000000_{secret}"
    yield f"Bearer {prefix}_{who}_{token_id}_{'0' * 64}"
    yield f"Bearer {prefix}_{who}_{token_id}_{'z' * 64}"
    yield f"Bearer other_{who}_{token_id}_{secret}"
    yield f"Bearer {prefix}_{{{who}}}_{token_id}_{secret}_"
    yield f"Bearer {officer}"
    yield "Bearer " + "a" * 100_000
    yield "Bearer \xe9\xe9"


async def test_every_bad_token_gets_the_same_answer() -> None:
    async with api_node() as api:
        officer = await api.client()
        answers = []
        for text in bad_tokens(officer.token, officer.who.caller.ref):
            headers: Any = {"authorization": text.encode("latin-1")} if text else {}
            answers.append(await api.anybody.call("GET", "/v1/me", headers=headers))
            api.node.clock.forward(seconds=10)
        assert {a.status_code for a in answers} == {401}
        assert len({a.content for a in answers}) == 1
        assert len({tuple(sorted(a.headers.items())) for a in answers}) == 1
        assert answers[0].headers["www-authenticate"] == "Bearer"


async def test_a_token_ends_when_it_expires_is_revoked_or_its_officer_is_suspended() -> None:
    async with api_node() as api:
        focal = await api.client(Role.FOCAL_POINT)
        expiring, revoked, suspended = [await api.client() for _ in range(3)]
        path = f"/v1/officers/{revoked.who.id}/tokens/{revoked.token_id}"
        assert (await revoked.call("DELETE", path)).status_code == 200
        assert (await focal.post(f"/v1/officers/{suspended.who.id}/suspend")).status_code == 200
        assert (await revoked.get("/v1/me")).status_code == 401
        assert (await suspended.get("/v1/me")).status_code == 401
        assert (await focal.post(f"/v1/officers/{suspended.who.id}/reinstate")).status_code == 200
        assert (await suspended.get("/v1/me")).status_code == 401  # the token went with the suspension
        assert (await expiring.get("/v1/me")).status_code == 200
        api.node.clock.forward(days=90)
        assert (await expiring.get("/v1/me")).status_code == 401


async def test_a_token_for_fewer_roles_does_less() -> None:
    async with api_node() as api:
        focal = await api.client(Role.FOCAL_POINT)
        both = await api.client(Role.FOCAL_POINT, Role.OFFICER)
        order = {"roles": ["officer"], "days": 1}
        made = await focal.post(f"/v1/officers/{both.who.id}/tokens", order)
        assert made.status_code == 201
        lesser = Client(api.http, both.who, made.json()["token"])
        assert (await lesser.get("/v1/me")).json()["roles"] == ["officer"]
        assert (await lesser.get("/v1/links")).status_code == 403
        assert (await both.get("/v1/links")).status_code == 200


async def test_nobody_revokes_the_token_of_another() -> None:
    async with api_node() as api:
        one, other = await api.client(), await api.client()
        answer = await one.call("DELETE", f"/v1/officers/{other.who.id}/tokens/{other.token_id}")
        assert answer.status_code == 403
        assert (await other.get("/v1/me")).status_code == 200


def made_up(n: int) -> str:
    return f"Bearer rilon_{UUID(int=n).hex}_0000000000000000_{'0' * 64}"


async def test_a_flood_of_bad_tokens_is_turned_away_and_hurts_nobody_who_was_in() -> None:
    async with api_node() as api:
        known, fresh = await api.client(), await api.client()
        assert (await known.get("/v1/me")).status_code == 200
        statuses = [(await api.anybody.get("/v1/me", authorization=made_up(n))).status_code for n in range(60)]
        assert statuses == [401] * FAILED.burst + [429] * (60 - FAILED.burst)
        turned_away = await fresh.get("/v1/me")
        assert turned_away.json()["type"] == "urn:rilon:http.too-many"
        assert int(turned_away.headers["retry-after"]) == 1
        assert (await known.get("/v1/me")).status_code == 200
        api.node.clock.forward(seconds=1)
        assert (await fresh.get("/v1/me")).status_code == 200


async def test_what_has_not_the_form_of_a_token_costs_nothing_and_counts_for_nothing() -> None:
    async with api_node() as api:
        for _ in range(2 * FAILED.burst):
            assert (await api.anybody.get("/v1/me", authorization="Bearer")).status_code == 401
        assert (await (await api.client()).get("/v1/me")).status_code == 200


async def test_one_token_asks_so_often_and_no_more() -> None:
    async with api_node() as api:
        busy, other = await api.client(), await api.client()
        statuses = [(await busy.get("/v1/me")).status_code for _ in range(TOKEN.burst + 1)]
        assert statuses == [200] * TOKEN.burst + [429]
        assert (await other.get("/v1/me")).status_code == 200
        api.node.clock.forward(seconds=1)
        assert (await busy.get("/v1/me")).status_code == 200


def test_buckets_refill_with_time_alone_and_are_bounded() -> None:
    clock = SetClock()
    buckets = Buckets(clock, Rate(burst=2, per_second=0.5))
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]
    clock.forward(seconds=-3600)
    assert buckets.take("a") == 2
    clock.forward(seconds=3602)
    assert [buckets.take("a") for _ in range(2)] == [0, 2]
    clock.forward(days=1)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]
    for n in range(MOST_BUCKETS):
        buckets.take(str(n))
    assert len(buckets._buckets) == MOST_BUCKETS
    assert buckets.take("a") == 0
    assert clock.now() - timedelta(days=1) > SetClock().now()


async def test_absent_and_not_for_you_are_the_same_bytes() -> None:
    async with api_node() as api:
        other = await api.client()
        absent = await other.post(f"/v1/items/id/{UUID(int=7)}/acknowledge")
        assert absent.content == encode(mended(NOT_FOUND))
        assert (await other.get("/v1/no/such/route")).content == encode(mended(NOT_FOUND))
