"""The disclosure matrix: recipients x sections, a Decision in every cell.

It is the preview, the thing the focal point approves, and exactly what the node seals. There is no other path out:
grants are drafted from released cells (``rilon.app.release``) and from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import field, structs

from rilon.domain.conditions import NOTHING, Conditions, Obligations, no_purpose
from rilon.domain.handling import Handling, Readers
from rilon.domain.invariants import SIGNATURES_ONLY, invariant_findings
from rilon.domain.judge import Judge
from rilon.domain.kinds import kind
from rilon.domain.members import member
from rilon.domain.rules import Change, Consent, Decision, Finding, Question
from rilon.domain.values import VULNERABLE, Code, Effect, MemberId, Purpose, Sensitivity, Urgency, Value


class Verdict(Value, frozen=True):
    """A cell as the log keeps it: codes only; the sentences are found again in the rule book of that version.

    Attributes:
        rules: ids of the findings that carry the verdict.
        approvers: how many people must sign (0 when allowed).
        break_glass: released at once for life at risk; a focal point reviews afterwards.
        obliges: what all rules that spoke attach to it; None: nothing.
    """

    recipient: MemberId
    sensitivity: Sensitivity
    effect: Effect
    rules: tuple[Code, ...]
    approvers: int = 0
    break_glass: bool = False
    obliges: Obligations | None = None

    @property
    def key(self) -> tuple[MemberId, Sensitivity]:
        """The cell's place in the matrix."""
        return self.recipient, self.sensitivity

    def no_stricter(self, before: Verdict) -> bool:
        """Whether what was signed on an earlier verdict may still go."""
        obliged = (before.obliges or NOTHING).within(self.obliges or NOTHING)
        return self.effect is not Effect.REFUSE and self.approvers <= before.approvers and obliged


class Cell(Value, frozen=True):
    """One recipient, one section, and why.

    Attributes:
        conditions: under which it would go, where somebody looks at it; None: nobody asked, or it cannot go.
    """

    recipient: MemberId
    sensitivity: Sensitivity
    decision: Decision
    break_glass: bool = False
    conditions: Conditions | None = None

    @property
    def verdict(self) -> Verdict:
        """What the log keeps of this cell."""
        rules = tuple(f.rule for f in self.decision.deciding)
        d = self.decision
        key = self.recipient, self.sensitivity
        return Verdict(*key, d.effect, rules, d.approvers, self.break_glass, d.obliges or None)

    def under(self, own: Conditions, at: datetime) -> Cell:
        """With the conditions that it would go under, if it may go at all.

        Args:
            own: the author's. at: when its release is drafted.
        """
        goes = self.break_glass or self.decision.effect is not Effect.REFUSE
        return structs.replace(self, conditions=own.under(self.decision.obliges, at)) if goes else self

    def barred(self, by: Finding) -> Cell:
        """Refused, whatever the rules say of the cell itself."""
        return structs.replace(self, decision=Decision((*self.decision.findings, by)), break_glass=False)


class Matrix(Value, frozen=True):
    """All cells, judged by one version of the rule book."""

    cells: tuple[Cell, ...]

    def under(self, own: Conditions, at: datetime) -> Matrix:
        """With the conditions of every cell, for who looks at it."""
        return Matrix(tuple(c.under(own, at) for c in self.cells))

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The matrix as the log keeps it."""
        return tuple(c.verdict for c in self.cells)


class Network(Protocol):
    """What the rules ask of the directory; a simulation asks what it said then."""

    @property
    def me(self) -> str:
        """This Member."""
        ...

    @property
    def exercise(self) -> bool:
        """Whether this is the exercise network."""
        ...

    def standing(self, member: str) -> str:
        """``verified``, ``unverified``, ``revoked`` or ``absent``."""
        ...


class Agreed(Value, frozen=True):
    """What somebody said to the sharing of a section about them.

    Attributes:
        purposes, recipients: for what and with whom; empty: not limited.
    """

    given: bool
    purposes: frozenset[Purpose] = frozenset()
    recipients: frozenset[MemberId] = frozenset()

    def to(self, recipient: str, purposes: frozenset[Purpose] | None) -> Consent:
        """Whether it covers a recipient and what the item may be used for; None: for anything."""
        if not self.given:
            return Consent.WITHHELD
        used = not self.purposes or (purposes is not None and purposes <= self.purposes)
        whom = not self.recipients or recipient in self.recipients
        return Consent.GIVEN if used and whom else Consent.NOT_RECORDED


class Asked(Value, frozen=True, kw_only=True):
    """What the rules look at of an item: codes and marks, nothing of the case.

    Attributes:
        readers: the widest form of readers; None: not said yet.
        named: recipients that were named; None: all were. The others are meant as some of everyone.
        circles: closed groups it is addressed to, each with those who get it as its members.
        consents: of the persons a section is about, by section.
        rescue: recipients of whom the author names a rescue desk.
    """

    kind: Code
    urgency: Urgency
    handling: Handling
    readers: Readers | None = None
    named: frozenset[MemberId] | None = None
    circles: dict[Code, frozenset[MemberId]] = field(default_factory=dict)
    consents: dict[Sensitivity, Agreed] = field(default_factory=dict)
    rescue: frozenset[MemberId] = frozenset()

    def question(self, network: Network, recipient: str, sensitivity: Sensitivity, at: datetime) -> Question:
        """One cell's question to the rules, with the directory's word on the recipient."""
        of_kind = kind(self.kind)
        return Question(
            origin=network.me,
            recipient=recipient,
            recipient_type=member(recipient).type,
            standing=network.standing(recipient),
            kind=self.kind,
            family=of_kind.family,
            urgency=self.urgency,
            sensitivity=sensitivity,
            handling=self.handling,
            at=at,
            subjects=of_kind.subjects,
            circles=frozenset(c for c, members in self.circles.items() if recipient in members),
            consent=self._consent(recipient, sensitivity),
            readers=self.readers,
            named=self.named is None or recipient in self.named,
            exercise=network.exercise,
            rescue=recipient in self.rescue,
        )

    def about(self, q: Question, sensitivity: Sensitivity) -> Question:
        """The question of the same recipient about another section."""
        return structs.replace(q, sensitivity=sensitivity, consent=self._consent(q.recipient, sensitivity))

    def _consent(self, recipient: str, sensitivity: Sensitivity) -> Consent:
        agreed = self.consents.get(sensitivity)
        return agreed.to(recipient, self.handling.purposes) if agreed else Consent.NOT_RECORDED


NO_PURPOSE = Finding(
    "conditions.no-purpose",
    Effect.REFUSE,
    "The rules that speak here leave nothing that it could be used for.",
    fix="Limit it to other purposes, or leave this section out.",
    changes=(Change.STATE_PURPOSE, Change.DROP_SECTION),
)
"""What is found where rules oblige to purposes that exclude each other, or the author's."""

NO_ONWARD = Finding(
    "conditions.onward",
    Effect.REFUSE,
    "The rules oblige who asks here not to ask to share it onward.",
    fix="Leave this section out.",
    changes=(Change.DROP_SECTION,),
)
"""What is found where a holder asks for a third Member though rules oblige it not to."""


def judge_cell(question: Question, judge: Judge) -> Cell:
    """Judge one cell: invariants first, then every rule of the book; break-glass for life at risk.

    Break-glass is vital interest: within the invariants a ``life_at_risk`` summary goes at once (protocol.md, Release).
    So does a victim's or child's section to a named rescue desk, when nothing stands against it but the signatures that
    there is no time for: no rule that refuses, no State somebody may have fled from (docs/adr/0007).
    """
    bound, q = invariant_findings(question), question
    return Cell(
        q.recipient,
        q.sensitivity,
        *_decide(bound, judge.findings(q), q.handling, q.urgency, q.sensitivity, rescue=q.rescue),
    )


def _decide(
    bound: tuple[Finding, ...],
    found: tuple[Finding, ...],
    handling: Handling,
    urgency: Urgency,
    sensitivity: Sensitivity,
    *,
    rescue: bool,
) -> tuple[Decision, bool]:
    """What invariants and rules come to, and whether the glass is broken."""
    decision = Decision(bound + found)
    if no_purpose(handling.purposes, decision.obliges):
        decision = Decision(bound + found + (NO_PURPOSE,))
    if urgency is not Urgency.LIFE_AT_RISK or decision.effect is Effect.ALLOW:
        return decision, False
    if sensitivity is Sensitivity.SUMMARY:
        return decision, all(f.effect is not Effect.REFUSE for f in bound)
    signatures_only = decision.effect is Effect.ASK and {f.rule for f in bound} <= SIGNATURES_ONLY
    return decision, rescue and sensitivity in VULNERABLE and signatures_only


def judge(
    asked: Asked,
    recipients: Sequence[MemberId],
    sections: Sequence[Sensitivity],
    network: Network,
    by: Judge,
    at: datetime,
) -> Matrix:
    """Judge every cell; recipients between whom the invariants see no difference are put before them once.

    Args:
        recipients: the audience, in the order it is shown.
        sections: the sensitivities the item has.
        by: of the rule book in force.
    """
    if not (recipients and sections):
        return Matrix(())
    first = asked.question(network, recipients[0], sections[0], at)
    item, masks = by.item(first), [by.section(s) for s in sections]
    bounds: dict[object, list[tuple[Finding, ...]]] = {}
    decided: dict[object, list[tuple[Decision, bool]]] = {}
    cells: list[Cell] = []
    for recipient in recipients:
        q = _of(first, asked, network, recipient)
        alike, standing = _seen_by_invariants(q, asked), item & by.recipient(q)
        if (bound := bounds.get(alike)) is None:
            told = [invariant_findings(asked.about(q, s)) for s in sections]
            bound = bounds[alike] = told
        if (row := decided.get((standing, alike))) is None:
            parts = zip(bound, masks, sections, strict=True)
            row = decided[standing, alike] = [
                _decide(b, by.told(standing & m), asked.handling, asked.urgency, s, rescue=q.rescue)
                for b, m, s in parts
            ]
        cells += [Cell(recipient, s, *found) for s, found in zip(sections, row, strict=True)]
    return Matrix(tuple(cells))


def _of(q: Question, asked: Asked, network: Network, recipient: str) -> Question:
    """The question of another recipient, as far as the rules look at recipients."""
    return asked.question(network, recipient, q.sensitivity, q.at) if recipient != q.recipient else q


def _seen_by_invariants(q: Question, asked: Asked) -> object:
    """What invariants tell recipients apart by; the recipient itself where they say its name."""
    named = q.standing != "verified" or q.recipient_type.startswith("observer") or q.handling.bars(q.recipient)
    heard = tuple(a.to(q.recipient, q.handling.purposes) for a in asked.consents.values())
    return q.recipient if named else (q.named, q.rescue, heard)
