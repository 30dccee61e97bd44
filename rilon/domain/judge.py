"""A rule book made quick: the same findings as ``RuleBook.judge``, for whole matrices of 44 recipients at once.

Every condition becomes a bit set: which rules a kind, a recipient, a purpose leaves standing. A cell is the
intersection of a dozen integers, whatever the number of rules; a property test holds it to the definition.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from rilon.domain.rules import MATCHES, NOTHING_MATCHED, Finding, Question, Rule, RuleBook

Bits = int
"""A set of rules by their place in the book."""

_MOST_SETS = 4096
"""So many sets of purposes, caveats and the like are remembered."""


class _One:
    """Which rules one of a field's values leaves standing."""

    def __init__(self, rules: tuple[Rule, ...], field: str) -> None:
        self._free = bits(not getattr(r.when, field) for r in rules)
        named = {value for r in rules for value in getattr(r.when, field)}
        self._by = {v: self._free | bits(v in getattr(r.when, field) for r in rules) for v in named}

    def __call__(self, value: str) -> Bits:
        return self._by.get(value, self._free)


class _Some:
    """Which rules a set of values leaves standing; rules that allow and rules that warn look at it differently."""

    def __init__(
        self, rules: tuple[Rule, ...], matches: Callable[[Rule, Question], bool], value: Callable[[Question], object]
    ) -> None:
        self._rules, self._matches, self._value = rules, matches, value
        self._seen: dict[object, Bits] = {}

    def __call__(self, q: Question) -> Bits:
        key = self._value(q)
        if (found := self._seen.get(key)) is None:
            if len(self._seen) >= _MOST_SETS:
                self._seen.clear()
            found = self._seen[key] = bits(self._matches(r, q) for r in self._rules)
        return found


def bits(flags: Iterable[bool]) -> Bits:
    """The set of the places where it is true."""
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def _places(of: Bits) -> Iterator[int]:
    """The places in a set: few rules speak about a cell, however many there are."""
    while of:
        lowest = of & -of
        yield lowest.bit_length() - 1
        of ^= lowest


class Judge:
    """Judges by one book.

    Attributes:
        book: the book.
    """

    def __init__(self, book: RuleBook) -> None:
        self.book, rules = book, tuple(voice.rule for voice in book.voices)
        self._findings = tuple(voice.finding for voice in book.voices)
        self._told: dict[Bits, tuple[Finding, ...]] = {0: (NOTHING_MATCHED,)}
        self._kinds, self._families = _One(rules, "kinds"), _One(rules, "families")
        self._urgencies, self._tlp = _One(rules, "urgencies"), _One(rules, "tlp")
        self._recipients, self._types = _One(rules, "recipients"), _One(rules, "recipient_types")
        self._sections = _One(rules, "sensitivities")
        self._sets = tuple(
            _Some(rules, _only(field), value)
            for field, value in (
                ("purposes", lambda q: q.handling.purposes),
                ("caveats", lambda q: q.handling.codes),
                ("subjects", lambda q: q.subjects),
            )
        )
        self._circles = _Some(rules, _only("circles"), lambda q: q.circles)
        self._parties = _Some(
            rules, lambda r, q: not book.parties(r) or q.recipient in book.parties(r), lambda q: q.recipient
        )
        spans = [voice.span for voice in book.voices]
        self._turns = sorted({instant for span in spans for instant in span})
        self._in_force = [bits(start <= turn < end for start, end in spans) for turn in self._turns]

    def item(self, q: Question) -> Bits:
        """The rules that a question's item and moment leave standing; the same for all its cells."""
        found = self._force(q.at) & self._kinds(q.kind) & self._families(q.family) & self._urgencies(q.urgency)
        found &= self._tlp(q.handling.tlp)
        for some in self._sets:
            found &= some(q)
        return found

    def recipient(self, q: Question) -> Bits:
        """The rules that a question's recipient leaves standing; the same for all its sections."""
        whom = self._recipients(q.recipient) & self._types(q.recipient_type)
        return whom & self._parties(q) & self._circles(q)

    def section(self, sensitivity: str) -> Bits:
        """The rules that a section leaves standing."""
        return self._sections(sensitivity)

    def told(self, standing: Bits) -> tuple[Finding, ...]:
        """The findings of the rules that are left, in the book's order; nothing matched = ask the focal point."""
        if (found := self._told.get(standing)) is None:
            if len(self._told) >= _MOST_SETS:
                self._told = {0: (NOTHING_MATCHED,)}
            found = self._told[standing] = tuple(self._findings[place] for place in _places(standing))
        return found

    def findings(self, q: Question) -> tuple[Finding, ...]:
        """What the book finds in one cell."""
        return self.told(self.item(q) & self.recipient(q) & self.section(q.sensitivity))

    def _force(self, at: datetime) -> Bits:
        place = bisect_right(self._turns, at) - 1
        return self._in_force[place] if place >= 0 else 0


def _only(field: str) -> Callable[[Rule, Question], bool]:
    """Whether a rule's one field matches."""

    def matches(rule: Rule, q: Question) -> bool:
        wanted = getattr(rule.when, field)
        return not wanted or MATCHES[field](wanted, q, rule.effect)

    return matches
