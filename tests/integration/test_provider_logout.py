"""Signed out at a real identity provider: it tells the node itself, and what it opened there ends at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from rilon.app.follower import catch_up
from rilon.crypto.provider_token import Identity
from rilon.domain.values import Role
from rilon.front.server import ApiServer, listen_tcp
from rilon.node.cli import cli
from rilon.node.provider import OidcProvider
from rilon.node.serve import front_of
from rilon.web.sessions import COOKIE
from tests.identity import Issuer, LiveClock, identity_provider
from tests.nodes import memory_node
from tests.unit.crypto.test_provider_token import EC, farewell, published, signed
from tests.unit.node.test_provider import stand
from tests.web import HOST, ORIGIN, Browser, Pages, pages_of

pytestmark = pytest.mark.real


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[tuple[Pages, Issuer, str]]:
    """A node whose pages listen where the provider tells of sign-outs."""
    sock, clock = listen_tcp("127.0.0.1", 0), LiveClock()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(identity_provider(ORIGIN, f"{url}/provider/logout"))
        node, hosts = await memory_node(clock=clock), frozenset({HOST, "127.0.0.1"})
        provider = issuer.seen_from(ORIGIN, home, clock)
        pages = await stack.enter_async_context(pages_of(node, provider=provider, hosts=hosts))
        server = ApiServer(front_of(pages.services), pages.services.notifier.close, signals=False)
        task = asyncio.create_task(server.run_on(sock))
        try:
            yield pages, issuer, url
        finally:
            server.stop()
            await task


async def joined(pages: Pages, issuer: Issuer, there: httpx.AsyncClient, login: str) -> Browser:
    """Somebody new, who comes in by a one-time link and an account there."""
    browser, person = pages.browser(), await pages.node.officer()
    invited = await pages.services.access.invite(None, person.id)
    return await through(browser, issuer, there, login, "/join/provider", {"code": invited.code})


async def back(pages: Pages, issuer: Issuer, there: httpx.AsyncClient, login: str) -> Browser:
    """Another browser here, of somebody who may be signed in there already."""
    return await through(pages.browser(), issuer, there, login, "/sign-in/provider", {})


async def through(
    browser: Browser, issuer: Issuer, there: httpx.AsyncClient, login: str, path: str, body: dict[str, str]
) -> Browser:
    go = (await browser.json(path, body)).json()["go"]
    assert (await browser.get(await issuer.sign_in(there, go, login))).status_code == 200
    return browser


async def unbind(pages: Pages, url: str, browser: Browser) -> None:
    """``rilon officer accounts`` and ``unbind``, as a focal point types them."""
    officer, focal = browser.http.cookies[COOKIE].partition(".")[0], await pages.node.officer(Role.FOCAL_POINT)
    token = await pages.services.membership.issue_token(None, focal.id, focal.caller.roles)
    said = {"RILON_TOKEN": token.text, "RILON_URL": url}

    async def rilon(*words: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, cli, ["officer", *words], env=said)
        assert done.exit_code == 0, done.output
        return done.output

    account = re.findall(r"^([0-9a-f]{16}) ", await rilon("accounts", officer), re.MULTILINE)
    assert "Taken away." in await rilon("unbind", officer, *account)
    assert "There is none." in await rilon("accounts", officer)


async def signed_in(browser: Browser) -> bool:
    return (await browser.get("/inbox")).status_code == 200


async def test_who_signs_out_there_is_signed_out_here(tmp_path: Path) -> None:
    """All browsers of that one session there, whatever stream they have open; nobody else's, and no passkey's."""
    async with served(tmp_path) as (pages, issuer, url), httpx.AsyncClient() as one, httpx.AsyncClient() as two:
        first = await joined(pages, issuer, one, "officer-1")
        other = await joined(pages, issuer, two, "officer-2")
        again = await back(pages, issuer, one, "officer-1")
        present = await pages.services.access.present(first.http.cookies[COOKIE])
        notifier = pages.services.notifier
        await catch_up(pages.node.log, notifier)
        with notifier.listen(present.caller) as listener:
            await issuer.sign_out(one)
            await until(lambda: gone(first))
            await catch_up(pages.node.log, notifier)
            assert await listener.hear(1) == (False, None)
        assert not await signed_in(again)
        assert await signed_in(other)
        returned = await back(pages, issuer, one, "officer-1")
        assert await signed_in(returned), "whoever signs in there again comes in again"
        await unbind(pages, url, other)
        assert not await signed_in(other)


async def gone(browser: Browser) -> bool:
    return not await signed_in(browser)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():
            await asyncio.sleep(0.05)


async def test_what_a_logout_token_ends_and_what_it_does_not(tmp_path: Path) -> None:
    """Tokens by a key of ours, published where a provider's stand: by person, by session, repeated, unknown, torn."""
    async with stand() as there:
        clock = LiveClock()
        node = await memory_node(clock=clock)
        (tmp_path / "provider-secret").write_text("secret\n")
        provider = OidcProvider(there.access(), ORIGIN, tmp_path, clock)
        there.said["/keys"] = 200, published(("one", EC))
        async with pages_of(node, provider=provider) as pages:
            said = lambda **more: signed(farewell(iss=there.url, **times(clock), **more))  # noqa: E731
            desk, access = pages.services.accounts, pages.services.access
            person = await node.officer()
            who = [identity(there.url, session) for session in ("a session", "another", "")]
            invited = await access.invite(None, person.id)
            insides = [await desk.join(invited.code, who[0]), await desk.sign_in(who[1]), await desk.sign_in(who[2])]

            async def standing() -> list[bool]:
                return [await access.stands(inside.cookie) for inside in insides]

            async def tell(token: str, **more: str) -> httpx.Response:
                return await pages.browser().form("/provider/logout", headers={}, logout_token=token, **more)

            first = said(sub=None, jti="1")
            assert (await tell(first)).status_code == 200
            assert await standing() == [False, True, True]
            answer = await tell(first)
            assert (answer.status_code, answer.json()["error_description"]) == (400, "provider.replayed")
            assert (await tell(said(sub="nobody", sid=None, jti="2"))).status_code == 200, "told alike"
            assert (await tell(said(sub="nobody", sid="another", jti="3"))).status_code == 200
            assert await standing() == [False, True, True]
            for torn in ("", "x", first[:-4], said(jti="4", nonce="any"), said(jti="5", aud="another")):
                assert (await tell(torn)).status_code == 400
            assert (await tell(said(jti="6"), state="more")).status_code == 200
            assert await standing() == [False, True, False], "of the last one nobody knows which session there it is"
            assert (await tell(said(sid=None, jti="7"))).status_code == 200
            assert await standing() == [False] * 3


def times(clock: LiveClock) -> dict[str, Any]:
    second = clock.now().timestamp()
    return {"iat": second, "exp": second + 100}


def identity(issuer: str, session: str) -> Identity:
    return Identity(issuer, "somebody", session)
