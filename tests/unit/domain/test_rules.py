"""Rules, books and the matrix: one verdict a rule, most restrictive wins, and no book loosens an invariant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from rilon.domain.book_file import LIMIT_BYTES, default_book, make_book, parse_book
from rilon.domain.conditions import Obligations
from rilon.domain.handling import Caveat, Handling, Pap, Readers, Tlp
from rilon.domain.invariants import INVARIANTS, invariant_findings
from rilon.domain.judge import Judge
from rilon.domain.legal import INSTRUMENTS, Agreement
from rilon.domain.matrix import Asked, judge, judge_cell
from rilon.domain.members import MEMBERS
from rilon.domain.rulebook import RuleBooks
from rilon.domain.rules import NO_RULE, Consent, Decision, Finding, Question, Rule, RuleBook, When
from rilon.domain.values import Effect, Purpose, Sensitivity, Urgency
from rilon.errors import ConflictError, InvalidError, MalformedError, NotFoundError, RefusedError
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
    at=NOW,
)
ALLOW_ALL = RuleBook("th", 1, (Rule("all", Effect.ALLOW, "Everything may go."),))


class There:
    """Everybody is there."""

    me = "th"
    exercise = False

    def standing(self, _member: str) -> str:
        return "verified"


def ask(**changes: Any) -> Question:
    return replace(ASKED, **changes)


def marks(**changes: Any) -> Question:
    return ask(handling=replace(BASE, **changes))


def rule(effect: Effect, id_: str = "r", **when: Any) -> Rule:
    return Rule(id_, effect, "Because.", When(**{k: frozenset(v) for k, v in when.items()}))


def effect(q: Question, *rules: Rule) -> Effect:
    return judge_cell(q, Judge(RuleBook("th", 1, rules))).decision.effect


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
    assert When(**{field: frozenset({value})}).matches(ASKED, Effect.ALLOW)
    assert When(**{field: frozenset({value, other})}).matches(ASKED, Effect.ALLOW)
    assert not When(**{field: frozenset({other})}).matches(ASKED, Effect.ALLOW)
    assert not When(**{field: frozenset({other})}, purposes=frozenset()).matches(ASKED, Effect.ALLOW)


def test_purposes_match_when_all_of_the_items_lie_within_the_rules() -> None:
    two = frozenset({Purpose.IDENTIFY_VICTIM, Purpose.PROSECUTION})
    when = When(purposes=two)
    assert when.matches(marks(purposes=frozenset({Purpose.PROSECUTION})), Effect.ALLOW)
    assert when.matches(marks(purposes=two), Effect.ALLOW)
    assert not when.matches(marks(purposes=two | {Purpose.BORDER_DECISION}), Effect.ALLOW)
    assert not when.matches(ASKED, Effect.ALLOW)  # not limited is wider than any rule
    for warns in (Effect.ASK, Effect.REFUSE):  # no further purpose takes an item out of a warning
        assert when.matches(ASKED, warns)
        assert when.matches(marks(purposes=two | {Purpose.BORDER_DECISION}), warns)
        assert not when.matches(marks(purposes=frozenset({Purpose.BORDER_DECISION})), warns)


def test_the_most_restrictive_wins_and_nothing_matched_asks() -> None:
    allow, asks, refuse = (rule(e, e) for e in Effect)
    assert effect(ASKED) is Effect.ASK
    assert effect(ASKED, rule(Effect.ALLOW, kinds={"MAR-DISTRESS"})) is Effect.ASK
    assert effect(ASKED, allow) is Effect.ALLOW
    assert effect(ASKED, allow, asks) is Effect.ASK
    assert effect(ASKED, refuse, allow, asks) is Effect.REFUSE
    (nothing,) = judge_cell(ASKED, Judge(RuleBook("th", 1, ()))).decision.findings
    assert (nothing.rule, nothing.asks) == (NO_RULE, "focal_point")


def test_every_rule_that_matches_is_told_not_only_the_one_that_bites() -> None:
    cell = judge_cell(ASKED, Judge(RuleBook("th", 1, (rule(Effect.ALLOW, "a"), rule(Effect.REFUSE, "b")))))
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
        (ask(sensitivity=Sensitivity.VICTIM, consent=Consent.GIVEN), "invariant.two-approvers", Effect.ASK),
        (ask(sensitivity=Sensitivity.CHILD, consent=Consent.GIVEN), "invariant.two-approvers", Effect.ASK),
        (ask(sensitivity=Sensitivity.VICTIM, consent=Consent.WITHHELD), "invariant.consent", Effect.REFUSE),
        (replace(marks(tlp=Tlp.AMBER), named=False), "invariant.tlp", Effect.REFUSE),
        (replace(marks(tlp=Tlp.RED), readers=Readers.AGENCY), "invariant.tlp", Effect.REFUSE),
        (ask(kind="EXERCISE", family="learning"), "invariant.exercise", Effect.REFUSE),
        (marks(purposes=frozenset({Purpose.TRAINING_EXERCISE})), "invariant.exercise", Effect.REFUSE),
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
    cell = judge_cell(question, Judge(ALLOW_ALL))
    (found,) = cell.decision.deciding
    assert (found.rule, found.effect) == (code, verdict)
    assert found.because.endswith(".")
    assert found.fix.endswith(".")


def test_where_no_invariant_speaks_none_is_told() -> None:
    assert invariant_findings(ASKED) == ()
    assert invariant_findings(marks(caveats=frozenset({Caveat.NO_ORIGIN_STATE}))) == ()  # a summary names nobody
    public = ask(recipient_type="observer_state", handling=replace(BASE, tlp=Tlp.CLEAR))
    assert invariant_findings(public) == ()
    assert len(INVARIANTS) == 9


def test_what_must_not_reach_a_state_reaches_none_of_its_entries() -> None:
    assert effect(replace(marks(no_origin_states=frozenset({"cn"})), recipient="hk"), *ALLOW_ALL.rules) is Effect.REFUSE


@pytest.mark.parametrize("verdict", list(Effect))
def test_a_life_at_risk_breaks_the_glass_unless_a_rule_allows_it_anyway(verdict: Effect) -> None:
    cell = judge_cell(ask(urgency=Urgency.LIFE_AT_RISK), Judge(RuleBook("th", 1, (rule(verdict),))))
    assert cell.break_glass is (verdict is not Effect.ALLOW)
    assert cell.verdict.break_glass is cell.break_glass


def test_no_life_at_risk_breaks_an_invariant_or_opens_more_than_a_summary() -> None:
    vital = ask(urgency=Urgency.LIFE_AT_RISK)
    empty = Judge(RuleBook("th", 1, ()))
    assert judge_cell(replace(vital, recipient_type="observer_state"), empty).break_glass
    assert not judge_cell(replace(vital, standing="unverified"), empty).break_glass
    assert not judge_cell(replace(vital, handling=replace(BASE, not_to=frozenset({"my"}))), empty).break_glass
    for sensitivity in set(Sensitivity) - {Sensitivity.SUMMARY}:
        assert not judge_cell(replace(vital, sensitivity=sensitivity), empty).break_glass


def test_the_matrix_has_a_cell_for_every_recipient_and_section() -> None:
    sections = (Sensitivity.SUMMARY, Sensitivity.VICTIM)
    asked = Asked(kind="TIP-RECRUIT", urgency=Urgency.NORMAL, handling=BASE)
    matrix = judge(asked, ("id", "my"), sections, There(), Judge(ALLOW_ALL), NOW)
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
            Effect.REFUSE,
            "No.",
            When(recipients=frozenset({"my"}), purposes=frozenset({Purpose.PROSECUTION})),
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
        make_book("th", 1, [Rule("th.7", Effect.ASK, "a\0")])
    assert "th.7" in caught.value.message
    assert (caught.value.field, caught.value.fix != "") == ("rule.0", True)


def test_every_member_can_stand_in_a_rule() -> None:
    made = make_book("th", 1, [Rule("all", Effect.ASK, "Ask.", When(recipients=frozenset(MEMBERS)))])
    assert made.rules[0].when.recipients == set(MEMBERS)


ONE, TWO = "1" * 32, "2" * 32


def test_a_book_follows_the_one_in_force_when_two_have_signed() -> None:
    books = RuleBooks.adopt(default_book("th"), "0" * 32, NOW)
    books.collect_events()
    for wrong in (
        replace(ALLOW_ALL, version=1),
        replace(ALLOW_ALL, version=3),
        replace(ALLOW_ALL, member="my", version=2),
    ):
        with pytest.raises(ConflictError) as caught:
            books.propose(wrong, ONE, NOW)
        assert (caught.value.code, books.pending_events) == ("rulebook.version", [])
    book = replace(ALLOW_ALL, version=2)
    books.propose(book, ONE, NOW)
    assert not books.sign(ONE, book.digest, b"1", NOW)
    with pytest.raises(RefusedError, match="second, different"):
        books.sign(ONE, book.digest, b"1", NOW)
    with pytest.raises(ConflictError, match="Another draft"):
        books.sign(TWO, b"\0" * 32, b"2", NOW)
    assert (books.book.version, books.judge.book) == (1, books.book)
    assert books.sign(TWO, book.digest, b"2", NOW)
    assert (books.book, books.judge.book, books.draft, books.signatures) == (book, book, None, {})
    assert msgspec.json.decode(books.pending_events[0].book, type=RuleBook) == book


def test_a_new_draft_or_a_new_book_voids_what_was_signed() -> None:
    books = RuleBooks.adopt(treaty_book(), "0" * 32, NOW)
    for sentence in ("One.", "Two."):
        books.propose(RuleBook("th", 2, (Rule("a", Effect.ASK, sentence),)), ONE, NOW)
        assert books.signatures == {}
        books.sign(ONE, books.waiting().digest, b"1", NOW)
    books.end_agreement("th-my", TWO, NOW)
    assert (books.draft, books.book.version) == (None, 2)
    with pytest.raises(NotFoundError):
        books.sign(TWO, treaty_book().digest, b"2", NOW)
    with pytest.raises(NotFoundError):
        books.drop(ONE, NOW)
    books.propose(replace(ALLOW_ALL, version=3), ONE, NOW)
    books.drop(TWO, NOW)
    assert books.draft is None


def treaty_book() -> RuleBook:
    treaty = Agreement("th-my", "A fictional memorandum", frozenset({"th", "my"}))
    allow = Rule("by-treaty", Effect.ALLOW, "The memorandum lets it go.", basis="th-my", article="art. 3")
    warn = Rule("by-treaty-no", Effect.REFUSE, "The memorandum forbids courts.", _courts(), "th-my")
    return RuleBook("th", 1, (allow, warn), (), (treaty,))


def _courts() -> When:
    return When(purposes=frozenset({Purpose.PROSECUTION}))


INVESTIGATE = frozenset({Purpose.INVESTIGATE_TRAFFICKING})


def test_what_allows_by_an_agreement_ends_with_it_and_what_warns_stays() -> None:
    books, q = RuleBooks.adopt(treaty_book(), "0" * 32, NOW), marks(purposes=INVESTIGATE)
    court = marks(purposes=frozenset({Purpose.PROSECUTION}))
    assert judge_cell(q, books.judge).decision.effect is Effect.ALLOW
    assert judge_cell(replace(q, recipient="id"), books.judge).decision.effect is Effect.ASK  # no party
    (found,) = judge_cell(q, books.judge).decision.findings
    assert (found.law, found.article) == ("A fictional memorandum", "art. 3")
    books.end_agreement("th-my", ONE, NOW)
    assert judge_cell(q, books.judge).decision.effect is Effect.ASK
    assert judge_cell(court, books.judge).decision.effect is Effect.REFUSE
    with pytest.raises(ConflictError, match="ended already"):
        books.end_agreement("th-my", ONE, NOW)
    with pytest.raises(NotFoundError):
        books.end_agreement("th-id", ONE, NOW)
    before = books.judge.findings(replace(q, at=NOW - timedelta(seconds=1)))
    assert [f.rule for f in before] == ["by-treaty"]


def test_the_end_of_an_agreement_takes_no_condition_away() -> None:
    """What it let go under conditions is asked under them from then on, though another rule lets it go without."""
    by_treaty, warn = treaty_book().rules
    obliging, other = replace(by_treaty, obliges=Obligations(days=30)), Rule("other", Effect.ALLOW, "They ask nicely.")
    book = replace(treaty_book(), rules=(obliging, other, warn))
    books, q = RuleBooks.adopt(book, "0" * 32, NOW), marks(purposes=INVESTIGATE)
    before = judge_cell(q, books.judge).decision
    books.end_agreement("th-my", ONE, NOW)
    for judged in (judge_cell(q, books.judge).decision, Decision(books.book.judge(q))):
        assert (before.effect, judged.effect) == (Effect.ALLOW, Effect.ASK)
        assert before.obliges == judged.obliges == Obligations(days=30)
        assert [f.rule for f in judged.findings] == ["by-treaty", "other"]
    elsewhere = judge_cell(replace(q, recipient="id"), books.judge).decision  # no party
    assert (elsewhere.effect, elsewhere.obliges) == (Effect.ALLOW, Obligations())
    for ended in (
        replace(obliging, valid_until=NOW.date() - timedelta(days=1)),
        replace(obliging, obliges=Obligations()),
    ):
        alone = RuleBooks.adopt(replace(book, rules=(ended, other, warn)), "0" * 32, NOW)
        alone.end_agreement("th-my", ONE, NOW)
        assert judge_cell(q, alone.judge).decision.effect is Effect.ALLOW  # two people signed that day, or no condition


@pytest.mark.parametrize(("day", "speaks"), [(2, False), (3, True), (5, True), (6, False)])
def test_rules_and_agreements_have_a_first_and_a_last_day(day: int, speaks: bool) -> None:
    first, last = date(2026, 5, 3), date(2026, 5, 5)
    at = ask(at=datetime(2026, 5, day, 23 if day < 3 else 0, tzinfo=UTC))
    dated = replace(treaty_book().rules[0], basis="", valid_from=first, valid_until=last)
    treaty = replace(treaty_book().agreements[0], valid_from=first, valid_until=last)
    for book in (
        RuleBook("th", 1, (dated,)),
        replace(treaty_book(), rules=treaty_book().rules[:1], agreements=(treaty,)),
    ):
        assert (judge_cell(at, Judge(book)).decision.effect is Effect.ALLOW) is speaks
