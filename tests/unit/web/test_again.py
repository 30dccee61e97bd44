"""A refused form comes back with all that was written in it, and what is wrong beside its field: one way for all."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from rilon.domain.values import Role
from rilon.web.faults import Fault
from rilon.web.filling import fill
from tests.nodes import introduce, memory_node, pump
from tests.unit.web.test_screens import post
from tests.web import SAME, Browser, pages, pages_of

LONG = "Fictional words. " * 300
FORM = """<!doctype html><p>R&amp;D</p><form action="/b"><input name="a" value="other"></form>
<details><summary>More</summary><form action="/a" method="post"><input type="hidden" name="once" value="new">
<input type="hidden" name="to" value="1"><input type="hidden" name="version" value="8"><div>
<label for="x">Why <span>(so)</span></label><textarea id="x" name="a" aria-describedby="hint">old</textarea>
<i id="hint">h</i></div>
<fieldset><legend>What</legend><label><input type="checkbox" name="c" value="1" checked> One</label>
<label><input type="checkbox" name="c" value="2"> Two</label></fieldset>
<label><span>Which</span><select name="s"><option value="p" selected>P</option><option value="q">Q</option></select>
</label><input type="password" name="secret"></form></details>
<form action="/a"><input type="hidden" name="to" value="2"><input name="a"></form>"""


def filled(*wrong: Fault, **form: str) -> str:
    sent = {name: value.split("|") for name, value in form.items()}
    found = fill(FORM, "/a", sent, wrong, lambda each: f"<b>{[(f.at, f.label, f.message) for f in each]}</b>")
    assert found is not None
    return found


def test_a_form_is_filled_as_it_was_sent_and_nothing_else_of_the_page_moves() -> None:
    said = filled(to="1", a='</textarea>"<i>', c="2", s="q", once="old", version="7", secret="hush")
    assert "&lt;/textarea&gt;&#34;&lt;i&gt;</textarea>" in said
    assert '<input type="checkbox" name="c" value="1">' in said
    assert re.search(r'name="c" value="2" checked>', said)
    assert re.search(r'<option value="p">P</option><option value="q" selected>', said)
    assert 'value="new"' in said, "what was used up does not come again"
    assert 'name="version" value="7"' in said, "nobody writes over what they have not read"
    assert "hush" not in said
    assert "<details open>" in said
    assert said.startswith("<!doctype html><p>R&amp;D</p>")
    assert said.endswith('<input name="a"></form>')
    assert filled(to="2", a="here").endswith('<input name="a" value="here"></form>')
    assert fill(FORM, "/c", {"a": ["x"]}, [], str) is None


@pytest.mark.parametrize(
    ("path", "expected", "place"),
    [
        ("text", ("x", "Why (so)"), '</textarea><span class="fault" id="x-fault">Bad.</span>'),
        ("cs", ("again-c", "What"), '</legend><span class="fault" id="again-c-fault">Bad.</span><label>'),
        ("draft.s", ("again-s", "Which"), '</label><span class="fault" id="again-s-fault">Bad.</span>'),
        ("secret", ("", ""), ""),
        ("", ("", ""), ""),
    ],
)
def test_a_fault_stands_beside_its_field_by_the_name_the_form_gives_it(
    path: str, expected: tuple[str, str], place: str
) -> None:
    said = filled(Fault(path, "x", "Program's name", "Bad.", ""), to="1")
    assert f"<b>{[(*expected, 'Bad.')]}</b>" in said
    assert place in said
    assert said.count("aria-invalid") == bool(place)
    if path == "text":
        assert 'aria-describedby="hint x-fault"' in said


def comes_back(answer: Any, written: str, link: str) -> str:
    """The page of a refusal, in which nothing is lost."""
    assert answer.status_code in {400, 422}, answer.text
    assert re.search(r'role="alert" tabindex="-1" autofocus>', answer.text)
    assert f'<a href="#{link}">' in answer.text
    assert f'id="{link}"' in answer.text
    assert f'aria-describedby="{link}-fault"' in answer.text or f' {link}-fault"' in answer.text
    assert html.escape(written) in answer.text or written in html.unescape(answer.text)
    return str(answer.text)


async def test_every_refused_act_on_an_alert_comes_back_as_it_was_written() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        where = await post(officer, member=["my"])
        said = comes_back(await officer.form(f"{where}/withdraw", once="w", reason=LONG), LONG, "reason")
        assert '<details class="more card" open><summary>Withdraw it' in said
        assert '<details class="more card"><summary>Correct it' in said
        comes_back(await officer.form(f"{where}/withdraw", once="w", reason=" "), "", "reason")
        comes_back(await officer.form(f"{where}/close", outcome="bored", once="c"), "", "outcome")
        comes_back(await officer.form(f"{where}/correct", purpose=""), "", "again-purpose")
        comes_back(await officer.form(f"{where}/refer", once="f"), "", "again-reader")
        closed = re.findall('id="(section-[a-z]+)"', (await officer.get(where)).text)
        for name in closed:
            part = SAME | {"hx-request": "true", "hx-target": f"section#{name}"}
            answer = await officer.form(f"{where}/open", part, sensitivity=name.removeprefix("section-"), purpose="")
            assert (answer.status_code, answer.headers["hx-reselect"]) == (422, f"#{name}")
            before, _, after = answer.text.partition(f'id="{name}"')
            assert 'role="alert"' in after.partition("</section>")[0], "of several forms, the one that was sent"
            assert 'role="alert"' not in before
        assert closed


async def test_what_is_asked_answered_decided_and_ended_comes_back_too() -> None:
    async with pages_of(await memory_node("th", seed=1)) as th, pages_of(await memory_node("my", seed=2)) as my:
        await introduce(th.node, my.node)
        await introduce(my.node, th.node)
        officer, focal, reader = await th.signed_in(), await th.signed_in(Role.FOCAL_POINT), await my.signed_in()
        where = await post(officer, member=["my"])
        at = f"/approvals/{where.rpartition('/')[2]}"
        for act, field in (("return", "comment"), ("refuse", "refusal")):
            comes_back(await focal.form(f"{at}/{act}", words=LONG, once=act), LONG, field)
        await focal.approve(where.rpartition("/")[2])
        assert set(await pump(th.node, my.node)) == {""}
        await my.services.shown(0)
        said = comes_back(await reader.form(f"{where}/reply", kind="reply.sighting", text=LONG, once="r"), LONG, "text")
        assert re.search('<option value="reply.sighting" selected>', said)
        asked = await reader.form(f"{where}/ask", member="id", reason="Kept words.", once="a")
        said = comes_back(asked, "Kept words.", "again-section")
        assert '<option value="id" selected>' in said
        comes_back(await reader.form(f"{where}/reply", kind="x", text="Kept words.", once="s"), "Kept words.", "kind")


async def test_what_was_written_to_what_is_gone_is_shown_to_be_kept() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        where = await post(officer, member=["my"])
        gone = where[:-4] + "0000"
        said = await officer.form(f"{gone}/withdraw", once="w", reason="Many <b>words</b>.")
        assert said.status_code == 404
        assert "What you wrote" in said.text
        assert "Many &lt;b&gt;words&lt;/b&gt;." in said.text
        other = {"sec-fetch-site": "cross-site"}
        strange = await officer.form(f"{gone}/withdraw", other, once="w", reason="Many words")
        assert (strange.status_code, "Many words" in strange.text) == (403, False)
        stranger: Browser = node.browser()
        assert "Many words" not in (await stranger.form(f"{where}/withdraw", once="w", reason="Many words")).text
