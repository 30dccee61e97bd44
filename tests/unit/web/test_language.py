"""Every word of the pages can be said in another language, and each page is in its reader's."""

from __future__ import annotations

import ast
import gzip
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment

from rilon.domain.members import MEMBERS
from rilon.domain.values import Role
from rilon.web import language
from rilon.web.language import ENGLISH, LANGUAGES
from tests.golden.golden import check
from tests.unit.web.test_screens import LATER, post
from tests.web import Browser, Pages, pages

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "rilon" / "web" / "templates").glob("*.html"))
SAID = {
    "aria-label",
    "title",
    "alt",
    "placeholder",
    "data-one",
    "data-many",
    "data-failed",
    "data-cancelled",
    "data-known",
}
"""Attributes that people read."""
PLAIN = {"RILON", "RILON ·", "· RILON", "Enter", "j, k", "n", "…", "rilon verify"}
"""Names, keys and commands: the same in every language."""
NAMES = {m.name for m in MEMBERS.values() if not m.alpha2} | {each.name for each in LANGUAGES.values()} | PLAIN
OTHERS = [code for code in LANGUAGES if code != ENGLISH]


@cache
def messages() -> Any:
    spec = spec_from_file_location("messages", ROOT / "web" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_golden_messages() -> None:
    found = messages()
    check("messages.pot", found.text_of(found.template()))


def formed(source: str) -> list[str]:
    """What is called inside f-strings."""
    inside = [each for n in ast.walk(ast.parse(source)) if isinstance(n, ast.JoinedStr) for each in ast.walk(n)]
    return [ast.unparse(each.func) for each in inside if isinstance(each, ast.Call)]


def test_no_word_is_said_inside_an_f_string() -> None:
    """Python 3.11 collects none of those, so that it would be English for ever; 3.12 does, so that goldens differ."""
    marks = {"_", "mark", "ngettext"}
    assert marks.intersection(formed("f'{_(1)} {x}'"))
    said = {path.name: formed(path.read_text()) for path in (ROOT / "rilon" / "web").glob("*.py")}
    assert [name for name, calls in said.items() if marks.intersection(calls)] == []


class Words(HTMLParser):
    """What a person reads of a page: texts, and attributes that are read out; not what says which language it is in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skip: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"meta", "link", "input", "br", "img"}:
            return
        if (
            self._skip
            or tag in {"style", "script", "time"}
            or "mono" in (given.get("class") or "")
            or (tag != "html" and _marked(given))
        ):
            self._skip.append(tag)
        else:
            self.found += [value for name, value in attrs if name in SAID and value]

    def handle_endtag(self, tag: str) -> None:
        if self._skip and self._skip[-1] == tag:
            self._skip.pop()

    def handle_data(self, data: str) -> None:
        if not self._skip and data.strip():
            self.found.append(" ".join(data.split()))


def _marked(attrs: dict[str, str | None]) -> bool:
    """Whether it is somebody's own text, a code, or marked as being in a language of its own."""
    return attrs.get("dir") == "auto" or attrs.get("translate") == "no" or "lang" in attrs


def words_of(html: str) -> list[str]:
    parser = Words()
    parser.feed(html)
    return [text for text in parser.found if re.search(r"[A-Za-z]", text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_holds_words_of_its_own(path: Path) -> None:
    """Words stand in ``{{ _("…") }}``: what Jinja leaves as data says nothing."""
    tokens = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).lex(path.read_text("utf-8"))
    html = "".join(text if kind == "data" else " " for _, kind, text in tokens if kind in {"data", "variable_begin"})
    assert [text for text in words_of(html) if text not in PLAIN] == []


async def _seen(node: Pages) -> dict[str, str]:
    """Pages with something on them, as those who may see them get them."""
    officer, focal, auditor = (
        await node.signed_in(),
        await node.signed_in(Role.FOCAL_POINT),
        await node.signed_in(Role.AUDITOR),
    )
    where = await post(officer)
    item = where.rpartition("/")[2]
    asked: list[tuple[Browser, str]] = [
        *((node.browser(), path) for path in ("/sign-in", "/join")),
        *(
            (officer, path)
            for path in (
                "/inbox",
                "/inbox?tab=all",
                "/new",
                "/new?kind=TIP-RECRUIT",
                "/me",
                "/me/notices",
                "/teams",
                "/deliveries",
            )
        ),
        *((officer, path) for path in (where, f"{where}?tab=seen-by", f"{where}?tab=history", "/nowhere")),
        *((officer, path) for path in ("/may-i-share", "/may-i-share?kind=TIP-RECRUIT&members=my&members=id")),
        *((officer, path) for path in ("/learn", "/help", "/pictures", "/pictures/trend", "/outbox", f"{where}/why")),
        *((focal, path) for path in ("/approvals", f"/approvals/{item}", "/people", "/people/new", "/network")),
        *((focal, path) for path in ("/rules", "/rules/draft", "/circles", "/keys", "/pictures/times")),
        (auditor, "/past"),
    ]
    return {path: (await browser.get(path, **{"accept-language": "lo"})).text for browser, path in asked}


async def test_every_word_of_every_page_passes_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue that puts brackets around all it says leaves nothing without them but names and codes."""

    class Loud:
        def gettext(self, text: str) -> str:
            return f"⟦{text}⟧"

        def ngettext(self, one: str, many: str, n: int) -> str:
            return f"⟦{one if n == 1 else many}⟧"

    monkeypatch.setattr(language, "_catalogue", lambda code: Loud())
    monkeypatch.setattr(language, "country", lambda alpha2: f"⟦{alpha2}⟧")
    async with pages(knows=("my", "id")) as node:
        for path, html in (await _seen(node)).items():
            bare = [_without_said(text) for text in words_of(html)]
            wrong = [text for text in bare if re.search(r"[A-Za-z]{3}", text) and not _name(text)]
            assert wrong == [], path


def _without_said(text: str) -> str:
    """What a catalogue did not say; a sentence may hold facts that it says too."""
    rest = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    return rest if rest == text else _without_said(rest)


def _name(text: str) -> bool:
    """Codes, marks, and the names of organisations and languages."""
    return text in NAMES or not re.search(r"[A-Za-z]{3}", re.sub(r"TLP:[A-Z+]+|\b[A-Z]{2,6}\b", "", text))


async def test_a_page_is_in_the_language_that_was_chosen_else_asked_for() -> None:
    async with pages() as node:
        browser = node.browser()
        for header, code in (
            ("ur", "ur"),
            ("fr, th;q=0.8, en;q=0.9", "en"),
            ("xx,vi-VN", "vi"),
            ("my;q=z, lo", "lo"),
            ("", "en"),
        ):
            answer = await browser.get("/sign-in", **{"accept-language": header})
            assert f'<html lang="{code}" dir="{"rtl" if code == "ur" else "ltr"}"' in answer.text, header
        done = await browser.form("/language", language="km", back="/sign-in?x=1")
        assert (done.status_code, done.headers["location"]) == (303, "/sign-in?x=1")
        kept = done.headers["set-cookie"].lower()
        assert all(word in kept for word in ("__host-language=km", "secure", "httponly", "path=/", "samesite=lax"))
        assert '<html lang="km"' in (await browser.get("/sign-in", **{"accept-language": "ur"})).text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nx: y", "", "/a b"]
)
async def test_choosing_a_language_leads_nowhere_else(back: str) -> None:
    async with pages() as node:
        browser = node.browser()
        assert (await browser.form("/language", language="th", back=back)).headers["location"] == "/"
        assert (await browser.form("/language", language="xx", back="/")).status_code == 422
        foreign = {"sec-fetch-site": "cross-site"}
        assert (await browser.form("/language", foreign, language="th", back="/")).status_code == 403


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_says_what_its_message_says(code: str) -> None:
    """The same values, the plural forms its language has, no markup, and no blanks that would join words wrongly."""
    path = ROOT / "rilon" / "web" / "catalogues" / f"{code}.po"
    catalogue = read_po(BytesIO(path.read_bytes()), locale=code)
    for message in catalogue:
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        asked = message.id if isinstance(message.id, tuple) else (message.id,)
        if not message.id or not any(said):
            continue
        values = re.findall(r"%\(\w+\)[sd]|%%", asked[-1])
        assert all(sorted(re.findall(r"%\(\w+\)[sd]|%%", text)) == sorted(values) for text in said), message.id
        assert len(said) == (catalogue.num_plurals if len(asked) > 1 else 1), message.id
        assert all(text == text.strip() and "<" not in text for text in said), message.id


def test_times_and_ages_are_said_as_each_language_does() -> None:
    at = datetime(2026, 5, 3, 10, 5, tzinfo=UTC)
    said = {}
    for code, each in LANGUAGES.items():
        token = language._spoken.set(each)
        said[code] = (language.when(at), language.age(at, at + timedelta(hours=3)))
        language._spoken.reset(token)
    assert said["en"] == ("3 May 2026, 10:05 UTC", "3 hrs")
    assert said["th"] == ("3 พ.ค. 2026 10:05 UTC", "3 ชม.")
    assert len({when for when, _ in said.values()}) == len(LANGUAGES)


MAIN = {
    *(
        f"templates/{name}.html"
        for name in ["base", "parts", "sign-in", "join", "inbox", "item", "opened", "kinds", "write", "matrix", "share"]
    ),
    *(f"templates/{name}.html" for name in ["answer", "approvals", "approval", "over", "why", "explained", "refused"]),
    *("language.py", "render.py", "inbox.py", "items.py", "write.py", "forms.py", "words.py"),
    *("words", "kinds", "fields", "refusals", "sentences", "sentences.py", "faults.py"),
}
"""Where the words of sign-in, inbox, alert, new alert, may-I-share and approvals stand."""
ENOUGH, ENOUGH_ELSEWHERE = 0.99, 0.97
"""Of what the main pages say, and of what all others say: pages grow while translations wait."""


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_that_is_listed_says_what_the_main_pages_say(code: str) -> None:
    """What is missing: ``make -s messages LANGUAGE=…``; what to do about it: docs/languages.md."""
    made = messages()
    said, lacks = [m for m in made.template() if m.id], {m.id for m in made.missing(code)}
    wanted = [m.id for m in said if MAIN & {place for place, _ in m.locations}]
    others = [m.id for m in said if m.id not in wanted]
    assert len(wanted) > 700
    assert len(others) > 400
    assert sum(1 for each in wanted if each not in lacks) >= ENOUGH * len(wanted)
    assert sum(1 for each in others if each not in lacks) >= ENOUGH_ELSEWHERE * len(others)


@pytest.mark.parametrize("code", ["my", "km", "ur"])
async def test_pages_are_light_in_scripts_of_three_bytes_a_letter(code: str) -> None:
    async with pages(knows=("my", "id")) as node:
        officer = await node.signed_in()
        for path in ("/inbox", "/new", "/new?kind=MISS-PERSON", "/may-i-share?kind=TIP-RECRUIT&members=my"):
            answer = await officer.get(path, **{"accept-language": code})
            assert f'<html lang="{code}"' in answer.text
            assert len(gzip.compress(answer.content, 6)) <= LATER, path
