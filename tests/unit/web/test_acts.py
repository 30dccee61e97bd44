"""What one does with an alert on its page: correct, close, refer, attach, ask for more; and what its holders ask."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from rilon.domain.kinds import KINDS
from rilon.domain.values import Role
from rilon.web import forms
from rilon.web.files import UPLOAD
from tests.fakes.pictures import photo
from tests.nodes import introduce, memory_node, pump
from tests.unit.web.test_screens import ALERT, LATER, SCRIPT, post, weight
from tests.web import SAME, Browser, Pages, pages, pages_of


def written(text: str) -> dict[str, list[str]]:
    """The form of a page as a browser would send it back."""
    form: dict[str, list[str]] = {}
    body = text[text.index('id="draft"') : text.index("</form>", text.index('id="draft"'))]
    body = re.sub(r"(?s)<template.*?</template>", "", body)
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            form.setdefault(name[1], []).append(html.unescape(value[1]) if value else "")
    for name, inside in re.findall(r'(?s)<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        form.setdefault(name, []).append(html.unescape(chosen[1]) if chosen else "")
    for name, inside in re.findall(r'(?s)<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', body):
        form.setdefault(name, []).append(html.unescape(inside))
    return form


async def upload(browser: Browser, name: str, data: bytes, headers: dict[str, str] = SAME) -> Any:
    more = {"content-type": UPLOAD, "rilon-file-name": name}
    return await browser.http.post("/attachments", content=data, headers=headers | more)


async def test_a_correction_begins_with_all_that_stands_and_keeps_what_no_page_asks() -> None:
    async with pages(knows=("my", "id")) as node:
        officer = await node.signed_in()
        where = await post(officer, not_to=["id"], member=["my"])
        assert (await officer.form(f"{where}/correct", purpose="")).status_code == 422
        shown = (await officer.form(f"{where}/correct", purpose="prosecution")).text
        form = written(shown)
        assert form["f.recruiter_identifiers.0.value"] == ["telegram:example_jobs"]
        assert (form["member"], form["not_to"], form["source"]) == (["my"], ["id"], ["B"])
        changed = await officer.form(f"{where}/correct", **form | {"f.title": ["A better title"], "once": ["c"]})
        assert changed.headers["location"] == f"{where}?done=corrected", changed.text
        said = (await officer.get(where)).text
        assert "A better title" in said
        assert "version 2" in said
        again = written((await officer.form(f"{where}/correct", purpose="prosecution")).text)
        assert {k: v for k, v in again.items() if k not in {"f.title", "once"}} == {
            k: v for k, v in form.items() if k not in {"f.title", "once"}
        }
        wrong = await officer.form(f"{where}/correct", **form | {"f.origin.country": ["QQ"], "once": ["d"]})
        assert wrong.status_code == 422
        assert f'action="{where}/correct"' in wrong.text


async def test_an_alert_is_closed_with_an_outcome() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        where = await post(officer, member=["my"])
        assert (await officer.form(f"{where}/close", outcome="bored", once="c")).status_code == 422
        assert (await officer.form(f"{where}/close", outcome="rescued", once="c")).status_code == 303
        said = (await officer.get(where)).text
        assert "Closed" in said
        for form in ("correct", "close", "withdraw", "refer"):
            assert f'action="{where}/{form}"' not in said, "it is over"


async def test_an_alert_is_opened_to_a_desk_by_those_who_may_change_it_only() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        police = node.browser(await node.node.officer(agency="police", desk="night"))
        assert police.person is not None
        await police.join((await node.services.access.invite(None, police.person.id)).code)
        where = await post(officer, member=["my"])
        assert (await police.get(where)).status_code == 404, "AMBER stays with the author's agency"
        assert "Police" in (await officer.get(where)).text
        assert (await officer.form(f"{where}/refer", once="r")).status_code == 422
        done = await officer.form(f"{where}/refer", once="r", reader=["desk:police:night"])
        assert done.headers["location"] == f"{where}?done=referred"
        said = (await police.get(where)).text
        assert "Online job offers" in said
        for form in ("correct", "close", "withdraw", "refer"):
            assert f'action="{where}/{form}"' not in said, "not theirs to change"
            assert (await police.form(f"{where}/{form}", once="x", purpose="prosecution", outcome="rescued")).is_error


async def test_files_are_uploaded_attached_and_saved_for_a_purpose() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        taken = await upload(officer, "%3Cscript%3Ealert%281%29%3C%2Fscript%3E.jpg", photo())
        ticket, name = taken.json()["ticket"], taken.json()["name"]
        where = await post(officer, member=["my"], attachment=[ticket], attachment_name=[name])
        opened = (await officer.form(f"{where}/open", sensitivity="attachment", purpose="prosecution")).text
        assert "<script>alert" not in opened
        assert ".jpg" in opened
        saved = await officer.form(f"{where}/files/1", purpose="prosecution")
        assert saved.headers["content-type"] == "image/jpeg"
        assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert saved.content.startswith(b"\xff\xd8\xff")
        assert (await officer.form(f"{where}/files/2", purpose="prosecution")).status_code == 404
        assert (await officer.form(f"{where}/files/1", purpose="fun")).status_code == 422
        form = written((await officer.form(f"{where}/correct", purpose="prosecution")).text)
        assert form["keep"] == ["yes"]
        await officer.form(f"{where}/correct", **form | {"once": ["c"]})
        assert (await officer.form(f"{where}/files/1", purpose="prosecution")).content == saved.content
        lost = await officer.form(
            "/new", **ALERT | {"attachment": ["x" * 128], "attachment_name": [SCRIPT], "once": "l"}
        )
        assert lost.status_code == 422
        assert "<script>alert" not in lost.text


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("x.pdf", b"%PDF-1.7", 422),
        ("%ff", b"words", 400),
        ("x%0d%0aset-cookie:a.txt", b"words", 400),
        ("x.jpg", photo()[:40], 422),
    ],
)
async def test_what_is_no_file_of_ours_is_refused_in_words(name: str, data: bytes, status: int) -> None:
    async with pages() as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        answer = await upload(officer, name, data)
        assert answer.status_code == status, answer.text
        assert "set-cookie" not in answer.headers
        assert status == 200 or answer.json()["detail"]
        assert (await upload(auditor, name, data)).status_code == 403
        assert (await upload(officer, name, data, {"sec-fetch-site": "cross-site"})).status_code == 403
        plain = await officer.http.post("/attachments", data={"x": "y"}, headers=SAME | {"rilon-file-name": "x"})
        assert plain.status_code == 400


async def carry(*nodes: Pages) -> None:
    """Carry lines until nobody has any more to say."""
    for _ in range(3):
        for here in nodes:
            for there in nodes:
                if here is not there:
                    assert set(await pump(here.node, there.node)) <= {""}
    for each in nodes:
        await each.services.shown(0)


async def test_a_holder_asks_for_more_and_the_originator_decides() -> None:
    made = [await memory_node(m, seed=n) for n, m in enumerate(("th", "my", "id"))]
    async with pages_of(made[0]) as th, pages_of(made[1]) as my, pages_of(made[2]) as id_:
        for here in (th, my, id_):
            for there in (th, my, id_):
                if here is not there:
                    await introduce(here.node, there.node)
        officer, focal = await th.signed_in(), await th.signed_in(Role.FOCAL_POINT)
        reader = await my.signed_in()
        where = await post(officer, member=["my"])
        item = where.rpartition("/")[2]
        await focal.approve(item)
        await carry(th, my, id_)
        assert "Ask for more of it" in (await reader.get(where)).text
        question = {"member": "id", "section": ["summary"], "reason": SCRIPT}
        assert (await reader.form(f"{where}/ask", once="0", member="id", reason="x")).status_code == 422
        for once in ("1", "2"):
            done = await reader.form(f"{where}/ask", once="1", **question)
            assert done.headers["location"] == f"{where}?done=asked", once
        second = await reader.form(
            f"{where}/ask", once="3", member="", section=["source"], court="yes", reason="Court."
        )
        assert second.status_code == 303, second.text
        assert "Waits for an answer" in (await reader.get(where)).text
        await carry(th, my, id_)
        shown = (await focal.get(f"/approvals/{item}")).text
        assert "Malaysia asks for more" in shown
        assert "Nothing waits here any more" not in shown
        assert "<script>alert" not in shown
        assert weight(shown) <= LATER
        first, other = re.findall(rf'action="/approvals/{item}/asked/([0-9a-f]+)/refuse"', shown)
        for act in ("grant", "refuse"):
            path = f"/approvals/{item}/asked/{first}/{act}"
            assert (await officer.form(path, once="x", why="law")).status_code == 403
            assert (await focal.form(path.replace(first, "00"), once="y", why="law")).status_code == 404
            assert (await focal.form(path.replace(first, "none"), once="z", why="law")).status_code == 404
        assert (await focal.form(f"/approvals/{item}/asked/{other}/refuse", once="n", why="law")).status_code == 303
        granted = await focal.form(f"/approvals/{item}/asked/{first}/grant", once="g")
        assert granted.headers["location"] == f"/approvals/{item}?done=granted", granted.text
        assert (await focal.approve(item)).headers["location"] == "/approvals?done=released"
        await carry(th, my, id_)
        answers = (await reader.get(where)).text
        assert "Granted" in answers
        assert "No: the law does not allow it" in answers
        assert "Online job offers" in (await (await id_.signed_in()).get(where)).text


@pytest.mark.parametrize("code", sorted(KINDS))
def test_what_a_form_read_fills_the_same_form(code: str) -> None:
    kind = KINDS[code]
    given: dict[str, list[str]] = {}
    for part in forms.parts(kind):
        for widget in part.widgets:
            _give(widget, given)
    read = forms.read(kind, given)
    assert forms.read(kind, forms.fill(kind, read)) == read


def _give(widget: forms.Widget, form: dict[str, list[str]]) -> None:
    if widget.shape in {"group", "rows"}:
        for inner in widget.parts:
            _give(inner, form)
    elif widget.options:
        form[widget.name] = [widget.options[-1][0]]
    else:
        plain = {"tick": "yes", "yes-no": "no", "number": "7", "country": "TH", "list": "a b", "tokens": "a\nb c"}
        form[widget.name] = [plain.get(widget.shape, "words")]
