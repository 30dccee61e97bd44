"""The link chart: what belongs to an item, as a picture on rings, a table and a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from rilon.domain.permissions import Action, Caller
from rilon.front.linked import Chart, Edge, Linked, Node, What, beside, names
from rilon.front.linked import chart as around
from rilon.front.services import Services
from rilon.front.views import BoardFilter
from rilon.web import charts, words
from rilon.web.inbox import of_entry
from rilon.web.language import _
from rilon.web.pictures import as_file
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node as Given

LATEST = 40


@dataclass(frozen=True, slots=True)
class Spot:
    """A node as the page shows it: its number, name, address, and place on the picture."""

    n: int
    node: Node
    name: str
    href: str
    place: charts.Place


@get("/pictures/links", opt=needs(Action.READ_BOARD))
async def latest(request: AnyRequest, services: Given) -> Response[str]:
    """Of the newest lines of the board those that something is tied to."""
    caller, views = caller_of(request), services.views
    found = await views.board(caller, services.clock.now(), BoardFilter(), None, LATEST)
    tied = {t.stream for t in await views.ties([e.id for e in found], [], LATEST * LATEST)}
    rows = [of_entry(e, services, caller) for e in found if e.id in tied]
    return page(request, services, "chains.html", rows=rows)


@get("/pictures/links/{origin:str}/{item:uuid}", opt=needs(Action.READ_BOARD))
async def chart(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Given) -> Response[str]:
    """The chart around an item."""
    caller = caller_of(request)
    seen = await around(services, caller, origin, item)
    found = seen.drawn()
    spots = _spots(seen, found, services, caller)
    far = max(max(abs(s.place.x), abs(s.place.y)) for s in spots.values()) + 60
    edges = [(edge, spots[edge.a], spots[edge.b], _how(edge)) for edge in found.edges]
    here: dict[str, Any] = {"spots": list(spots.values()), "edges": edges, "far": far, "found": found}
    return page(request, services, "chain.html", origin=origin, item=item, **here)


@get("/pictures/links/{origin:str}/{item:uuid}/file.csv", opt=needs(Action.READ_BOARD))
async def chart_file(
    origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Given
) -> Response[str]:
    """Its table: a line for each tie."""
    caller = caller_of(request)
    seen = await around(services, caller, origin, item)
    found = seen.drawn()
    spots = _spots(seen, found, services, caller)
    rows = [
        (e.how, spots[e.a].node.ref, spots[e.a].name, spots[e.b].node.ref, spots[e.b].name, e.at, found.as_of)
        for e in found.edges
    ]
    return as_file("links", [("how", "a", "a_name", "b", "b_name", "at", "as_of"), *rows])


def _spots(seen: Chart, found: Linked, services: Services, caller: Caller) -> dict[str, Spot]:
    places = {p.id: p for p in charts.rings([(n.id, n.ring) for n in found.nodes], beside(found.edges))}
    titles = {f"item:{e.id}": of_entry(e, services, caller).title for e in seen.entries.values()}
    titles |= {f"circle:{c.circle}": c.name or _("Circle") for c in seen.circles}
    numbers = names(found)
    return {n.id: Spot(numbers[n.id], n, titles.get(n.id) or _name(n), _href(n), places[n.id]) for n in found.nodes}


def _name(node: Node) -> str:
    return words.member_name(node.ref) if node.what is What.MEMBER else _desk(node.ref)


def _desk(reader: str) -> str:
    return " · ".join(words.human(part) for part in reader.split(":")[1:])


def _href(node: Node) -> str:
    if node.what is What.ITEM:
        return f"/pictures/links/{node.ref}"
    return f"/circles/{node.ref}" if node.what is What.CIRCLE else ""


def _how(edge: Edge) -> str:
    return words.word("reply", edge.how) if edge.how.startswith("reply.") else words.word("tie", edge.how)


HANDLERS = (latest, chart, chart_file)
