"""“Why do I see this, and why not all of it?”: answered by what an officer sees, and never by what they do not.

Of what somebody does not see, the answer says what their role would open, and one sentence that is the same whether it
does not exist, was not granted, is for others or is over. So asking tells nothing that looking did not.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rilon.domain.alert import Alert
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import ENTITLEMENTS, Caller
from rilon.domain.rules import Change, Finding
from rilon.domain.share import Moment, no_reference, read_moment, split
from rilon.domain.values import Effect, Purpose, Role, Sensitivity, Value
from rilon.errors import NotFoundError, RefusedError

_NAME = "why.1"


class SectionSight(Value, frozen=True):
    """One sensitivity: whether this officer sees such a section of it, and why, or why perhaps not.

    Attributes:
        purposes: what it may be opened for; empty: any, or not seen.
    """

    sensitivity: Sensitivity
    seen: bool
    purposes: tuple[Purpose, ...]
    findings: tuple[Finding, ...]


class Sight(Value, frozen=True):
    """What one officer sees of one item at one moment, and why.

    Attributes:
        origin, item: as they were asked for; whether there is such an item only ``seen`` tells.
        sections: one for each sensitivity there can be. reference: gives this answer again.
    """

    origin: str
    item: UUID
    at: datetime
    position: int
    seen: bool
    sections: tuple[SectionSight, ...]
    reference: str


class Looker(Value, frozen=True):
    """A reference's question: who looks at what, and when."""

    caller: Caller
    origin: str
    item: UUID
    moment: Moment


def sight(looker: Looker, found: Alert | Holding | None) -> Sight:
    """What the looker sees.

    Args:
        found: the item as it stood at the moment; None: there was none.
    """
    caller, at = looker.caller, looker.moment.at
    if isinstance(found, Holding) and not found.seen_by(caller, at):
        found = None  # to look for each purpose would take time, and so tell that it is there
    sections = tuple(_section(caller, s, found, at) for s in Sensitivity)
    seen = any(s.seen for s in sections)
    return Sight(looker.origin, looker.item, at, looker.moment.position, seen, sections, write(looker))


def _section(caller: Caller, sensitivity: Sensitivity, found: Alert | Holding | None, at: datetime) -> SectionSight:
    why = _own(caller, sensitivity, found, at) if isinstance(found, Alert) else None
    if isinstance(found, Holding):
        why = _held(caller, sensitivity, found, at)
    if why is None:
        return SectionSight(sensitivity, False, (), (_not_seen(caller, sensitivity),))
    finding, purposes = why
    return SectionSight(sensitivity, True, purposes, (_entitled(caller, sensitivity), finding))


def _own(
    caller: Caller, sensitivity: Sensitivity, alert: Alert, at: datetime
) -> tuple[Finding, tuple[Purpose, ...]] | None:
    edition = alert.edition
    if not caller.may_read(sensitivity) or edition.section(sensitivity) is None or at >= edition.expires_at:
        return None
    if not caller.among(alert.readers):
        return None
    return Finding("sight.own", Effect.ALLOW, "It is an item of this Member's own."), ()


def _held(
    caller: Caller, sensitivity: Sensitivity, holding: Holding, at: datetime
) -> tuple[Finding, tuple[Purpose, ...]] | None:
    for purpose in Purpose:
        try:
            edition, _ = holding.find(caller, sensitivity, purpose, at)
        except (NotFoundError, RefusedError):  # refused: kept from the courts, and there for other purposes, or none
            continue
        return _granted(holding.origin, edition), tuple(sorted(edition.purposes or ()))
    return None


_BASIS = {
    "rule": "its sharing rules",
    "approval": "the people who approve there",
    "break-glass": "the exception for a life at risk",
}


def _granted(origin: str, edition: HeldEdition) -> Finding:
    member = MEMBERS.get(origin)
    name = member.name if member else origin.upper()
    by = _BASIS.get(edition.basis, edition.basis)
    whom = "everybody entitled here" if "entitled" in edition.readers else "you, your desk or your agency"
    because = f"{name} granted it, by {by}, to {whom}, until {edition.until:%Y-%m-%d %H:%M}Z."
    return Finding("sight.granted", Effect.ALLOW, because, obliges=edition.obliges or None)


def _entitled(caller: Caller, sensitivity: Sensitivity) -> Finding:
    roles = sorted(r for r in caller.roles if sensitivity in ENTITLEMENTS[r])
    as_roles = " or ".join(r.replace("_", " ") for r in roles)
    return Finding("sight.role", Effect.ALLOW, f"As {as_roles} you may open {sensitivity} sections.")


def _not_seen(caller: Caller, sensitivity: Sensitivity) -> Finding:
    """Depends on who looks, and on nothing else."""
    if not caller.may_read(sensitivity):
        because = f"Your role does not open {sensitivity} sections, whether there is one or not."
        fix = "Ask your focal point; a colleague in another role may see more."
        return Finding("sight.role", Effect.REFUSE, because, "", "focal_point", fix, changes=(Change.ASK,))
    because = f"There is no {sensitivity} section here for you: there may be none, it may be for others, or be over."
    fix = "Ask your focal point, or the Member it would come from."
    return Finding("sight.none", Effect.REFUSE, because, "", "focal_point", fix, changes=(Change.ASK,))


def write(looker: Looker) -> str:
    """The reference: one line, one form."""
    caller, moment = looker.caller, looker.moment
    pairs = {
        "at": f"{moment.position}@{moment.at.isoformat()}",
        "officer": caller.ref,
        "roles": ",".join(sorted(caller.roles)),
        "agency": caller.agency,
        "desk": caller.desk,
        "origin": looker.origin,
        "item": str(looker.item),
    }
    return " ".join([_NAME, *(f"{name}={value}" for name, value in pairs.items())])


def read(text: str) -> Looker:
    """A reference's question. Raises MalformedError ``reference.form``."""
    pairs = split(text, _NAME)
    try:
        roles = frozenset(map(Role, pairs["roles"].split(",")))
        caller = Caller(pairs["officer"], roles, pairs["agency"], pairs["desk"])
        looker = Looker(caller, pairs["origin"], UUID(pairs["item"]), read_moment(pairs["at"]))
    except (KeyError, ValueError):
        raise no_reference() from None
    if write(looker) != text:
        raise no_reference()
    return looker
