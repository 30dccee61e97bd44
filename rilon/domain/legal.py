"""What rules and findings cite: legal instruments of the list, and a Member's own laws and agreements.

The list is reference, not advice: each Member confirms its treaty status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from msgspec import Meta

from rilon.domain.data import Table, read
from rilon.domain.values import Code, Instant, MemberId, Value
from rilon.errors import InvalidError


class Instrument(Value, frozen=True, kw_only=True):
    """A treaty, arrangement or agreement.

    Attributes:
        article: where in it.
        effect: what it lets or makes Members do, in plain words.
        confidence: how far the entry was checked: ``text_seen``, ``sourced``, ``source_document``, ``recalled``, or
            ``to_be_agreed`` for what the Members themselves still have to sign.
        parties: Members bound by it, where that is known; empty: each Member says so for itself.
    """

    id: Code
    name: str
    article: str
    effect: str
    confidence: Code
    parties: tuple[MemberId, ...] = ()


INSTRUMENTS: Mapping[str, Instrument] = Table(lambda: {i.id: i for i in read("legal_instruments", list[Instrument])})
"""Every instrument by id."""


def instrument(instrument_id: str) -> Instrument:
    """Look an instrument up.

    Raises:
        InvalidError: ``instrument.unknown``.
    """
    if found := INSTRUMENTS.get(instrument_id):
        return found
    raise InvalidError("instrument.unknown", "There is no such legal instrument.", fix="Cite one of the list.")


class Law(Value, frozen=True):
    """A law of the Member's own, which its rules cite.

    Attributes:
        article: where in it, unless a rule says it more exactly.
    """

    id: Code
    name: str
    article: str = ""


class Agreement(Value, frozen=True):
    """An agreement between Members. By it things go to its parties only, and only while it is in force.

    Attributes:
        valid_from, valid_until: its first and last day, UTC; None: no such bound.
        ended_at: the moment a focal point ended it here; from then on nothing is allowed by it.
    """

    id: Code
    name: str
    parties: Annotated[frozenset[MemberId], Meta(min_length=2, max_length=128)]
    article: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    ended_at: Instant | None = None

    @property
    def span(self) -> Span:
        """From when to when it is in force."""
        start, end = span(self.valid_from, self.valid_until)
        return start, end if self.ended_at is None else min(end, self.ended_at)


Span = tuple[datetime, datetime]
"""From an instant to before another."""

ALWAYS: Span = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def span(first: date | None, last: date | None) -> Span:
    """The instants of whole days, UTC."""
    start = ALWAYS[0] if first is None else datetime.combine(first, time(), UTC)
    end = ALWAYS[1] if last in {None, date.max} else datetime.combine(last or date.min, time(), UTC) + timedelta(1)
    return start, end
