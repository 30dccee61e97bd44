"""What no rule book can loosen. Each invariant looks at one cell and finds nothing, or says ask or refuse and why."""

from __future__ import annotations

from collections.abc import Callable

from rilon.domain.handling import CLASSIFICATION_CEILING, Caveat, Tlp
from rilon.domain.rules import Finding, Question
from rilon.domain.values import VULNERABLE, Effect, Sensitivity

_STANDING = {
    "unverified": "its node is not verified yet",
    "revoked": "its node was revoked",
    "absent": "it runs no node",
}


def _refuse(rule: str, because: str, fix: str) -> Finding:
    return Finding(rule, Effect.REFUSE, because, fix=fix)


def _ask(rule: str, because: str, fix: str, asks: str = "focal_point") -> Finding:
    return Finding(rule, Effect.ASK, because, asks=asks, fix=fix)


def recipient_verified(q: Question) -> Finding | None:
    """An unverified node gets nothing: until two focal points compared its fingerprint by voice it could be anybody."""
    if q.standing == "verified":
        return None
    because = f"Nothing can go to {q.recipient.upper()}: {_STANDING.get(q.standing, 'it is unknown')}."
    return _refuse("invariant.verified-node", because, "Ask your focal point to verify the node, or choose others.")


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
    return _refuse(rule, because.format(who=q.recipient.upper()), fix)


def origin_known(q: Question) -> Finding | None:
    """Where somebody may need protection but no State of origin is named, people look before persons are shown."""
    guarded = Caveat.NO_ORIGIN_STATE in q.handling.caveats  # beside named States: somebody else's is not named
    if not guarded or q.sensitivity is Sensitivity.SUMMARY:
        return None
    because = "Somebody may need protection, but no State of origin is named, so your focal point looks first."
    return _ask("invariant.origin-unknown", because, "Name the State of origin.")


def below_ceiling(q: Question) -> Finding | None:
    """RILON carries nothing above the classification ceiling."""
    if q.handling.classification <= CLASSIFICATION_CEILING:
        return None
    return _refuse(
        "invariant.classification", "Its classification is above what RILON carries.", "Use your own channel."
    )


def two_for_the_vulnerable(q: Question) -> Finding | None:
    """Victims' and children's data leave only when two different people have signed."""
    if q.sensitivity not in VULNERABLE:
        return None
    who = "a child" if q.sensitivity is Sensitivity.CHILD else "a victim"
    because = f"This section is about {who}: two approvers must sign."
    return _ask("invariant.two-approvers", because, "Drop this section.", "two_approvers")


def observers_by_name(q: Question) -> Finding | None:
    """Observers receive nothing by default; what is public anyway (TLP:CLEAR summary) is left to the rule book."""
    public = q.sensitivity is Sensitivity.SUMMARY and q.handling.tlp is Tlp.CLEAR
    if not q.recipient_type.startswith("observer") or public:
        return None
    because = f"{q.recipient.upper()} is an observer: your focal point decides each time."
    return _ask("invariant.observer", because, "Send to Members only.")


INVARIANTS: tuple[Callable[[Question], Finding | None], ...] = (
    recipient_verified,
    not_barred,
    origin_known,
    below_ceiling,
    two_for_the_vulnerable,
    observers_by_name,
)


def invariant_findings(q: Question) -> tuple[Finding, ...]:
    """What the invariants find in a cell; empty when none speaks."""
    return tuple(f for rule in INVARIANTS if (f := rule(q)))
