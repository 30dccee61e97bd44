from __future__ import annotations

import pytest

from rilon.domain.text import check_text
from rilon.errors import MalformedError

REFUSED = {
    "text.control": ["a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\ufeffb", "a\ufff9b", "a\rb"],
    "text.bidi": [f"a{chr(c)}b" for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))],
    "text.hidden": ["a\U000e0041b"],
    "text.surrogate": ["a\ud800b"],
    "text.private": ["a\ue000b", "a\ufdd0b", "a\uffffb", "a\U0001fffeb", "a\U00100000b"],
    "text.unassigned": ["a\u0378b"],
    "text.blank": ["", "  \n\t "],
    "text.too-long": ["x" * 41, "x" * 1_000_000, "\ufdfa" * 200],
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in REFUSED.items() for text in texts])
def test_what_deceives_or_does_not_fit_is_refused(code: str, text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        check_text(text, max_chars=40)
    assert caught.value.code == code
    assert caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "ทดสอบ ๑๒๓",
        "ဗမာစာ",
        "বাংলা",
        "فارسی می‌خواهم",  # zero-width non-joiner: spelling, not hiding
        "\u200fعربي\u200e",  # direction marks affect only their neighbours
        "葛\U000e0100",  # a variant of a character in a Japanese name
        "👩‍👧",
        "one\n\ttwo",
    ],
)
def test_the_scripts_of_the_region_pass_unchanged(text: str) -> None:
    assert check_text(text, max_chars=40) == text


def test_equal_words_become_equal_bytes() -> None:
    assert check_text(" e\u0301\r\nx ", max_chars=40) == "\u00e9\nx"


@pytest.mark.parametrize("text", ["a\nb", "a\tb"])
def test_a_line_is_one_line(text: str) -> None:
    with pytest.raises(MalformedError, match=r"text\.lines"):
        check_text(text, max_chars=40, lines=False)
    assert check_text("a\n", max_chars=40, lines=False) == "a"


def test_a_newer_nodes_characters_are_let_through_but_no_deceit() -> None:
    assert check_text("\u0378", max_chars=40, received=True) == "\u0378"
    with pytest.raises(MalformedError):
        check_text("\u202e", max_chars=40, received=True)


def test_the_limit_counts_the_normal_form() -> None:
    assert len(check_text("e\u0301" * 40, max_chars=40)) == 40
