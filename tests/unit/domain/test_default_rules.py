"""The default book, judged over every kind, section and recipient, as a lawyer reads it."""

from __future__ import annotations

from itertools import groupby
from textwrap import fill

from rilon.domain.book_file import default_book
from rilon.domain.judge import Judge
from rilon.domain.kinds import KINDS, Kind
from rilon.domain.legal import INSTRUMENTS
from rilon.domain.matrix import Cell, judge_cell
from rilon.domain.members import MEMBERS, Member, MemberType
from rilon.domain.rules import Question
from rilon.domain.values import Effect, Sensitivity
from tests.fakes.drafts import NOW
from tests.golden import golden

ORIGIN = "th"
CALLED = {
    MemberType.STATE: "Member States",
    MemberType.ORGANISATION: "Member Organisations",
    MemberType.BODY: "bodies of the Bali Process",
    MemberType.OBSERVER_STATE: "observer States",
    MemberType.OBSERVER_ORGANISATION: "observer organisations",
}
EXAMPLES = {t: next(m for m in MEMBERS.values() if m.type is t and m.id != ORIGIN) for t in MemberType}


def cell(kind: Kind, sensitivity: Sensitivity, recipient: Member) -> Cell:
    """The verdict under the marks that the kind has by default, to a verified node."""
    question = Question(
        origin=ORIGIN,
        recipient=recipient.id,
        recipient_type=recipient.type,
        standing="verified",
        kind=kind.code,
        family=kind.family,
        urgency=kind.urgency,
        sensitivity=sensitivity,
        handling=kind.handling(NOW),
        at=NOW,
        exercise=kind.exercise,
    )
    return judge_cell(question, Judge(default_book(ORIGIN)))


def sentence(found: Cell, who: Member) -> str:
    decision = found.decision
    signers = {0: "", 1: " (one signs)", 2: " (two people sign)"}[decision.approvers]
    glass = (
        " It goes at once all the same, because a life is at risk, and is reviewed afterwards."
        if found.break_glass
        else ""
    )
    reasons = [
        f.because.replace(who.id.upper(), "It") + (f" ({INSTRUMENTS[f.basis].name})" if f.basis else "")
        for f in decision.deciding
    ]
    return f"{decision.effect}{signers}. {' '.join(reasons)}{glass}"


def section(kind: Kind, sensitivity: Sensitivity) -> str:
    said = [(CALLED[t], sentence(cell(kind, sensitivity, who), who)) for t, who in EXAMPLES.items()]
    lines = []
    for verdict, whom in groupby(sorted(said, key=lambda s: [v for _, v in said].index(s[1])), key=lambda s: s[1]):
        text = f"{sensitivity}, to {', '.join(name for name, _ in whom)}: {verdict}"
        lines.append(fill(text, 118, initial_indent="  ", subsequent_indent="      "))
    return "\n".join(lines)


def chapter(kind: Kind) -> str:
    marks = f"{kind.tlp}, {kind.pap}, {', '.join(sorted(kind.caveats)) or 'no caveats'}; {kind.urgency}"
    sections = [section(kind, s) for s in Sensitivity if kind.section(s)]
    return f"{kind.code} {kind.name} ({marks})\n" + "\n".join(sections)


def test_golden_default_rules() -> None:
    golden.check("default_rules.txt", "\n\n".join(chapter(k) for k in KINDS.values()) + "\n")


def test_by_default_no_personal_data_leaves_unasked() -> None:
    for kind in KINDS.values():
        for sensitivity in set(Sensitivity) - {Sensitivity.SUMMARY}:
            for who in EXAMPLES.values():
                found = cell(kind, sensitivity, who)
                assert found.decision.effect is not Effect.ALLOW
                assert not found.break_glass
