"""The pages of a whole node in memory, and people who use them with a browser of no more than cookies and forms."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from rilon.crypto import strict
from rilon.crypto.passkey import Assertion
from rilon.domain.values import Role
from rilon.front.services import Services
from rilon.node.serve import front_of
from tests.api import HOST, services_of
from tests.fakes.authenticator import Authenticator
from tests.nodes import MemoryNode, Person, introduce, memory_node

ORIGIN = f"https://{HOST}"
SAME = {"sec-fetch-site": "same-origin"}


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def unb64(value: str) -> bytes:
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class Browser:
    """One person's browser, with one authenticator."""

    http: httpx.AsyncClient
    person: Person | None = None
    key: Authenticator = field(default_factory=lambda: Authenticator(origin=ORIGIN))

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)

    async def json(self, path: str, body: Any, headers: Mapping[str, str] = SAME) -> httpx.Response:
        return await self.http.post(path, json=body, headers=dict(headers))

    async def form(self, path: str, headers: Mapping[str, str] = SAME, **fields: Any) -> httpx.Response:
        return await self.http.post(path, data=fields, headers=dict(headers))

    async def join(self, code: str) -> httpx.Response:
        """Follow a one-time link to its end."""
        asked = (await self.json("/join/begin", {"code": code})).json()
        challenge = unb64(asked["challenge"])
        said, attested = self.key.create(challenge)
        body = {"code": code, "challenge": b64(challenge), "client_data": b64(said), "attestation": b64(attested)}
        return await self.json("/join", body)

    def given(self, challenge: bytes, user: bytes = b"", /, **wrong: Any) -> dict[str, str]:
        """What the page's program sends of an assertion."""
        made = strict.decode(self.key.sign(challenge, **wrong), Assertion, limit=4096)
        parts = {name: b64(getattr(made, name)) for name in Assertion.__struct_fields__}
        return {"credential": b64(self.key.credential), "user": b64(user), **parts}

    async def sign_in(self, officer: bytes, **wrong: Any) -> httpx.Response:
        challenge = (await self.json("/sign-in/begin", {})).json()["challenge"]
        given = self.given(unb64(challenge), officer, **wrong)
        return await self.json("/sign-in", given | {"challenge": challenge})

    async def approve(self, item: object, **wrong: Any) -> httpx.Response:
        """Read an approval's page and sign what it says."""
        said = (await self.get(f"/approvals/{item}")).text
        challenge = unb64(found(said, 'data-challenge="([^"]+)"'))
        return await self.form(
            f"/approvals/{item}/approve",
            once=found(said, 'name="once" value="([0-9a-f]+)"'),
            nonce=found(said, 'name="nonce" value="([0-9a-f]+)"'),
            assertion=json.dumps(self.given(challenge, **wrong)),
        )


def found(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


@dataclass
class Pages:
    """A node, its pages, and who uses them."""

    node: MemoryNode
    services: Services
    transport: Any
    _seeds: int = 0

    def browser(self, person: Person | None = None) -> Browser:
        self._seeds += 1
        key = Authenticator(seed=self._seeds, origin=ORIGIN, credential=f"credential-{self._seeds:06}".encode())
        return Browser(httpx.AsyncClient(transport=self.transport, base_url=ORIGIN), person, key)

    async def signed_in(self, *roles: Role) -> Browser:
        """Enrol somebody as the founder does, and let them join."""
        browser = self.browser(await self.node.officer(*roles))
        assert browser.person is not None
        invited = await self.services.access.invite(None, browser.person.id)
        assert (await browser.join(invited.code)).status_code == 200
        await self.services.shown(0)
        return browser


@asynccontextmanager
async def pages(
    member: str = "th", *, knows: Sequence[str] = (), origin: str = ORIGIN, **changes: Any
) -> AsyncIterator[Pages]:
    """A node with its pages, answering in this very event loop."""
    node = await memory_node(member)
    for peer in knows:
        await introduce(node, await memory_node(peer, seed=1))
    async with pages_of(node, origin=origin, **changes) as made:
        yield made


@asynccontextmanager
async def pages_of(node: MemoryNode, *, origin: str = ORIGIN, **changes: Any) -> AsyncIterator[Pages]:
    """The pages of a node that is there already."""
    services = services_of(node, origin=origin, **changes)
    app: Any = front_of(services)
    yield Pages(node, services, httpx.ASGITransport(app=app, client=("192.0.2.1", 50000)))
