"""The main job in a real browser, by three people of two countries on two real nodes with a real hub between them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect

from rilon.domain.values import Role
from rilon.front.server import ApiServer, listen_tcp
from rilon.node.serve import front_of
from tests.browser.chromium import PROGRAM, Person, chromium, fill_alert, window
from tests.cluster import Node, cluster
from tests.servers import open_dir

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[str]:
    """The node's pages on its port; where."""
    url = node.demo.url(node.member)
    sock: socket.socket = listen_tcp("127.0.0.1", node.demo.state.ports[node.member])
    services = node.running.services
    server = ApiServer(front_of(services), services.notifier.close, signals=False)
    task = asyncio.create_task(server.run_on(sock))
    try:
        yield url
    finally:
        server.stop()
        async with asyncio.timeout(5):  # an open stream of notices must not hold this up
            await task
        sock.close()


class Scene:
    """Two nodes, their pages, and a browser."""

    def __init__(self, nodes: dict[str, Node], homes: dict[str, str], browser: Browser, stack: AsyncExitStack) -> None:
        self.nodes, self.homes, self.browser, self._stack = nodes, homes, browser, stack

    async def join(self, member: str, role: Role, *, phone: bool = False, look: str = "") -> Person:
        """Enrol somebody as the founder does, and let them follow their one-time link."""
        desks = self.nodes[member].core.desks
        enrolled = await desks.members.enrol(None, "Fictional Newcomer", "immigration", "duty", frozenset({role}))
        invited = await desks.access.invite(None, UUID(bytes=enrolled.answer))
        home = self.homes[member]
        person = await self._stack.enter_async_context(window(self.browser, home, phone=phone))
        await person.authenticator()
        await person.go(f"/join#{invited.code}")
        if look:
            await person.look(look)
        await person.press("Make my passkey")
        await person.page.wait_for_url(f"{home}/*box")
        return person


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        path = stack.enter_context(open_dir())
        nodes = await stack.enter_async_context(cluster(path, ("th", "id")))
        homes = {m: await stack.enter_async_context(serving(n)) for m, n in nodes.items()}
        browser = await stack.enter_async_context(chromium())
        yield Scene(nodes, homes, browser, stack)


async def write(officer: Person) -> None:
    """Choose a kind, fill it in, and watch the rules answer."""
    page = officer.page
    await page.get_by_role("link", name="New alert").first.click()
    await officer.look("kinds")
    await page.get_by_role("link", name="Recruitment network").click()
    await fill_alert(page, "Online job offers that end in a scam centre (invented)", "id")
    await expect(page.locator("#matrix")).to_contain_text("Indonesia")
    await officer.look("new-alert")


async def acknowledge(holder: Person) -> None:
    """Say that it is here, and go on reading."""
    await holder.press("Acknowledge")
    await expect(holder.page.locator("#got").get_by_role("status")).to_be_focused()
    await expect(holder.page.locator("#standing")).to_contain_text("Acknowledged")
    await expect(holder.page.locator("#section-nominal")).to_contain_text("telegram:demo_jobs_invented")
    await holder.look("acknowledged")


async def ask_for_more(holder: Person, focal: Person) -> None:
    """A holder asks to use it in court; the originator's focal point reads why, and says no with a code."""
    page = holder.page
    await page.get_by_text("Ask for more of it").click()
    await page.get_by_role("checkbox", name="Personal data").check()
    await page.get_by_label("For use in court").check()
    await page.get_by_label("Why", exact=True).fill("A fictional court asks.")
    await holder.press("Ask the originator")
    await expect(page.locator("main")).to_contain_text("Waits for an answer")
    item = page.url.partition("?")[0].rpartition("/")[2]
    await until(focal, f"/approvals/{item}", "A fictional court asks.")
    await focal.look("asked")
    await focal.page.get_by_label("No, because").select_option("law")
    await focal.press("Say no")
    await expect(focal.page.locator("main")).to_contain_text("Done.")
    await until(holder, page.url.removeprefix(holder.home).partition("?")[0], "No: the law does not allow it")
    await holder.look("asked-and-answered")


async def until(person: Person, path: str, words: str) -> None:
    """Load a page until it says so."""
    async with asyncio.timeout(60):
        while True:
            await person.go(path)
            if words in await person.page.locator("main").inner_text():
                return
            await asyncio.sleep(1)


async def take_back(officer: Person) -> None:
    """Recall it, and wait for the receipt that its keys are gone over there."""
    await officer.page.get_by_role("link", name="Content", exact=True).click()
    await officer.page.get_by_text("Recall it").click()
    await officer.page.get_by_label("Ground").select_option("mistake")
    await officer.page.get_by_label("In words").fill("The wrong network (invented).")
    await officer.look("recall")
    await officer.press("Recall this alert")
    await expect(officer.page.locator("main")).to_contain_text("Recall")
    async with asyncio.timeout(60):
        while "Destroyed" not in await officer.page.locator("main").inner_text():
            await asyncio.sleep(1)
            await officer.page.reload()
    await officer.look("recalled")


async def test_from_a_form_in_one_country_to_an_officer_in_another() -> None:
    async with scene() as here:
        await tell(here)


async def tell(scene: Scene) -> None:
    """The story."""
    officer = await scene.join("th", Role.OFFICER, look="join")
    focal = await scene.join("th", Role.FOCAL_POINT)
    abroad = await scene.join("id", Role.OFFICER)
    await abroad.look("inbox-empty")
    await write(officer)
    await officer.press("Post the alert")
    await expect(officer.page.locator("main")).to_contain_text("Posted.")
    await officer.look("own-alert")

    await focal.page.get_by_role("link", name="1 new").click()
    await focal.look("focal-inbox")
    await focal.page.get_by_role("link", name="Online job offers").click()
    await expect(focal.page.locator("main")).to_contain_text("What would leave")
    await focal.look("approval")
    await focal.press("Approve with my passkey")
    await expect(focal.page.locator("main")).to_contain_text("Signed and released")
    await focal.look("approvals")

    bar = abroad.page.get_by_role("link", name="new: show")
    await expect(bar).to_be_visible()
    await bar.click()
    await abroad.look("inbox")
    await abroad.page.keyboard.press("j")
    await abroad.page.keyboard.press("Enter")
    await expect(abroad.page.locator("h1")).to_contain_text("Online job offers")
    await abroad.look("alert")
    await abroad.page.get_by_label("Purpose").select_option("investigate_trafficking")
    await abroad.press("Open for this purpose")
    await expect(abroad.page.locator("#section-nominal")).to_contain_text("telegram:demo_jobs_invented")
    await abroad.look("opened")
    await acknowledge(abroad)
    await ask_for_more(abroad, focal)

    await officer.go("/deliveries")
    await expect(officer.page.locator("main")).to_contain_text("ID: Acknowledged")
    await officer.look("deliveries")
    await officer.page.get_by_role("link", name="Online job offers").click()
    await officer.look("seen-by")
    await officer.page.get_by_role("link", name="History").click()
    await officer.look("history")
    await take_back(officer)
    await focal.go("/network")
    await expect(focal.page.locator("main")).to_contain_text("Indonesia has everything.")
    await focal.look("network")
    await focal.go("/me")
    await focal.look("account")
    await focal.press("Sign out")
    await focal.page.wait_for_url("**/sign-in")
    await focal.look("sign-in")
    await focal.press("Sign in with a passkey")
    await focal.page.wait_for_url("**/inbox")
