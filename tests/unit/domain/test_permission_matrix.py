"""What the default book and the three fictional national ones say, whole: kinds x sections x recipients x purposes.

Written for a lawyer: first every rule in words with its law, then who gets what. What is equal stands together, so that
four hundred lines hold all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cache
from textwrap import fill
from typing import TypeVar

import pytest
from msgspec import structs

from rilon.domain.book_check import problems
from rilon.domain.book_file import NATIONAL, Lines, default_book, format_book, national_book, parse_book
from rilon.domain.conditions import in_words
from rilon.domain.judge import Judge
from rilon.domain.kinds import KINDS, Kind
from rilon.domain.matrix import Asked, Cell, judge
from rilon.domain.members import MEMBERS, MemberType
from rilon.domain.rules import Finding, RuleBook
from rilon.domain.values import Effect, Purpose, Sensitivity
from tests.fakes.drafts import NOW
from tests.golden import golden

ORIGIN = "th"
BOOKS = ("default", *NATIONAL)
NAMED = {
    MemberType.STATE: "Member States",
    MemberType.ORGANISATION: "Member Organisations",
    MemberType.BODY: "bodies of the Bali Process",
    MemberType.OBSERVER_STATE: "observer States",
    MemberType.OBSERVER_ORGANISATION: "observer organisations",
}
OTHERS = tuple(sorted(m for m in MEMBERS if m != ORIGIN))
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
USES = ("any", *(p for p in Purpose if p is not Purpose.TRAINING_EXERCISE))
"""Purposes that the real network knows; the invariant about exercises has tests of its own."""
Word = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A verdict, the rules that carry it, and under what it goes where rules oblige to something."""


class Network:
    """Every Member runs a verified node."""

    me = ORIGIN

    def __init__(self, *, exercise: bool) -> None:
        self.exercise = exercise

    def standing(self, _member: str) -> str:
        return "verified"


@cache
def book(name: str) -> RuleBook:
    return default_book(ORIGIN) if name == "default" else national_book(name, ORIGIN)


def verdict(cell: Cell) -> Word:
    decision = cell.decision
    words = {Effect.ALLOW: "yes", Effect.ASK: f"ask, {decision.approvers} sign", Effect.REFUSE: "NO"}[decision.effect]
    rules = tuple(dict.fromkeys(f.rule for f in decision.deciding))
    says = f"at once, reviewed after; else {words}" if cell.break_glass else words
    goes = cell.break_glass or decision.effect is not Effect.REFUSE
    return says, rules, tuple(in_words(decision.obliges).values()) if goes else ()


def chapter(kind: Kind, by: Judge) -> str:
    """All that the book says of one kind under its own marks."""
    sections = tuple(s for s in Sensitivity if kind.section(s))
    told: dict[tuple[Sensitivity, str], dict[str, Word]] = {}
    for purpose in USES:
        marks = kind.handling(NOW)
        if purpose != "any":
            marks = structs.replace(marks, purposes=frozenset({Purpose(purpose)}))
        asked = Asked(kind=kind.code, urgency=kind.urgency, handling=marks)
        for cell in judge(asked, OTHERS, sections, Network(exercise=kind.exercise), by, NOW).cells:
            told.setdefault((cell.sensitivity, cell.recipient), {})[purpose] = verdict(cell)
    return "\n".join(line for s in sections for line in lines(s, {r: told[s, r] for r in OTHERS}))


def lines(section: Sensitivity, told: dict[str, dict[str, Word]]) -> Iterator[str]:
    """One section: recipients that are told alike for every purpose together, then purposes likewise."""
    yield f"  {section}"
    for words, recipients in grouped(told, lambda r: tuple(told[r].items())):
        purposes = dict(words)
        for (says, rules, under), uses in grouped(purposes, purposes.__getitem__):
            text = f"{says:<12} to {whom(recipients)}{for_what(uses)}: {', '.join(rules)}"
            text += f". Under: {' '.join(under)}" if under else ""
            yield fill(text, 118, initial_indent="    ", subsequent_indent="        ", break_on_hyphens=False)


def grouped(things: Iterable[T], key: Callable[[T], K]) -> list[tuple[K, list[T]]]:
    found: dict[K, list[T]] = {}
    for thing in things:
        found.setdefault(key(thing), []).append(thing)
    return list(found.items())


def whom(recipients: Sequence[str]) -> str:
    words = []
    for kind, name in NAMED.items():
        every = [m for m in OTHERS if MEMBERS[m].type is kind]
        these = [m for m in every if m in recipients]
        missing = [m for m in every if m not in recipients]
        if not missing:
            words.append(name)
        elif these and len(missing) <= len(these):
            words.append(f"{name} but {' '.join(m.upper() for m in missing)}")
        elif these:
            words.append(" ".join(m.upper() for m in these))
    return "all" if len(words) == len(NAMED) and set(words) == set(NAMED.values()) else ", ".join(words)


def for_what(purposes: Sequence[str]) -> str:
    missing = [p for p in USES if p not in purposes]
    if not missing:
        return ""
    if len(missing) < len(purposes):
        return f", unless for {', '.join(missing)}"
    return f", for {', '.join(purposes)}"


def rules_in_words(name: str) -> Iterator[str]:
    found = book(name)
    for rule in found.rules:
        finding: Finding = found.finding(rule)
        law = ", ".join(filter(None, (finding.law, finding.article)))
        dates = "".join(f", {w} {d}" for w, d in (("from", rule.valid_from), ("until", rule.valid_until)) if d)
        obliges = "".join(f" {words}" for words in in_words(rule.obliges).values())
        text = f"{rule.id}: {rule.effect}{dates}. {rule.because}{obliges}{f' ({law})' if law else ''}"
        yield fill(text, 118, subsequent_indent="    ")


def text_of(name: str) -> str:
    by = Judge(book(name))
    head = f"What the {name} book says, to verified nodes, of every kind under its own marks, on {NOW:%Y-%m-%d}"
    intro = "“for any” is an item without stated purposes. Rules are explained first; invariant.* always holds."
    chapters = grouped(KINDS.values(), lambda kind: (kind.tlp, kind.urgency, chapter(kind, by)))
    told = [
        fill(f"{', '.join(k.code for k in kinds)} ({tlp}, {urgency})", 118) + "\n" + body
        for (tlp, urgency, body), kinds in chapters
    ]
    return "\n\n".join([head, fill(intro, 118), "\n".join(rules_in_words(name)), *told]) + "\n"


@pytest.mark.parametrize("name", BOOKS)
def test_golden_permission_matrix(name: str) -> None:
    golden.check(f"matrix_{name}.txt", text_of(name))


@pytest.mark.parametrize("name", BOOKS)
def test_a_shipped_book_is_sound(name: str) -> None:
    found = book(name)
    assert problems(found, Lines(), NOW) == []
    assert parse_book(format_book(found).encode(), ORIGIN, 1) == found
    assert all(found.finding(rule).law for rule in found.rules)


def test_by_default_no_personal_data_leaves_unasked() -> None:
    by, network = Judge(book("default")), Network(exercise=True)
    personal = tuple(s for s in Sensitivity if s is not Sensitivity.SUMMARY)
    for kind in KINDS.values():
        asked = Asked(kind=kind.code, urgency=kind.urgency, handling=kind.handling(NOW))
        for cell in judge(asked, OTHERS, personal, network, by, NOW).cells:
            assert cell.decision.effect is not Effect.ALLOW
            assert not cell.break_glass
