"""Conditions: what a recipient may do with what it was granted, until when; and what rules add to the author's word.

A rule that lets something go, or asks, may oblige: *only for this purpose, never in court, for thirty days*. Everything
that any rule obliges to holds for the cells it speaks about, beside what the author laid down: always the stricter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from rilon.domain.handling import MAX_LIFE, STATED, Caveat
from rilon.domain.values import Code, Instant, Purpose, Value

OBLIGING = (
    frozenset(Caveat) - STATED - {Caveat.NO_ORIGIN_STATE, Caveat.VICTIM_CONSENT, Caveat.CHILD, Caveat.LIFE_AT_RISK}
)
"""Caveats that bind whoever holds a section; the others say something of the item, which no rule can know."""

Word = Literal["ask", "no"]
"""What may be asked of an originator: ``ask``, or never."""


class Obligations(Value, frozen=True):
    """What a rule attaches to what it speaks about.

    Attributes:
        purposes: what it may be opened for; None: not limited; empty: for nothing, which several rules may come to.
        onward, court: ``no``: whoever gets it may not even ask to share it onward, or to use it in court.
        days: access ends so many days after the release was drafted; 0: with the item.
        caveats: of ``OBLIGING``: what binds its holder besides the item's own.
    """

    purposes: frozenset[Purpose] | None = None
    onward: Word = "ask"
    court: Word = "ask"
    days: Annotated[int, Meta(ge=0, le=MAX_LIFE.days)] = 0
    caveats: frozenset[Caveat] = frozenset()

    def __bool__(self) -> bool:
        """Whether it obliges to anything."""
        return self != NOTHING

    def spared(self, *, broken: bool) -> Obligations:
        """Where the glass is broken for a life at risk, and no purpose is left, it serves that life alone."""
        nothing = broken and self.purposes is not None and not self.purposes
        return replace(self, purposes=frozenset({Purpose.PREVENT_LOSS_OF_LIFE})) if nothing else self

    def within(self, other: Obligations) -> bool:
        """Whether it is at least as strict in everything."""
        return both(self, other) == self


NOTHING = Obligations()


def both(one: Obligations, other: Obligations) -> Obligations:
    """The stricter of each."""
    given = [purposes for purposes in (one.purposes, other.purposes) if purposes is not None]
    return Obligations(
        purposes=frozenset.intersection(*given) if given else None,
        onward=max(one.onward, other.onward),
        court=max(one.court, other.court),
        days=min(filter(None, (one.days, other.days)), default=0),
        caveats=one.caveats | other.caveats,
    )


def composed(obligations: Iterable[Obligations | None]) -> Obligations:
    """All of them together. No further one ever loosens what the others oblige to."""
    return reduce(both, (o for o in obligations if o is not None), NOTHING)


_CAVEATS = {
    Caveat.ORCON: "It goes no further without asking its originator (ORCON).",
    Caveat.THIRD_PARTY_RULE: "It goes to no third party without asking its originator (THIRD_PARTY_RULE).",
    Caveat.NO_JUDICIAL: "It is not used in court (NO_JUDICIAL).",
    Caveat.NO_ATTRIBUTION: "Its originator is not named as its source (NO_ATTRIBUTION).",
    Caveat.NO_CONTACT: "Nobody contacts the persons in it (NO_CONTACT).",
}


def in_words(obliges: Obligations) -> dict[str, str]:
    """What is obliged to, a sentence each, by a code."""
    found = {f"mark.{c}": words for c, words in _CAVEATS.items() if c in obliges.caveats}
    if obliges.purposes is not None:
        purposes = ", ".join(p.replace("_", " ") for p in sorted(obliges.purposes)) or "nothing"
        found["purposes"] = f"It is used only to: {purposes}."
    if obliges.onward == "no":
        found["onward"] = "Nobody who gets it may ask to share it onward."
    if obliges.court == "no":
        found["court"] = "It is never used in court."
    if obliges.days:
        found["days"] = f"Access to it ends after {obliges.days} days."
    return found


class Conditions(Value, frozen=True):
    """What holds for what was granted.

    Attributes:
        purposes: what it may be opened for; empty: not limited. until: after this instant access is over.
        onward, court: ``ask`` or ``no``; ``court`` may be ``yes``, where a holder asked for it.
        caveats: codes that rules added to the item's own.
    """

    purposes: tuple[Code, ...]
    onward: Code
    court: Code
    until: Instant
    caveats: tuple[Code, ...] = ()

    def under(self, obliges: Obligations, at: datetime) -> Conditions:
        """The author's conditions and what rules attach: the stricter of each.

        Where that leaves no purpose nobody may have it (``rilon.domain.matrix``), unless the glass is broken for a life
        at risk; then it serves that life alone.

        Args:
            at: when the release is drafted.
        """
        if not obliges:
            return self
        purposes = self.purposes
        if obliges.purposes is not None:
            left = obliges.purposes.intersection(purposes) if purposes else obliges.purposes
            purposes = tuple(sorted(left or {Purpose.PREVENT_LOSS_OF_LIFE}))
        return replace(
            self,
            purposes=purposes,
            onward="no" if obliges.onward == "no" else self.onward,
            court="no" if obliges.court == "no" or Caveat.NO_JUDICIAL in obliges.caveats else self.court,
            until=min(self.until, at + timedelta(days=obliges.days)) if obliges.days else self.until,
            caveats=tuple(sorted({*self.caveats, *obliges.caveats})),
        )

    def keep(self, obliges: Obligations, at: datetime) -> bool:
        """Whether they hold all that rules attach: adding it again changes nothing."""
        return self.under(obliges, at) == self


def no_purpose(purposes: frozenset[Purpose] | None, obliges: Obligations) -> bool:
    """Whether author and rules leave nothing that it may be used for; ``purposes``: the author's, None: any."""
    limited = obliges.purposes
    return limited is not None and not (limited if purposes is None else limited & purposes)
