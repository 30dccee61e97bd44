"""What was done is told on the page that one comes back to, in one way for all, and by no link from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from rilon.domain.values import Role
from rilon.web import done
from tests.web import Browser, found, pages

STATUS = '<div class="notice good told" role="status" tabindex="-1">'
SOURCES = Path(done.__file__).parent


async def told(browser: Browser, path: str, **form: str) -> str:
    """Send a form; what its answer leads to says."""
    answer = await browser.form(path, **form)
    assert answer.status_code == 303, answer.text
    page = (await browser.get(answer.headers["location"])).text
    assert page.count(STATUS) == 1, path
    return found(page, f"{re.escape(STATUS)}([^<]*)<")


async def test_acts_on_teams_and_on_ones_own_account_are_told() -> None:
    async with pages() as node:
        focal, officer = await node.signed_in(Role.FOCAL_POINT), await node.signed_in()
        assert officer.person is not None
        assert await told(focal, "/teams", name="Fictional night shift", once="t") == (
            "The team is formed. Take in who belongs to it."
        )
        team, person = found((await focal.get("/teams")).text, "/teams/([0-9a-f-]{36})/"), str(officer.person.id)
        assert await told(focal, f"/teams/{team}/members", officer=person) == "They are in the team now."
        assert await told(focal, f"/teams/{team}/leave", officer=person) == "They are out of the team."
        assert await told(focal, f"/teams/{team}/dissolve") == "The team is dissolved."
        again = node.browser(officer.person)
        again.key = officer.key
        assert (await again.sign_in(officer.person.id.bytes)).status_code == 200
        session = found((await again.get("/me")).text, "/me/sessions/([^/]+)/end")
        assert await told(again, f"/me/sessions/{session}/end") == "That session has ended."


async def test_every_code_that_a_handler_leads_on_with_has_words_and_no_other() -> None:
    written = "".join(path.read_text("utf-8") for path in SOURCES.glob("*.py") if path.name != "done.py")
    codes = set(re.findall(r'[?&]done=([a-z-]+)"', written))
    assert codes
    known = {code for sentences in done._TOLD.values() for code in sentences}
    assert codes <= known
    async with pages() as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        for path in ("/teams?done=released", "/me?done=%22%3Cb%3E", "/inbox?done=left", "/rules?done="):
            assert STATUS not in (await focal.get(path)).text, path
