"""The legal instruments a rule or a finding can cite. Reference, not advice: each Member confirms its treaty status."""

from __future__ import annotations

from collections.abc import Mapping

from rilon.domain.data import Table, read
from rilon.domain.values import Code, MemberId, Value
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
