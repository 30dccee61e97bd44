"""What is wrong with a rule book that reads well: told while it is a draft, each with its line.

A rule that another one shadows for ever would say one thing and do another; a book that contradicts itself cannot be
explained. Nothing of that is published.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from operator import and_

from rilon.domain.book_file import Lines
from rilon.domain.conditions import no_purpose
from rilon.domain.judge import Bits, bits
from rilon.domain.kinds import KINDS, MAX_PROBLEMS
from rilon.domain.legal import Agreement
from rilon.domain.members import MEMBERS
from rilon.domain.rules import STRICTNESS, Rule, RuleBook, When
from rilon.domain.values import VULNERABLE, Effect
from rilon.errors import InvalidError

_FIELDS = When.__struct_fields__


def problems(book: RuleBook, lines: Lines, at: datetime) -> list[InvalidError]:
    """Everything that is wrong with a book, in the order of its rules; at most ``MAX_PROBLEMS``.

    Args:
        at: the moment it would come into force.

    Returns:
        ``rules.contradict``, ``rules.shadowed``, ``rules.agreement-ended``, ``rules.not-party``, ``rules.dates`` or
        ``rules.never``, each with its line.
    """
    cover = _Cover(book)
    found: list[InvalidError] = []
    for place, rule in enumerate(book.rules):
        told = [*_dated(book, rule, at), *_parties(book, rule), *_never(book, rule), *cover.over(place)]
        found += [lines.problem("rule", place, code, f"Rule {rule.id} {message}", fix) for code, message, fix in told]
    return found[:MAX_PROBLEMS]


_Told = Iterator[tuple[str, str, str]]


def _dated(book: RuleBook, rule: Rule, at: datetime) -> _Told:
    source = book.sources.get(rule.basis)
    if isinstance(source, Agreement) and source.span[1] <= at:
        yield "rules.agreement-ended", f"cites {source.id}, which has ended.", "Take the rule out, or cite another."
    if rule.valid_from and rule.valid_until and rule.valid_from > rule.valid_until:
        yield "rules.dates", "ends before it begins.", "Exchange the dates."
    elif rule.valid_until and rule.valid_until < at.date():
        yield "rules.dates", f"ended on {rule.valid_until}.", "Take it out, or let it go on."


def _parties(book: RuleBook, rule: Rule) -> _Told:
    parties = book.parties(rule)
    if not parties:
        return
    if book.member not in parties:
        message = f"allows by {rule.basis}, to which {book.member.upper()} is no party."
        yield "rules.not-party", message, "Cite what binds this Member."
    if strange := sorted(rule.when.recipients - parties):
        message = f"allows {strange[0].upper()} something by {rule.basis}, to which it is no party."
        yield "rules.not-party", message, "Take it out, or cite what it is a party to."


def _never(book: RuleBook, rule: Rule) -> _Told:
    when = rule.when
    if when.kinds and when.families and not any(KINDS[k].family in when.families for k in when.kinds):
        yield "rules.never", "names kinds that are of none of its families.", "Leave one of the two out."
    types = {MEMBERS[m].type for m in when.recipients}
    if when.recipients and when.recipient_types and types.isdisjoint(when.recipient_types):
        yield "rules.never", "names recipients that are of none of its types.", "Leave one of the two out."
    if when.recipients == {book.member}:
        yield "rules.never", "is about what goes to this Member itself.", "Name another recipient."
    if rule.effect is Effect.REFUSE and rule.obliges:
        yield "rules.never", "refuses, and obliges those who get nothing.", "Leave one of the two out."
    about = when.purposes if rule.effect is Effect.ALLOW else frozenset()
    if no_purpose(about or None, rule.obliges):
        yield "rules.never", "leaves nothing that it may be used for.", "Name a purpose that it is about."


class _Cover:
    """Which rules speak wherever another one does."""

    def __init__(self, book: RuleBook) -> None:
        self._book, rules = book, book.rules
        self._free = {f: bits(not getattr(r.when, f) for r in rules) for f in _FIELDS}
        self._by: dict[tuple[str, str], Bits] = {}
        for place, rule in enumerate(rules):
            for field in _FIELDS:
                for value in getattr(rule.when, field):
                    self._by[field, value] = self._by.get((field, value), 0) | 1 << place
        self._refusing = bits(r.effect is Effect.REFUSE for r in rules)
        self._stricter = {e: bits(STRICTNESS[r.effect] > STRICTNESS[e] for r in rules) for e in Effect}

    def over(self, place: int) -> _Told:
        """The rules that take all its effect from one."""
        rules = self._book.rules
        rule = rules[place]
        vulnerable = rule.when.sensitivities and rule.when.sensitivities <= VULNERABLE
        if rule.effect is Effect.ALLOW and vulnerable and not rule.obliges:
            message = "allows what two people must always sign: it can never have an effect."
            yield "rules.shadowed", message, "Take it out; no rule loosens that."
        above = self._covering(rule) & self._stricter[rule.effect]
        above &= (
            self._refusing if rule.obliges else -1
        )  # what is asked still goes under what an allowing rule obliges to
        over = next((n for n in range(len(rules)) if above >> n & 1 and self._lasts(rules[n], rule)), None)
        if over is None:
            return
        other = rules[over]
        mine, theirs = rule.effect, other.effect
        if other.when == rule.when and self._book.span(other) == self._book.span(rule):
            message = f"contradicts rule {other.id}: one says {mine}, the other {theirs}, of the same."
            yield "rules.contradict", message, "Keep the one that is meant."
        else:
            message = f"never has an effect: rule {other.id} says {theirs} wherever it says {mine}."
            yield "rules.shadowed", message, "Take it out, or narrow the other one."

    def _covering(self, rule: Rule) -> Bits:
        """The rules whose conditions hold wherever this one's do."""
        parties = self._book.parties(rule)
        recipients = rule.when.recipients & parties if rule.when.recipients and parties else parties
        found = -1
        for field in _FIELDS:
            values = (recipients if field == "recipients" and parties else None) or getattr(rule.when, field)
            named = reduce(and_, (self._by.get((field, v), 0) for v in values)) if values else 0
            found &= self._free[field] | named
        return found

    def _lasts(self, other: Rule, rule: Rule) -> bool:
        (start, end), (from_, until) = self._book.span(other), self._book.span(rule)
        return start <= from_ and until <= end
