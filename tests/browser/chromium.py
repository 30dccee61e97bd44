"""A real Chromium, driven as people use it: one window a person, an authenticator in it, and no error goes unseen."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next((found for name in NAMES if (found := shutil.which(name))), "")
SHOTS = Path(__file__).parents[2] / "screenshots"
"""Git ignores it; every run writes it anew."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--metrics-recording-only",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
ZOOMED = {"width": 320, "height": 640}
"""A window of 1280 px at 400 %."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIOLATIONS = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(found => found.violations)"
"""Without a word on each element that passes: what is wrong is the same, in a third of the time."""


class Mode(NamedTuple):
    """How a page is looked at."""

    size: dict[str, int]
    scheme: str
    way: str

    def __str__(self) -> str:
        return f"{self.size['width']} px, {self.scheme}, {self.way}"


LIGHT_DESKTOP, LIGHT_PHONE = Mode(DESKTOP, "light", "ltr"), Mode(PHONE, "light", "ltr")
DARK = (Mode(DESKTOP, "dark", "ltr"), Mode(PHONE, "dark", "ltr"))
URDU = (Mode(PHONE, "light", "rtl"), Mode(ZOOMED, "dark", "rtl"))
"""Of each, a page gets one or the other: every page in both schemes and directions, the whole at every size."""
EVERY = tuple(Mode(*mode) for mode in product((DESKTOP, PHONE, ZOOMED), ("light", "dark"), ("ltr", "rtl")))
CUT = """() => {
  const found = new Set(), wide = document.documentElement;
  if (wide.scrollWidth > innerWidth) found.add("the page scrolls sideways");
  const hides = style => ["hidden", "clip"].includes(style.overflowX);
  const told = (what, element) =>
    found.add(`${what}: ${element.tagName} ${element.className}: ${element.textContent.trim().slice(0, 60)}`);
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.checkVisibility() || element.closest(".hide, .skip, option, svg")) continue;
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const range = document.createRange();
    range.selectNodeContents(element);
    const text = range.getBoundingClientRect(), style = getComputedStyle(element);
    if (hides(style) && element.scrollWidth > element.clientWidth + 1) told("cut off", element);
    let scrolls = false;
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const around = getComputedStyle(at), box = at.getBoundingClientRect();
      if (["auto", "scroll"].includes(around.overflowX)) { scrolls = true; break; }
      const beyond = text.left < box.left - 2 || text.right > box.right + 2;
      if (around.overflowX !== "visible" && beyond) told("cut off", element);
      if (["hidden", "clip"].includes(around.overflowY) && text.bottom > box.bottom + 2) told("cut off below", element);
    }
    if (!scrolls && (text.left < -1 || text.right > innerWidth + 1)) told("outside", element);
  }
  return [...found].slice(0, 5);
}"""
"""What a person could not read: text beyond the window or beyond a box that hides it, unless it can be scrolled to."""


@dataclass
class Person:
    """Somebody at a window of their own."""

    page: Page
    home: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.home}{path}")

    async def speak(self, code: str) -> None:
        """Ask for pages in a language."""
        await self.page.set_extra_http_headers({"accept-language": code})

    async def authenticator(self, **changes: Any) -> None:
        """Give the window an authenticator."""
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("WebAuthn.enable")
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR | changes})

    async def press(self, words: str) -> None:
        await self.page.get_by_role("button", name=words).click()

    async def look(self, name: str, *, axe: bool = True) -> None:
        """Keep how the page looks, and hold it to the rules of accessibility in three modes, which differ by page."""
        odd = crc32(name.encode()) % 2
        for shot, mode in (("phone", LIGHT_PHONE), ("dark", DARK[odd]), ("desktop", LIGHT_DESKTOP)):
            await self.turn(mode)
            await self.page.screenshot(path=SHOTS / f"{name}-{shot}.png", full_page=True)
            self.errors += [f"{name} {mode}: {fault}" for fault in await self.faults(axe=axe and shot != "phone")]
        await self.in_urdu(name, URDU[odd], axe=axe)

    async def turn(self, mode: Mode) -> None:
        """See the page as it is now in another mode."""
        page = self.page
        await page.set_viewport_size(mode.size)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme=mode.scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.evaluate("way => { document.documentElement.dir = way; scrollTo(0, 0); }", mode.way)

    async def in_urdu(self, name: str, mode: Mode, *, axe: bool) -> None:
        """The page of this address from right to left; what was sent has no address, so its frame alone is turned."""
        tab = Person(await self.page.context.new_page(), self.home)
        await tab.speak("ur")
        found = await tab.page.goto(self.page.url)
        seen = tab if found is None or found.ok else self
        if seen is tab:  # that it was refused is noted by the browser too, and no fault
            self.errors += tab.errors
        await seen.turn(mode)
        await seen.page.screenshot(path=SHOTS / f"{name}-urdu.png", full_page=True)
        self.errors += [f"{name} {mode}: {fault}" for fault in await seen.faults(axe=axe)]
        await tab.page.close()
        await self.turn(LIGHT_DESKTOP)

    async def faults(self, *, axe: bool = True) -> list[str]:
        """What is cut off or scrolls sideways, and what axe has against the page as it is now."""
        return [*await self.page.evaluate(CUT), *(await self.violations() if axe else ())]

    async def violations(self) -> list[str]:
        """What axe has against the page as it is now."""
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(AXE)
        found = await self.page.evaluate(VIOLATIONS, RULES)
        return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


@asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    """The browser, with more arguments."""
    SHOTS.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=[*ARGUMENTS, *more])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(browser: Browser, home: str, *, phone: bool = False) -> AsyncIterator[Person]:
    """A window of somebody who has nothing of anybody else's. Whatever the browser complains of fails the test."""
    context = await browser.new_context(viewport=PHONE if phone else DESKTOP, has_touch=phone)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    context.set_default_navigation_timeout(90_000)  # signing out clears the cache, which a busy disk may hold up
    person = Person(await context.new_page(), home)
    try:
        yield person
        if person.errors:
            pytest.fail("\n".join(person.errors))
    finally:
        await context.close()


async def fill_alert(page: Page, title: str, to: str) -> None:
    """Fill in the form of a recruitment network, for one Member."""
    await page.get_by_label("Title").fill(title)
    await page.get_by_label("Promise").fill("Customer service (invented).")
    await page.locator('[name="f.origin.country"]').fill("PH")
    await page.locator('[name="f.destination.country"]').fill("KH")
    await page.locator('[name="f.recruiter_identifiers.0.type"]').select_option("social_handle")
    await page.locator('[name="f.recruiter_identifiers.0.value"]').fill("telegram:demo_jobs_invented")
    await page.get_by_label("The source is").select_option("B")
    await page.get_by_label("The information is").select_option("2")
    await page.locator(f'[name="member"][value="{to}"]').check()
