"""The disclosure matrix: recipients x sections, a Decision in every cell.

It is the preview, the thing the focal point approves, and exactly what the node seals. There is no other path out:
grants are drafted from released cells (``rilon.app.release``) and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rilon.domain.invariants import invariant_findings
from rilon.domain.rules import Decision, Question, RuleBook
from rilon.domain.values import Code, Effect, MemberId, Sensitivity, Urgency, Value


class Verdict(Value, frozen=True):
    """A cell as the log keeps it: codes only; the sentences are found again in the rule book of that version.

    Attributes:
        rules: ids of the findings that carry the verdict.
        approvers: how many people must sign (0 when allowed).
        break_glass: released at once for life at risk; a focal point reviews afterwards.
    """

    recipient: MemberId
    sensitivity: Sensitivity
    effect: Effect
    rules: tuple[Code, ...]
    approvers: int = 0
    break_glass: bool = False

    @property
    def key(self) -> tuple[MemberId, Sensitivity]:
        """The cell's place in the matrix."""
        return self.recipient, self.sensitivity


class Cell(Value, frozen=True):
    """One recipient, one section, and why."""

    recipient: MemberId
    sensitivity: Sensitivity
    decision: Decision
    break_glass: bool = False

    @property
    def verdict(self) -> Verdict:
        """What the log keeps of this cell."""
        rules = tuple(f.rule for f in self.decision.deciding)
        d = self.decision
        return Verdict(self.recipient, self.sensitivity, d.effect, rules, d.approvers, self.break_glass)


class Matrix(Value, frozen=True):
    """All cells, judged by one version of the rule book."""

    cells: tuple[Cell, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The matrix as the log keeps it."""
        return tuple(c.verdict for c in self.cells)


def judge_cell(question: Question, book: RuleBook) -> Cell:
    """Judge one cell: invariants first, then every rule of the book; break-glass for life at risk.

    Break-glass is vital interest: within the invariants a ``life_at_risk`` summary goes at once (protocol.md, Release).
    """
    bound = invariant_findings(question)
    decision = Decision(bound + book.judge(question))
    vital = question.urgency is Urgency.LIFE_AT_RISK and question.sensitivity is Sensitivity.SUMMARY
    glass = vital and decision.effect is not Effect.ALLOW and all(f.effect is not Effect.REFUSE for f in bound)
    return Cell(question.recipient, question.sensitivity, decision, glass)


def judge(
    recipients: Iterable[MemberId],
    sections: Sequence[Sensitivity],
    ask: Callable[[MemberId, Sensitivity], Question],
    book: RuleBook,
) -> Matrix:
    """Judge every cell.

    Args:
        recipients: the audience, in the order it is shown.
        sections: the sensitivities the item has.
        ask: makes the question of a cell.
        book: the rule book in force.
    """
    return Matrix(tuple(judge_cell(ask(r, s), book) for r in recipients for s in sections))
