"""The main job without a mouse, and by touch on a phone, on two real nodes: sign in, post, approve, open, confirm."""

from __future__ import annotations

from typing import Protocol

import pytest
from playwright.async_api import Locator, expect

from rilon.domain.values import Role
from tests.browser.chromium import PROGRAM, Person
from tests.browser.test_story import Scene, scene

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]
MOST_STEPS = 250


class Hands(Protocol):
    """A way to use a page."""

    async def press(self, person: Person, at: Locator) -> None: ...

    async def write(self, person: Person, at: Locator, words: str) -> None: ...

    async def choose(self, person: Person, at: Locator, value: str) -> None: ...


class Keyboard:
    """Only keys: what cannot be reached by Tab, or does not show that it is reached, fails."""

    async def press(self, person: Person, at: Locator) -> None:
        await self._reach(person, at)
        toggles = await at.evaluate("e => e.matches('input[type=checkbox]')")
        await person.page.keyboard.press("Space" if toggles else "Enter")

    async def write(self, person: Person, at: Locator, words: str) -> None:
        await self._reach(person, at)
        await person.page.keyboard.type(words)

    async def choose(self, person: Person, at: Locator, value: str) -> None:
        await self._reach(person, at)
        for _ in range(MOST_STEPS):
            if await at.input_value() == value:
                return
            await person.page.keyboard.press("ArrowDown")
        raise AssertionError(value)

    async def _reach(self, person: Person, at: Locator) -> None:
        await expect(at).to_be_visible()
        for _ in range(MOST_STEPS):
            if await at.evaluate("e => e === document.activeElement"):
                assert await at.evaluate("e => getComputedStyle(e).outlineStyle !== 'none'"), "the focus does not show"
                return
            await person.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {at}")


class Thumb:
    """Only touch, on a phone; a target that two others cover or that is small is missed."""

    async def press(self, person: Person, at: Locator) -> None:
        await at.tap()

    async def write(self, person: Person, at: Locator, words: str) -> None:
        await at.tap()
        await person.page.keyboard.type(words)

    async def choose(self, person: Person, at: Locator, value: str) -> None:
        await at.tap(trial=True)  # reached, but not opened: the list is the browser's own window, not the page
        await at.select_option(value)


@pytest.mark.parametrize("way", ["keyboard", "phone"])
async def test_the_main_job(way: str) -> None:
    async with scene() as here:
        await _main_job(here, Keyboard() if way == "keyboard" else Thumb(), phone=way == "phone")


async def _main_job(here: Scene, hands: Hands, *, phone: bool) -> None:
    officer = await here.join("th", Role.OFFICER, phone=phone)
    focal = await here.join("th", Role.FOCAL_POINT, phone=phone)
    abroad = await here.join("id", Role.OFFICER, phone=phone)
    await _sign_in_again(officer, hands)
    await _post(officer, hands)
    await _approve(focal, hands)
    await _open(abroad, hands)


async def _sign_in_again(person: Person, hands: Hands) -> None:
    page = person.page
    await person.go("/me")
    await hands.press(person, page.get_by_role("button", name="Sign out"))
    await hands.press(person, page.get_by_role("button", name="Sign in with a passkey"))
    await page.wait_for_url("**/inbox")


async def _post(person: Person, hands: Hands) -> None:
    page = person.page
    await hands.press(person, page.locator("main").get_by_role("link", name="New alert"))
    await hands.press(person, page.get_by_role("link", name="Recruitment network"))
    await hands.write(person, page.get_by_label("Title"), "Job offers that end in a scam centre (invented)")
    await hands.write(person, page.get_by_label("Promise"), "Flight and room paid.")
    await hands.write(person, page.locator('[name="f.origin.country"]'), "PH")
    await hands.write(person, page.locator('[name="f.destination.country"]'), "KH")
    await hands.choose(person, page.locator('[name="f.recruiter_identifiers.0.type"]'), "social_handle")
    await hands.write(person, page.locator('[name="f.recruiter_identifiers.0.value"]'), "telegram:demo_invented")
    await hands.press(person, page.locator('[name="member"][value="id"]'))
    await hands.choose(person, page.get_by_label("The source is"), "B")
    await hands.choose(person, page.get_by_label("The information is"), "2")
    await expect(page.locator("#matrix")).to_contain_text("Indonesia")
    await hands.press(person, page.get_by_role("button", name="Post the alert"))
    await expect(page.locator("main")).to_contain_text("Posted.")


async def _approve(person: Person, hands: Hands) -> None:
    page = person.page
    await person.go("/inbox")
    await hands.press(person, page.get_by_role("link", name="Job offers"))
    await hands.press(person, page.get_by_role("button", name="Approve with my passkey"))
    await expect(page.locator("main")).to_contain_text("Signed and released")


async def _open(person: Person, hands: Hands) -> None:
    page = person.page
    await hands.press(person, page.get_by_role("link", name="new: show"))
    await hands.press(person, page.get_by_role("link", name="Job offers"))
    await hands.choose(person, page.get_by_label("Purpose"), "investigate_trafficking")
    await hands.press(person, page.get_by_role("button", name="Open for this purpose"))
    await expect(page.locator("#section-nominal")).to_contain_text("telegram:demo_invented")
    await hands.press(person, page.get_by_role("button", name="Acknowledge"))
    await expect(page.locator("main")).to_contain_text("Acknowledged")
