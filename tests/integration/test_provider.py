"""Signing in with an account at a real identity provider, and every way of that which must not lead in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from rilon.domain.access import Access
from rilon.domain.values import Role
from rilon.web.sessions import COOKIE, WAY
from tests.identity import HIGH, LOW, NAME, Issuer, LiveClock, identity_provider, sign_in
from tests.nodes import draft_of, introduce, memory_node
from tests.web import ORIGIN, Browser, Pages, found, pages_of, unb64

pytestmark = pytest.mark.real


@dataclass
class Scene:
    """A node in memory with its pages, and a provider beside it."""

    node: Pages
    issuer: Issuer

    async def joined(self, *roles: Role, login: str = "officer-1") -> Browser:
        """Somebody who came in by a one-time link and an account, and has no passkey."""
        browser = self.node.browser(await self.node.node.officer(*roles))
        assert browser.person is not None
        invited = await self.node.services.access.invite(None, browser.person.id)
        go = (await browser.json("/join/provider", {"code": invited.code})).json()["go"]
        answer = await browser.get(await self.issuer.there(go, login))
        assert answer.status_code == 200, answer.text
        return browser

    async def bind(self, browser: Browser, login: str = "officer-1") -> httpx.Response:
        """Step up by passkey, go to the provider, and come back."""
        challenge = (await browser.json("/sign-in/begin", {})).json()["challenge"]
        given = browser.given(unb64(challenge)) | {"challenge": challenge}
        asked = await browser.json("/me/accounts", given)
        assert asked.status_code == 200, asked.text
        return await browser.get(await self.issuer.there(asked.json()["go"], login))

    async def back(self, browser: Browser, login: str = "officer-1", level: str = HIGH) -> str:
        """Where the provider sends somebody back to who has an account there; not gone yet."""
        go = (await browser.json("/sign-in/provider", {})).json()["go"]
        return await self.issuer.there(go, login, level)


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Issuer]:
    async with identity_provider(ORIGIN) as running:
        yield running


@pytest.fixture
async def scene(issuer: Issuer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(issuer, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_scene(issuer: Issuer, home: Path) -> AsyncIterator[Scene]:
    clock = LiveClock()
    node = await memory_node(clock=clock)
    async with pages_of(node, provider=issuer.seen_from(ORIGIN, home, clock)) as pages:
        yield Scene(pages, issuer)


def changed(url: str, **fields: str) -> str:
    """The provider's answer, altered on its way."""
    parts = urlsplit(url)
    said = {name: value[0] for name, value in parse_qs(parts.query).items()} | fields
    return parts._replace(query=urlencode({k: v for k, v in said.items() if v != "-"})).geturl()


async def test_a_link_binds_an_account_and_the_account_opens_sessions(scene: Scene) -> None:
    browser = await scene.joined()
    assert (await browser.get("/inbox")).status_code == 200
    first = browser.http.cookies[COOKIE]
    again = await sign_in(browser, scene.issuer)
    assert again.status_code == 200
    assert 'content="0;url=/inbox"' in again.text
    assert browser.http.cookies[COOKIE] != first, "a fresh session, and the old one ended"
    cookies = [c.lower() for c in again.headers.get_list("set-cookie")]
    (session,) = [c for c in cookies if c.startswith(COOKIE.lower() + "=")]
    assert all(word in session for word in ("secure", "httponly", "samesite=strict", "path=/"))
    assert WAY not in browser.http.cookies
    old = scene.node.browser()
    old.http.cookies.set(COOKIE, first, domain="th.localhost")
    assert (await old.get("/inbox")).headers["location"] == "/sign-in"


async def test_an_officer_with_a_passkey_binds_an_account_and_removes_it(scene: Scene) -> None:
    browser = await scene.node.signed_in()
    assert NAME in (await browser.get("/me")).text
    assert 'content="0;url=/me"' in (await scene.bind(browser)).text
    other = scene.node.browser()
    assert (await sign_in(other, scene.issuer)).status_code == 200
    assert (await other.get("/inbox")).status_code == 200
    account = found((await browser.get("/me")).text, r"/me/accounts/([0-9a-f]{16})/remove")
    assert (await browser.form(f"/me/accounts/{account}/remove")).status_code == 303
    assert (await other.get("/inbox")).headers["location"] == "/sign-in", "what it opened has ended"
    assert (await sign_in(other, scene.issuer)).status_code == 404


async def test_the_log_holds_no_name_of_an_account(scene: Scene) -> None:
    await scene.joined(login="a-name-to-look-for")
    stored = [codec_bytes for row in scene.node.node.log._rows for codec_bytes in [repr(row).encode()]]
    assert any(isinstance(event, Access.AccountBound) for event in await scene.node.node.events())
    assert not any(b"a-name-to-look-for" in each or b"127.0.0.1" in each for each in stored)


async def test_unknown_and_suspended_are_answered_alike(scene: Scene) -> None:
    browser, focal = await scene.joined(), await scene.node.node.officer(Role.FOCAL_POINT)
    assert browser.person is not None
    stranger = await sign_in(scene.node.browser(), scene.issuer, "nobody-here")
    await scene.node.services.membership.suspend(focal.caller, browser.person.id)
    assert (await browser.get("/inbox")).headers["location"] == "/sign-in", "its session ended with it"
    suspended = await sign_in(scene.node.browser(), scene.issuer)
    await scene.node.services.membership.reinstate(focal.caller, browser.person.id)
    reinstated = await sign_in(scene.node.browser(), scene.issuer)
    assert stranger.status_code == 404
    assert {stranger.text, suspended.text, reinstated.text} == {stranger.text}


async def test_an_account_belongs_to_one_officer(scene: Scene) -> None:
    first, second = await scene.joined(), await scene.node.signed_in()
    assert (await scene.bind(second)).status_code == 409
    assert first.person is not None
    focal = await scene.node.signed_in(Role.FOCAL_POINT)
    await scene.node.services.shown(0)
    page = (await focal.get(f"/people/{first.person.id}")).text
    account, once = found(page, r"/accounts/([0-9a-f]{16})/remove"), found(page, 'name="once" value="([0-9a-f]{32,})"')
    answer = await focal.form(f"/people/{first.person.id}/accounts/{account}/remove", once=once)
    assert answer.status_code == 303
    assert (await first.get("/inbox")).headers["location"] == "/sign-in"
    assert (await scene.bind(second)).status_code == 200, "it is nobody's now"
    mine = scene.node.browser()
    await sign_in(mine, scene.issuer)
    assert mine.http.cookies[COOKIE].startswith(second.person.caller.ref if second.person else "?")


async def test_accounts_are_listed_and_taken_away_by_the_api(scene: Scene) -> None:
    browser, other = await scene.joined(), await scene.node.node.officer()
    focal, http = await scene.node.node.officer(Role.FOCAL_POINT), scene.node.browser().http
    assert browser.person is not None
    path, members = f"/v1/officers/{browser.person.id}/accounts", scene.node.services.membership
    by = dict[str, dict[str, str]]()
    for name, person in (("own", browser.person), ("other", other), ("focal", focal)):
        token = await members.issue_token(None, person.id, person.caller.roles)
        by[name] = {"authorization": f"Bearer {token.text}", "idempotency-key": f"away-{name}"}
    listed = (await http.get(path, headers=by["focal"])).json()
    assert listed == (await http.get(path, headers=by["own"])).json()
    assert (await http.get(path, headers=by["other"])).status_code == 403
    at = f"{path}/{listed[0]['id']}"
    assert (await http.delete(at, headers=by["other"])).status_code == 403
    assert (await http.delete(at, headers=by["focal"])).status_code == 200
    assert (await http.delete(at, headers=by["focal"])).status_code == 200  # the first answer again
    assert (await http.delete(at, headers=by["focal"] | {"idempotency-key": "away-anew"})).status_code == 404
    assert (await browser.get("/inbox")).headers["location"] == "/sign-in"


async def test_binding_takes_a_passkey_of_ones_own(scene: Scene) -> None:
    browser, other = await scene.node.signed_in(), await scene.node.signed_in()
    challenge = (await browser.json("/sign-in/begin", {})).json()["challenge"]
    given = other.given(unb64(challenge)) | {"challenge": challenge}
    assert (await browser.json("/me/accounts", given)).status_code == 404
    challenge = (await browser.json("/sign-in/begin", {})).json()["challenge"]
    given = browser.given(unb64(challenge), flags=0x01) | {"challenge": challenge}
    assert (await browser.json("/me/accounts", given)).status_code == 404, "not verified by the authenticator"
    assert (await scene.node.browser().json("/me/accounts", given)).status_code == 401


async def test_who_signed_out_meanwhile_binds_nothing(scene: Scene) -> None:
    browser = await scene.node.signed_in()
    challenge = (await browser.json("/sign-in/begin", {})).json()["challenge"]
    asked = await browser.json("/me/accounts", browser.given(unb64(challenge)) | {"challenge": challenge})
    back = await scene.issuer.there(asked.json()["go"])
    await browser.form("/sign-out")
    assert (await browser.get(back)).status_code == 404


async def test_an_answer_counts_once_and_in_its_own_browser(scene: Scene) -> None:
    browser, other = await scene.joined(), scene.node.browser()
    back = await scene.back(browser)
    assert (await other.get(back)).status_code == 404, "another browser"
    await scene.back(other)
    assert (await other.get(back)).status_code == 404, "another browser, with a way of its own"
    assert (await browser.get(back)).status_code == 200
    assert (await browser.get(back)).status_code == 404, "replayed"


ALTERED: tuple[tuple[dict[str, str], int], ...] = (
    ({"state": "x" * 43}, 404),
    ({"state": "-"}, 404),
    ({"state": "\u0e01"}, 404),
    ({"code": "-"}, 400),
    ({"code": "x" * 5000}, 400),
    ({"code": "never-given"}, 404),
    ({"iss": "https://evil.example"}, 422),
    ({"iss": "-"}, 422),
    ({"error": "access_denied", "code": "-"}, 403),
)


async def test_an_altered_answer_opens_nothing(scene: Scene) -> None:
    await scene.joined()
    for fields, status in ALTERED:
        browser = scene.node.browser()
        answer = await browser.get(changed(await scene.back(browser), **fields))
        assert answer.status_code == status, (fields, answer.text)
        assert COOKIE not in browser.http.cookies


async def test_a_code_that_somebody_else_was_given_is_refused_by_the_provider(scene: Scene) -> None:
    """Injected: the victim's browser comes back with the attacker's code. PKCE and the nonce stand in the way."""
    browser, attacker = await scene.joined(), scene.node.browser()
    stolen = parse_qs(urlsplit(await scene.back(attacker, "attacker")).query)["code"][0]
    back = changed(await scene.back(browser), code=stolen)
    assert (await browser.get(back)).status_code == 404


async def test_what_is_too_weak_there_opens_nothing_here(scene: Scene) -> None:
    browser = await scene.joined()
    answer = await browser.get(await scene.back(scene.node.browser(), level=LOW))
    assert answer.status_code == 404
    for level in (LOW, ""):
        other = scene.node.browser()
        answer = await other.get(await scene.back(other, level=level))
        assert answer.status_code == 422
        assert "provider.acr" in answer.text


async def test_a_way_lasts_ten_minutes(scene: Scene) -> None:
    browser = await scene.joined()
    back = await scene.back(browser)
    scene.node.node.clock.forward(minutes=10)
    assert (await browser.get(back)).status_code == 404


async def test_a_provider_that_is_away_is_said_so(scene: Scene, tmp_path: Path) -> None:
    away = Issuer("http://127.0.0.1:9").seen_from(ORIGIN, tmp_path, scene.node.node.clock)
    async with pages_of(scene.node.node, provider=away) as pages:
        answer = await pages.browser().json("/sign-in/provider", {})
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:rilon:provider.away"
        assert "passkey" in answer.json()["fix"]


async def test_a_node_without_a_provider_has_no_such_way(scene: Scene) -> None:
    async with pages_of(scene.node.node) as pages:
        browser = pages.browser()
        assert NAME not in (await browser.get("/sign-in")).text
        assert (await browser.json("/sign-in/provider", {})).status_code == 404
        assert (await browser.get("/provider/back?code=x&state=y")).status_code == 404
        assert (await browser.form("/provider/logout", logout_token="x")).status_code == 404


async def test_an_account_approves_nothing(scene: Scene) -> None:
    """A focal point who came in by an account reads what waits, and has nothing to sign it with."""
    await introduce(scene.node.node, await memory_node("id", seed=1, clock=scene.node.node.clock))
    author, focal = await scene.node.node.officer(), await scene.joined(Role.FOCAL_POINT)
    item = await scene.node.node.post(author, draft_of("TIP-RECRUIT", "id"))
    await scene.node.services.shown(0)
    page = (await focal.get(f"/approvals/{item}")).text
    assert "data-challenge" not in page
    forged = json.dumps(focal.given(b"c" * 32))
    answer = await focal.form(f"/approvals/{item}/approve", once="0" * 32, nonce="0" * 64, assertion=forged)
    assert answer.status_code in {403, 404, 422}
    assert not (await scene.node.node.disclosure(item)).granted
