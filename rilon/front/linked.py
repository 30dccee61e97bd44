"""What belongs together, around one item: facts of the log that tie it to items, Members, circles and desks.

Only what the caller's own board shows is a node, so an item that one may not see does not exist here either: it is
neither drawn nor counted, and nothing is tied through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from rilon.app.circle_desk import CircleShown
from rilon.domain.holding import holding_id
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Code, Instant, MemberId, Value
from rilon.errors import NotFoundError
from rilon.front.services import Services
from rilon.front.views import BoardFilter
from rilon.projections.board import Entry
from rilon.projections.ties import Tie

STEPS: Final = 2
"""How far from the item one looks: what it is made of, and what that is made of."""
MOST_ITEMS: Final = 40
MOST_TIES: Final = 200
LATEST: Final = 40
"""Of our newest alerts it is looked whether they are for the same circle; of another's only its originator knows."""


class What(StrEnum):
    """What a node of the chart is."""

    ITEM = "item"
    MEMBER = "member"
    CIRCLE = "circle"
    DESK = "desk"


class Node(Value, frozen=True):
    """Something on the chart.

    Attributes:
        id: names it in the edges. ref: the item (``th/…``), Member, circle, or reader (``agency:police``).
        ring: how many ties lie between it and the item asked about. version: of an item, as the caller sees it; or 0.
    """

    id: str
    what: What
    ref: str
    ring: int
    version: int


class Edge(Value, frozen=True):
    """A fact that ties two nodes.

    Attributes:
        how: ``quotes`` (a is made of b), ``from``, ``to`` (a was released to b), ``circle`` (a is for b), ``referred``,
            ``onward`` (b asked for a, for itself or a third), ``corrected`` (a by itself), or ``reply.…`` (b
            replied; of an item of another's: we replied to b).
        at: when, as far as a single moment is known.
    """

    a: str
    b: str
    how: Code
    at: Instant | None


class Linked(Value, frozen=True):
    """The chart around an item. ``more``: there are more items than it shows."""

    as_of: Instant
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    more: bool


async def chart(services: Services, caller: Caller, origin: str, item: UUID) -> Chart:
    """The chart around an item, explored.

    Raises:
        NotFoundError: absent, or not for this officer.
    """
    now = services.clock.now()
    focus = await services.views.entry(caller, now, "" if origin == services.me else origin, item)
    if focus is None:
        raise NotFoundError
    found = Chart(services, caller, now, focus)
    await found.explore()
    return found


class Chart:
    """One chart as it grows.

    Attributes:
        entries: every item on it, by its stream, as the caller's board has it.
        circles: the circles that the caller knows and that may stand on it.
    """

    def __init__(self, services: Services, caller: Caller, now: datetime, focus: Entry) -> None:
        self._services, self._caller, self._now = services, caller, now
        self.entries: dict[UUID, Entry] = {focus.id: focus}
        self.circles: Sequence[CircleShown] = ()
        self._focus, self._edges, self._more = focus, dict[Edge, None](), False

    async def explore(self) -> None:
        """Follow what items are made of; then say of each where it comes from, went, and what it is for."""
        await self._same_circles()
        frontier = [self._focus]
        for _ in range(STEPS):
            frontier = await self._quoted(frontier)
        for tie in await self._services.views.ties(list(self.entries), [], MOST_TIES):
            self._add(_of_tie(tie, self.entries[tie.stream], self._caller))
        await self._members()

    async def _quoted(self, frontier: Sequence[Entry]) -> list[Entry]:
        """Items that these are made of, or that are made of these."""
        views = self._services.views
        ties = await views.ties([e.id for e in frontier], [e.item for e in frontier], MOST_TIES)
        pairs = [(tie, other) for tie in ties if tie.kind == "quotes" for other in self._streams(tie)]
        near = {e.id for e in frontier}
        ends = {s for tie, other in pairs if near & {tie.stream, other} for s in (tie.stream, other)}
        new = await self._look(ends)
        for tie, other in pairs:
            if tie.stream in self.entries and other in self.entries:
                self._add([Edge(_item(tie.stream), _item(other), "quotes", tie.at)])
        return new

    async def _look(self, streams: Iterable[UUID]) -> list[Entry]:
        """Those of these items that the caller's board shows and that are new here."""
        wanted = sorted(set(streams) - self.entries.keys())
        new = list(await self._services.views.some(self._caller, self._now, wanted)) if wanted else []
        room = MOST_ITEMS - len(self.entries)
        self._more |= len(new) > room
        self.entries |= {e.id: e for e in new[:room]}
        return new[:room]

    def _streams(self, tie: Tie) -> Iterator[UUID]:
        for origin, item in zip(tie.parties, tie.others, strict=True):
            yield item if origin == self._services.me else holding_id(origin, item)

    async def _same_circles(self) -> None:
        """Our own alerts for the circles that the item is for, as far as the caller may know these circles."""
        if not (self._focus.own and self._caller.may(Action.SEE_CIRCLES)):
            return
        desk, caller = self._services.alerts, self._caller
        self.circles = await self._services.circles.all(caller)
        known = {c.circle for c in self.circles}
        mine = (await desk.circles_of(caller, [self._focus.item])).get(self._focus.id, frozenset()) & known
        if not mine:
            return
        latest = await self._services.views.board(caller, self._now, BoardFilter(own=True), None, LATEST)
        of = await desk.circles_of(caller, [e.item for e in (self._focus, *latest)])
        shared = {item: circles & mine for item, circles in of.items() if circles & mine}
        await self._look(shared)
        for item in sorted(shared.keys() & self.entries.keys()):
            self._add(Edge(_item(item), f"circle:{c}", "circle", None) for c in sorted(shared[item]))

    async def _members(self) -> None:
        """Where items come from, and to whom ours went."""
        for entry in self.entries.values():
            if not entry.own:
                self._add([Edge(_item(entry.id), _member(entry.origin), "from", entry.at)])
        if not self._caller.may(Action.SEE_DELIVERIES):
            return
        ways = await self._services.views.deliveries_of([e.item for e in self.entries.values() if e.own])
        for item, sent in ways.items():
            released = {d.recipient: d.sent_at for d in reversed(sent) if d.kind == "release" and not d.code}
            self._add(Edge(_item(item), _member(m), "to", at) for m, at in sorted(released.items()))

    def _add(self, edges: Iterable[Edge]) -> None:
        self._edges |= dict.fromkeys(edges)

    def drawn(self) -> Linked:
        """The chart: what is tied to the item, near things first."""
        rings = _rings(_item(self._focus.id), list(self._edges))
        edges = tuple(e for e in self._edges if e.a in rings and e.b in rings)
        order = sorted(rings, key=lambda node: (rings[node], list(What).index(_what(node)), node))
        nodes = tuple(self._node(node, rings[node]) for node in order)
        return Linked(self._now, nodes, edges, self._more)

    def _node(self, node: str, ring: int) -> Node:
        what, _, ref = node.partition(":")
        if what != What.ITEM:
            return Node(node, What(what), ref, ring, 0)
        entry = self.entries[UUID(ref)]
        return Node(node, What.ITEM, f"{entry.origin or self._services.me}/{entry.item}", ring, entry.version)


def _of_tie(tie: Tie, entry: Entry, caller: Caller) -> Iterator[Edge]:
    """The edges of what is no quotation; a reply of our own went to the originator."""
    here, how = _item(tie.stream), tie.kind
    if how == "corrected":
        yield Edge(here, here, how, tie.at)
    elif how == "referred":  # who is named personally is nobody's business on a chart
        named = (p for p in tie.parties if p.startswith(("agency:", "desk:")))
        yield from (Edge(here, f"desk:{p}", how, tie.at) for p in named)
    elif how.startswith("reply."):
        yield from (Edge(here, _member(p), how, tie.at) for p in tie.parties or (entry.origin,))
    elif how == "onward" and caller.may(Action.SEE_APPROVALS):
        yield from (Edge(here, _member(p), how, tie.at) for p in dict.fromkeys(tie.parties))


def _rings(focus: str, edges: Sequence[Edge]) -> dict[str, int]:
    """How far everything is from the item. A Member or desk ties no two items: everything would belong together."""
    near_to, rings, frontier = beside(edges), {focus: 0}, [focus]
    while frontier:
        passing = [n for n in frontier if _what(n) in {What.ITEM, What.CIRCLE}]
        near = {other: rings[n] + 1 for n in passing for other in near_to.get(n, ()) if other not in rings}
        rings |= near
        frontier = list(near)
    return rings


def beside(edges: Iterable[Edge]) -> dict[str, list[str]]:
    """What each node is tied to."""
    found: dict[str, list[str]] = {}
    for edge in edges:
        found.setdefault(edge.a, []).append(edge.b)
        found.setdefault(edge.b, []).append(edge.a)
    return found


def _item(stream: UUID) -> str:
    return f"item:{stream}"


def _member(member: MemberId) -> str:
    return f"member:{member}"


def _what(node: str) -> What:
    return What(node.partition(":")[0])


def names(found: Linked) -> Mapping[str, int]:
    """A number for each node, by which picture and tables name it; the item asked about is 1."""
    return {node.id: n for n, node in enumerate(found.nodes, 1)}
