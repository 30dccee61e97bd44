"""Rules: whole disclosure matrices by a book of 200 rules, and the past judged again.

Baseline: the definition, ``RuleBook.judge``, which asks every rule about every cell. Every matrix is another item, so
nothing but the book is found ready; 44 recipients in the standing and of the types they are, five sections.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import structs

from rilon.app.simulation import Past, summed
from rilon.domain.handling import Handling, Tlp
from rilon.domain.invariants import invariant_findings
from rilon.domain.judge import Judge
from rilon.domain.kinds import KINDS
from rilon.domain.matrix import Asked, judge
from rilon.domain.members import MEMBERS
from rilon.domain.rules import Decision, Rule, RuleBook, When
from rilon.domain.values import Effect, Purpose, Sensitivity, Urgency

AT = datetime(2026, 5, 3, 10, tzinfo=UTC)
RULES, RECIPIENTS, PASTS, SECONDS = 200, 44, 100_000, 2.0
SECTIONS = tuple(Sensitivity)[:5]


class There:
    """A network in which one node is not verified yet."""

    me = "th"
    exercise = False

    def standing(self, member: str) -> str:
        """Of any Member."""
        return "unverified" if member == "kh" else "verified"


def book(chance: random.Random) -> RuleBook:
    """A book of a State with many agreements: rules about some kinds, recipients, sections, marks and purposes."""

    def some(values: list[str], most: int) -> frozenset[str]:
        return frozenset(chance.sample(values, chance.randint(0, most)))

    families = sorted({k.family for k in KINDS.values()})
    members = sorted(MEMBERS)
    rules = tuple(
        Rule(
            f"rule.{n}",
            chance.choice(list(Effect)),
            "Because.",
            When(
                families=some(families, 3),
                sensitivities=frozenset(map(Sensitivity, some(list(SECTIONS), 2))),
                recipients=some(members, 6),
                tlp=some(list(Tlp), 2),
                purposes=frozenset(map(Purpose, some(list(Purpose), 3))),
            ),
        )
        for n in range(RULES)
    )
    return RuleBook("th", 1, rules)


def items(chance: random.Random) -> Iterator[Asked]:
    """Items of every kind, with marks of their own."""
    kinds = list(KINDS.values())
    while True:
        kind = chance.choice(kinds)
        marks: Handling = kind.handling(AT)
        purposes = frozenset(chance.sample(list(Purpose), chance.randint(1, 3)))
        marks = structs.replace(marks, purposes=purposes, tlp=chance.choice(list(Tlp)))
        yield Asked(kind=kind.code, urgency=chance.choice(list(Urgency)), handling=marks)


def run(seconds: float = SECONDS, pasts: int = PASTS) -> list[dict[str, object]]:
    """The rows."""
    chance = random.Random(1)
    by, found, network = Judge(book(chance)), items(chance), There()
    recipients = tuple(sorted(m for m in MEMBERS if m != "th"))[:RECIPIENTS]
    slow = _defined(by.book, found, recipients)
    judged = 0
    end = (start := time.process_time()) + seconds
    while time.process_time() < end:
        judge(next(found), recipients, SECTIONS, network, by, AT)
        judged += 1
    fast = judged / (time.process_time() - start)
    rate = {
        "name": f"{RECIPIENTS} x {len(SECTIONS)}, {RULES} rules",
        "matrices/s": round(fast),
        "cells/s": round(fast * RECIPIENTS * len(SECTIONS)),
        "by_rule_s": round(slow, 1),
        "ratio": round(fast / slow),
    }
    return [rate, _simulated(by, found, network, pasts)]


def _defined(of: RuleBook, found: Iterator[Asked], recipients: tuple[str, ...]) -> float:
    """Every rule asked about every cell."""
    start, count, network = time.process_time(), 3, There()
    for _ in range(count):
        asked = next(found)
        for recipient in recipients:
            for section in SECTIONS:
                q = asked.question(network, recipient, section, AT)
                Decision(invariant_findings(q) + of.judge(q))
    return count / (time.process_time() - start)


def _simulated(by: Judge, found: Iterator[Asked], network: There, count: int) -> dict[str, object]:
    chance = random.Random(2)
    members = sorted(set(MEMBERS) - {"th"})
    pasts = []
    for n in range(count):
        asked, to = next(found), tuple(sorted(chance.sample(members, chance.randint(1, 5))))
        cells = judge(asked, to, SECTIONS[:2], network, by, AT)
        pasts.append(Past(UUID(int=n), AT - timedelta(minutes=n), asked, cells.verdicts))
    other = Judge(book(random.Random(3)))
    start = time.process_time()
    told = summed(pasts, 0, other, network, AT)
    spent = time.process_time() - start
    return {
        "name": f"{told.disclosures} disclosures",
        "seconds": round(spent, 1),
        "disclosures/s": round(count / spent),
        "would change": told.changed,
    }
