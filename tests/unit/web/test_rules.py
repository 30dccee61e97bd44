"""The rule book's pages: read by everybody, drafted, checked, tried and signed by focal points, two of them."""

from __future__ import annotations

import json
import re

import pytest

from rilon.domain.values import Role
from rilon.web.language import LANGUAGES, gettext
from rilon.web.sentences import said
from tests.unit.web.test_screens import LATER, SCRIPT, post, weight
from tests.unit.web.test_sentences import spoken
from tests.web import SAME, Browser, found, pages, unb64

AGREEMENT = """
[[agreement]]
id = "mou-2019"
name = "A fictional understanding of 2019"
parties = ["th", "my"]

[[rule]]
id = "th.mou"
effect = "refuse"
because = "A fictional understanding of 2019 forbids it."
basis = "mou-2019"
when.sensitivities = ["nominal"]
when.recipients = ["my"]
"""

INVESTIGATORS = """
[[rule]]
id = "th.investigators"
effect = "ask"
because = "Persons are for investigators."
when.sensitivities = ["nominal"]
obliges.purposes = ["investigate_trafficking"]
obliges.onward = "no"
obliges.court = "no"
obliges.days = 30
obliges.caveats = ["NO_CONTACT"]
"""


async def book_of(focal: Browser) -> str:
    """The file on the page."""
    text = found((await focal.get("/rules/draft")).text, "(?s)<textarea[^>]*>\n(.*?)</textarea>")
    return text.replace("&#34;", '"').replace("&#39;", "'").replace("&gt;", ">").replace("&lt;", "<")


async def sign(focal: Browser, **wrong: object) -> str:
    """Read the draft's page and sign what it says; where that leads."""
    said = (await focal.get("/rules")).text
    fields = {n: found(said, f'name="{n}" value="([0-9a-f]+)"') for n in ("once", "nonce", "draft")}
    assertion = json.dumps(focal.given(unb64(found(said, 'data-challenge="([^"]+)"')), **wrong))
    answer = await focal.form("/rules/sign", **fields, assertion=assertion)
    return answer.headers.get("location", str(answer.status_code))


async def test_a_book_is_drafted_tried_signed_by_two_and_an_agreement_ends() -> None:
    async with pages(knows=("my", "id")) as node:
        officer = await node.signed_in()
        first, second = await node.signed_in(Role.FOCAL_POINT), await node.signed_in(Role.FOCAL_POINT)
        await post(officer)
        text = await book_of(first) + AGREEMENT
        asked = {"text": text, "after": "1", "once": "1", "days": "30"}
        assert "Nothing is wrong with it" in (await first.form("/rules/check", **asked)).text
        tried = (await first.form("/rules/try", **asked)).text
        assert "Of 1 disclosures in 30 days, 1 would have gone otherwise" in tried
        assert "th.mou" in tried
        assert (await first.form("/rules/draft", **asked)).headers["location"] == "/rules?done=drafted"
        assert "A fictional understanding of 2019" in (await officer.get("/rules")).text
        assert await sign(first, origin="https://evil.example") == "422"
        assert await sign(first) == "/rules?done=waiting"
        assert "data-challenge" not in (await first.get("/rules")).text, "nobody is asked to sign twice"
        assert await sign(second) == "/rules?done=published"
        now = (await officer.get("/rules?done=published")).text
        assert "Rule book 2" in now
        assert "End this agreement" not in now
        assert weight(now) <= LATER
        ended = await first.form("/rules/agreements/mou-2019/end", once="e")
        assert ended.headers["location"] == "/rules?done=ended"
        assert "Rule book 3" in (await officer.get("/rules")).text
        assert "Not in force any more" in (await officer.get("/rules?version=2")).text


async def test_a_trial_marks_and_says_in_every_language_what_would_go_under_other_conditions() -> None:
    async with pages(knows=("my",)) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        await post(officer)
        text = await book_of(focal)
        asked = {"text": text + INVESTIGATORS, "after": "1", "days": "30"}
        for code in LANGUAGES:
            tried = (await focal.form("/rules/try", SAME | {"accept-language": code}, **asked)).text
            row = found(tried, "(?s)<tbody>(.*?)</tbody>")
            then, now = re.findall('<td><div class="stack tight">(.*?)</div></td>', row)
            with spoken(code):
                chip, changed = f'<span class="chip ask">{gettext("Ask")}</span>', gettext("Changed")
                ends = said("Access to it ends after 30 days.")
            assert then == f'<p class="row">{chip}</p>', "nothing was attached to it"
            assert now.startswith(f'<p class="row">{chip}<span class="chip">{changed}</span></p>')
            assert f"<li>{ends}</li>" in now
            assert now.count("<li>") == len(("marked", "for", "onward", "court", "until"))
            assert "lang=" not in now, "it is in the reader's language"


async def test_what_is_wrong_with_a_file_is_said_with_its_line_and_nothing_is_lost() -> None:
    async with pages(knows=("my",)) as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        text = await book_of(focal) + AGREEMENT.replace('["my"]', '["nowhere"]')
        line = 1 + text[: text.index('[[rule]]\nid = "th.mou"')].count("\n")
        for act, status in (("check", 200), ("try", 200), ("draft", 422)):
            answer = await focal.form(f"/rules/{act}", text=text, after="1", once=act, days="30")
            assert answer.status_code == status
            assert f"{line} │ [[rule]]" in answer.text
            assert "nowhere" in answer.text
        broken = (await focal.form("/rules/check", text="[[rule]\n", after="1", once="b", days="x")).text
        assert "1 │ [[rule]" in broken


@pytest.mark.parametrize("path", ["/rules?version=99", "/rules?version=x", "/rules?from=-1", "/rules/draft/"])
async def test_odd_addresses_are_answered_cleanly(path: str) -> None:
    async with pages() as node:
        assert (await (await node.signed_in(Role.FOCAL_POINT)).get(path)).status_code in {200, 404}


async def test_only_focal_points_write_rules_and_what_they_write_stays_text() -> None:
    async with pages(knows=("my",)) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        for act in ("check", "try", "draft", "sign", "drop", "agreements/mou-2019/end"):
            answer = await officer.form(f"/rules/{act}", once="x", text="x")
            assert answer.status_code == 403
        assert (await officer.get("/rules/draft")).status_code == 403
        assert "<script>alert" not in (await focal.form("/rules/check", text=SCRIPT, after="1", once="x", days="")).text
        named = await book_of(focal) + AGREEMENT.replace("A fictional", "<script>alert(1)</script><img src=x>")
        assert (await focal.form("/rules/draft", text=named, after="1", once="y")).status_code == 303
        for who, path in ((officer, "/rules"), (focal, "/rules"), (focal, "/rules/draft")):
            said = (await who.get(path)).text
            assert "<script>alert" not in said
            assert "<img" not in said


async def test_the_programs_own_book_is_read_in_the_readers_language() -> None:
    async with pages() as node:
        officer = await node.signed_in()
        page = (await officer.get("/rules", **{"accept-language": "id"})).text
        assert "Ditandai TLP:GREEN dan ringkasannya tidak menyebut orang" in page
        assert "Negara anggota" in page
        assert "the summary names no person" not in page
