"""What focal points and administrators look after, each page's main job in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from rilon.app.directory_desk import fingerprint
from rilon.domain.values import Role
from rilon.domain.words import words
from tests.browser.chromium import PROGRAM
from tests.browser.desk import desk
from tests.fakes.soft_people import SoftPeople
from tests.nodes import acquaint, draft_of, introduce, memory_node, pump
from tests.unit.app.test_circles import charter

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]

RULE = """
[[rule]]
id = "th.no-nominal-to-my"
effect = "refuse"
because = "A fictional law keeps personal data from leaving for Malaysia."
when.sensitivities = ["nominal"]
when.recipients = ["my"]
"""


async def test_the_next_rule_book_is_checked_tried_and_signed_by_two() -> None:
    async with desk("my", "id") as here:
        first, second = await here.join(Role.FOCAL_POINT), await here.join(Role.FOCAL_POINT)
        page = first.page
        await page.get_by_role("link", name="Manage").click()
        await page.get_by_role("link", name="Rule book").click()
        await first.look("rules")
        await page.get_by_role("link", name="Write the next one").click()
        file = page.get_by_label("The whole book")
        sound = await file.input_value() + RULE
        torn = {"name": "book.toml", "mimeType": "text/plain", "buffer": (sound + "[[rule]").encode()}
        await page.get_by_label("from a file").set_input_files(torn)  # type: ignore[arg-type]
        await first.press("Check it")
        await expect(page.locator("#told")).to_contain_text("look at this again")
        await first.look("rules-wrong")
        await page.get_by_label("The whole book").fill(sound)
        await first.press("Check it")
        await expect(page.locator("#told")).to_contain_text("Nothing is wrong with it")
        await first.press("Try it")
        await expect(page.locator("#told").get_by_role("status")).to_contain_text("would have gone otherwise")
        await expect(page.locator("#told").get_by_role("status")).to_be_focused()
        await first.press("Put it up")
        await expect(page.locator("main")).to_contain_text("Put up.")
        await first.look("rules-draft")
        await first.press("Sign with my passkey")
        await expect(page.locator("main")).to_contain_text("You have signed")
        await second.go("/rules")
        await second.press("Sign with my passkey")
        await expect(second.page.locator("main")).to_contain_text("it is in force from now on")


async def test_a_circle_is_convened_and_its_members_are_told_of_its_end() -> None:
    async with desk("my", "id") as here:
        focal, officer = await here.join(Role.FOCAL_POINT), await here.join(Role.OFFICER)
        page = focal.page
        await page.get_by_role("link", name="Circles").click()
        await page.get_by_role("link", name="Convene a circle").click()
        await focal.look("charter")
        await page.get_by_role("radio", name="Operation").check()
        await page.get_by_label("Name", exact=True).fill("Operation Example (invented)")
        await page.get_by_label("in words").fill("Find the fictional boat.")
        await page.get_by_label("Purpose", exact=True).select_option("investigate_smuggling")
        await page.get_by_label("Maritime").check()
        await page.get_by_label("Malaysia").check()
        await focal.press("Convene it")
        await expect(page.locator("main")).to_contain_text("Its members are told")
        await focal.look("circle")
        await officer.go("/circles")
        await officer.look("circles")
        await officer.page.get_by_role("link", name="Operation Example").click()
        await officer.page.get_by_role("link", name="Write an alert for it").click()
        await officer.page.get_by_role("link", name="Recruitment network").click()
        await expect(officer.page.locator("#circle option:checked")).to_have_text("Operation Example (invented)")
        await page.get_by_role("link", name="Change charter").click()
        await expect(page.locator("[name=member][value=my]")).to_be_checked()
        await focal.look("charter-changed")
        await page.get_by_label("in words").fill("Find the fictional boat, and its crew.")
        await focal.press("Sign the next version")
        await expect(page.locator("main")).to_contain_text("Changed. Its members are told.")
        await page.get_by_text("Close it", exact=True).click()
        await page.get_by_label("What came of it").fill("The fictional boat was found.")
        await focal.press("Close this circle")
        await expect(page.locator("main")).to_contain_text("The fictional boat was found.")


async def test_a_member_leaves_a_circle_by_itself() -> None:
    async with desk() as here:
        chair, focal = await memory_node("my", seed=1), await here.join(Role.FOCAL_POINT)
        await acquaint(here.node.node, chair)
        convener = await chair.officer(Role.FOCAL_POINT)
        ref = (await chair.desks.circles.convene(convener.caller, charter("th"))).answer.decode()
        assert await pump(chair, here.node.node) == [""]
        await focal.go(f"/circles/{ref}")
        await focal.page.get_by_text("Leave it", exact=True).click()
        await expect(focal.page.locator("main")).to_contain_text("Only the chair can bring us in again.")
        await focal.look("circle-leave")
        await focal.page.get_by_label("I know what leaving means").check()
        await focal.press("Leave this circle")
        await expect(focal.page.get_by_role("status")).to_contain_text("Left.")
        await expect(focal.page.locator("main")).to_contain_text("This Member is in no circle.")
        assert await pump(here.node.node, chair) == [""]
        assert (await chair.desks.circles.read(convener.caller, ref)).members == ("my",)


async def test_an_administrator_turns_a_key_by_passkey() -> None:
    async with desk() as here:
        admin = await here.join(Role.ADMINISTRATOR)
        await admin.go("/keys")
        await admin.page.get_by_text("Turn it now").click()
        await admin.look("keys-turn")
        await admin.press("Turn it with my passkey")
        await expect(admin.page.get_by_role("status")).to_contain_text("Turned.")
        await expect(admin.page.locator("tbody tr")).to_have_count(2)


async def test_a_newcomer_without_an_authenticator_signs_all_pages_of_a_demo() -> None:
    async with desk("my", soft_keys=SoftPeople()) as here:
        focal, second = await here.enter(Role.FOCAL_POINT), await here.enter(Role.FOCAL_POINT)
        admin = await here.enter(Role.ADMINISTRATOR)
        await admin.go("/keys")
        await admin.page.get_by_text("Turn it now").click()
        await expect(admin.page.locator("main")).to_contain_text("A real node cannot do this")
        await admin.look("keys-demo")
        await admin.press("Approve with the demo key")
        await expect(admin.page.get_by_role("status")).to_contain_text("Turned.")
        item = await here.node.node.post(await here.node.node.officer(), draft_of("TIP-RECRUIT", "my"))
        await here.node.services.shown(0)
        await focal.go(f"/approvals/{item}")
        await focal.press("Approve with the demo key")
        await expect(focal.page.locator("main")).to_contain_text("Signed and released")
        await focal.go("/rules/draft")
        await focal.page.get_by_label("The whole book").fill(
            await focal.page.get_by_label("The whole book").input_value() + RULE
        )
        await focal.press("Put it up")
        await focal.press("Approve with the demo key")
        await expect(focal.page.locator("main")).to_contain_text("You have signed")
        await second.go("/rules")
        await second.press("Approve with the demo key")
        await expect(second.page.locator("main")).to_contain_text("it is in force from now on")


async def test_a_node_is_verified_by_voice() -> None:
    async with desk() as here:
        focal = await here.join(Role.FOCAL_POINT)
        await introduce(here.node.node, await memory_node("my", seed=1), verify=False)
        directory = await here.node.services.directory.current()
        heard = " ".join(words(fingerprint(directory.listing("my").identity.root)))
        await focal.page.get_by_role("link", name="Manage").click()
        await focal.look("network-unverified")
        await focal.page.get_by_role("link", name="Malaysia").click()
        await focal.look("peer")
        await focal.page.get_by_label("The words you heard").fill(heard)
        await focal.press("These are its words")
        await expect(focal.page.locator("main")).to_contain_text("From now on things are sealed to this node")
        await focal.page.get_by_role("link", name="Keys and terms").click()
        await focal.look("keys")
        await here.node.services.link_desk.frozen("my", "link.fork", b"invented evidence")
        await focal.go("/network/my/frozen")
        await focal.look("frozen")
