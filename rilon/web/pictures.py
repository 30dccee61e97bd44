"""Pictures: the map, trends, times and links. Each is a table as well, and a file; none shows more than the board.

What is counted are the lines that the board would show this officer, placed by the summaries this process has open.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from rilon.domain.kinds import KINDS
from rilon.domain.members import MEMBERS, POSITIONS
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Urgency
from rilon.front.services import Services
from rilon.front.views import BoardFilter
from rilon.projections.board import Sight
from rilon.web import charts, words
from rilon.web.inbox import of_entry
from rilon.web.language import month_name
from rilon.web.render import AnyRequest, page, saved
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

T = TypeVar("T")
MONTHS: Final = 24
SHOWN: Final = 12
"""Months of a picture that nobody asked otherwise of."""
MOST: Final = 20_000
"""Lines counted at most, the newest; the page says when there are more."""
LISTED: Final = 50
FRESH: Final = timedelta(seconds=5)
"""How old a count may be; what lies under a disc is always asked of the board."""
ALBUMS: Final = 64
_URGENT: Final = frozenset({"life_at_risk", "immediate"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see.

    Attributes:
        months: of the brush, oldest first. first, last: which of them are wanted, by their place.
        family: of kinds, "" for all. frame: of the map. at: a country whose alerts are to be listed, or "".
        urgency: whose times, "" for all.
    """

    months: tuple[int, ...]
    first: int
    last: int
    family: str
    frame: str
    at: str
    urgency: str

    @property
    def chosen(self) -> tuple[int, ...]:
        """The months that are wanted."""
        return self.months[self.first : self.last + 1]

    def wants(self, sight: Sight) -> bool:
        """Whether a line is of these kinds."""
        return not self.family or (sight.kind in KINDS and KINDS[sight.kind].family == self.family)

    def query(self, **changes: str) -> str:
        """The same question as an address says it."""
        said = {"from": self.first, "to": self.last, "family": self.family, "view": self.frame, "urgency": self.urgency}
        said |= changes
        return "&".join(f"{name}={value}" for name, value in said.items() if value != "")


def asked_of(request: AnyRequest, services: Services) -> Asked:
    """Read the question; what is none of what can be asked is what nobody asked."""
    query = request.query_params
    now = charts.month_of(services.clock.now())
    first, last = _place(query.get("from", ""), MONTHS - SHOWN), _place(query.get("to", ""), MONTHS - 1)
    family, frame = query.get("family", ""), query.get("view", "region")
    return Asked(
        tuple(range(now - MONTHS + 1, now + 1)),
        min(first, last),
        max(first, last),
        family if family in {k.family for k in KINDS.values()} else "",
        frame if frame in charts.FRAMES else "region",
        at if (at := query.get("at", "")) in POSITIONS else "",
        urgency if (urgency := query.get("urgency", "")) in {*Urgency} else "",
    )


def _place(text: str, otherwise: int) -> int:
    return min(int(text), MONTHS - 1) if text.isascii() and text.isdigit() and len(text) < 3 else otherwise  # noqa: PLR2004


class Line(NamedTuple):
    """A line of the board as pictures count it."""

    month: int
    country: str
    urgent: bool
    sight: Sight


class Album:
    """What was counted a moment ago for somebody: a brush asks the same again and again while it moves."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._kept: OrderedDict[tuple[object, ...], tuple[datetime, Any]] = OrderedDict()

    async def lines(self, caller: Caller, month: int) -> list[Line]:
        """Every line that this caller's board shows and that came since a month began, at most ``FRESH`` old."""

        async def count(now: datetime) -> list[Line]:
            found = await self.services.views.sights(caller, now, charts.first_day(month), MOST)
            return [self._line(sight) for sight in found]

        return await self.kept(count, "lines", caller, month)

    async def kept(self, count: Callable[[datetime], Awaitable[T]], *key: object) -> T:
        """What was counted under this key, at most ``FRESH`` old, else counted now."""
        now = self.services.clock.now()
        kept = self._kept.pop(key, None)
        if kept is None or now - kept[0] >= FRESH:
            kept = now, await count(now)
        self._kept[key] = kept
        while len(self._kept) > ALBUMS:
            self._kept.popitem(last=False)
        found: T = kept[1]
        return found

    def _line(self, sight: Sight) -> Line:
        country = self.services.summaries.where(sight.origin or self.services.me, sight.item, sight.version)
        return Line(charts.month_of(sight.at), country, sight.urgency in _URGENT, sight)


Pictures = NamedDependency[Album]


async def _lines(request: AnyRequest, album: Album, asked: Asked) -> list[Line]:
    found = await album.lines(caller_of(request), asked.months[0])
    return [line for line in found if asked.wants(line.sight)] if asked.family else found


def show(request: AnyRequest, services: Services, name: str, asked: Asked, by_month: Counter[int], **more: Any) -> Any:
    """A picture's page: what was asked, the brush over all months, and its own figures."""
    return page(
        request,
        services,
        f"{name}.html",
        asked=asked,
        brush=charts.bars(by_month, asked.months),
        month=month_name,
        families=sorted({k.family for k in KINDS.values()}),
        urgencies=tuple(Urgency),
        total=sum(by_month[m] for m in asked.chosen),
        **more,
    )


@dataclass(frozen=True, slots=True)
class Places:
    """Which lines are about which country, in the months that are wanted."""

    by_month: Counter[int]
    where: dict[str, list[Line]]

    @property
    def counts(self) -> dict[str, int]:
        """How many are about each country."""
        return {country: len(found) for country, found in self.where.items() if country}

    @property
    def urgent(self) -> dict[str, int]:
        """How many of them could not wait."""
        return {country: sum(line.urgent for line in found) for country, found in self.where.items()}


async def _places(request: AnyRequest, album: Album, asked: Asked) -> Places:
    found = await _lines(request, album, asked)
    first, last, where = asked.chosen[0], asked.chosen[-1], dict[str, list[Line]]()
    for line in found:
        if first <= line.month <= last:
            where.setdefault(line.country, []).append(line)
    return Places(Counter(line.month for line in found), where)


@get("/pictures", opt=needs(Action.READ_BOARD))
async def pictures() -> Redirect:
    """The first of them."""
    return Redirect("/pictures/map", status_code=303)


@get("/pictures/map", opt=needs(Action.READ_BOARD))
async def show_map(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """Incidents by country, over time, with every Member drawn."""
    asked = asked_of(request, services)
    places = await _places(request, album, asked)
    spots = charts.spots(places.counts, places.urgent, asked.frame)
    return show(  # type: ignore[no-any-return]
        request,
        services,
        "map",
        asked,
        places.by_month,
        box=charts.FRAMES[asked.frame],
        marks=charts.marks(asked.frame),
        landless=[words.member_name(m.id) for m in MEMBERS.values() if not m.alpha2],
        spots=spots,
        nowhere=len(places.where.get("", ())),
        listed=await _listed(request, services, places.where.get(asked.at, ())) if asked.at else [],
    )


async def _listed(request: AnyRequest, services: Services, found: Iterable[Line]) -> list[Any]:
    """Lines as the inbox shows them, asked of the board itself."""
    caller = caller_of(request)
    wanted: set[tuple[str, UUID, int]] = {(s.origin, s.item, s.version) for *_, s in found}
    entries = await services.views.board(
        caller, services.clock.now(), BoardFilter(places=frozenset(wanted)), None, LISTED
    )
    return [of_entry(entry, services, caller) for entry in entries]


@get("/pictures/map.csv", opt=needs(Action.READ_BOARD))
async def map_file(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """The map's table."""
    asked = asked_of(request, services)
    places = await _places(request, album, asked)
    rows = [
        (s.country, words.country_name(s.country), s.count, s.urgent)
        for s in charts.spots(places.counts, places.urgent, asked.frame)
    ]
    return as_file("map", [("country", "name", "alerts", "urgent"), *rows])


@get("/pictures/trend", opt=needs(Action.READ_BOARD))
async def show_trend(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """How many of each type, month by month."""
    asked = asked_of(request, services)
    by_month, by_type = await _types(request, album, asked)
    rows = [(kind, counts, charts.bars(counts, asked.chosen)) for kind, counts in by_type]
    return show(request, services, "trend", asked, by_month, rows=rows)  # type: ignore[no-any-return]


@get("/pictures/trend.csv", opt=needs(Action.READ_BOARD))
async def trend_file(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """The trend's table."""
    asked = asked_of(request, services)
    _, by_type = await _types(request, album, asked)
    head = ("kind", "name", *map(charts.iso_month, asked.chosen))
    rows = [(kind, words.kind_name(kind), *(counts[m] for m in asked.chosen)) for kind, counts in by_type]
    return as_file("trend", [head, *rows])


async def _types(
    request: AnyRequest, album: Album, asked: Asked
) -> tuple[Counter[int], list[tuple[str, Counter[int]]]]:
    """By month all of them, and by kind; the most frequent kind first."""
    found, by_type = await _lines(request, album, asked), dict[str, Counter[int]]()
    for (kind, month), n in Counter((line.sight.kind, line.month) for line in found).items():
        by_type.setdefault(kind, Counter())[month] = n
    by_month = Counter(line.month for line in found)
    wanted = [(kind, counts) for kind, counts in by_type.items() if any(counts[m] for m in asked.chosen)]
    return by_month, sorted(wanted, key=lambda row: (-sum(row[1][m] for m in asked.chosen), row[0]))


def as_file(name: str, rows: Sequence[Sequence[object]]) -> Response[str]:
    """A picture's table as a file that a spreadsheet only shows."""
    return saved(f"{name}.csv", charts.csv_text(rows), "text/csv")


HANDLERS = (pictures, show_map, map_file, show_trend, trend_file)
