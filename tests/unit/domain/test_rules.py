"""Rules, books and the matrix: one verdict a rule, most restrictive wins, and no book loosens an invariant."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from rilon.domain.book_file import LIMIT_BYTES, RuleDraft, default_book, make_book, parse_book
from rilon.domain.handling import Caveat, Handling, Pap, Tlp
from rilon.domain.invariants import INVARIANTS, invariant_findings
from rilon.domain.legal import INSTRUMENTS
from rilon.domain.matrix import judge, judge_cell
from rilon.domain.members import MEMBERS
from rilon.domain.rulebook import RuleBooks
from rilon.domain.rules import NO_RULE, Decision, Finding, Question, Rule, RuleBook, When
from rilon.domain.values import Effect, Purpose, Sensitivity, Urgency
from rilon.errors import ConflictError, InvalidError, MalformedError
from tests.fakes.drafts import NOW

BASE = Handling(tlp=Tlp.GREEN, pap=Pap.GREEN, expires_at=NOW + timedelta(days=30))
ASKED = Question(
    origin="th",
    recipient="my",
    recipient_type="member_state",
    standing="verified",
    kind="TIP-RECRUIT",
    family="trafficking",
    urgency=Urgency.NORMAL,
    sensitivity=Sensitivity.SUMMARY,
    handling=BASE,
)
ALLOW_ALL = RuleBook("th", 1, (Rule("all", When(), Effect.ALLOW, "Everything may go."),))


def ask(**changes: Any) -> Question:
    return replace(ASKED, **changes)


def marks(**changes: Any) -> Question:
    return ask(handling=replace(BASE, **changes))


def rule(effect: Effect, id_: str = "r", **when: Any) -> Rule:
    return Rule(id_, When(**{k: frozenset(v) for k, v in when.items()}), effect, "Because.")


def effect(q: Question, *rules: Rule) -> Effect:
    return judge_cell(q, RuleBook("th", 1, rules)).decision.effect


@pytest.mark.parametrize(
    ("field", "value", "other"),
    [
        ("kinds", "TIP-RECRUIT", "MAR-DISTRESS"),
        ("families", "trafficking", "maritime"),
        ("sensitivities", Sensitivity.SUMMARY, Sensitivity.NOMINAL),
        ("urgencies", Urgency.NORMAL, Urgency.HIGH),
        ("tlp", "TLP:GREEN", "TLP:RED"),
        ("recipients", "my", "id"),
        ("recipient_types", "member_state", "observer_state"),
    ],
)
def test_a_rule_speaks_where_each_of_its_fields_does(field: str, value: Any, other: Any) -> None:
    assert When(**{field: frozenset({value})}).matches(ASKED)
    assert When(**{field: frozenset({value, other})}).matches(ASKED)
    assert not When(**{field: frozenset({other})}).matches(ASKED)
    assert not When(**{field: frozenset({other})}, purposes=frozenset()).matches(ASKED)


def test_purposes_match_when_all_of_the_items_lie_within_the_rules() -> None:
    two = frozenset({Purpose.IDENTIFY_VICTIM, Purpose.PROSECUTION})
    when = When(purposes=two)
    assert when.matches(marks(purposes=frozenset({Purpose.PROSECUTION})))
    assert when.matches(marks(purposes=two))
    assert not when.matches(marks(purposes=two | {Purpose.BORDER_DECISION}))
    assert not when.matches(ASKED)  # not limited is wider than any rule


def test_the_most_restrictive_wins_and_nothing_matched_asks() -> None:
    allow, asks, refuse = (rule(e, e) for e in Effect)
    assert effect(ASKED) is Effect.ASK
    assert effect(ASKED, rule(Effect.ALLOW, kinds={"MAR-DISTRESS"})) is Effect.ASK
    assert effect(ASKED, allow) is Effect.ALLOW
    assert effect(ASKED, allow, asks) is Effect.ASK
    assert effect(ASKED, refuse, allow, asks) is Effect.REFUSE
    (nothing,) = judge_cell(ASKED, RuleBook("th", 1, ())).decision.findings
    assert (nothing.rule, nothing.asks) == (NO_RULE, "focal_point")


def test_every_rule_that_matches_is_told_not_only_the_one_that_bites() -> None:
    cell = judge_cell(ASKED, RuleBook("th", 1, (rule(Effect.ALLOW, "a"), rule(Effect.REFUSE, "b"))))
    assert [f.rule for f in cell.decision.findings] == ["a", "b"]
    assert [f.rule for f in cell.decision.deciding] == ["b"]
    assert (cell.verdict.rules, cell.verdict.key) == (("b",), ("my", Sensitivity.SUMMARY))


def test_how_many_sign() -> None:
    two = Finding("i", Effect.ASK, "x", asks="two_approvers")
    one = Finding("r", Effect.ASK, "x", asks="focal_point")
    assert Decision((one,)).approvers == 1
    assert Decision((one, two)).approvers == 2
    assert Decision((Finding("r", Effect.ALLOW, "x"),)).approvers == 0
    assert Decision((two, Finding("r", Effect.REFUSE, "x"))).approvers == 0
    assert Decision(()).approvers == 1


@pytest.mark.parametrize(
    ("question", "code", "verdict"),
    [
        (ask(standing="unverified"), "invariant.verified-node", Effect.REFUSE),
        (ask(standing="revoked"), "invariant.verified-node", Effect.REFUSE),
        (ask(standing="absent"), "invariant.verified-node", Effect.REFUSE),
        (ask(standing="newer"), "invariant.verified-node", Effect.REFUSE),
        (marks(not_to=frozenset({"my"})), "invariant.not-to", Effect.REFUSE),
        (marks(rel_to=frozenset({"id"})), "invariant.rel-to", Effect.REFUSE),
        (marks(no_origin_states=frozenset({"my"})), "invariant.no-origin-state", Effect.REFUSE),
        (marks(classification=2), "invariant.classification", Effect.REFUSE),
        (ask(sensitivity=Sensitivity.VICTIM), "invariant.two-approvers", Effect.ASK),
        (ask(sensitivity=Sensitivity.CHILD), "invariant.two-approvers", Effect.ASK),
        (ask(recipient_type="observer_state"), "invariant.observer", Effect.ASK),
        (
            replace(marks(caveats=frozenset({Caveat.NO_ORIGIN_STATE})), sensitivity=Sensitivity.NOMINAL),
            "invariant.origin-unknown",
            Effect.ASK,
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_an_invariant_stands_against_a_book_that_allows_all(question: Question, code: str, verdict: Effect) -> None:
    cell = judge_cell(question, ALLOW_ALL)
    (found,) = cell.decision.deciding
    assert (found.rule, found.effect) == (code, verdict)
    assert found.because.endswith(".")
    assert found.fix.endswith(".")


def test_where_no_invariant_speaks_none_is_told() -> None:
    assert invariant_findings(ASKED) == ()
    assert invariant_findings(marks(caveats=frozenset({Caveat.NO_ORIGIN_STATE}))) == ()  # a summary names nobody
    public = ask(recipient_type="observer_state", handling=replace(BASE, tlp=Tlp.CLEAR))
    assert invariant_findings(public) == ()
    assert len(INVARIANTS) == 6


def test_what_must_not_reach_a_state_reaches_none_of_its_entries() -> None:
    assert effect(replace(marks(no_origin_states=frozenset({"cn"})), recipient="hk"), *ALLOW_ALL.rules) is Effect.REFUSE


@pytest.mark.parametrize("verdict", list(Effect))
def test_a_life_at_risk_breaks_the_glass_unless_a_rule_allows_it_anyway(verdict: Effect) -> None:
    cell = judge_cell(ask(urgency=Urgency.LIFE_AT_RISK), RuleBook("th", 1, (rule(verdict),)))
    assert cell.break_glass is (verdict is not Effect.ALLOW)
    assert cell.verdict.break_glass is cell.break_glass


def test_no_life_at_risk_breaks_an_invariant_or_opens_more_than_a_summary() -> None:
    vital = ask(urgency=Urgency.LIFE_AT_RISK)
    empty = RuleBook("th", 1, ())
    assert judge_cell(replace(vital, recipient_type="observer_state"), empty).break_glass
    assert not judge_cell(replace(vital, standing="unverified"), empty).break_glass
    assert not judge_cell(replace(vital, handling=replace(BASE, not_to=frozenset({"my"}))), empty).break_glass
    for sensitivity in set(Sensitivity) - {Sensitivity.SUMMARY}:
        assert not judge_cell(replace(vital, sensitivity=sensitivity), empty).break_glass


def test_the_matrix_has_a_cell_for_every_recipient_and_section() -> None:
    sections = (Sensitivity.SUMMARY, Sensitivity.VICTIM)
    matrix = judge(("id", "my"), sections, lambda r, s: ask(recipient=r, sensitivity=s), ALLOW_ALL)
    assert [c.verdict.key for c in matrix.cells] == [(r, s) for r in ("id", "my") for s in sections]
    assert [v.effect for v in matrix.verdicts] == [Effect.ALLOW, Effect.ASK] * 2


def test_the_default_book_is_sound() -> None:
    book = default_book("th")
    assert (book.member, book.version) == ("th", 1)
    assert {r.basis for r in book.rules} <= set(INSTRUMENTS)
    assert parse_default() == book
    assert book.digest != default_book("my").digest
    assert not any(r.effect is Effect.ALLOW and set(r.when.sensitivities) != {Sensitivity.SUMMARY} for r in book.rules)


def parse_default() -> RuleBook:
    path = Path(make_book.__code__.co_filename).parent / "data" / "default_rules.toml"
    return parse_book(path.read_bytes(), "th", 1)


RULE = b'[[rule]]\nid = "a"\neffect = "refuse"\nbecause = "No."\n'


def test_a_book_survives_its_file_and_its_log() -> None:
    text = RULE + b'basis = "rcf"\nwhen.recipients = ["my"]\nwhen.purposes = ["prosecution"]\n'
    book = parse_book(text, "th", 3)
    assert book.rules == (
        Rule(
            "a",
            When(recipients=frozenset({"my"}), purposes=frozenset({Purpose.PROSECUTION})),
            Effect.REFUSE,
            "No.",
            "rcf",
        ),
    )
    books = RuleBooks.adopt(book, "0" * 32, NOW)
    assert books.book == book


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "rules.file"),
        (b"rule = []", "rules.file"),
        (b"\xff", "rules.file"),
        (b"a = " + b"[" * 100_000, "rules.file"),
        (b" " * (LIMIT_BYTES + 1), "rules.file"),
        (RULE.replace(b"refuse", b"forbid"), "rules.file"),
        (RULE + b'unless = "x"', "rules.file"),
        (RULE + b'when.kind = ["TIP-RECRUIT"]', "rules.file"),
        (RULE + b'when.recipients = ["my\\n"]', "rules.file"),
        (RULE + b'basis = "a treaty, or so"', "rules.file"),
        (RULE.replace(b'"a"', b'"a b"'), "rules.file"),
        (RULE + RULE, "rules.repeated"),
        (RULE + b'when.kinds = ["TIP-RECRIUT"]', "rules.unknown"),
        (RULE + b'when.families = ["piracy"]', "rules.unknown"),
        (RULE + b'when.tlp = ["TLP:PINK"]', "rules.unknown"),
        (RULE + b'when.recipients = ["zz"]', "rules.unknown"),
        (RULE + b'when.recipient_types = ["state"]', "rules.unknown"),
        (RULE.replace(b"No.", b"No\\u202e."), "text.bidi"),
        (RULE.replace(b"No.", b"No\\nway."), "text.lines"),
        (RULE.replace(b"No.", b" "), "text.blank"),
        (RULE.replace(b"No.", b"x" * 401), "text.too-long"),
        (RULE + b'when.tlp = ["TLP:PINK"]\nwhen.kinds = ["A"]', "invalid.several"),
    ],
)
def test_a_bad_book_is_refused_by_name(text: bytes, code: str) -> None:
    with pytest.raises((InvalidError, MalformedError)) as caught:
        parse_book(text, "th", 1)
    assert caught.value.code == code


def test_a_bad_sentence_names_its_rule() -> None:
    with pytest.raises(MalformedError) as caught:
        make_book("th", 1, [RuleDraft("th.7", Effect.ASK, "a\0")])
    assert "th.7" in caught.value.message
    assert (caught.value.field, caught.value.fix != "") == ("because", True)


def test_every_member_can_stand_in_a_rule() -> None:
    made = make_book("th", 1, [RuleDraft("all", Effect.ASK, "Ask.", When(recipients=frozenset(MEMBERS)))])
    assert made.rules[0].when.recipients == set(MEMBERS)


def test_a_book_follows_the_one_in_force() -> None:
    books = RuleBooks.adopt(default_book("th"), "0" * 32, NOW)
    books.collect_events()
    for wrong in (
        replace(ALLOW_ALL, version=1),
        replace(ALLOW_ALL, version=3),
        replace(ALLOW_ALL, member="my", version=2),
    ):
        with pytest.raises(ConflictError) as caught:
            books.publish(wrong, "0" * 32, NOW)
        assert (caught.value.code, books.pending_events) == ("rulebook.version", [])
    books.publish(replace(ALLOW_ALL, version=2), "0" * 32, NOW)
    assert books.book.version == 2
    assert msgspec.json.decode(books.pending_events[0].book, type=RuleBook) == books.book
