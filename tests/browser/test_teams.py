"""How one is told outside the pages, teams, and who takes care of an item: used, and looked at in every mode."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from rilon.domain.reach import Way
from rilon.domain.values import Role
from tests.browser.chromium import PROGRAM
from tests.browser.desk import desk
from tests.fakes.memory_outbox import MemoryPager
from tests.nodes import draft_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]


async def test_notices_are_set_and_an_item_is_given_to_a_team() -> None:
    async with desk("id") as here:
        pager, focal = MemoryPager(), await here.join(Role.FOCAL_POINT)
        here.node.services.reach.pagers = {Way.MAIL: pager}
        await focal.go("/me/notices")
        await focal.page.get_by_label("Mail").fill("fictional@example.org")
        await focal.press("Save")
        await expect(focal.page.get_by_role("status")).to_have_text("Set.")
        await focal.look("notices")
        await focal.press("Send me a test")
        await expect(focal.page.locator("main")).to_contain_text("A test was sent.")
        assert [m.to for m in pager.sent] == ["fictional@example.org"]

        await focal.go("/teams")
        await focal.page.get_by_label("Name of a new team").fill("Fictional harbour team")
        await focal.press("Form it")
        await expect(focal.page.get_by_role("status")).to_be_focused()
        await expect(focal.page.locator("main")).to_contain_text("Nobody yet.")
        (*_, newest) = await focal.page.get_by_label("One more").locator("option").all()
        await focal.page.get_by_label("One more").select_option(value=await newest.get_attribute("value"))
        await focal.press("Take in")
        await expect(focal.page.locator("main")).to_contain_text("Let go")
        await focal.look("teams")

        author = await here.node.node.officer()
        item = await here.node.node.post(author, draft_of("TIP-RECRUIT", "id"))
        await here.node.services.shown(0)
        await focal.go(f"/items/{here.node.services.me}/{item}")
        await focal.page.get_by_label("Give it to").select_option(label="Fictional harbour team")
        await focal.page.get_by_role("button", name="Give", exact=True).click()
        await expect(focal.page.get_by_role("button", name="Take away")).to_be_visible()
        await focal.press("Watch it")
        await expect(focal.page.get_by_role("button", name="Watch no more")).to_be_visible()
        await focal.look("item-given")
        await focal.go("/inbox?tab=team")
        await expect(focal.page.locator(".rows")).to_contain_text("Given to your team Fictional harbour team.")
        await focal.look("my-team")
