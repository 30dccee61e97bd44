"""What focal points and administrators look after, each page's main job in a real browser."""

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
        await expect(page.locator("#told")).to_contain_text("would have gone otherwise")
        await first.press("Put it up")
        await first.look("rules-draft")
        await first.press("Sign with my passkey")
        await expect(page.locator("main")).to_contain_text("You have signed")
        await second.go("/rules")
        await second.press("Sign with my passkey")
        await expect(second.page.locator("main")).to_contain_text("it is in force from now on")
