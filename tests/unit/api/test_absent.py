"""What is absent and what is there, but not for you, are answered alike: body, headers, status, and as fast.

Somebody of another agency asks every route that reads, of an own item, of one that was granted to others here, and of a
circle that this Member was taken off; and the same of what never was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from msgspec import structs

from rilon.app.circle_desk import CharterDraft
from rilon.app.drafts import AudienceDraft
from rilon.domain.values import Purpose
from tests.api import ApiNode, api_of
from tests.fakes.drafts import NOW
from tests.fakes.pictures import photo
from tests.nodes import acquaint, draft_of, memory_node, pump
from tests.web import Browser, pages_of

NEVER = UUID("018f0000-0000-7000-8000-000000000000")
NO_CIRCLE = "id." + "0" * 32
OPEN = {"sensitivity": "nominal", "purpose": "investigate_trafficking"}
ASK = {"reason": "They are nearer.", "sections": ["nominal"], "member": "my"}
"""Method, path and body. ``{of}`` is an item as ``origin/id``, ``{item}`` its id, ``{circle}`` a circle."""
OF_ANY: dict[str, tuple[str, str, Any]] = {
    "board line": ("GET", "/v1/items/{of}", None),
    "why": ("GET", "/v1/items/{of}/why", None),
    "section": ("POST", "/v1/items/{of}/open", OPEN),
    "summary": ("POST", "/v1/items/{of}/open", OPEN | {"sensitivity": "summary"}),
    "attachment": ("POST", "/v1/items/{of}/attachments/1", {"purpose": OPEN["purpose"]}),
    "asked onward": ("GET", "/v1/items/{of}/asked", None),
    "acknowledge": ("POST", "/v1/items/{of}/acknowledge", None),
    "reply": ("POST", "/v1/items/{of}/reply", {"kind": "reply.hit", "text": "Known."}),
    "ask onward": ("POST", "/v1/items/{of}/ask", ASK),
    "recall": ("POST", "/v1/items/{of}/recall", {"reason": "Mistake.", "ground": "mistake"}),
    "page": ("PAGE", "/items/{of}", None),
    "page why": ("PAGE", "/items/{of}/why", None),
}
OF_OWN: dict[str, tuple[str, str, Any]] = {
    "deliveries": ("GET", "/v1/deliveries/{item}", None),
    "replies": ("GET", "/v1/replies/{item}", None),
    "disclosure": ("GET", "/v1/alerts/{item}/disclosure", None),
    "withdraw": ("POST", "/v1/alerts/{item}/withdraw", {"reason": "Mistake."}),
}
ROUNDS = 25
APART = 0.9
"""How sure somebody could be, at most, which of two answers came from what is there (0.5: a guess)."""


@dataclass
class Scene:
    api: ApiNode
    asker: Any
    browser: Browser
    own: UUID
    held: UUID
    circle: str

    async def ask(self, how: tuple[str, str, Any], origin: str, item: UUID, circle: str) -> httpx.Response:
        method, path, body = how
        path = path.format(of=f"{origin}/{item}", item=item, circle=circle)
        if method == "PAGE":
            return await self.browser.get(path, **{"accept-encoding": "identity"})
        found: httpx.Response = await self.asker.call(method, path, body)
        return found


@pytest_asyncio.fixture(scope="module")
async def scene() -> AsyncIterator[Scene]:
    th, id_, my = await memory_node("th"), await memory_node("id", seed=1), await memory_node("my", seed=2)
    await acquaint(th, id_, my)
    author, focal, abroad = await th.officer(), await id_.approver(), await id_.officer()
    files = await th.attach(author, ("boat.jpg", photo()))
    own = await th.post(author, draft_of("TIP-RECRUIT", "id", attachments=files))
    readers = AudienceDraft(members=("th",), readers=("agency:immigration",))
    held = await id_.post(abroad, draft_of("TIP-RECRUIT", "th", audience=readers))
    await id_.approve(held, focal)
    facts: dict[str, Any] = {"name": "Example", "charter": "Find the fictional boat.", "ends": NOW + timedelta(days=90)}
    why = Purpose.INVESTIGATE_SMUGGLING
    drawn = CharterDraft(kind="operation", purpose=why, themes=("maritime",), members=("th", "my"), **facts)
    circle = (await id_.desks.circles.convene(focal.caller, drawn)).answer.decode()
    assert not any(await pump(id_, th))
    async with api_of(th) as api, pages_of(th) as pages:
        asker = await api.client(agency="police", desk="watch")
        assert (await asker.get(f"/v1/circles/{circle}")).status_code == 200
        await id_.desks.circles.change(focal.caller, circle, 1, structs.replace(drawn, members=("my",)))
        assert not any(await pump(id_, th))
        await api.settle()
        browser = pages.browser(await th.officer(agency="police", desk="watch"))
        assert browser.person is not None
        invited = await pages.services.access.invite(None, browser.person.id)
        assert (await browser.join(invited.code)).status_code == 200
        await pages.services.shown(0)
        yield Scene(api, asker, browser, own, held, circle)


def said(answer: httpx.Response, asked: UUID) -> tuple[int, str, list[tuple[str, str]]]:
    """All that came back, but for the id that was asked for."""
    return answer.status_code, answer.text.replace(str(asked), "?"), sorted(answer.headers.items())


def apart(there: list[float], absent: list[float]) -> float:
    """How often a random one of these takes longer than a random one of those."""
    return sum((a > b) + (a == b) / 2 for a in there for b in absent) / len(there) / len(absent)


async def check(scene: Scene, how: tuple[str, str, Any], origin: str, item: UUID, circle: str = NO_CIRCLE) -> None:
    took: tuple[list[float], list[float]] = [], []
    scene.api.node.clock.forward(seconds=20)  # so many questions at once are too many
    for n in range(ROUNDS):
        for which in (0, 1) if n % 2 else (1, 0):
            began = perf_counter()
            asked = (item, circle) if which == 0 else (NEVER, NO_CIRCLE)
            answer = await scene.ask(how, origin, *asked)
            took[which].append(perf_counter() - began)
            if which == 0:
                there = said(answer, item)
            else:
                absent = said(answer, NEVER)
    assert there == absent
    assert there[0] == (200 if how[1].endswith("/why") else 404)
    assert 1 - APART < apart(*took) < APART, apart(*took)


@pytest.mark.parametrize("name", OF_ANY)
@pytest.mark.parametrize("origin", ["th", "id"])
async def test_an_item_of_others_is_as_absent_as_one_that_never_was(scene: Scene, name: str, origin: str) -> None:
    await check(scene, OF_ANY[name], origin, scene.own if origin == "th" else scene.held)


@pytest.mark.parametrize("name", OF_OWN)
async def test_so_is_what_became_of_it(scene: Scene, name: str) -> None:
    await check(scene, OF_OWN[name], "th", scene.own)


async def test_so_is_a_circle_one_was_taken_off(scene: Scene) -> None:
    await check(scene, ("GET", "/v1/circles/{circle}", None), "id", NEVER, scene.circle)
