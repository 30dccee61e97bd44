"""Where things stand on a picture: months, places on the map, bars. Pure; a table beside it says the same."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from math import cos, pi, sin, sqrt
from typing import Final

from rilon.domain.members import MEMBERS, POSITIONS

WEST, NORTH, UNIT = -30.0, 80.0, 10.0
"""The map's left and upper edges in degrees, and units a degree: as ``web/land.js`` draws the land."""
Frame = tuple[float, float, float, float]
FRAMES: Final[dict[str, Frame]] = {"region": (550.0, 250.0, 1700.0, 1050.0), "world": (0.0, 0.0, 3600.0, 1400.0)}
"""Left, upper edge, width and height in units: from Türkiye to Samoa, or all of it."""
_LETTER, _LINE = 17.0, 30.0
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Mark:
    """A Member on the map: a dot, and its code beside it. What lies outside the frame stands at its edge."""

    member: str
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Spot:
    """How many alerts are about a country."""

    country: str
    count: int
    urgent: int
    x: float
    y: float
    r: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its place and height in a chart of 100 units height."""

    x: float
    height: float
    count: int
    month: int


def month_of(at: datetime) -> int:
    """A month as a number: months since the year 0, in UTC."""
    at = at.astimezone(UTC)
    return at.year * 12 + at.month - 1


def iso_month(month: int) -> str:
    """A month as ISO 8601 writes it, ``2026-05``."""
    return f"{first_day(month):%Y-%m}"


def first_day(month: int) -> datetime:
    """When a month begins."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def place(country: str, frame: Frame) -> tuple[float, float]:
    """A country's point in map units, kept inside a frame."""
    north, east = POSITIONS[country]
    left, upper, width, height = frame
    x, y = ((east - WEST) % 360) * UNIT, (NORTH - north) * UNIT
    return min(max(x, left + 30), left + width - 60), min(max(y, upper + 30), upper + height - 20)


@cache
def marks(name: str) -> tuple[Mark, ...]:
    """Every Member with a country, in a frame; codes stand where they cover no other."""
    taken: list[Frame] = []
    found = []
    for member in MEMBERS.values():
        if member.alpha2:
            x, y = place(member.alpha2, FRAMES[name])
            fit = (b for b in _beside(x, y) if _within(b, FRAMES[name]) and not any(_touch(b, t) for t in taken))
            label = next(fit, next(_beside(x, y)))
            taken.append(label)
            found.append(Mark(member.id, x, y, label[0], label[1] + _LINE - 6))
    return tuple(found)


def _beside(x: float, y: float) -> Iterator[Frame]:
    """Where a code of two letters may stand: right, left, below, above, and then further away."""
    wide = 2 * _LETTER + 4
    for far in range(8, 400, 19):
        for left, upper in (
            (x + far, y - _LINE / 2),
            (x - far - wide, y - _LINE / 2),
            (x - wide / 2, y + far - 4),
            (x - wide / 2, y - far - _LINE + 4),
        ):
            yield left, upper, wide, _LINE


def _within(one: Frame, other: Frame) -> bool:
    across = other[0] <= one[0] and one[0] + one[2] <= other[0] + other[2]
    return across and other[1] <= one[1] and one[1] + one[3] <= other[1] + other[3]


def _touch(one: Frame, other: Frame) -> bool:
    apart = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
    return not (apart or one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1])


def spots(counts: Mapping[str, int], urgent: Mapping[str, int], name: str) -> tuple[Spot, ...]:
    """A disc for each country, large ones first, so that none hides a smaller one."""
    scale = 90 / sqrt(max(9, *counts.values(), 0))
    found = [
        Spot(country, n, urgent.get(country, 0), *place(country, FRAMES[name]), max(30.0, scale * sqrt(n)))
        for country, n in counts.items()
        if country in POSITIONS
    ]
    return tuple(sorted(found, key=lambda s: (-s.count, s.country)))


def bars(counts: Counter[int], months: Sequence[int]) -> tuple[Bar, ...]:
    """A bar for each month; the highest is 100 high."""
    highest = max((counts[m] for m in months), default=0) or 1
    return tuple(Bar(at * 10.0, 100 * counts[m] / highest, counts[m], m) for at, m in enumerate(months))


@dataclass(frozen=True, slots=True)
class Reach:
    """Two heights of one month, of 100: what half took, and what nine of ten took."""

    x: float
    median: float
    high: float


def reaches(figures: Iterable[tuple[int, int]], places: Sequence[int]) -> tuple[Reach, ...]:
    """A pair of bars for each place; the highest of all is 100 high."""
    found = list(figures)
    highest = max((high for _, high in found), default=0) or 1
    return tuple(
        Reach(at * 10.0, 100 * median / highest, 100 * high / highest)
        for at, (median, high) in zip(places, found, strict=True)
    )


_HIGH: Final = {"up": 3, "behind": 6, "out_of_reach": 10, "frozen": 10, "revoked": 10, "unverified": 10}


def stripes(standings: Iterable[str]) -> dict[str, str]:
    """A path for each way a link stood: a stripe for each day, higher where it was worse, so that colour is no key."""
    paths: dict[str, str] = {}
    for day, standing in enumerate(standings):
        if high := _HIGH.get(standing, 0):
            paths[str(standing)] = paths.get(str(standing), "") + f"M{day * 10} {10 - high}h9v{high}h-9z"
    return paths


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV that a spreadsheet only shows: a cell that begins as a formula does begins with an apostrophe."""
    text = StringIO()
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node of the chart stands; the item asked about stands at 0, 0."""

    id: str
    x: float
    y: float


RING: Final = 150.0


def rings(nodes: Sequence[tuple[str, int]], beside: Mapping[str, Sequence[str]]) -> tuple[Place, ...]:
    """Every node on the ring of its distance, in the order of those it hangs on, so that few ties cross.

    No forces and no chance: the same facts are drawn alike on every day (ADR 0036).

    Args:
        nodes: id and ring, near ones first. beside: whom each is tied to.
    """
    angles: dict[str, float] = {}
    places = []
    for ring in sorted({r for _, r in nodes}):
        there = [name for name, r in nodes if r == ring]
        there.sort(key=lambda name: min((angles[o] for o in beside.get(name, ()) if o in angles), default=0.0))
        for at, name in enumerate(there):
            turn = 2 * pi * at / len(there) - pi / 2 + ring / 7
            angles[name] = 2 * pi * at / len(there)
            far = max(RING * ring, len(there) * 9.0) if ring else 0.0
            places.append(Place(name, round(far * cos(turn), 1), round(far * sin(turn), 1)))
    return tuple(places)
