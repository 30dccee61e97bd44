"""What people do on the pages, without a browser: write, approve, read, answer; and what no page may ever do."""

from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.kinds import KINDS
from rilon.domain.values import Role
from rilon.web import forms
from rilon.web.render import static
from tests.fakes.soft_people import SoftPeople, soft
from tests.web import Browser, found, pages, unb64

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ALERT = {
    "kind": "TIP-RECRUIT",
    "f.title": "Online job offers that end in a scam centre",
    "f.promise": "Customer service, flight and room paid.",
    "f.origin.country": "ph",
    "f.destination.country": "KH",
    "f.recruiter_identifiers.0.type": "social_handle",
    "f.recruiter_identifiers.0.value": "telegram:example_jobs",
    "source": "B",
    "information": "2",
    "member": ["my", "id"],
}
FIRST_LOAD, LATER = 30 * 1024, 12 * 1024


def weight(text: str) -> int:
    return len(gzip.compress(text.encode(), 6))


async def post(browser: Browser, **changes: Any) -> str:
    """Write an alert; the address of its page."""
    answer = await browser.form("/new", **ALERT | {"once": "0123456789abcdef"} | changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def test_an_alert_is_written_seen_and_listed() -> None:
    async with pages(knows=("my", "id")) as node:
        browser = await node.signed_in()
        matrix = await browser.form("/new/preview", **ALERT)
        assert "Malaysia" in matrix.text
        assert "<html" not in matrix.text, "a part, not a page"
        where = await post(browser)
        for tab in ("content", "seen-by", "history"):
            assert (await browser.get(f"{where}?tab={tab}")).status_code == 200
        text = (await browser.get(where)).text
        assert "Customer service" in text
        assert "example_jobs" not in text, "personal data opens for a purpose only"
        assert "Online job offers" in (await browser.get("/inbox?tab=ours")).text
        assert "Online job offers" not in found(text, "<title>(.*?)</title>"), "titles stay out of histories"
        opened = await browser.form(
            f"{where}/open", sensitivity="nominal", purpose="investigate_trafficking", headers=BROWSER
        )
        assert "example_jobs" in opened.text


BROWSER = {"sec-fetch-site": "same-origin", "hx-request": "true"}


async def test_the_same_form_twice_is_one_alert() -> None:
    async with pages(knows=("my", "id")) as node:
        browser = await node.signed_in()
        assert await post(browser) == await post(browser)


async def test_what_is_wrong_is_said_where_it_is_and_nothing_is_lost() -> None:
    async with pages(knows=("my",)) as node:
        browser = await node.signed_in()
        wrong = ALERT | {"f.origin.country": "QQ", "f.promise": "", "member": ["my"], "once": "0123456789abcdef"}
        answer = await browser.form("/new", **wrong)
        assert answer.status_code == 422
        assert "Online job offers" in answer.text
        assert 'aria-invalid="true"' in answer.text


async def test_a_focal_point_approves_with_a_passkey_over_exactly_what_is_shown() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        item = (await post(officer)).rpartition("/")[2]
        assert "Waits for your decision" in (await focal.get("/inbox")).text
        done = await focal.approve(item)
        assert done.headers["location"] == "/approvals?done=released", done.text
        assert "Signed and released" in (await focal.get("/approvals?done=released")).text


@pytest.mark.parametrize("wrong", [{"flags": 1}, {"origin": "https://evil.example"}, {"challenge": "another"}])
async def test_an_unsound_assertion_approves_nothing(wrong: dict[str, Any]) -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        item = (await post(officer)).rpartition("/")[2]
        assert (await focal.approve(item, **wrong)).status_code == 422
        assert "Approve with my passkey" in (await focal.get(f"/approvals/{item}")).text


async def test_an_assertion_for_one_release_approves_no_other() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        item = (await post(officer)).rpartition("/")[2]
        page = (await focal.get(f"/approvals/{item}")).text
        once = found(page, 'name="once" value="([0-9a-f]+)"')
        cells = re.findall(r'name="keep" value="([^"]+)"', page)
        assert len(cells) > 1
        cut = await focal.form(f"/approvals/{item}/cut", once=once, keep=cells[:1])
        assert cut.status_code == 303
        old = found(page, 'data-challenge="([^"]+)"')
        assert old not in (await focal.get(f"/approvals/{item}")).text
        refused = await focal.form(f"/approvals/{item}/refuse", once=f"{once}x", words="Not this one.")
        assert refused.headers["location"] == "/approvals?done=refused"


async def test_only_the_approving_passkey_approves() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        item = (await post(officer)).rpartition("/")[2]
        assert (await officer.get(f"/approvals/{item}")).status_code == 403
        assert focal.person is not None
        directory = await node.node.desks.work.read(Directory, DIRECTORY_ID)
        assert directory.own.roster is not None
        assert focal.key.raw in {a.key for a in directory.own.roster.approvers}


async def test_script_in_every_text_stays_text() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        changes = {"f.title": SCRIPT, "f.promise": SCRIPT, "f.narrative": SCRIPT, "f.place.name": SCRIPT}
        where = await post(officer, **changes)
        item = where.rpartition("/")[2]
        seen = [(await officer.get(p)).text for p in (where, "/inbox?tab=all", f"/inbox?words={SCRIPT}", "/deliveries")]
        seen += [(await focal.get(p)).text for p in ("/inbox", f"/approvals/{item}", "/approvals")]
        opened = await officer.form(f"{where}/open", sensitivity="nominal", purpose="prosecution")
        echoed = await officer.form("/new", **ALERT | changes | {"f.origin.country": SCRIPT, "once": "x" * 16})
        for text in (*seen, opened.text, echoed.text):
            assert "<script>alert" not in text
            assert "<img" not in text


async def test_every_page_forbids_what_is_inline_or_from_elsewhere() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        for path in ("/sign-in", "/join", "/inbox", "/new", "/new?kind=DOC-FRAUD", "/me", "/nowhere", "/deliveries"):
            answer = await officer.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "require-trusted-types-for 'script'" in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-frame-options"] == "DENY"
            assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:", answer.text)


async def test_pages_are_light() -> None:
    assets = sum(len(gzip.compress(static(name), 6)) for name in ("app.js", "site.css"))
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        item = (await post(officer)).rpartition("/")[2]
        assert assets + weight((await officer.get("/sign-in")).text) <= FIRST_LOAD
        for browser, path in (
            (officer, "/inbox"),
            (officer, "/new"),
            (officer, f"/items/th/{item}"),
            (focal, f"/approvals/{item}"),
            *((officer, f"/new?kind={code}") for code in KINDS),
        ):
            answer = await browser.get(path)
            assert answer.status_code == 200
            assert weight(answer.text) <= LATER, path


async def test_assets_are_kept_for_ever_and_pages_never() -> None:
    async with pages() as node:
        browser = node.browser()
        address = found((await browser.get("/sign-in")).text, 'src="(/static/app.js[^"]+)"')
        asset = await browser.get(address)
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["content-type"].startswith("text/javascript")
        for path in ("/static/assets.lock.json", "/static/..%2fapp.py", "/static/nothing.js"):
            assert (await browser.get(path)).status_code == 404


async def test_nobody_is_led_elsewhere_or_given_headers_of_their_own() -> None:
    async with pages() as node:
        officer = await node.signed_in()
        for path in ("/inbox?next=https://evil.example", "//evil.example/inbox", "/inbox%0d%0aset-cookie:x=y"):
            answer = await officer.get(path)
            assert "evil" not in answer.headers.get("location", "")
            assert "set-cookie" not in answer.headers


async def test_absent_and_not_for_you_look_alike() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        nobodys = "/items/my/01a204f4-5239-7a83-bc35-f1f4e9d78492"
        texts = {(await officer.get(path)).text for path in (nobodys, nobodys.replace("my", "th"))}
        assert len(texts) == 1


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_kind_has_a_form_that_reads_back_what_was_written(code: str) -> None:
    """Each field of each kind has a widget, and an untouched form says nothing."""
    kind = KINDS[code]
    names = {w.name.removeprefix("f.") for part in forms.parts(kind) for w in part.widgets}
    assert names == set(kind.fields)
    assert forms.read(kind, {}) == {}


def test_rows_are_as_many_as_were_filled_and_no_more_than_a_person_writes() -> None:
    kind = KINDS["TIP-RECRUIT"]
    form = {f"f.recruiter_identifiers.{n}.value": [str(n)] for n in (0, 2)}
    assert forms.read(kind, form)["recruiter_identifiers"] == [{"value": "0"}, {"value": "2"}]
    flood = {f"f.recruiter_identifiers.{'9' * 9}.value": ["x"]}
    assert forms.read(kind, flood) == {}


@pytest.mark.parametrize("raw", ["f.title=%ff", "f.title=\xff", "&" * 5000])
async def test_what_is_no_form_is_refused_cleanly(raw: str) -> None:
    async with pages() as node:
        officer = await node.signed_in()
        headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
        answer = await officer.http.post("/new", content=raw.encode("latin-1"), headers=headers)
        assert answer.status_code in {400, 422}


async def test_a_demo_signs_with_a_key_beside_it_and_says_so() -> None:
    kept = SoftPeople()
    async with pages(knows=("my", "id"), soft_keys=kept) as node:
        officer, focal = await node.signed_in(), node.browser(await node.node.approver())
        assert focal.person is not None
        kept.take(focal.person)
        invited = await node.services.access.invite(None, focal.person.id)
        assert (await focal.json("/join/demo", {"code": invited.code})).json() == {"go": "/inbox"}
        item = (await post(officer)).rpartition("/")[2]
        page = (await focal.get(f"/approvals/{item}")).text
        assert "A real node cannot do this" in page
        given = soft(page)
        other = given | {"soft": "00" * 32}
        assert (await focal.form(f"/approvals/{item}/approve", **other)).status_code == 422
        done = await focal.form(f"/approvals/{item}/approve", **given)
        assert done.headers["location"] == "/approvals?done=released"


QUESTION = "/may-i-share?kind=TIP-RECRUIT&members=my&members=id"


async def test_may_i_share_answers_by_law_and_again_by_reference() -> None:
    async with pages(knows=("my", "id")) as node:
        officer = await node.signed_in()
        said = (await officer.get(QUESTION)).text
        assert "Indonesia, Malaysia" in said, "Members with one answer are named together"
        assert "Protocol against the Smuggling of Migrants by Land, Sea and Air, art. 10" in said
        assert weight(said) <= LATER
        part = (await officer.get(QUESTION, **BROWSER)).text
        assert "<html" not in part
        again = found(part, 'href="(/explained[^"]+)"')
        assert found((await officer.get(again)).text, "<h2>(.*?)</h2>") == found(part, "<h2>(.*?)</h2>")
        for wrong in ("?kind=NONE&members=my", "?kind=TIP-RECRUIT", f"?kind={SCRIPT}", "?kind=TIP-RECRUIT&tlp=x"):
            answer = await officer.get(f"/may-i-share{wrong}")
            assert answer.status_code == 200
            assert "notice warn" in answer.text
            assert "<script>alert" not in answer.text
        assert (await officer.get("/explained?reference=may-i-share.1")).status_code == 400


async def test_why_tells_nothing_of_what_is_not_there() -> None:
    async with pages(knows=("my",)) as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        nobodys = "/items/my/01a204f4-5239-7a83-bc35-f1f4e9d78492/why"
        seen = (await officer.get(nobodys)).text
        assert "You see none" in seen
        assert "You see it" not in seen
        assert (await officer.get(found(seen, 'href="(/explained[^"]+)"').replace("&amp;", "&"))).status_code == 200
        assert (await auditor.get(nobodys)).status_code == 403
        assert (await auditor.get(QUESTION)).status_code == 403


async def test_a_key_is_confirmed_by_its_words_and_by_nobody_who_had_a_hand_in_it() -> None:
    async with pages() as node:
        first, second = await node.signed_in(Role.FOCAL_POINT), await node.signed_in(Role.FOCAL_POINT)
        made = await first.form("/people/new", once="e", name="New", agency="police", desk="night", role=["deputy"])
        person = made.headers["location"].partition("?")[0]
        link = found((await first.form(f"{person}/invite", once="i")).text, "#([0-9a-f.]{90,})<")
        newcomer = node.browser()
        assert (await newcomer.join(link)).status_code == 200
        words = found((await newcomer.get("/me")).text, 'class="words"[^>]*>([a-z ]+)<')

        async def confirm(browser: Browser, heard: str) -> int:
            page = (await second.get(person)).text
            signed = browser.given(unb64(found(page, 'data-challenge="([^"]+)"')))
            nonce = found(page, 'name="nonce" value="([0-9a-f]+)"')
            said = await browser.form(
                f"{person}/confirm", once="c", nonce=nonce, words=heard, assertion=json.dumps(signed)
            )
            return said.status_code

        assert await confirm(second, " ".join(["acorn"] * 16)) == 422
        assert "data-challenge" not in (await first.get(person)).text, "who may not confirm is not asked to"
        assert await confirm(first, words) == 403, "who enrolled them"
        assert await confirm(second, words) == 303
        assert (await newcomer.get("/approvals")).status_code == 403, "nobody has called upon them"
        now = node.services.clock.now()
        for until in ("", "yesterday", f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}"):
            assert (await second.form(f"{person}/call-upon", once=f"u{until}", until=until)).status_code in {403, 422}
        done = await second.form(f"{person}/call-upon", once="u", until=f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}")
        assert done.status_code == 303
        assert (await newcomer.get("/approvals")).status_code == 200


async def test_who_does_not_enrol_reads_no_names_and_changes_nobody() -> None:
    async with pages() as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        focal = await node.signed_in(Role.FOCAL_POINT)
        assert officer.person is not None
        person = f"/people/{officer.person.id}"
        assert "Fictional Officer" in (await focal.get(person)).text
        for path in ("/people", person):
            assert (await officer.get(path)).status_code == 403
            assert "Fictional Officer" not in (await auditor.get(path)).text
        for act in ("invite", "suspend", "reinstate", "roles", "confirm", "call-upon"):
            assert (await auditor.form(f"{person}/{act}", once=act)).status_code == 403
        assert (await focal.form(f"{person}/suspend", once="s")).status_code == 303
        assert (await officer.get("/inbox")).status_code == 303, "out at once"


async def test_a_recall_says_from_whom_and_why_and_shows_on_the_boards() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        where = await post(officer)
        assert "Recall this alert" not in (await officer.get(where)).text, "nobody holds it yet"
        await focal.approve(where.rpartition("/")[2])
        assert "Recall this alert" in (await officer.get(where)).text
        order = {"once": "k", "ground": "mistake", "reason": "Fictional reason.", "sensitivity": ""}
        for wrong in ({"member": []}, {"member": ["my"], "ground": "?"}, {"member": ["my"], "sensitivity": "all"}):
            assert (await officer.form(f"{where}/recall", **order | wrong)).status_code == 422
        done = await officer.form(f"{where}/recall", **order, member=["my"])
        assert done.headers["location"] == f"{where}?tab=seen-by&done=recalled"
        seen = (await officer.get(f"{where}?tab=seen-by")).text
        assert seen.count("<td>Recall</td>") == 1
        assert "On its way, not answered yet" in seen
        assert "MY: On its way, not answered yet" in (await officer.get("/deliveries")).text
        assert "Fictional reason" not in seen, "the words stay sealed"
