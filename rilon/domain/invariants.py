"""What no rule book can loosen. Each invariant looks at one cell and finds nothing, or says ask or refuse and why."""

from __future__ import annotations

from collections.abc import Callable

from rilon.domain.handling import CLASSIFICATION_CEILING, REACH, READERS, Caveat, Reach, Tlp
from rilon.domain.rules import Change, Consent, Finding, Question
from rilon.domain.values import VULNERABLE, Effect, Purpose, Sensitivity, Urgency

EXERCISE = "EXERCISE"
"""The kind that exists in an exercise network only."""

_STANDING = {
    "unverified": "its node is not verified yet",
    "revoked": "its node was revoked",
    "absent": "it runs no node",
}


def _refuse(rule: str, because: str, fix: str, *changes: Change) -> Finding:
    return Finding(rule, Effect.REFUSE, because, fix=fix, changes=changes)


def _ask(rule: str, because: str, fix: str, *changes: Change, asks: str = "focal_point") -> Finding:
    return Finding(rule, Effect.ASK, because, asks=asks, fix=fix, changes=(*changes, Change.ASK))


def recipient_verified(q: Question) -> Finding | None:
    """An unverified node gets nothing: until two focal points compared its fingerprint by voice it could be anybody."""
    if q.standing == "verified":
        return None
    standing = _STANDING.get(q.standing, "it is unknown")
    because = f"Nothing can go to {q.recipient.upper()}: {standing}."
    fix = "Ask your focal point to verify the node, or choose others."
    return _refuse("invariant.verified-node", because, fix, Change.VERIFY_NODE, Change.NARROW_AUDIENCE)


_BARRED = {
    Caveat.NOT_TO: ("invariant.not-to", "You excluded {who} (NOT_TO).", "Take it off the NOT_TO list."),
    Caveat.REL_TO: ("invariant.rel-to", "{who} is not on the REL_TO list.", "Add it to REL_TO, or send to others."),
    Caveat.NO_ORIGIN_STATE: (
        "invariant.no-origin-state",
        "Somebody in it may need protection from {who} (NO_ORIGIN_STATE).",
        "No one can approve this; send to others.",
    ),
}


def not_barred(q: Question) -> Finding | None:
    """NOT_TO wins over every allow, REL_TO names all there are, and non-refoulement has no exception."""
    caveat = q.handling.bars(q.recipient)
    if caveat is None:
        return None
    rule, because, fix = _BARRED[caveat]
    marks = () if caveat is Caveat.NO_ORIGIN_STATE else (Change.CHANGE_MARKS,)
    return _refuse(rule, because.format(who=q.recipient.upper()), fix, Change.NARROW_AUDIENCE, *marks)


def origin_known(q: Question) -> Finding | None:
    """Where somebody may need protection but no State of origin is named, people look before persons are shown."""
    guarded = Caveat.NO_ORIGIN_STATE in q.handling.caveats  # beside named States: somebody else's is not named
    if not guarded or q.sensitivity is Sensitivity.SUMMARY:
        return None
    because = "Somebody may need protection, but no State of origin is named, so your focal point looks first."
    return _ask("invariant.origin-unknown", because, "Name the State of origin.", Change.CHANGE_MARKS)


def below_ceiling(q: Question) -> Finding | None:
    """RILON carries nothing above the classification ceiling."""
    if q.handling.classification <= CLASSIFICATION_CEILING:
        return None
    because = "Its classification is above what RILON carries."
    return _refuse("invariant.classification", because, "Use your own channel.", Change.OTHER_CHANNEL)


def within_tlp(q: Question) -> Finding | None:
    """TLP bounds who may have it: all above GREEN name Members, RED a desk or officers."""
    tlp = q.handling.tlp
    if not q.named and REACH[tlp] not in {Reach.NETWORK, Reach.PUBLIC}:
        because = f"{tlp} goes to named Members only, not to everyone."
        return _refuse("invariant.tlp", because, "Name the Members it is for.", Change.NARROW_AUDIENCE)
    if q.readers is not None and q.readers not in READERS[tlp]:
        because = f"{tlp} lets fewer people read it there than you say."
        readers = ", ".join(sorted(READERS[tlp]))
        fix = f"Say who may read it there: {readers}."
        return _refuse("invariant.tlp", because, fix, Change.NARROW_AUDIENCE)
    return None


def two_for_the_vulnerable(q: Question) -> Finding | None:
    """Victims' and children's data leave only when two different people have signed."""
    if q.sensitivity not in VULNERABLE:
        return None
    who = _whom(q)
    because, fix = f"This section is about {who}: two approvers must sign.", "Drop this section."
    return _ask("invariant.two-approvers", because, fix, Change.DROP_SECTION, asks="two_approvers")


def consent_or_vital_interest(q: Question) -> Finding | None:
    """Whoever said no is heard, unless a life is at risk; where nothing is recorded, the two who sign answer for it."""
    if q.sensitivity not in VULNERABLE or q.consent is Consent.GIVEN:
        return None
    who, fix = _whom(q), "Ask the person, or leave this section out."
    ways = Change.GET_CONSENT, Change.DROP_SECTION
    if q.consent is Consent.WITHHELD and q.urgency is not Urgency.LIFE_AT_RISK:
        because = f"It is about {who} who did not consent, and no life is at risk."
        return _refuse("invariant.consent", because, fix, *ways)
    because = f"No consent to this is recorded of {who}: sign only if it is vital for that person."
    return _ask("invariant.consent", because, fix, *ways, asks="two_approvers")


def observers_by_name(q: Question) -> Finding | None:
    """Observers receive nothing by default; what is public anyway (TLP:CLEAR summary) is left to the rule book."""
    public = q.sensitivity is Sensitivity.SUMMARY and q.handling.tlp is Tlp.CLEAR
    if not q.recipient_type.startswith("observer") or public:
        return None
    because = f"{q.recipient.upper()} is an observer: your focal point decides each time."
    return _ask("invariant.observer", because, "Send to Members only.", Change.NARROW_AUDIENCE)


def worlds_apart(q: Question) -> Finding | None:
    """Exercise and real never mix: neither the kind nor the purpose of an exercise passes in the real network."""
    if q.exercise or (q.kind != EXERCISE and Purpose.TRAINING_EXERCISE not in (q.handling.purposes or ())):
        return None
    fix = "Use the exercise network, which has keys of its own."
    return _refuse("invariant.exercise", "Exercises have a network of their own.", fix, Change.OTHER_CHANNEL)


def _whom(q: Question) -> str:
    return "a child" if q.sensitivity is Sensitivity.CHILD else "a victim"


SIGNATURES_ONLY = frozenset({"invariant.two-approvers", "invariant.consent"})
"""Invariants that only say who must sign: vital interest answers them, and two people review afterwards."""

INVARIANTS: tuple[Callable[[Question], Finding | None], ...] = (
    recipient_verified,
    not_barred,
    worlds_apart,
    below_ceiling,
    within_tlp,
    origin_known,
    two_for_the_vulnerable,
    consent_or_vital_interest,
    observers_by_name,
)


def invariant_findings(q: Question) -> tuple[Finding, ...]:
    """What the invariants find in a cell; empty when none speaks."""
    return tuple(f for rule in INVARIANTS if (f := rule(q)))
