"""Openings looked at together: how often each officer read for which purpose, and what of that is unusual.

Unusual is no accusation: a mass rescue looks like one. It says to an auditor where to ask first; the marks are few, can
be said in a sentence each, and come from counts alone, so that an auditor reads no content to see them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final, Protocol
from uuid import UUID

from rilon.domain.values import Code, OfficerId, Purpose, Sensitivity, Value

BURST_ITEMS: Final = 20
BURST_WITHIN: Final = timedelta(hours=1)
"""So many different items within so long: nobody reads that fast what they need to know."""
REPEATS: Final = 10
"""So often the same section."""
FAR_ABOVE: Final = 5
"""So many times the median of all who open anything; of at least ``BURST_ITEMS`` openings and three people."""
PEOPLE: Final = 3


class Seen(Protocol):
    """One opening."""

    @property
    def stream(self) -> UUID:
        """The item's."""
        ...

    @property
    def officer(self) -> OfficerId:
        """Who."""
        ...

    @property
    def sensitivity(self) -> Sensitivity:
        """Which section."""
        ...

    @property
    def purpose(self) -> Purpose:
        """What for."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...


class Tally(Value, frozen=True):
    """What one officer opened.

    Attributes:
        counts: how often, by sensitivity and purpose. items: how many different items.
        unusual: ``burst``, ``repeats``, ``far-above``; see the figures of this module.
    """

    officer: OfficerId
    openings: int
    items: int
    counts: tuple[tuple[Sensitivity, Purpose, int], ...]
    first: datetime
    last: datetime
    unusual: tuple[Code, ...]


def tally(openings: Sequence[Seen]) -> tuple[Tally, ...]:
    """Each officer's openings, whoever is unusual first, then whoever opened most."""
    by_officer: defaultdict[OfficerId, list[Seen]] = defaultdict(list)
    for opening in openings:
        by_officer[opening.officer].append(opening)
    usual = median(map(len, by_officer.values())) if len(by_officer) >= PEOPLE else 0
    found = (_tally(officer, sorted(mine, key=lambda o: o.at), usual) for officer, mine in by_officer.items())
    return tuple(sorted(found, key=lambda t: (-len(t.unusual), -t.openings, t.officer)))


def _tally(officer: OfficerId, mine: Sequence[Seen], usual: float) -> Tally:
    counts = Counter((o.sensitivity, o.purpose) for o in mine)
    sections = Counter((o.stream, o.sensitivity) for o in mine)
    marks = {
        "burst": _burst(mine),
        "repeats": max(sections.values()) > REPEATS,
        "far-above": usual > 0 and len(mine) > max(FAR_ABOVE * usual, BURST_ITEMS),
    }
    by_kind = tuple((s, p, n) for (s, p), n in sorted(counts.items()))
    unusual = tuple(code for code, so in marks.items() if so)
    return Tally(officer, len(mine), len({o.stream for o in mine}), by_kind, mine[0].at, mine[-1].at, unusual)


def _burst(mine: Sequence[Seen]) -> bool:
    """Whether a window of an hour holds too many different items; one pass, oldest first."""
    window: Counter[UUID] = Counter()
    begin = 0
    for opening in mine:
        window[opening.stream] += 1
        while opening.at - mine[begin].at > BURST_WITHIN:
            window[mine[begin].stream] -= 1
            window += Counter()  # forget what fell to nothing
            begin += 1
        if len(window) > BURST_ITEMS:
            return True
    return False
