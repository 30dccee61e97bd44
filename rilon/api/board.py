"""The board: what this officer may see of this Member's items and of others', newest first; one's deliveries."""

from __future__ import annotations

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec.structs import replace

from rilon.api.access import Asking, Node, needs
from rilon.api.pages import (
    After,
    BoardPage,
    BoardQuery,
    ItemShown,
    ReplyShown,
    show_item,
    show_reply,
    show_row,
)
from rilon.api.requests import reads
from rilon.app.deadlines import Deadlines
from rilon.app.summaries import Place
from rilon.domain.delivery import Delivery
from rilon.domain.disclosure import disclosure_id
from rilon.domain.kinds import KINDS
from rilon.domain.permissions import Action
from rilon.errors import NotFoundError
from rilon.front.views import BoardFilter

AFTER = {"asked": reads(After)}


@get("/board", opt=needs(Action.READ_BOARD), dependencies={"asked": reads(BoardQuery)})
async def read_board(asked: NamedDependency[BoardQuery], caller: Asking, services: Node) -> BoardPage:
    """Read a page of the board."""
    await services.caught_up(asked.after)
    found = services.summaries.find(asked.words) if asked.words else None
    wanted = board_filter(asked, services.me, found)
    page = await services.views.board(caller, services.clock.now(), wanted, asked.cursor, asked.limit)
    rows = tuple(show_row(entry, services.summaries, services.deadlines, services.me) for entry in page)
    return BoardPage(rows, page[-1].position if len(page) == asked.limit else None)


@get("/items/{origin:str}/{item:uuid}", opt=needs(Action.READ_BOARD), dependencies=AFTER)
async def read_item(
    origin: FromPath[str], item: FromPath[UUID], asked: NamedDependency[After], caller: Asking, services: Node
) -> ItemShown:
    """Read one line of the board, and what was answered from here about another Member's item."""
    await services.caught_up(asked.after)
    of = "" if origin == services.me else origin
    entry = await services.views.entry(caller, services.clock.now(), of, item)
    if entry is None:
        raise NotFoundError
    said = [] if entry.own else await services.reading.history(caller, origin, item)
    return show_item(show_row(entry, services.summaries, services.deadlines, services.me), said)


@get("/deliveries/{item:uuid}", opt=needs(Action.SEE_DELIVERIES), dependencies=AFTER)
async def read_deliveries(
    item: FromPath[UUID], asked: NamedDependency[After], caller: Asking, services: Node
) -> list[Delivery]:
    """Show what became of everything that was sent about an item, from signed receipts and answers only."""
    await services.caught_up(asked.after)
    await services.reading.must_know(caller, item)
    now = services.clock.now()
    return [_with_clocks(d.as_of(now), item, services.deadlines) for d in await services.views.deliveries(item)]


@get("/replies/{item:uuid}", opt=needs(Action.READ_REPLIES), dependencies=AFTER)
async def read_replies(
    item: FromPath[UUID], asked: NamedDependency[After], caller: Asking, services: Node
) -> list[ReplyShown]:
    """Read the replies to an item of this Member's, oldest first."""
    await services.caught_up(asked.after)
    await services.reading.must_know(caller, item)
    answers = [(a, a.sealed) for a in await services.views.replies(item)]
    wanted = [(a.peer, a.manifest, sealed) for a, sealed in answers if sealed is not None]
    texts = iter(await services.reading.reply_texts(caller, wanted))
    return [show_reply(answer, next(texts) if sealed else None) for answer, sealed in answers]


def _with_clocks(delivery: Delivery, item: UUID, deadlines: Deadlines) -> Delivery:
    if delivery.kind != "release":
        return delivery
    return replace(delivery, clocks=deadlines.running(disclosure_id(item), delivery.recipient, delivery.manifest))


def board_filter(query: BoardQuery, me: str, found: list[Place] | None) -> BoardFilter:
    """The query as the views are asked it: a family is its kinds, and this Member is ""."""
    of_families = frozenset(code for code, kind in KINDS.items() if kind.family in query.family)
    kinds = [frozenset(query.kind)] if query.kind else []
    kinds += [of_families] if query.family else []
    return BoardFilter(
        kinds=frozenset.intersection(*kinds) if kinds else None,
        urgencies=frozenset(query.urgency) or None,
        origins=frozenset("" if origin == me else origin for origin in query.origin) or None,
        own=query.own,
        states=frozenset(query.state) or None,
        since=query.since,
        until=query.until,
        review_due=query.review_due,
        places=None if found is None else frozenset(("" if origin == me else origin, i, v) for origin, i, v in found),
    )


HANDLERS = (read_board, read_item, read_deliveries, read_replies)
