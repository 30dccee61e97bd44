"""The pictures in a real browser: by mouse, by keyboard, in the dark and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from rilon.domain.values import Role, Source
from tests.browser.chromium import LIGHT_DESKTOP, LIGHT_PHONE, PROGRAM, URDU, Person
from tests.browser.desk import desk
from tests.nodes import draft_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]

AIMED = """() => {
  const map = document.querySelector(".map .scroll").getBoundingClientRect();
  const seen = [...document.querySelectorAll(".map .spot")].map(spot => spot.getBoundingClientRect());
  return seen.length && seen.some(spot => spot.left >= map.left && spot.right <= map.right);
}"""
"""Whether the part of the map that one sees shows an alert."""


async def sees_alerts(person: Person) -> None:
    """However wide the window, and whichever way one reads."""
    for mode in (LIGHT_PHONE, *URDU, LIGHT_DESKTOP):
        await person.turn(mode)
        await expect(person.page.locator(".map .spot").first).to_be_visible()
        await person.page.wait_for_function(AIMED)


async def test_an_officer_brushes_through_the_months_and_opens_what_lies_under_a_disc() -> None:
    async with desk("my", "id") as here:
        officer = await here.join()
        author = await here.node.node.officer()
        for kind in ("MAR-DISTRESS", "MAR-ARRIVAL", "TIP-RECRUIT", "MAR-DEPARTURE"):
            await here.node.node.post(author, draft_of(kind, "my"))
        await here.node.services.shown(0)
        page = officer.page
        await page.get_by_role("link", name="Pictures").click()
        await expect(page.locator("[role=status]").first).to_contain_text("4 alerts")
        await officer.look("map")
        await page.get_by_label("Shown").select_option("world")
        await expect(page.locator("svg[viewBox='0.0 0.0 3600.0 1400.0']")).to_be_visible()
        await officer.look("map-world")
        await sees_alerts(officer)
        await page.get_by_label("From").focus()
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowLeft")
        await page.get_by_label("Until").focus()
        for _ in range(1):
            await page.keyboard.press("ArrowLeft")
        await expect(page.locator("[role=status]").first).to_contain_text("0 alerts")
        await page.keyboard.press("End")
        await expect(page.locator("[role=status]").first).to_contain_text("4 alerts")
        await page.locator(".map a").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#listed .rows > li").first).to_be_visible()
        await page.get_by_role("link", name="By type and month").click()
        await expect(page.locator("tbody tr")).to_have_count(4)
        await officer.look("trend")
        await page.get_by_role("link", name="Times", exact=True).click()
        await expect(page.locator("[role=status]").first).to_contain_text("of what was posted")
        await page.get_by_label("Urgency").select_option("normal")
        await expect(page.locator("#deliveries")).to_be_visible()
        await officer.look("times")
        first = await here.node.node.post(author, draft_of("MAR-DISTRESS", "my"))
        made = draft_of("MAR-ARRIVAL", "my", sources=(Source("th", first),))
        second = await here.node.node.post(author, made)
        await here.node.services.shown(0)
        await page.get_by_role("link", name="What belongs together").click()
        await expect(page.locator(".rows > li")).to_have_count(1)
        await officer.look("charts")
        await page.locator(".rows a.title").click()
        await expect(page.get_by_role("cell", name="is made of")).to_have_count(1)
        await page.locator(f"svg a[href$='{first}']").focus()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile(f"/pictures/links/th/{first}$"))
        await expect(page.locator(f"svg a[href$='{second}']")).to_be_visible()
        await officer.look("chart")
        auditor = await here.join(Role.AUDITOR)
        await auditor.go("/pictures/network")
        await expect(auditor.page.locator("tbody tr")).to_have_count(2)
        await auditor.look("links-over-time")
