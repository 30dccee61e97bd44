"""The API of a whole node in memory, and people who call it with tokens of their own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import msgspec
from litestar.types import ASGIApp

from rilon.api.app import create_app
from rilon.app.deadlines import Deadlines
from rilon.app.follower import catch_up
from rilon.app.notices import Notices
from rilon.app.summaries import Summaries
from rilon.domain.values import Role
from rilon.front.notifier import Notifier
from rilon.front.replays import Replays
from rilon.front.services import Services
from tests.fakes.memory_views import MemoryViews
from tests.nodes import MemoryNode, Person, introduce, memory_node

HOST = "th.localhost"
_KEYS = itertools.count(1)


@dataclass
class Client:
    """Somebody who calls the API, or nobody when there is no token."""

    http: httpx.AsyncClient
    person: Person | None = None
    token: str = ""

    @property
    def who(self) -> Person:
        assert self.person is not None
        return self.person

    @property
    def token_id(self) -> str:
        return self.token.split("_")[2]

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = "", headers: Mapping[str, str] = {}
    ) -> httpx.Response:
        """Send one request.

        Args:
            body: JSON-like, a struct, or raw bytes.
            key: idempotency key; a fresh one for "", none for None.
        """
        given: dict[str, str] = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if method in {"POST", "PUT", "DELETE"} and key is not None:
            given["idempotency-key"] = key or f"test-key-{next(_KEYS):08}"
        if body is not None:
            given["content-type"] = "application/json"
        content = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        return await self.http.request(method, path, content=content, headers=given | dict(headers))

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.call("GET", path, headers=headers)

    async def post(self, path: str, body: Any = None, *, key: str | None = "") -> httpx.Response:
        return await self.call("POST", path, body, key=key)


@dataclass
class ApiNode:
    """A node, its API, and who calls it."""

    node: MemoryNode
    services: Services
    app: ASGIApp
    http: httpx.AsyncClient
    anybody: Client = field(init=False)

    def __post_init__(self) -> None:
        self.anybody = Client(self.http)

    async def client(self, *roles: Role, agency: str = "immigration", desk: str = "duty") -> Client:
        """Enrol somebody with these roles, and give them a token for all of them."""
        return await self.with_token(await self.node.officer(*roles, agency=agency, desk=desk))

    async def approver(self, *roles: Role) -> Client:
        """Enrol somebody who approves, with a key and a token."""
        return await self.with_token(await self.node.approver(*roles))

    async def with_token(self, person: Person) -> Client:
        made = await self.node.desks.members.issue_token(None, person.id, person.caller.roles)
        return Client(self.http, person, made.text)

    async def settle(self) -> None:
        """Let the followers see all that the log holds."""
        await self.services.shown((await self.node.log.head()).size)
        await catch_up(self.node.log, self.services.notifier)


def services_of(node: MemoryNode, **changes: Any) -> Services:
    """What the API of a node in memory stands on."""
    desks = node.desks

    async def shown(_: int) -> None:
        await catch_up(node.log, views)
        await catch_up(node.log, summaries)
        await catch_up(node.log, deadlines)
        await catch_up(node.log, desks.tasks)
        await catch_up(node.log, desks.deeds)

    deadlines = Deadlines(desks.work)
    summaries, views = Summaries(node.member, desks.vault, desks.clock), MemoryViews()
    services = Services(
        me=node.member,
        hosts=frozenset({HOST}),
        clock=node.clock,
        keys=desks.keys,
        link_desk=desks.links,
        log=node.log,
        access=desks.access,
        accounts=desks.accounts,
        alerts=desks.alerts,
        attachments=desks.attachments,
        circles=desks.circles,
        directory=desks.directory,
        disclosures=desks.disclosures,
        membership=desks.members,
        reach=desks.reach,
        reading=desks.reading,
        recalls=desks.recalls,
        onward=desks.onward,
        epochs=desks.epochs,
        rules=desks.rules,
        explain=desks.explain,
        teams=desks.teams,
        care=desks.care,
        tasks=desks.tasks,
        deeds=desks.deeds,
        summaries=summaries,
        deadlines=deadlines,
        views=views,
        replays=Replays(node.log),
        notifier=Notifier(node.log, Notices(desks.work), shown),
        shown=shown,
    )
    return replace(services, **changes)


@asynccontextmanager
async def api_node(member: str = "th", *, knows: Sequence[str] = (), **changes: Any) -> AsyncIterator[ApiNode]:
    """A node with its API, answering in this very event loop; no socket is opened.

    Args:
        knows: Members whose nodes it has verified. changes: see ``Services``.
    """
    node = await memory_node(member)
    for peer in knows:
        await introduce(node, await memory_node(peer, seed=1))
    async with api_of(node, **changes) as api:
        yield api


@asynccontextmanager
async def api_of(node: MemoryNode, **changes: Any) -> AsyncIterator[ApiNode]:
    """The API of a node that is there already."""
    services = services_of(node, **changes)
    app = create_app(services)
    transport: Any = httpx.ASGITransport(app=app, client=("192.0.2.1", 50000))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
        yield ApiNode(node, services, app, http)
