"""The pages that are said in every language: nothing is cut off, whatever the script, the direction and the width."""

from __future__ import annotations

from itertools import cycle

import pytest

from rilon.domain.values import Role
from rilon.web.language import ENGLISH, LANGUAGES
from tests.browser.chromium import DESKTOP, EVERY, PHONE, PROGRAM, ZOOMED, Mode, Person
from tests.browser.desk import Desk, desk
from tests.unit.web.test_circles import CHARTER
from tests.unit.web.test_screens import ALERT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]
OTHERS = [code for code in LANGUAGES if code != ENGLISH]
QUESTION = "/may-i-share?kind=TIP-RECRUIT&members=my&members=id"


async def send(person: Person, path: str, **form: str | list[str]) -> str:
    """Send a form as the page does, without its window; the page it leads to."""
    pairs = [[name, value] for name, given in form.items() for value in ([given] if isinstance(given, str) else given)]
    script = """([path, pairs]) => fetch(path, {method: "POST", body: new URLSearchParams(pairs)}).then(d => d.url)"""
    return str(await person.page.evaluate(script, [path, pairs])).removeprefix(person.home).partition("?")[0]


async def posted(officer: Person) -> str:
    """Post an alert; where it stands."""
    return await send(officer, "/new", **ALERT | {"once": "0" * 32})


async def _scene(here: Desk) -> dict[str, Person]:
    """Pages by address, and who looks at them."""
    officer, focal = await here.join(Role.OFFICER), await here.join(Role.FOCAL_POINT)
    where = await posted(officer)
    focal_pages = (f"/approvals/{where.rpartition('/')[2]}", "/approvals")
    officers = ("/sign-in", "/inbox?tab=all", where, f"{where}?tab=history", "/new", "/new?kind=TIP-RECRUIT", QUESTION)
    return dict.fromkeys(officers, officer) | dict.fromkeys(focal_pages, focal)


async def _others(here: Desk, where: str) -> dict[str, Person]:
    """The pages of those who keep the node, the pictures, the past, what is learned, and one's own account."""
    focal, auditor, keeper = [await here.join(role) for role in (Role.FOCAL_POINT, Role.AUDITOR, Role.ADMINISTRATOR)]
    circle = await send(focal, "/circles/new", **CHARTER | {"once": "1" * 32})
    await send(focal, "/teams", name="Fictional harbour team", once="2" * 32)
    kept = ("/people", "/people/new", "/rules", "/rules/draft", "/circles", "/circles/new", circle, f"{circle}/change")
    told = ("/network", "/network/my", "/deliveries", "/me", "/me/notices", "/teams", "/learn", "/help")
    drawn = ("map", "trend", "times", "network", "links", f"links{where.removeprefix('/items')}")
    seen = (f"{where}?tab=seen-by", f"{where}/why", "/new?q=zz", *(f"/pictures/{name}" for name in drawn))
    return dict.fromkeys((*kept, *told, *seen), focal) | {"/past": auditor, "/keys": keeper}


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


def _modes(code: str, nth: int) -> list[Mode]:
    """A page's modes: all in English and from right to left; else half of them, and the next language the others."""
    whole = code == ENGLISH or LANGUAGES[code].direction == "rtl"
    return [mode for at, mode in enumerate(EVERY) if mode.way == "ltr" and (whole or (at // 2 + at // 4 + nth) % 2)]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("code", LANGUAGES)
async def test_every_page_in_every_language_and_mode(code: str) -> None:
    """Every size and both schemes in both directions, with axe; of the other languages all of them over two."""
    async with desk("my", "id") as here:
        first, wrong = await _scene(here), []
        where = next(path for path in first if path.startswith("/items/"))
        for nth, (path, person) in enumerate((first | await _others(here, where)).items(), list(LANGUAGES).index(code)):
            for mode in _modes(code, nth):
                wrong += await _cut(person, code, path, mode.size)
                await person.turn(mode._replace(way=LANGUAGES[code].direction))
                wrong += [f"{code} {path} {mode}: {fault}" for fault in await person.violations()]
        assert wrong == []
