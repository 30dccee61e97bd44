"""To a real identity provider and back in a real browser: an account bound, signed in by a button, signed out there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from rilon.domain.values import Role
from rilon.front.server import listen_tcp
from tests.api import HOST
from tests.browser.chromium import PROGRAM
from tests.browser.desk import desk_of
from tests.identity import NAME, LiveClock, identity_provider
from tests.nodes import memory_node
from tests.web import pages_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]


async def test_a_button_leads_to_the_provider_and_back(tmp_path: Path) -> None:
    sock, clock = listen_tcp("127.0.0.1", 0), LiveClock()
    port = sock.getsockname()[1]
    origin, logout = f"http://{HOST}:{port}", f"http://127.0.0.1:{port}/provider/logout"
    node, hosts = await memory_node(clock=clock), frozenset({HOST, "127.0.0.1"})
    await node.desks.epochs.settle()
    async with (
        identity_provider(origin, logout) as issuer,
        pages_of(node, origin=origin, hosts=hosts, provider=issuer.seen_from(origin, tmp_path, clock)) as pages,
        desk_of(pages, sock) as desk,
    ):
        officer = await desk.join(Role.OFFICER)
        page = officer.page
        await officer.go("/me")
        await officer.press(f"Add my account of {NAME}")
        await page.wait_for_url(f"{issuer.url}/**")
        await page.get_by_label("Person").fill("officer-1")
        await officer.press("Continue")
        await page.wait_for_url(f"{origin}/me")
        await expect(page.locator("main")).to_contain_text("Accounts at your identity provider")
        await expect(page.locator('form[action^="/me/accounts/"]')).to_have_count(1)
        await officer.look("me-with-account")

        await officer.press("Sign out")
        await page.wait_for_url(f"{origin}/sign-in")
        await officer.look("sign-in-with-provider")
        await officer.press(f"Sign in with {NAME}")
        await page.wait_for_url(f"{origin}/inbox")

        await officer.go("/sign-in")
        await officer.press(f"Sign in with {NAME}")
        await page.wait_for_url(f"{origin}/inbox")
        await officer.go("/me")
        await expect(page.get_by_text("This one")).to_be_visible()
        await expect(page.get_by_role("button", name="End it")).to_have_count(0)  # the one before ended with it

        await page.goto(f"{issuer.url}/session/end")
        await page.get_by_role("button", name="Sign out everywhere").click()
        await expect(page.locator("body")).to_contain_text("You have signed out.")
        await officer.go("/inbox")
        await page.wait_for_url(f"{origin}/sign-in")
