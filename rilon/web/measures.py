"""Pictures of how the network does: how long things take on their way to a board, and until people decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from litestar import Response, get

from rilon.domain.permissions import Action
from rilon.front import contacts, figures
from rilon.front.contacts import Contacts
from rilon.front.figures import Spans, Taken, Times, Took
from rilon.web import charts, words
from rilon.web.pictures import Album, Asked, Pictures, as_file, asked_of, show
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

_HEAD = ("what", "by", "of", "name", "done", "waiting", "median_s", "nine_of_ten_s", "due", "late", "as_of")


@get("/pictures/times", opt=needs(Action.SEE_DELIVERIES))
async def show_times(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """From post to each Member's board, and from asked to decided: what half took, and nine of ten."""
    asked = asked_of(request, services)
    told, by_month = await _counted(request, album, asked)
    shown = [("deliveries", told.deliveries, _reaches(told.deliveries, asked))]
    if told.approvals is not None:
        shown.append(("approvals", told.approvals, _reaches(told.approvals, asked)))
    return show(request, services, "times", asked, by_month, shown=shown, as_of=told.as_of)  # type: ignore[no-any-return]


@get("/pictures/times.csv", opt=needs(Action.SEE_DELIVERIES))
async def times_file(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """Its tables."""
    asked = asked_of(request, services)
    told, _ = await _counted(request, album, asked)
    rows = [row for name in ("deliveries", "approvals") for row in _rows(name, getattr(told, name), told.as_of)]
    return as_file("times", [_HEAD, *rows])


async def _counted(request: AnyRequest, album: Album, asked: Asked) -> tuple[Times, Counter[int]]:
    """The figures, and how much there is of each month of the brush."""
    caller, services, since = caller_of(request), album.services, charts.first_day(asked.months[0])

    async def count(now: datetime) -> Spans:
        return await figures.spans(services.views, caller, now, since)

    async def ask(_: datetime) -> tuple[Times, Counter[int]]:
        found = await album.kept(count, "spans", caller, since)
        began = [s.began for s in found.deliveries if asked.urgency in {"", s.urgency}]
        return _figures(found, asked), Counter(map(charts.month_of, began))

    return await album.kept(ask, "times", caller, since, asked.first, asked.last, asked.urgency)


def _figures(found: Spans, asked: Asked) -> Times:
    since, until = charts.first_day(asked.chosen[0]), charts.first_day(asked.chosen[-1] + 1)
    return figures.times(found, since, until, asked.urgency or None)


def _reaches(taken: Taken, asked: Asked) -> tuple[charts.Reach, ...]:
    by_month = {took.of: (took.median_s or 0, took.high_s or 0) for took in taken.months}
    months = [by_month.get(charts.iso_month(m), (0, 0)) for m in asked.chosen]
    return charts.reaches(months, range(len(months)))


def _rows(what: str, taken: Taken | None, as_of: datetime) -> Iterator[tuple[Any, ...]]:
    if taken is None:
        return
    parts = (("all", (taken.whole,)), ("month", taken.months), ("urgency", taken.urgencies), ("member", taken.members))
    for by, group in parts:
        for t in group:
            yield (
                what,
                by,
                t.of,
                _name(by, t),
                t.done,
                t.waiting,
                t.median_s,
                t.high_s,
                t.due,
                t.late,
                as_of.isoformat(),
            )


def _name(by: str, took: Took) -> str:
    if by == "member":
        return words.member_name(took.of)
    return words.word("urgency", took.of) if by == "urgency" else ""


@get("/pictures/network", opt=needs(Action.SEE_LINKS))
async def show_network(request: AnyRequest, services: Node, album: Pictures) -> Response[str]:
    """Every link over the last days: up, behind, out of reach; what waits, and when it was heard last."""
    told = await _contacts(album)
    shown = [(link, charts.stripes(t.standing for t in (*link.days, link.now))) for link in told.links]
    counts = Counter(str(link.now.standing) for link in told.links)
    return page(request, services, "contacts.html", shown=shown, counts=counts, as_of=told.as_of, days=contacts.DAYS)


@get("/pictures/network.csv", opt=needs(Action.SEE_LINKS))
async def network_file(album: Pictures) -> Response[str]:
    """A line for each link and day."""
    told = await _contacts(album)
    head = ("member", "name", "at", "standing", "waited_s", "heard_at")
    rows = [
        (link.member, words.member_name(link.member), t.at.isoformat(), t.standing, t.waited_s, t.heard_at)
        for link in told.links
        for t in (*link.days, link.now)
    ]
    return as_file("network", [head, *rows])


async def _contacts(album: Album) -> Contacts:
    services = album.services
    members = (await services.directory.current()).others

    async def count(now: datetime) -> Contacts:
        return await contacts.contacts(services.views, members, now)

    return await album.kept(count, "network", members)


HANDLERS = (show_times, times_file, show_network, network_file)
