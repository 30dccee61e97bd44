"""What people print: black on white, its marks on every page, and nothing of the browser: no menu, button or URL."""

from __future__ import annotations

from io import BytesIO
from unicodedata import normalize

import pytest
from playwright.async_api import expect
from pypdf import PdfReader

from rilon.domain.values import Role
from tests.browser.chromium import DESKTOP, PROGRAM, Mode, Person
from tests.browser.desk import desk
from tests.nodes import draft_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAM, reason="NO BROWSER TESTS: Chromium is not installed (apt-get install chromium)"),
]
LONG = " ".join(f"invented{number:03}" for number in range(330))
SCREEN_ONLY = ("Inbox", "New alert", "Acknowledge", "with my passkey", "http", "Language", "localhost")


async def printed(person: Person, path: str, *marks: str) -> list[str]:
    """The text of each page that comes out of the printer, in A4, from a screen in its dark colours."""
    await person.turn(Mode(DESKTOP, "dark", "ltr"))
    await person.go(path)
    made = await person.page.pdf(format="A4", prefer_css_page_size=True)
    pages = [" ".join(normalize("NFKC", page.extract_text()).split()) for page in PdfReader(BytesIO(made)).pages]
    for number, text in enumerate(pages, 1):
        assert [mark for mark in ("RILON · Thailand", *marks, f"{number} / {len(pages)}") if mark not in text] == []
        assert [word for word in SCREEN_ONLY if word in text] == []
    return pages


async def test_each_page_of_paper_bears_the_marks_and_nothing_of_the_browser() -> None:
    async with desk("my", "id") as here:
        focal, auditor = await here.join(Role.FOCAL_POINT), await here.join(Role.AUDITOR)
        author = await here.node.node.officer()
        fields = {**draft_of("TIP-RECRUIT", "my").fields, "promise": LONG}
        item = await here.node.node.post(author, draft_of("TIP-RECRUIT", "my", "id", fields=fields))
        await here.node.services.shown(0)

        alert = await printed(focal, f"/items/th/{item}", "TLP:AMBER", "PAP:")
        assert 2 <= len(alert) <= 4, "fonts differ"
        assert "invented000" in alert[0], "it begins where its head stands"
        assert [word for word in LONG.split() if word not in "".join(alert)] == []

        approval = await printed(focal, f"/approvals/{item}", "TLP:AMBER", "PAP:", "DESTROY_BY")
        assert "What would leave" in approval[0]
        assert "Personal data" in approval[0]
        assert "Malaysia" in "".join(approval), "below the conditions"

        assert len(await printed(focal, "/deliveries", "TLP:AMBER")) == 1

        answer = await printed(focal, "/may-i-share?kind=TIP-RECRUIT&members=my&members=id")
        said = focal.page.locator(".verdict h2")
        await expect(said).to_have_count(1)
        assert (await said.inner_text()) in answer[0]
        assert "May I share this?" in answer[0]
        assert "Kind of alert" not in "".join(answer)
        assert all(who in "".join(answer) for who in ("Malaysia", "Indonesia"))

        past = await printed(auditor, "/past")
        assert "Recruitment" in past[0]
        assert "Arrow keys" not in past[0]
