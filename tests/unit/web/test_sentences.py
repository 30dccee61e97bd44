"""What the rules say is said in the reader's language, with its facts; what a Member wrote itself stands as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rilon.domain.book_file import default_book
from rilon.domain.rules import NOTHING_MATCHED
from rilon.web import language
from rilon.web.language import ENGLISH, LANGUAGES
from rilon.web.sentences import said, translated
from tests.unit.web.test_language import messages

OTHERS = [code for code in LANGUAGES if code != ENGLISH]


@contextmanager
def spoken(code: str) -> Iterator[None]:
    token = language._spoken.set(LANGUAGES[code])
    yield
    language._spoken.reset(token)


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_of_the_rules_is_found_again_with_its_facts(code: str) -> None:
    of = {"sentences", "refusals"}
    wanted = [m.id for m in messages().template() if m.id and of & {place for place, _ in m.locations}]
    assert len(wanted) > 200
    with spoken(code):
        for message in wanted:
            told = message.replace("%(message)s", "Look again.")  # a fact that is a sentence itself
            found = translated(re.sub(r"%\(\w+\)s", "TLP:RED", told))
            assert found, message
            assert found.count("TLP:RED") == told.count("%("), message


def test_whatever_is_refused_shows_its_sentences_in_its_source() -> None:
    """A sentence that is put together elsewhere would reach no catalogue (``web/messages.py`` reads them)."""
    made = messages()
    found = {path: list(made.refusals(path)) for path in made.RAISERS}
    assert sum(len(told) for told in found.values()) > 400
    assert [(path.name, line) for path, told in found.items() for line, text in told if text is None] == []


@pytest.mark.parametrize("code", OTHERS)
def test_what_the_shipped_rules_find_is_said(code: str) -> None:
    found = [NOTHING_MATCHED, *(default_book("th").finding(rule) for rule in default_book("th").rules)]
    with spoken(code):
        assert all(translated(f.because) and (not f.fix or translated(f.fix)) for f in found)


def test_facts_are_said_in_words() -> None:
    with spoken("vi"):
        assert said("Nothing can go to MY: its node was revoked.") == "Không thể gửi gì đến MY: nút đó đã bị thu hồi."
        assert said("Without the section victim the answer is yes, if.") == (
            "Không có phần Nạn nhân thì câu trả lời là: Có, nếu."
        )
        assert said("Leave this section out, or ask your focal point.") == "bỏ phần này ra hoặc hỏi đầu mối của bạn"
        contradiction = "Line 3: Rule a contradicts rule b: one says allow, the other refuse, of the same."
        assert said(contradiction) == (
            "Dòng 3: Quy tắc a mâu thuẫn với quy tắc b: một bên nói Có, bên kia nói Không, về cùng một điều."
        )
        assert said("This alert is withdrawn already.") == "Cảnh báo này đã ở trạng thái: Đã rút."
        assert said("Choose one of land, maritime.") == "Chọn một trong: Đường bộ, Đường biển."
        assert "Cán bộ hoặc Cán bộ bảo vệ" in said("As officer or protection you may open child sections.")


@pytest.mark.parametrize(
    ("code", "text", "way"),
    [
        ("th", "The <Code> lets nothing go.", '<span lang="en" dir="auto">The &lt;Code&gt; lets nothing go.</span>'),
        ("en", "กฎหมายไม่อนุญาต", '<span lang="th" dir="auto">กฎหมายไม่อนุญาต</span>'),
        ("th", "Rule a says: let go.", '<span lang="en" dir="auto">Rule a says: let go.</span>'),
        ("th", "Luật không cho phép.", '<span lang="" dir="auto">Luật không cho phép.</span>'),
        ("en", "The <Code> lets nothing go.", "The &lt;Code&gt; lets nothing go."),
        ("ur", "", ""),
    ],
)
def test_what_a_member_wrote_stands_as_written_and_says_its_language(code: str, text: str, way: str) -> None:
    with spoken(code):
        assert said(text) == way
