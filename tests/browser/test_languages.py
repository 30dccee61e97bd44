"""The pages that are said in every language: nothing is cut off, whatever the script, the direction and the width."""

from __future__ import annotations

from itertools import cycle

import pytest

from rilon.domain.values import Role
from rilon.web.language import ENGLISH, LANGUAGES
from tests.browser.chromium import DESKTOP, EVERY, PHONE, PROGRAM, ZOOMED, Person
from tests.browser.desk import Desk, desk
from tests.unit.web.test_screens import ALERT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]
OTHERS = [code for code in LANGUAGES if code != ENGLISH]
QUESTION = "/may-i-share?kind=TIP-RECRUIT&members=my&members=id"


async def _post(officer: Person) -> str:
    """Post an alert by the form, without its browser; where it stands."""
    form = {name: values if isinstance(values, list) else [values] for name, values in ALERT.items()}
    pairs = [[name, value] for name, values in form.items() for value in values]
    send = """pairs => fetch("/new", {method: "POST", body: new URLSearchParams(pairs)}).then(done => done.url)"""
    return (
        str(await officer.page.evaluate(send, [*pairs, ["once", "0" * 32]]))
        .removeprefix(officer.home)
        .partition("?")[0]
    )


async def _scene(here: Desk) -> dict[str, Person]:
    """Pages by address, and who looks at them."""
    officer, focal = await here.join(Role.OFFICER), await here.join(Role.FOCAL_POINT)
    where = await _post(officer)
    focal_pages = (f"/approvals/{where.rpartition('/')[2]}", "/approvals")
    officers = ("/sign-in", "/inbox?tab=all", where, f"{where}?tab=history", "/new", "/new?kind=TIP-RECRUIT", QUESTION)
    return dict.fromkeys(officers, officer) | dict.fromkeys(focal_pages, focal)


async def _others(here: Desk) -> dict[str, Person]:
    """The pages of those who keep the node: people, rules, circles, the network, the past, and one's own account."""
    focal, auditor = await here.join(Role.FOCAL_POINT), await here.join(Role.AUDITOR)
    kept = ("/people", "/people/new", "/rules", "/rules/draft", "/circles", "/network", "/deliveries", "/me")
    return dict.fromkeys(kept, focal) | {"/past": auditor}


async def test_nothing_is_cut_off_in_any_language() -> None:
    """Each language on a third of the pages; `make test-all` sees them all."""
    async with desk("my", "id") as here:
        pages, sizes, wrong = await _scene(here), cycle((PHONE, ZOOMED, DESKTOP, PHONE)), []
        for nth, code in enumerate(OTHERS):
            for path, person in list(pages.items())[nth % 3 :: 3]:
                wrong += await _cut(person, code, path, next(sizes))
        assert wrong == []


async def _cut(person: Person, code: str, path: str, size: dict[str, int]) -> list[str]:
    await person.speak(code)
    await person.page.set_viewport_size(size)  # type: ignore[arg-type]
    await person.go(path)
    assert await person.page.locator("html").get_attribute("lang") == code
    return [f"{code} {path} at {size['width']} px: {fault}" for fault in await person.faults(axe=False)]


@pytest.mark.long
@pytest.mark.parametrize("code", LANGUAGES)
async def test_every_page_in_every_language_and_mode(code: str) -> None:
    """Every size, scheme and direction, with axe in the language's own direction."""
    async with desk("my", "id") as here:
        wrong = []
        for path, person in ((await _scene(here)) | await _others(here)).items():
            for mode in EVERY:
                if mode.way == LANGUAGES[code].direction:
                    wrong += await _cut(person, code, path, mode.size)
                    await person.turn(mode)
                    wrong += [f"{code} {path} {mode}: {fault}" for fault in await person.violations()]
        assert wrong == []
