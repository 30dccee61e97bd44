"""How things stand: deliveries by country, from signed receipts."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get

from rilon.domain.delivery import Delivery
from rilon.domain.permissions import Action
from rilon.front.views import BoardFilter
from rilon.web.inbox import Row, of_entry
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

PAGE = 30


@dataclass(frozen=True, slots=True)
class Sent:
    """An alert of ours, and how far it has come."""

    row: Row
    deliveries: tuple[Delivery, ...]


@get("/deliveries", opt=needs(Action.SEE_DELIVERIES))
async def deliveries(request: AnyRequest, services: Node) -> Response[str]:
    """Our alerts with the state of each delivery, from signed receipts."""
    caller, query = caller_of(request), request.query_params.get("before", "")
    before = int(query) if query.isdecimal() and len(query) < 16 else None  # noqa: PLR2004
    now = services.clock.now()
    found = await services.views.board(caller, now, BoardFilter(own=True), before, PAGE)
    ways = await services.views.deliveries_of([e.item for e in found])
    sent = [Sent(of_entry(e, services, caller), tuple(d.as_of(now) for d in ways[e.item])) for e in found]
    following = found[-1].position if len(found) == PAGE else None
    return page(request, services, "deliveries.html", sent=sent, next=following)


HANDLERS = (deliveries,)
