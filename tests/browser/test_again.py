"""What is refused, in a real browser: the page stands as it was written, and the focus is on what is wrong."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from rilon.domain.values import Role
from tests.browser.chromium import PROGRAM, Person
from tests.browser.desk import desk
from tests.browser.test_languages import posted, send

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]
WORDS = "It was another boat (invented). " * 100


def forgive(person: Person) -> None:
    """A refusal is no fault of the page, though the browser notes its status."""
    person.errors[:] = [each for each in person.errors if "status of 4" not in each]


async def _withdraw(page: Page) -> None:
    await page.get_by_text("Withdraw it: it no longer holds").click()
    words = page.get_by_label("Why")
    await words.evaluate("e => e.removeAttribute('maxlength')")
    await words.fill(WORDS)
    await page.get_by_role("button", name="Withdraw this alert").click()
    await expect(page.locator("[role=alert]")).to_be_focused()
    await expect(words).to_have_value(WORDS)
    await expect(words).to_be_visible()
    await expect(words).to_have_attribute("aria-invalid", "true")


async def test_a_refused_act_keeps_what_was_written_and_leads_to_it() -> None:
    async with desk("my") as here:
        officer = await here.join(Role.OFFICER)
        where, page = await posted(officer), officer.page
        await officer.go(where)
        part = page.locator("#section-nominal")
        await part.get_by_label("Purpose").evaluate("e => e.required = false")
        await part.get_by_role("button", name="Open for this purpose").click()
        await expect(part.locator("[role=alert]")).to_be_focused()
        await expect(part.get_by_label("Purpose")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("h1")).to_have_count(1)
        await _withdraw(page)
        await officer.look("withdraw-refused")
        await page.locator("[role=alert]").get_by_role("link", name="Why").click()
        await page.get_by_label("Why").fill("It was another boat (invented).")
        await page.get_by_role("button", name="Withdraw this alert").click()
        await expect(page.locator("[role=status]")).to_be_focused()
        forgive(officer)


async def test_of_an_alert_that_ended_meanwhile_the_page_comes_anew_and_says_what_was_done() -> None:
    async with desk("my") as here:
        officer = await here.join(Role.OFFICER)
        where, page = await posted(officer), officer.page
        await officer.go(where)
        await send(officer, f"{where}/withdraw", reason="It was another boat (invented).", once="1" * 32)
        await expect(page.get_by_label("Why")).to_have_count(1)
        await officer.press("Watch it")
        await expect(page.locator("#standing")).to_contain_text("Withdrawn")
        await expect(page.get_by_label("Why")).to_have_count(0)
        await expect(page.locator("[role=status]")).to_be_focused()


async def test_without_its_program_a_refused_page_is_the_same() -> None:
    async with desk("my") as here:
        officer = await here.join(Role.OFFICER)
        where = await posted(officer)
        kept = await officer.page.context.storage_state()
        browser = officer.page.context.browser
        assert browser is not None
        context = await browser.new_context(storage_state=kept, java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"{officer.home}{where}")
        await page.get_by_text("Withdraw it: it no longer holds").click()
        await page.get_by_label("Why").fill(" ")
        await page.get_by_role("button", name="Withdraw this alert").click()
        await expect(page.locator("[role=alert]")).to_be_focused()
        await expect(page.get_by_label("Why")).to_be_visible()
        await context.close()
