"""Without a network, in a real browser: what is written waits sealed, is posted once, and is gone when it must be."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from playwright.async_api import expect

from rilon.domain.alert import Alert
from rilon.domain.values import Role
from tests.browser.chromium import PROGRAM, Person, fill_alert
from tests.browser.desk import Desk, desk

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]
ML_KEM = "--enable-features=WebCryptoPQC"
SECRET = "ချစ်စရာ canary-of-the-border"
KEPT = """async () => {
  const found = [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})];
  for (const {name} of await indexedDB.databases()) {
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => {
        const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
      found.push(JSON.stringify(all, (_, v) => v instanceof Uint8Array ? String.fromCharCode(...v) : v));
    }
    db.close();
  }
  for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys())
    found.push(request.url, await (await caches.match(request)).text());
  return found }"""
"""All that this origin keeps in the browser, as text."""


LOSE = """() => { const real = fetch; window.fetch = async (...asked) => {
  const answer = await real(...asked);
  if (asked[0] === "/outbox") throw new TypeError("lost on its way back");
  return answer } }"""


async def posted(here: Desk) -> int:
    """How many alerts were posted at the node."""
    return sum(isinstance(event, Alert.Posted) for event in await here.node.node.events())


async def ready(person: Person) -> None:
    """Until the browser has all that it needs to go on without a network."""
    await person.go("/outbox")
    await person.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    async with asyncio.timeout(10):
        while "hybrid" not in "".join(await person.page.evaluate(KEPT)):
            await asyncio.sleep(0.05)


async def disconnect(person: Person, *, off: bool = True) -> None:
    await person.page.context.set_offline(off)


def forgive(person: Person) -> None:
    """A browser without a network says so in its console; nothing else is forgiven."""
    person.errors[:] = [e for e in person.errors if "ERR_INTERNET_DISCONNECTED" not in e]


@pytest.mark.parametrize("arguments", [(), (ML_KEM,)], ids=["x25519", "x-wing"])
async def test_written_at_the_border_and_posted_once_on_the_way_home(arguments: tuple[str, ...]) -> None:
    async with desk("my", arguments=arguments) as here:
        officer = await here.join()
        await ready(officer)
        await disconnect(officer)
        await officer.go("/inbox")
        await officer.page.get_by_label("New alert").select_option("TIP-RECRUIT")
        await fill_alert(officer.page, SECRET, "my")
        await officer.press("Put it into the outbox")
        await expect(officer.page.locator("[data-items]")).to_contain_text("Waits for the network")
        await officer.look("offline")
        kept = "\n".join(await officer.page.evaluate(KEPT))
        assert "canary" not in kept
        assert "telegram:demo" not in kept
        await officer.go("/outbox")
        listed = officer.page.locator("[data-items]")
        await expect(listed).to_contain_text("Waits for the network")
        await expect(officer.page.locator("main")).to_contain_text("nobody reads it on this device, not even you")
        await expect(listed.get_by_role("button", name="Write on")).to_be_hidden()
        window, page = officer.page.context, officer.page
        officer.page = await window.new_page()
        await page.close()
        assert await posted(here) == 0
        await disconnect(officer, off=False)
        await officer.go("/outbox")
        await expect(officer.page.locator("[data-items]")).to_contain_text("Sent")
        await officer.look("outbox")
        await officer.page.get_by_role("link", name="Show it").click()
        await expect(officer.page.locator("h1")).to_contain_text("canary-of-the-border")
        assert await posted(here) == 1
        forgive(officer)


async def test_two_windows_send_once_and_what_both_wrote_on_is_kept_twice() -> None:
    async with desk("my") as here:
        officer = await here.join()
        await ready(officer)
        await officer.go("/new?kind=TIP-RECRUIT")
        await fill_alert(officer.page, SECRET, "my")
        await expect(officer.page.locator("[data-kept]")).to_contain_text("as a draft")
        await officer.go("/outbox")
        await expect(officer.page.locator("[data-items]")).to_contain_text("Draft")
        other = await officer.page.context.new_page()
        await other.goto(f"{officer.home}/outbox")
        for page in (officer.page, other):
            await page.get_by_role("button", name="Write on").click()
            await expect(page.get_by_label("Title")).to_have_value(SECRET)
        await officer.press("Post the alert")
        await expect(officer.page.locator("main")).to_contain_text("Posted.")
        await other.get_by_role("button", name="Post the alert").click()
        await expect(other.locator("[data-kept]")).to_contain_text("Both versions are kept")
        await officer.go("/outbox")
        await expect(officer.page.locator("[data-items] > li")).to_have_count(2)
        assert await posted(here) == 1
        await officer.page.get_by_text("Delete…").first.click()


async def test_a_lost_answer_is_asked_for_again_and_a_refusal_says_why() -> None:
    async with desk("my") as here:
        officer = await here.join()
        await ready(officer)
        await officer.go("/new?kind=TIP-RECRUIT")
        await officer.page.evaluate(LOSE)
        await fill_alert(officer.page, SECRET, "my")
        await officer.press("Post the alert")
        await expect(officer.page.locator("[data-kept]")).to_contain_text("It waits in this browser")
        assert await posted(here) == 1
        await officer.go("/outbox")
        await expect(officer.page.locator("[data-items]")).to_contain_text("Sent")
        assert await posted(here) == 1
        await officer.go("/offline")
        await officer.page.get_by_label("New alert").select_option("TIP-RECRUIT")
        await officer.page.get_by_label("Title").fill(f"Too little {SECRET}")
        await officer.press("Put it into the outbox")
        await expect(officer.page.locator("[data-items]")).to_contain_text("Refused because")
        why = officer.page.locator("[data-state=refused] [data-why]")
        await expect(why).not_to_have_text("Write on: the form says what is wrong with it.")
        told = await why.inner_text()
        await officer.look("outbox-refused")
        kept = "\n".join(await officer.page.evaluate(KEPT))
        assert told
        assert told not in kept
        assert "canary" not in kept
        await officer.go("/outbox")
        await expect(why).to_have_text("Write on: the form says what is wrong with it.")
        await officer.page.locator("[data-state=refused]").get_by_role("button", name="Write on").click()
        await expect(officer.page.get_by_label("Title")).to_have_value(f"Too little {SECRET}")
        await expect(officer.page.locator("main")).to_contain_text("Please look at this again")
        assert await posted(here) == 1
        officer.errors[:] = [e for e in officer.errors if "422" not in e]


async def test_signing_out_warns_and_forgets_all() -> None:
    async with desk("my") as here:
        officer = await here.join()
        await waiting(officer)
        await officer.go("/me")
        await officer.press("Sign out")
        await expect(officer.page.locator("main")).to_contain_text("Not sent yet: 1.")
        await officer.press("Sign out")
        await officer.page.wait_for_url("**/sign-in")
        assert await nothing_kept(officer)
        forgive(officer)


async def test_an_ended_session_forgets_all_and_an_idle_one_nothing() -> None:
    async with desk("my") as here:
        officer, focal = await here.join(), await here.node.node.officer(Role.FOCAL_POINT)
        await waiting(officer)
        here.node.node.clock.forward(minutes=31)
        await officer.go("/inbox")
        await officer.page.wait_for_url("**/sign-in")
        assert not await nothing_kept(officer)
        await officer.press("Sign in with a passkey")
        await officer.page.wait_for_url("**/inbox")
        await officer.go("/outbox")
        await expect(officer.page.locator("[data-items]")).to_contain_text("Draft")
        ref = await officer.page.locator("[data-officer]").get_attribute("data-officer")
        await here.node.services.membership.suspend(focal.caller, UUID(hex=ref))
        await officer.go("/inbox")
        await officer.page.wait_for_url("**/sign-in")
        assert await nothing_kept(officer)
        forgive(officer)


async def waiting(officer: Person) -> None:
    """Let something wait in the browser: a draft that nobody posted."""
    await ready(officer)
    await officer.go("/new?kind=TIP-RECRUIT")
    await officer.page.get_by_label("Title").fill(SECRET)
    await expect(officer.page.locator("[data-kept]")).to_contain_text("as a draft")
    await officer.go("/outbox")
    await expect(officer.page.locator("[data-items]")).to_contain_text("Draft")


async def nothing_kept(person: Person) -> bool:
    kept = await person.page.evaluate(
        "async () => [await indexedDB.databases(), await caches.keys(), "
        "await navigator.serviceWorker.getRegistrations()]"
    )
    return not any(kept)
