"""Rule books, however they are written, against questions, however they are asked: what no book can do."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rilon.domain.book_file import format_book, make_book, parse_book
from rilon.domain.conditions import NOTHING, OBLIGING, Conditions, Obligations
from rilon.domain.handling import Caveat, Handling, Pap, Tlp
from rilon.domain.invariants import invariant_findings
from rilon.domain.judge import Judge
from rilon.domain.kinds import KINDS
from rilon.domain.matrix import NO_PURPOSE, Cell, judge_cell
from rilon.domain.members import MEMBERS, MemberType, same_state
from rilon.domain.rules import NO_RULE, STRICTNESS, Question, Rule, RuleBook, When
from rilon.domain.values import Effect, Purpose, Sensitivity, Urgency
from rilon.errors import MalformedError
from tests.fakes.drafts import NOW

quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOME = ["th", "id", "my", "cn", "hk", "iom", "rso", "fr", "icrc"]


def some(values: Any, most: int = 3) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(list(values)), max_size=most)


whens = st.builds(
    When,
    kinds=some(KINDS),
    families=some({k.family for k in KINDS.values()}),
    sensitivities=some(Sensitivity),
    urgencies=some(Urgency),
    tlp=some(Tlp),
    recipients=some(SOME),
    recipient_types=some(MemberType),
    purposes=some(Purpose),
)
obligations = st.builds(
    Obligations,
    purposes=st.none() | some(Purpose, 6).filter(bool),
    onward=st.sampled_from(["ask", "no"]),
    court=st.sampled_from(["ask", "no"]),
    days=st.sampled_from([0, 0, 1, 20, 90]),
    caveats=some(sorted(OBLIGING), 2),
)
drafts = st.lists(
    st.tuples(st.sampled_from(Effect), st.one_of(st.just(When()), whens), st.just(NOTHING) | obligations), max_size=6
).map(
    lambda rules: [
        Rule(f"r.{n}", effect, "Because.", when, obliges=obliges) for n, (effect, when, obliges) in enumerate(rules)
    ]
)
books = drafts.map(lambda rules: make_book("th", 1, rules))
handlings = st.builds(
    Handling,
    tlp=st.sampled_from(Tlp),
    pap=st.sampled_from(Pap),
    caveats=some([Caveat.ORCON, Caveat.NO_ORIGIN_STATE, Caveat.CHILD]),
    rel_to=st.none() | some(SOME).filter(bool),
    not_to=some(SOME, 2),
    no_origin_states=some(SOME, 1),
    purposes=st.none() | some(Purpose).filter(bool),
    expires_at=st.just(NOW + timedelta(days=30)),
    classification=st.sampled_from([0, 0, 0, 1, 2, 4]),
)
questions = st.builds(
    lambda recipient, kind, **facts: Question(
        origin="th",
        recipient=recipient,
        recipient_type=MEMBERS[recipient].type,
        kind=kind.code,
        family=kind.family,
        **facts,
    ),
    recipient=st.sampled_from(SOME[1:]),
    kind=st.sampled_from(list(KINDS.values())),
    standing=st.sampled_from(["verified"] * 6 + ["unverified", "revoked", "absent"]),
    urgency=st.sampled_from(Urgency),
    sensitivity=st.sampled_from(Sensitivity),
    handling=handlings,
    at=st.just(NOW),
)


def leaves(cell: Cell) -> bool:
    """Whether the cell goes without anybody signing."""
    return cell.break_glass or cell.decision.effect is Effect.ALLOW


def forbidden(q: Question) -> bool:
    """The hard bounds, told anew: nobody and no rule lets this cell go."""
    h = q.handling
    barred = q.recipient in h.not_to or (h.rel_to is not None and q.recipient not in h.rel_to)
    fled = any(same_state(q.recipient, state) for state in h.no_origin_states)
    exercise = q.kind == "EXERCISE" or Purpose.TRAINING_EXERCISE in (h.purposes or ())
    return exercise or q.standing != "verified" or barred or fled or h.classification > 1


@quick
@given(books, questions)
def test_no_book_lets_go_what_an_invariant_forbids(book: RuleBook, q: Question) -> None:
    cell = judge_cell(q, Judge(book))
    if forbidden(q):
        assert cell.decision.effect is Effect.REFUSE
        assert not leaves(cell)


@quick
@given(books, questions)
def test_no_book_lets_victims_go_with_fewer_than_two(book: RuleBook, q: Question) -> None:
    cell = judge_cell(q, Judge(book))
    if q.sensitivity in {Sensitivity.VICTIM, Sensitivity.CHILD}:
        assert not leaves(cell)
        assert cell.decision.effect is Effect.REFUSE or cell.decision.approvers == 2


@quick
@given(books, questions)
def test_no_book_lets_observers_have_more_than_what_is_public_unasked(book: RuleBook, q: Question) -> None:
    cell = judge_cell(q, Judge(book))
    public = q.sensitivity is Sensitivity.SUMMARY and q.handling.tlp is Tlp.CLEAR
    if q.recipient_type.startswith("observer") and not public:
        assert cell.decision.effect is not Effect.ALLOW


@quick
@given(books, questions)
def test_no_book_shows_persons_to_a_state_they_may_have_fled_unasked(book: RuleBook, q: Question) -> None:
    cell = judge_cell(q, Judge(book))
    if Caveat.NO_ORIGIN_STATE in q.handling.caveats and q.sensitivity is not Sensitivity.SUMMARY:
        assert not leaves(cell)


@quick
@given(books, questions)
def test_glass_breaks_for_summaries_of_lives_at_risk_only(book: RuleBook, q: Question) -> None:
    cell = judge_cell(q, Judge(book))
    if cell.break_glass:
        assert q.urgency is Urgency.LIFE_AT_RISK
        assert q.sensitivity is Sensitivity.SUMMARY
        assert not forbidden(q)
    elif q.urgency is Urgency.LIFE_AT_RISK and q.sensitivity is Sensitivity.SUMMARY and not forbidden(q):
        assert cell.decision.effect is Effect.ALLOW  # so it leaves anyway


@quick
@given(books, questions)
def test_the_most_restrictive_finding_wins_and_nothing_matched_asks(book: RuleBook, q: Question) -> None:
    decision = judge_cell(q, Judge(book)).decision
    assert decision.effect is max((f.effect for f in decision.findings), key=STRICTNESS.__getitem__)
    matched = [v.rule for v in book.voices if book.speaks(v, q)]
    told = [f.rule for f in decision.findings if f is not NO_PURPOSE]
    assert told == [f.rule for f in invariant_findings(q)] + ([r.id for r in matched] or [NO_RULE])
    if not matched:
        assert decision.effect is not Effect.ALLOW
    assert all(f.because.endswith(".") for f in decision.findings)


@quick
@given(books, questions, st.data())
def test_one_more_rule_never_loosens_what_another_decided(book: RuleBook, q: Question, data: st.DataObject) -> None:
    """Except that a rule which speaks where none did may allow what was asked for want of one."""
    before = judge_cell(q, Judge(book)).decision
    (more,) = data.draw(drafts.filter(bool))[:1]
    after = judge_cell(q, Judge(make_book("th", 2, [*book.rules, msgspec.structs.replace(more, id="more")]))).decision
    if any(f.rule == NO_RULE for f in before.findings):
        assert STRICTNESS[after.effect] >= max((STRICTNESS[f.effect] for f in invariant_findings(q)), default=0)
    else:
        assert STRICTNESS[after.effect] >= STRICTNESS[before.effect]


@quick
@given(books, questions, st.sampled_from(["ask", "no"]), st.sampled_from(["ask", "no", "yes"]))
def test_what_goes_goes_under_all_that_every_rule_obliges_to(
    book: RuleBook, q: Question, onward: str, court: str
) -> None:
    """The strictest of the author's conditions and those of all rules that spoke, each told anew here."""
    cell, marks = judge_cell(q, Judge(book)), q.handling
    spoke = [v.rule.obliges for v in book.voices if book.speaks(v, q)]
    limits = [set(found) for found in (marks.purposes, *(o.purposes for o in spoke)) if found is not None]
    left = set.intersection(*limits) if limits else set()
    if cell.decision.effect is Effect.REFUSE and not cell.break_glass:
        return
    if limits and not left:
        assert cell.break_glass, "what may be used for nothing goes to nobody"
        left = {Purpose.PREVENT_LOSS_OF_LIFE}
    expires = marks.expires_at
    assert expires is not None
    own = Conditions(tuple(sorted(marks.purposes or ())), onward, court, expires)
    in_court = any(o.court == "no" or Caveat.NO_JUDICIAL in o.caveats for o in spoke)
    found = own.under(cell.decision.obliges, NOW)
    assert found == Conditions(
        purposes=tuple(sorted(left)),
        onward="no" if any(o.onward == "no" for o in spoke) else onward,
        court="no" if in_court else court,
        until=min([expires, *(NOW + timedelta(days=o.days) for o in spoke if o.days)]),
        caveats=tuple(sorted({c for o in spoke for c in o.caveats})),
    )
    assert found.keep(cell.decision.obliges, NOW)
    assert all(found.under(o, NOW) == found for o in spoke if limits == [] or set.intersection(*limits))


@quick
@given(books, questions, st.data())
def test_one_more_rule_never_takes_a_condition_away(book: RuleBook, q: Question, data: st.DataObject) -> None:
    before = judge_cell(q, Judge(book)).decision.obliges
    (more,) = data.draw(drafts.filter(bool))[:1]
    after = judge_cell(q, Judge(make_book("th", 2, [*book.rules, msgspec.structs.replace(more, id="more")])))
    assert after.decision.obliges.within(before)


@quick
@given(books)
def test_a_book_reads_back_from_its_file(book: RuleBook) -> None:
    if book.rules:
        assert parse_book(format_book(book).encode(), "th", 1) == book


@quick
@given(books)
def test_a_book_reads_back_from_the_log_as_it_was_written(book: RuleBook) -> None:
    raw = msgspec.json.encode(book, order="deterministic")
    again = msgspec.json.decode(raw, type=RuleBook)
    assert (again, again.digest) == (book, book.digest)


@quick
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_what_is_no_book_is_refused_cleanly(raw: bytes) -> None:
    with suppress(MalformedError):
        parse_book(raw, "th", 1)
