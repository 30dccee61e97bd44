"""Each page's main job in a real browser, over one node in memory: quick enough to look at everything."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from rilon.domain.values import Role
from tests.browser.chromium import PROGRAM
from tests.browser.desk import desk

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]


async def test_the_rules_answer_while_one_asks_and_again_by_reference() -> None:
    async with desk("my", "id") as here:
        officer = await here.join(Role.OFFICER)
        await officer.page.get_by_role("link", name="May I share?").click()
        await officer.look("may-i-share")
        await officer.page.get_by_label("Kind of alert").select_option("TIP-RECRUIT")
        await officer.page.get_by_label("Indonesia").check()
        answer = officer.page.locator("#answer")
        await expect(answer.locator(".verdict")).to_be_visible()
        said = await answer.locator(".verdict").inner_text()
        await officer.look("may-i-share-answer")
        await answer.get_by_role("link", name="again and for ever").click()
        await expect(officer.page.locator(".verdict")).to_have_text(said, use_inner_text=True)
        await officer.look("explained")


async def test_a_newcomer_approves_once_a_second_focal_point_has_heard_their_words() -> None:
    async with desk() as here:
        first, second = await here.join(Role.FOCAL_POINT), await here.join(Role.FOCAL_POINT)
        await first.page.get_by_role("link", name="People").click()
        await first.look("people")
        await first.page.get_by_role("link", name="Enrol somebody").click()
        await first.look("newcomer")
        await first.page.get_by_label("Name").fill("Fictional Deputy")
        await first.page.get_by_label("Agency").fill("police")
        await first.page.get_by_label("Desk").fill("night")
        await first.page.get_by_label("Deputy focal point").check()
        await first.press("Enrol")
        await expect(first.page.locator("main")).to_contain_text("Enrolled.")
        person = first.page.url.partition("?")[0]
        await first.press("Make a one-time link")
        await first.look("invited")
        newcomer = await here.follow(await first.page.locator("#link").inner_text())
        await newcomer.go("/me")
        words = await newcomer.page.locator(".words").inner_text()
        await newcomer.look("account-unconfirmed")

        await second.go(person.removeprefix(second.home))
        await second.look("person")
        await second.page.get_by_label("The words you heard").fill(words)
        await second.press("Confirm with my passkey")
        await expect(second.page.locator("main")).to_contain_text("Confirmed, by your signature")
        await second.press("Call upon them")
        await expect(second.page.locator("main")).to_contain_text("They decide in your place")
        await second.look("deputy")
        await newcomer.go("/me")
        await expect(newcomer.page.locator("main")).to_contain_text("You decide in the place of")
        await newcomer.press("Stop")
        await expect(newcomer.page.locator("main")).not_to_contain_text("You decide in the place of")

        await first.page.goto(person)
        await first.page.get_by_text("Suspend", exact=True).click()
        await first.press("Suspend this officer")
        await expect(first.page.locator("main")).to_contain_text("All their access has ended")
        await newcomer.go("/me")
        await newcomer.page.wait_for_url("**/sign-in")


async def test_an_auditor_moves_through_the_past_by_keyboard() -> None:
    async with desk() as here:
        auditor = await here.join(Role.AUDITOR)
        await auditor.page.get_by_role("link", name="The past").click()
        await auditor.look("past")
        last = await auditor.page.locator("#moment h2").inner_text()
        await auditor.page.get_by_label("Place in the log").focus()
        await auditor.page.keyboard.press("ArrowLeft")
        await expect(auditor.page.locator("#moment h2")).not_to_have_text(last)
