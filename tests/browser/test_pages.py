"""Each page's main job in a real browser, over one node in memory: quick enough to look at everything."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.async_api import expect

from rilon.domain.officer import Officer
from rilon.domain.values import Role
from tests.browser.chromium import PROGRAM, fill_alert
from tests.browser.desk import desk
from tests.fakes.pictures import photo
from tests.nodes import Person, draft_of

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
        await first.page.get_by_role("link", name="Manage").click()
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
    async with desk("my") as here:
        await here.node.node.post(await here.node.node.officer(), draft_of("TIP-RECRUIT", "my"))
        auditor = await here.join(Role.AUDITOR)
        await auditor.page.get_by_role("link", name="The past").click()
        await auditor.look("past")
        last = await auditor.page.locator("#moment h2").inner_text()
        await auditor.page.get_by_label("Place in the log").focus()
        await auditor.page.keyboard.press("ArrowLeft")
        await expect(auditor.page.locator("#moment h2")).not_to_have_text(last)


async def test_the_list_of_kinds_narrows_while_one_writes_and_keeps_the_focus() -> None:
    async with desk("my") as here:
        officer = await here.join(Role.OFFICER)
        page = officer.page
        await officer.go("/new")
        words = page.get_by_label("Find a kind")
        await words.press_sequentially("departure")
        await expect(page.locator("#kinds section")).to_have_count(1)
        await expect(page.locator("#kinds [role=status]")).to_contain_text("1 kind")
        await expect(words).to_be_focused()
        await words.fill("nothing like this")
        await expect(page.locator("#kinds [role=status]")).to_contain_text("No kind has these words.")
        await page.get_by_role("link", name="Show all kinds").click()
        await page.get_by_label("Find a kind").fill("boat")
        await page.get_by_label("Find a kind").press("Enter")
        await page.wait_for_url("**/new?q=boat")
        await officer.look("kinds-found")
        await page.get_by_role("link", name="Smuggling").first.click()
        await expect(page.get_by_role("button", name="Post the alert")).to_be_visible()


async def test_a_file_is_attached_saved_and_kept_by_a_correction() -> None:
    async with desk("my") as here:
        officer = await here.join(Role.OFFICER)
        page = officer.page
        await page.get_by_role("link", name="New alert").first.click()
        await page.get_by_role("link", name="Recruitment network").click()
        await fill_alert(page, "Online job offers (invented)", "my")
        form = {"name": "form.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
        await page.get_by_label("Add files").set_input_files(form)  # type: ignore[arg-type]
        await expect(page.locator("[data-say]")).to_contain_text("JPEG")
        officer.errors.clear()  # the browser notes every refusal
        photo_ = {"name": "<b>boat</b>.jpg", "mimeType": "image/jpeg", "buffer": photo()}
        await page.get_by_label("Add files").set_input_files(photo_)  # type: ignore[arg-type]
        await expect(page.locator("#files li")).to_have_count(1)
        await expect(page.locator("#matrix")).to_contain_text("Attachments")
        await officer.look("new-alert-files")
        await officer.press("Post the alert")
        await page.locator("#section-attachment").get_by_label("Purpose").select_option("prosecution")
        await page.locator("#section-attachment").get_by_role("button", name="Open").click()
        await officer.look("opened-files")
        async with page.expect_download() as saved:
            await officer.press("Save")
        assert (await (await saved.value).path()).read_bytes().startswith(b"\xff\xd8\xff")
        await page.get_by_text("Correct it", exact=True).click()
        await officer.look("acts")
        await page.locator('form[action$="/correct"]').get_by_label("Purpose").select_option("prosecution")
        await officer.press("Open it and write")
        await officer.look("correction")
        await expect(page.get_by_label("Keep the files it has")).to_be_checked()
        await page.get_by_label("Title").fill("Job offers, corrected (invented)")
        await officer.press("Send the correction")
        await expect(page.locator("h1")).to_contain_text("corrected")
        await page.get_by_text("Close it: its work has ended", exact=True).click()
        await page.get_by_label("How it ended").select_option("resolved")
        await officer.press("Close this alert")
        await expect(page.locator("main")).to_contain_text("Closed. Every holder is told.")


async def test_who_is_new_learns_the_main_job_from_the_pages_alone() -> None:
    async with desk("my") as here:
        officer = await here.join(Role.OFFICER)
        await officer.page.get_by_role("link", name="Learn").click()
        await expect(officer.page.get_by_text("You have done this")).to_have_count(0)
        ref = await officer.page.locator("[data-officer]").get_attribute("data-officer")
        known = await here.node.node.desks.work.read(Officer, UUID(hex=ref))
        item = await here.node.node.post(Person(known.caller(here.node.node.clock.at)), draft_of("TIP-RECRUIT", "my"))
        await here.node.services.shown(0)
        await officer.page.reload()
        await expect(officer.page.get_by_role("listitem").filter(has_text="You have done this")).to_contain_text(
            "Write an alert"
        )
        await officer.look("learn")
        await officer.page.get_by_role("link", name="Ask the rules first").click()
        await expect(officer.page.locator("h1")).to_have_text("May I share this?")
        await officer.page.get_by_role("link", name="Help").click()
        await officer.look("help")
        await officer.go(f"/items/th/{item}/why")
        await expect(officer.page.locator("h1")).to_be_visible()
        await officer.look("why")
