"""What is wrong with a rule file is told while it is a draft, each with its line; a sound one survives its file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from rilon.domain.book_check import problems
from rilon.domain.book_file import format_book, parse_book, parse_written
from rilon.domain.invariants import invariant_findings
from rilon.domain.judge import Judge
from rilon.domain.matrix import Asked, judge, judge_cell
from rilon.domain.rules import Question, RuleBook
from rilon.domain.values import Effect, Sensitivity
from rilon.errors import MalformedError
from tests.fakes.drafts import NOW
from tests.property.test_rule_books import SOME, books, questions
from tests.unit.domain.test_rules import There

HEAD = """# a comment
[[agreement]]
id = "old"
name = "A fictional memorandum"
parties = ["my", "th"]
valid_until = 2020-01-01

[[agreement]]
id = "others"
name = "Another one"
parties = ["id", "my"]

[[rule]]
id = "a"
effect = "allow"
because = "Yes."
when.kinds = ["TIP-RECRUIT"]
"""


def rule(effect: str, more: str = "", of: str = "b") -> str:
    return f'\n[[rule]]\nid = "{of}"\neffect = "{effect}"\nbecause = "So."\n{more}\n'


WRONG = {
    "contradict": (rule("refuse", 'when.kinds = ["TIP-RECRUIT"]'), "rules.contradict", 13),
    "shadowed": (rule("ask"), "rules.shadowed", 13),
    "shadowed by more": (
        rule("refuse", 'when.kinds = ["TIP-RECRUIT", "DOC-FRAUD"]'),
        "rules.shadowed",
        13,
    ),
    "nobody may allow victims": (rule("allow", 'when.sensitivities = ["victim"]'), "rules.shadowed", 19),
    "an ended agreement": (rule("allow", 'basis = "old"'), "rules.agreement-ended", 19),
    "somebody else's agreement": (rule("allow", 'basis = "others"'), "rules.not-party", 19),
    "no party": (rule("allow", 'basis = "others"\nwhen.recipients = ["kh"]'), "rules.not-party", 19),
    "over": (rule("ask", 'valid_until = 2026-01-01\nwhen.tlp = ["TLP:RED"]'), "rules.dates", 19),
    "upside down": (rule("ask", "valid_from = 2027-01-01\nvalid_until = 2026-12-01"), "rules.dates", 19),
    "kinds of no family": (rule("ask", 'when.kinds = ["DOC-FRAUD"]\nwhen.families = ["maritime"]'), "rules.never", 19),
    "recipients of no type": (
        rule("ask", 'when.recipients = ["iom"]\nwhen.recipient_types = ["member_state"]'),
        "rules.never",
        19,
    ),
    "to itself": (rule("ask", 'when.recipients = ["th"]'), "rules.never", 19),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_line(name: str) -> None:
    more, code, line = WRONG[name]
    book, lines = parse_written((HEAD + more).encode(), "th", 1)
    found = problems(book, lines, NOW)
    assert (found[0].code, found[0].field) == (code, f"line {line}")
    assert found[0].fix


@pytest.mark.parametrize(
    "more",
    [
        rule("refuse", 'when.kinds = ["TIP-RECRUIT"]\nvalid_until = 2026-12-31'),  # it does not last
        rule("refuse", 'when.kinds = ["DOC-FRAUD"]'),
        rule("ask", 'when.recipients = ["my"]'),
        rule("allow"),  # as strict, not stricter
    ],
)
def test_what_is_right_is_not_scolded(more: str) -> None:
    book, lines = parse_written((HEAD + more).encode(), "th", 1)
    assert problems(book, lines, NOW) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + '\n[[rule]]\nid = "c"\neffect = "maybe"\nbecause = "No."', "line 19"),
        (HEAD + 'when.purposes = ["""\nfun"""]', "line 18"),
        (HEAD + '[[rule]]\nid = "a"\neffect = "ask"\nbecause = "Twice."', "line 18"),
        (HEAD + 'basis = "nothing"', "line 13"),
        (HEAD.replace('["id", "my"]', '["id", "zz"]'), "line 8"),
        (HEAD.replace("Yes.", "No\\u202e."), "line 13"),
        ('rule = [{id = "a", effect = "ask", because = "No."}]', ""),
    ],
)
def test_a_file_that_does_not_read_names_the_place(text: str, line: str) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        parse_book(text.encode(), "th", 1)
    assert getattr(caught.value, "field", None) == line, caught.value


def test_a_number_that_nobody_counts_to_is_refused() -> None:
    with pytest.raises(MalformedError, match="a number is too long") as refused:
        parse_book(b"[[rule]]\nid = " + b"9" * 5000, "th", 1)
    assert refused.value.code == "rules.file"


def test_a_rule_file_is_no_larger_than_any_honest_one() -> None:
    with pytest.raises(MalformedError, match="at most") as refused:
        parse_book(b"# a comment\n" * 60_000, "th", 1)
    assert (refused.value.code, refused.value.field) == ("rules.file", "line 43691")


@settings(max_examples=100, deadline=None)
@given(books.filter(lambda b: b.rules))
def test_a_book_survives_its_file(book: RuleBook) -> None:
    text = format_book(book)
    again = parse_book(text.encode(), "th", 1)
    assert (again, again.digest, format_book(again)) == (book, book.digest, text)


@settings(max_examples=300, deadline=None)
@given(books, questions)
def test_the_quick_way_finds_what_the_definition_finds(book: RuleBook, q: Question) -> None:
    assert Judge(book).findings(q) == book.judge(q)


@settings(max_examples=200, deadline=None)
@given(books, questions)
def test_a_shadowed_rule_never_carries_a_verdict(book: RuleBook, q: Question) -> None:
    _, lines = parse_written(HEAD.encode(), "th", 1)
    told = [p.field for p in problems(book, type(lines)(), NOW) if p.code in {"rules.shadowed", "rules.contradict"}]
    shadowed = {book.rules[int(field.partition(".")[2])].id for field in told}
    assert shadowed.isdisjoint(f.rule for f in judge_cell(q, Judge(book)).decision.deciding)


@settings(max_examples=100, deadline=None)
@given(books, questions)
def test_a_matrix_is_its_cells(book: RuleBook, q: Question) -> None:
    """Recipients that are judged together are judged as each would be alone."""
    network, by = There(), Judge(book)
    asked = Asked(kind=q.kind, urgency=q.urgency, handling=q.handling, readers=q.readers)
    to = tuple(SOME[1:])
    for cell in judge(asked, to, tuple(Sensitivity), network, by, NOW).cells:
        alone = judge_cell(asked.question(network, cell.recipient, cell.sensitivity, NOW), by)
        assert cell == alone
        bound = invariant_findings(asked.question(network, cell.recipient, cell.sensitivity, NOW))
        assert not any(f.effect is Effect.REFUSE for f in bound) or cell.decision.effect is Effect.REFUSE
