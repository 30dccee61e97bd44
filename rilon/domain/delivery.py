"""Delivery: what is known of one line to one recipient, from signed receipts and answers, never from a broker's word.

    sent → stored → opened → acknowledged → acted → closed → destroyed
       ↘ refused, withheld

A later fact never makes an earlier one untrue, and facts may overtake each other on the way: so a delivery only ever
moves right, and the order in which facts come makes no difference to what it is in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from msgspec.structs import replace

from rilon.domain.clocks import Running
from rilon.domain.values import Code, Digest, MemberId, Sensitivity, Value


class State(StrEnum):
    """How far a delivery has come.

    ``refused``: the recipient's node found it unsound and shows it nowhere. ``withheld``: the line arrived when what it
    was about was over, so nothing came with it.
    """

    SENT = "sent"
    STORED = "stored"
    REFUSED = "refused"
    WITHHELD = "withheld"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    ACTED = "acted"
    CLOSED = "closed"
    DESTROYED = "destroyed"


_RANK = {state: rank for rank, state in enumerate(State)}

NEXT: Mapping[State, frozenset[State]] = MappingProxyType(
    {state: frozenset(s for s in State if _RANK[s] > _RANK[state]) for state in State}
)
"""The legal transitions. A recipient that refused and then says "opened" is believed: the graver fact counts."""


class Recalled(StrEnum):
    """How far a recall has come at a holder. Everything but ``destroyed`` is shown as open, ``overdue`` as an alarm."""

    DUE = "due"
    OVERDUE = "overdue"
    CLOSED = "closed"
    DESTROYED = "destroyed"


CLOSE_WITHIN: Final = timedelta(days=1)
"""A node that runs answers a recall within seconds: one that has not by then must be asked by other means."""
DESTROY_WITHIN: Final = timedelta(days=15)
"""A holder waits at most 14 days for a silent peer before its old KEM keys go (docs/spec/recalls.md)."""


class Delivery(Value, frozen=True):
    """One line about an item to one recipient, and all that is known of it.

    Attributes:
        kind: ``release``, ``superseded``, ``withdrawal``, ``closure``, ``recall`` or ``recall.<sensitivity>``.
        manifest: the version it is about. sensitivities: the sections a release granted.
        state: see above. code: why it was refused or withheld, or "".
        sent_at … acted_at: when we learned of it first; None: not yet.
        clocks: what the recipient still owes, by when, and who here has been told that it is late.
        closed_at, destroyed_at: when its keys had left the recipient's database, and when nothing kept could open it
            any more; by the recipient's own clock and signature.
        arrived_at: when we learned that the attachments, which come after their line, are whole over there.
        openings: how often each section was opened over there, and for what, as the recipient reports; never by whom.
        opened_before: the same in all, as counted in the receipt that its keys are gone.
        recall: how far a recall has come by now; "" for all that is none.
    """

    recipient: MemberId
    kind: Code
    manifest: Digest
    sensitivities: tuple[Sensitivity, ...]
    sent_at: datetime
    state: State = State.SENT
    code: str = ""
    stored_at: datetime | None = None
    refused_at: datetime | None = None
    withheld_at: datetime | None = None
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acted_at: datetime | None = None
    arrived_at: datetime | None = None
    closed_at: datetime | None = None
    destroyed_at: datetime | None = None
    openings: tuple[tuple[Sensitivity, Code, int], ...] = ()
    clocks: tuple[Running, ...] = ()
    opened_before: tuple[tuple[Sensitivity, int], ...] = ()
    recall: Code = ""

    def reach(self, state: State, at: datetime) -> Self:
        """Learn that the delivery has come this far; one that has come further stays where it is."""
        name = f"{state}_at"
        known = getattr(self, name)
        first = at if known is None else min(known, at)
        return replace(self, state=state if state in NEXT[self.state] else self.state, **{name: first})

    def refuse(self, code: str, at: datetime) -> Self:
        """Learn that it brought the recipient nothing: its node refused it, or we withheld what was over by then."""
        state = State.WITHHELD if code.startswith("withheld.") else State.REFUSED
        return replace(self.reach(state, at), code=code)

    def as_of(self, now: datetime) -> Self:
        """Say of a recall how far it has come; *closed* too becomes overdue when *destroyed* stays away."""
        if not self.kind.startswith("recall"):
            return self
        if self.destroyed_at is not None:
            return replace(self, recall=Recalled.DESTROYED)
        limit, so_far = (CLOSE_WITHIN, Recalled.DUE) if self.closed_at is None else (DESTROY_WITHIN, Recalled.CLOSED)
        return replace(self, recall=Recalled.OVERDUE if now > self.sent_at + limit else so_far)

    def arrive(self, at: datetime) -> Self:
        """Learn that the attachments are whole over there; it says nothing about how far people have come."""
        return replace(self, arrived_at=at if self.arrived_at is None else min(at, self.arrived_at))

    def open_(self, sensitivity: Sensitivity, purpose: Code, at: datetime) -> Self:
        """Learn that somebody over there opened a section for a purpose, which may be newer than this node."""
        counts = {(s, p): n for s, p, n in self.openings}
        counts[sensitivity, purpose] = counts.get((sensitivity, purpose), 0) + 1
        ranks = list(Sensitivity)
        openings = tuple((s, p, counts[s, p]) for s, p in sorted(counts, key=lambda c: (ranks.index(c[0]), c[1])))
        return replace(self.reach(State.OPENED, at), openings=openings)
