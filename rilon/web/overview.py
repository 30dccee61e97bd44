"""How things stand: deliveries by country, and the health of the network in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get

from rilon.domain.delivery import Delivery
from rilon.domain.permissions import Action
from rilon.front.views import BoardFilter
from rilon.web.inbox import Row, of_entry
from rilon.web.language import _
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

PAGE = 30


@dataclass(frozen=True, slots=True)
class Sent:
    """An alert of ours, and how far it has come."""

    row: Row
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another Member's node, in a sentence."""

    member: str
    standing: str
    state: str
    sentence: str
    health: Any


@get("/deliveries", opt=needs(Action.SEE_DELIVERIES))
async def deliveries(request: AnyRequest, services: Node) -> Response[str]:
    """Our alerts with the state of each delivery, from signed receipts."""
    caller, query = caller_of(request), request.query_params.get("before", "")
    before = int(query) if query.isdecimal() and len(query) < 16 else None  # noqa: PLR2004
    now = services.clock.now()
    found = await services.views.board(caller, now, BoardFilter(own=True), before, PAGE)
    sent = [
        Sent(of_entry(e, services, caller), tuple(d.as_of(now) for d in await services.views.deliveries(e.item)))
        for e in found
    ]
    following = found[-1].position if len(found) == PAGE else None
    return page(request, services, "deliveries.html", sent=sent, next=following)


@get("/network", opt=needs(Action.SEE_LINKS))
async def network(request: AnyRequest, services: Node) -> Response[str]:
    """Every other node: how far it is trusted, and how the link does."""
    directory = await services.directory.current()
    links: Any = {getattr(link, "peer", ""): link for link in services.links()}
    peers = []
    for member in sorted(directory.listings):
        if member != directory.me:
            link, standing = links.get(member), directory.standing(member)
            state = str(link.state) if link else standing
            sentence = link.sentence if link else _("Nothing is known of the link.")
            peers.append(Peer(member, standing, state, sentence, link))
    well = sum(p.state == "open" for p in peers)
    return page(request, services, "network.html", peers=peers, well=well)


HANDLERS = (deliveries, network)
