"""Whoever writes a form wrongly is told so in the language that they chose: sentences, facts and names of fields."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.web.test_language import OTHERS, words_of
from tests.unit.web.test_screens import ALERT
from tests.web import SAME, Browser, pages

WRONG: dict[str, Any] = {
    "f.title": "a\u202eb",
    "f.promise": "",
    "f.narrative": "x" * 10_001,
    "f.origin.country": "Atlantis",
    "f.observed_at": "2099-01-01",
    "f.recruiter_identifiers.0.value": "a\nb",
    "f.place.lat": "north",
    "f.place.country": "TH",
}
FORMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/new", ALERT | WRONG | {"once": "0123456789abcdef"}),
    ("/new/preview", ALERT | {"tlp": "TLP:RED"}),
    ("/new/preview", ALERT | {"tlp": "TLP:AMBER", "member": [], "everyone": "yes"}),
    ("/new/preview", ALERT | {"member": []}),
    ("/new/preview", ALERT | {"member": ["id"], "source": "Z"}),
)


async def _told(officer: Browser, code: str) -> list[str]:
    """What is said to be wrong with each form, and with a page that is not for an officer."""
    headers = {**SAME, "accept-language": code}
    answers = [(await officer.form(path, headers, **form)).text for path, form in FORMS]
    answers.append((await officer.get("/people", **headers)).text)
    shown = r'<div class="notice bad.*?</div>|<section class="card narrow.*?</p>|<ul class="small">.*?</ul>'
    # Of the first form there are two: what is wrong, and what its matrix says instead of an answer.
    return [each for answer in answers for each in re.findall(shown, answer, re.DOTALL)]


@pytest.mark.parametrize("code", OTHERS)
async def test_what_is_wrong_is_said_in_the_language_that_was_chosen(code: str) -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        english, told = await _told(officer, "en"), await _told(officer, code)
    assert len(english) == len(told) == len(FORMS) + 2
    known = {word.lower() for html in english for text in words_of(html) for word in re.findall("[A-Za-z]{4,}", text)}
    for html in told:
        assert "lang=" not in html, "marked as what no catalogue says"
        bare = " ".join(re.sub(r"TLP:[A-Z]+|U\+\w+|\w+_\w+|RILON", "", text) for text in words_of(html))
        assert not known & set(re.findall("[a-z]{4,}", bare.lower())) - {"status"}, html
