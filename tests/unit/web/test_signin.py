"""Coming in through the pages, and every way that must not lead in."""

from __future__ import annotations

from typing import Any

import pytest

from rilon.domain.values import Role
from rilon.web.sessions import COOKIE, IDLE
from tests.web import SAME, b64, pages, unb64


async def test_a_link_makes_a_passkey_and_a_passkey_opens_a_session() -> None:
    async with pages() as node:
        browser = await node.signed_in()
        assert (await browser.get("/inbox")).status_code == 200
        first = browser.http.cookies[COOKIE]
        assert browser.person is not None
        again = await browser.sign_in(browser.person.id.bytes)
        assert again.json() == {"go": "/inbox"}
        assert browser.http.cookies[COOKIE] != first
        cookie = again.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("secure", "httponly", "samesite=strict", "path=/", "__host-"))
        assert "domain" not in cookie


async def test_a_session_that_an_attacker_chose_is_never_taken_over() -> None:
    """Session fixation: a cookie that was there before is not the one that is there after."""
    async with pages() as node:
        browser = node.browser(await node.node.officer())
        planted = f"{'0' * 32}.{'0' * 16}.{'0' * 64}"
        browser.http.cookies.set(COOKIE, planted, domain="th.localhost")
        assert browser.person is not None
        invited = await node.services.access.invite(None, browser.person.id)
        answer = await browser.join(invited.code)
        assert planted not in answer.headers["set-cookie"]
        victim = node.browser()
        victim.http.cookies.set(COOKIE, planted, domain="th.localhost")
        assert (await victim.get("/inbox")).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    "wrong", [{"flags": 0x01}, {"origin": "https://evil.example"}, {"host": "evil.example"}, {"crossOrigin": True}]
)
async def test_what_is_wrong_with_an_assertion_is_told_alike(wrong: dict[str, Any]) -> None:
    async with pages() as node:
        browser = await node.signed_in()
        assert browser.person is not None
        answer = await browser.sign_in(browser.person.id.bytes, **wrong)
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:rilon:not-found")


async def test_an_assertion_counts_once_and_only_for_whom_it_is() -> None:
    async with pages() as node:
        browser, other = await node.signed_in(), await node.signed_in()
        assert browser.person is not None
        assert other.person is not None
        challenge = (await browser.json("/sign-in/begin", {})).json()["challenge"]
        body = browser.given(unb64(challenge), browser.person.id.bytes) | {"challenge": challenge}
        assert (await browser.json("/sign-in", body)).status_code == 200
        assert (await browser.json("/sign-in", body)).status_code == 404, "replayed"
        assert (await browser.sign_in(other.person.id.bytes)).status_code == 404, "another's account"
        never = b64(b"c" * 32)
        forged = browser.given(b"c" * 32, browser.person.id.bytes) | {"challenge": never}
        assert (await browser.json("/sign-in", forged)).status_code == 404, "a challenge nobody gave"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {},
    ],
)
async def test_nothing_is_changed_from_another_site(headers: dict[str, str]) -> None:
    async with pages() as node:
        browser = await node.signed_in()
        answer = await browser.form("/sign-out", headers=headers)
        assert answer.status_code == 403
        assert (await browser.get("/inbox")).status_code == 200
        assert (await browser.form("/sign-out", headers=SAME)).status_code == 303
        assert (await browser.get("/inbox")).headers["location"] == "/sign-in"


async def test_who_asks_nothing_for_long_is_signed_out() -> None:
    async with pages() as node:
        browser = await node.signed_in()
        node.node.clock.forward(minutes=20)
        assert (await browser.get("/inbox")).status_code == 200
        node.node.clock.forward(seconds=IDLE.total_seconds())
        assert (await browser.get("/inbox")).headers["location"] == "/sign-in"


async def test_another_session_can_be_ended_and_a_passkey_removed() -> None:
    async with pages() as node:
        browser = await node.signed_in()
        assert browser.person is not None
        access = await node.services.access.of(browser.person.caller)
        assert access is not None
        text = (await browser.get("/me")).text
        assert "This one" in text
        removed = await browser.form(f"/me/passkeys/{b64(browser.key.credential)}/remove")
        assert removed.status_code == 303
        assert (await browser.get("/me")).headers["location"] == "/sign-in", "it opened this very session"


async def test_trying_for_one_person_is_slowed_down() -> None:
    async with pages() as node:
        browser = await node.signed_in()
        assert browser.person is not None
        answers = [(await browser.sign_in(browser.person.id.bytes, flags=1)).status_code for _ in range(12)]
        assert answers[0] == 404
        assert answers[-1] == 429


async def test_a_real_node_has_no_way_in_without_a_passkey() -> None:
    async with pages() as node:
        browser = node.browser(await node.node.officer())
        assert browser.person is not None
        invited = await node.services.access.invite(None, browser.person.id)
        assert (await browser.json("/join/demo", {"code": invited.code})).status_code == 404
        assert "without a passkey" not in (await browser.get("/join")).text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"code":1}', b'{"code":"x","more":1}', b"\xff" * 100])
async def test_what_cannot_be_read_is_refused_cleanly(body: bytes) -> None:
    async with pages() as node:
        browser = node.browser()
        headers = {**SAME, "content-type": "application/json"}
        assert (await browser.http.post("/join/begin", content=body, headers=headers)).status_code == 400
        large = await browser.http.post("/join/begin", content=b"x" * 300_000, headers=headers)
        assert large.status_code == 413


async def test_roles_find_their_own_first_page() -> None:
    async with pages() as node:
        for role, first in ((Role.AUDITOR, "/deliveries"), (Role.ADMINISTRATOR, "/network"), (Role.OFFICER, "/inbox")):
            browser = await node.signed_in(role)
            assert (await browser.get("/")).headers["location"] == first
            assert (await browser.get(first)).status_code == 200
        assert (await browser.get("/network")).status_code == 403
