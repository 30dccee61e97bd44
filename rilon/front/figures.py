"""What pictures say in numbers: how long things took, and how often longer than they may. Pure; pages and API agree.

A median is a value that occurred, the nearest rank of what is finished; what still waits is counted beside it, so that
no figure looks better for what has not come yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import Final, NamedTuple

from rilon.domain.clocks import ALLOWED, Due
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Code, Urgency, Value
from rilon.front.views import Views
from rilon.projections.times import Decided, Sending

MOST: Final = 20_000
"""Lines counted at most, the newest."""
DECISIONS: Final = frozenset({"released", "returned", "refused"})
"""What people decided; what lapsed or was corrected meanwhile nobody did."""
TENTHS: Final = 9
"""The high mark: so many tenths of what is finished were as quick."""


class Span(NamedTuple):
    """One thing that takes time.

    Attributes:
        began: when, in UTC. urgency, member: of what, and to whom ("": nobody).
        took_s: how long; None: it is not finished.
        waits: whether it still may be.
        late: whether it was later than its urgency allows; None: nobody can say yet, or nothing was owed.
    """

    began: datetime
    urgency: str
    member: str
    took_s: float | None
    waits: bool
    late: bool | None


class Took(Value, frozen=True):
    """How long some of them took.

    Attributes:
        of: which: a month (``2026-05``), an urgency, a Member, or "" for all.
        done, waiting: how many are finished, and how many are not yet.
        median_s, high_s: half of the finished, and nine tenths, took no longer, in seconds; None: none is finished.
        due, late: of how many it is known whether they were in time, and how many of these were not.
    """

    of: str
    done: int
    waiting: int
    median_s: int | None
    high_s: int | None
    due: int
    late: int

    @property
    def share(self) -> int | None:
        """Late ones in a hundred of the due."""
        return round(100 * self.late / self.due) if self.due else None


class Taken(Value, frozen=True):
    """The same spans, all of them and in parts: by the month in which they began, by urgency, by Member."""

    whole: Took
    months: tuple[Took, ...]
    urgencies: tuple[Took, ...]
    members: tuple[Took, ...]


class Times(Value, frozen=True):
    """How long this Member's items take.

    Attributes:
        deliveries: from post to each Member's board; late: not acknowledged in the time that the urgency allows.
        approvals: from asked to decided; late: not decided in the time that the urgency allows. None: not for you.
    """

    as_of: datetime
    since: datetime
    urgency: Code | None
    deliveries: Taken
    approvals: Taken | None


class Spans(NamedTuple):
    """What was counted, before it is asked about; ``approvals`` None: not for the caller."""

    as_of: datetime
    deliveries: Sequence[Span]
    approvals: Sequence[Span] | None


def months_back(now: datetime, months: int) -> datetime:
    """When the first of the last so many months began, this one included, in UTC."""
    first = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - months
    return datetime(first // 12, first % 12 + 1, 1, tzinfo=UTC)


async def spans(views: Views, caller: Caller, now: datetime, since: datetime) -> Spans:
    """Everything since an instant that the caller may know."""
    sent = [_way(s, now) for s in await views.sendings(caller, since, MOST)]
    if not (caller.may(Action.SEE_APPROVALS) or caller.may(Action.REPLAY)):
        return Spans(now, sent, None)
    return Spans(now, sent, [_decision(d, now) for d in await views.decisions(since, MOST)])


def times(found: Spans, since: datetime, until: datetime, urgency: Code | None = None) -> Times:
    """The figures of what began in a time, of one urgency or all."""

    def wanted(some: Iterable[Span]) -> list[Span]:
        return [s for s in some if since <= s.began < until and (urgency is None or s.urgency == urgency)]

    approvals = None if found.approvals is None else taken(wanted(found.approvals))
    return Times(found.as_of, since, urgency, taken(wanted(found.deliveries)), approvals)


def taken(found: Sequence[Span]) -> Taken:
    """Figures of some spans, whole and in parts; months oldest first, urgencies most urgent first, Members by code."""
    ranks = {str(u): n for n, u in enumerate(Urgency)}
    urgencies = _parts(found, lambda s: s.urgency)
    return Taken(
        took("", found),
        _parts(found, lambda s: _month(s.began.year, s.began.month)),
        tuple(sorted(urgencies, key=lambda t: ranks[t.of])),
        _parts(found, lambda s: s.member),
    )


def took(of: str, found: Sequence[Span]) -> Took:
    """Figures of some spans."""
    done = sorted(s.took_s for s in found if s.took_s is not None)
    due = [s.late for s in found if s.late is not None]
    waiting = sum(s.waits for s in found)
    return Took(of, len(done), waiting, _rank(done, 5), _rank(done, TENTHS), len(due), sum(due))


def _rank(values: Sequence[float], tenths: int) -> int | None:
    """The smallest value that so many tenths do not exceed: the nearest rank."""
    return round(values[ceil(len(values) * tenths / 10) - 1]) if values else None


def _parts(found: Sequence[Span], of: Callable[[Span], str]) -> tuple[Took, ...]:
    parts: dict[str, list[Span]] = {}
    for span in found:
        parts.setdefault(of(span), []).append(span)
    return tuple(took(name, parts[name]) for name in sorted(parts) if name)


@cache
def _month(year: int, month: int) -> str:
    """A month's name; formatting an instant anew for each of thousands takes most of the time of a page."""
    return f"{year}-{month:02}"


def _way(sending: Sending, now: datetime) -> Span:
    """From post to board; late is who did not acknowledge while it was owed."""
    stored, over = sending.stored_at, min(sending.over_at, now)
    took_s = (stored - sending.posted_at).total_seconds() if stored else None
    due_at = sending.sent_at + ALLOWED[Due.ACKNOWLEDGEMENT][Urgency(sending.urgency)]
    answered = sending.answered_at
    late = answered > due_at if answered and answered <= over else True if over > due_at else None
    return Span(
        sending.posted_at.astimezone(UTC), sending.urgency, sending.member, took_s, stored is None and over == now, late
    )


def _decision(decided: Decided, now: datetime) -> Span:
    """From asked to decided."""
    due_at = decided.asked_at + ALLOWED[Due.APPROVAL][Urgency(decided.urgency)]
    ended = decided.ended_at
    took_s = (ended - decided.asked_at).total_seconds() if ended and decided.ended in DECISIONS else None
    late = True if (ended or now) > due_at else False if took_s is not None else None
    return Span(decided.asked_at.astimezone(UTC), decided.urgency, "", took_s, ended is None, late)
