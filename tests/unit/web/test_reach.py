"""The page of one's notices: set, shown again with what was wrong, tried, forgotten."""

from __future__ import annotations

from rilon.domain.reach import Way
from tests.fakes.memory_outbox import MemoryPager
from tests.web import pages

FORM = {"mail": "fictional@example.org", "phone": "", "zone": "Asia/Bangkok", "daily_at": "07:00", "digest": "daily",
        "start": "22:00", "end": "07:00", "at_once": ["life_at_risk"]}  # fmt: skip


async def test_notices_are_set_tried_and_forgotten() -> None:
    async with pages() as node:
        pager, browser = MemoryPager(), await node.signed_in()
        node.services.reach.pagers = {Way.MAIL: pager}
        assert "/me/notices" in (await browser.get("/me")).text
        wrong = await browser.form("/me/notices", **FORM | {"once": "a" * 32, "mail": '"><script>x</script>'})
        assert wrong.status_code == 422
        assert "This is no mail address." in wrong.text
        assert "<script>x" not in wrong.text
        half = await browser.form("/me/notices", **FORM | {"once": "b" * 32, "start": ""})
        assert (half.status_code, "That cannot be read." in half.text) == (422, True)
        done = await browser.form("/me/notices", **FORM | {"once": "c" * 32})
        assert done.headers["location"] == "/me/notices?done=set"
        shown = (await browser.get("/me/notices?done=set")).text
        assert 'value="fictional@example.org"' in shown
        assert (await browser.form("/me/notices/test")).status_code == 303
        assert len(pager.sent) == 1
        await browser.form("/me/notices/forget")
        assert "fictional@example.org" not in (await browser.get("/me/notices")).text
        foreign = await browser.form("/me/notices", {"sec-fetch-site": "cross-site"}, **FORM)
        assert foreign.status_code == 403
