"""A real Chromium, driven as people use it: one window a person, an authenticator in it, and no error goes unseen."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

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
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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

    async def authenticator(self, **changes: Any) -> None:
        """Give the window an authenticator."""
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("WebAuthn.enable")
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR | changes})

    async def press(self, words: str) -> None:
        await self.page.get_by_role("button", name=words).click()

    async def look(self, name: str, *, axe: bool = True) -> None:
        """Keep how the page looks, wide and narrow, light and dark; and hold it to the rules of accessibility."""
        page = self.page
        for mode, size, scheme in (("desktop", DESKTOP, "light"), ("phone", PHONE, "light"), ("dark", DESKTOP, "dark")):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            await page.evaluate("scrollTo(0, 0)")  # what scrolled under the top bar is not where one would press
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            await page.screenshot(path=SHOTS / f"{name}-{mode}.png", full_page=True)
            if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                self.errors.append(f"{name} {mode}: scrolls sideways")
            if axe:
                self.errors += [f"{name} {mode}: {v}" for v in await self.violations()]
        await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme="light")

    async def violations(self) -> list[str]:
        """What axe has against the page as it is now."""
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found["violations"]]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    SHOTS.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(browser: Browser, home: str, *, phone: bool = False) -> AsyncIterator[Person]:
    """A window of somebody who has nothing of anybody else's. Whatever the browser complains of fails the test."""
    context = await browser.new_context(viewport=PHONE if phone else DESKTOP)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    person = Person(await context.new_page(), home)
    try:
        yield person
        if person.errors:
            pytest.fail("\n".join(person.errors))
    finally:
        await context.close()
