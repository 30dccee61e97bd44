"""The keys page: an administrator turns the key in force by a passkey over just that; and a demo's keys in files."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from rilon.app.directory_desk import fingerprint
from rilon.domain.directory import Directory
from rilon.domain.values import Role
from rilon.domain.words import words
from tests.fakes.soft_people import SoftPeople, soft
from tests.nodes import introduce, memory_node
from tests.unit.web.test_rules import AGREEMENT, book_of
from tests.web import Browser, Pages, found, pages, unb64


def asked(browser: Browser, page: str, **wrong: Any) -> dict[str, str]:
    """What the page's program sends after the passkey has signed."""
    given = browser.given(unb64(found(page, 'data-challenge="([^"]+)"')), **wrong)
    names = ("once", "nonce", "kid")
    return {n: found(page, f'name="{n}" value="([0-9a-f]+)"') for n in names} | {"assertion": json.dumps(given)}


async def turned(node: Pages) -> list[str | None]:
    """Who turned keys, as the log says it."""
    return [e.by for e in await node.node.events() if isinstance(e, Directory.RosterChanged)]


async def settled(node: Pages) -> None:
    await node.node.desks.epochs.settle()


async def test_an_administrator_turns_the_key_in_force_by_a_passkey_over_just_that_key() -> None:
    async with pages() as node:
        await settled(node)
        admin, other = await node.signed_in(Role.ADMINISTRATOR), await node.signed_in(Role.ADMINISTRATOR)
        page = (await admin.get("/keys")).text
        first = found(page, 'name="kid" value="([0-9a-f]+)"')
        given = asked(admin, page)
        another = asked(other, (await other.get("/keys")).text)
        for wrong in (
            given | {"assertion": another["assertion"]},
            given | {"kid": "00" * 16},
            asked(admin, page, flags=0x01),
            {"once": "1", "kid": first, "soft": "00" * 32},
            {"once": "1", "kid": first},
        ):
            assert (await admin.form("/keys/turn", **wrong)).status_code in {400, 403}
        assert await turned(node) == [None]
        assert (await admin.form("/keys/turn", **given)).headers["location"] == "/keys?done=turned"
        assert admin.person is not None
        assert await turned(node) == [None, admin.person.caller.ref]
        assert (await admin.form("/keys/turn", **given)).status_code == 409, "nobody turns it twice by a double click"
        page = (await admin.get("/keys?done=turned")).text
        assert "Turned." in page
        assert found(page, 'name="kid" value="([0-9a-f]+)"') != first
        assert "rilon keys renew-log" in page
        assert "which no node holds" in page


@pytest.mark.parametrize("role", [Role.FOCAL_POINT, Role.AUDITOR, Role.OFFICER])
async def test_nobody_else_turns_keys(role: Role) -> None:
    async with pages() as node:
        await settled(node)
        someone = await node.signed_in(role)
        assert "Turn it with my passkey" not in (await someone.get("/keys")).text
        assert (await someone.form("/keys/turn", kid="00" * 16)).status_code == 403


async def without_passkey(node: Pages, *roles: Role) -> Browser:
    """Somebody whose browser has no authenticator."""
    browser = node.browser(await node.node.officer(*roles))
    assert browser.person is not None
    invited = await node.services.access.invite(None, browser.person.id)
    assert (await browser.json("/join/demo", {"code": invited.code})).status_code == 200
    await node.services.shown(0)
    return browser


async def test_in_a_demo_all_that_a_passkey_signs_can_be_signed_without_one() -> None:
    async with pages(knows=("my",), soft_keys=SoftPeople()) as node:
        await settled(node)
        first, second = await without_passkey(node, Role.FOCAL_POINT), await without_passkey(node, Role.FOCAL_POINT)
        admin = await without_passkey(node, Role.ADMINISTRATOR)
        page = (await admin.get("/keys")).text
        assert "A real node cannot do this" in page
        assert (await admin.form("/keys/turn", **soft(page))).headers["location"] == "/keys?done=turned"
        given = {"text": await book_of(first) + AGREEMENT, "after": "1", "once": "d"}
        assert (await first.form("/rules/draft", **given)).status_code == 303
        for focal, came in ((first, "waiting"), (second, "published")):
            done = await focal.form("/rules/sign", **soft((await focal.get("/rules")).text))
            assert done.headers["location"] == f"/rules?done={came}"


async def test_in_a_demo_a_newcomer_without_a_passkey_is_confirmed_by_a_colleague_without_one() -> None:
    async with pages(soft_keys=SoftPeople()) as node:
        first, second = await without_passkey(node, Role.FOCAL_POINT), await without_passkey(node, Role.FOCAL_POINT)
        given = {"name": "Fictional Newcomer", "agency": "immigration", "desk": "duty", "role": "focal_point"}
        at = (await first.form("/people/new", **given, once="n")).headers["location"].partition("?")[0]
        link = found((await first.form(f"{at}/invite", once="i")).text, r"/join#([0-9a-f.]+)")
        newcomer = node.browser()
        assert (await newcomer.json("/join/demo", {"code": link})).status_code == 200
        await node.services.shown((await node.services.log.head()).size)
        page = (await second.get(at)).text
        assert second.person is not None
        candidate = await node.services.membership.candidate(second.person.caller, UUID(at[-36:]))
        heard = " ".join(words(fingerprint(candidate.key)))
        done = await second.form(f"{at}/confirm", **soft(page), words=heard)
        assert done.headers["location"] == f"{at}?done=confirmed", done.text


async def test_in_a_demo_two_without_a_passkey_let_a_frozen_link_go_on() -> None:
    async with pages(soft_keys=SoftPeople()) as node:
        await introduce(node.node, await memory_node("my", seed=1))
        first, second = await without_passkey(node, Role.FOCAL_POINT), await without_passkey(node, Role.FOCAL_POINT)
        await node.services.link_desk.frozen("my", "link.fork", b"invented evidence")
        for focal, came in ((first, "asked"), (second, "reset")):
            page = (await focal.get("/network/my/frozen")).text
            done = await focal.form("/network/my/reset", **soft(page))
            assert done.headers["location"] == f"/network/my?done={came}"
        assert (await first.get("/network/my/frozen")).status_code == 409
