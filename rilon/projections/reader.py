"""Reading the views: pages of the board, the queue, deliveries and officers, from the rows the projector keeps.

The database finds rows; who may see what of them is said by the views' own pure functions, so a page can show nothing
that a replay of the same log would not. A page is cut by position, newest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Final, LiteralString, Protocol, TypeVar
from uuid import UUID

from rilon.domain.delivery import Delivery
from rilon.domain.disclosure import disclosure_id
from rilon.domain.holding import holding_id
from rilon.domain.permissions import Caller
from rilon.projections import board
from rilon.projections.approvals import Approval, Waiting, waiting
from rilon.projections.board import Edition, Entry, Item
from rilon.projections.changes import Row
from rilon.projections.deliveries import Answer, Receipt, Sent, delivery, replies
from rilon.projections.officers import Enrolled
from rilon.projections.progress import viewing
from rilon.projections.rows import read_row
from rilon.store.database import Pool

R = TypeVar("R", bound=Row)

CHUNK: Final = 400
"""Editions looked at together for a page of the board: most officers may see most of them."""
NEWEST: Final = 2**62
"""Where a page without a cursor begins."""

_EDITIONS: Final[LiteralString] = """
SELECT e.* FROM views.edition e JOIN views.item i USING (stream)
WHERE e.position < $1 AND e.until > $2 AND ($3::text[] IS NULL OR e.kind = ANY($3))
  AND ($4::text[] IS NULL OR i.origin = ANY($4))
ORDER BY e.position DESC LIMIT $5
"""
_ITEMS_OF: Final[LiteralString] = "SELECT * FROM views.item WHERE stream = ANY($1::uuid[])"
_EDITIONS_OF: Final[LiteralString] = "SELECT * FROM views.edition WHERE stream = ANY($1::uuid[])"
_QUEUE: Final[LiteralString] = """
SELECT * FROM views.approval WHERE position < $1 AND (state = 'waiting' OR review_since IS NOT NULL)
ORDER BY position DESC LIMIT $2
"""
_SENT: Final[LiteralString] = "SELECT * FROM views.sent WHERE disclosure = $1 ORDER BY n, recipient"
_RECEIPTS: Final[LiteralString] = """
SELECT DISTINCT r.* FROM unnest($1::uuid[], $2::bigint[]) AS s (stream, n)
CROSS JOIN LATERAL (
  SELECT * FROM views.receipt r WHERE r.stream = s.stream AND r.through >= s.n ORDER BY r.through, r.n LIMIT 1
) AS r
"""
_ANSWERS: Final[LiteralString] = "SELECT * FROM views.answer WHERE manifest = ANY($1::bytea[]) ORDER BY position"
_OFFICERS: Final[LiteralString] = "SELECT * FROM views.officer ORDER BY at, stream"


class Wanted(Protocol):
    """Which lines of a board; None does not restrict."""

    @property
    def kinds(self) -> frozenset[str] | None:
        """Kinds of alert."""
        ...

    @property
    def origins(self) -> frozenset[str] | None:
        """Members; "" for this one."""
        ...

    def takes(self, entry: Entry) -> bool:
        """Whether a line is wanted, these two included."""
        ...


class Reader:
    """Reads the views of one node.

    Args:
        pool: of a role that may read schema ``views``.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def board(
        self, caller: Caller, at: datetime, wanted: Wanted, before: int | None, limit: int
    ) -> Sequence[Entry]:
        """At most ``limit`` lines that the caller may see at an instant, newest first, from before a position."""
        page: list[Entry] = []
        async for entry in self._entries(caller, at, wanted, NEWEST if before is None else before):
            page.append(entry)
            if len(page) == limit:
                break
        return page

    async def entry(self, caller: Caller, at: datetime, origin: str, item: UUID) -> Entry | None:
        """One line, or None when the caller may not know of it; ``origin`` "" for this Member's own.

        The same two queries are made whether it exists or not.
        """
        stream = holding_id(origin, item) if origin else item
        found = await self._lines([stream], caller, at)
        return found.get(stream)

    async def queue(self, before: int | None, limit: int) -> Sequence[Waiting]:
        """At most ``limit`` disclosures that wait for a signature or a review, newest first."""
        approvals = await self._rows(Approval, _QUEUE, NEWEST if before is None else before, limit)
        editions = await self._rows(Edition, _EDITIONS_OF, [a.item for a in approvals])
        of_item = {e.stream: e for e in editions}
        return [waiting(a, of_item[a.item]) for a in approvals if a.item in of_item]

    async def deliveries(self, item: UUID) -> Sequence[Delivery]:
        """What became of every line about an item of this Member's, in the order they were sent; none: empty."""
        sent, answers = await self._correspondence(item)
        receipts = await self._rows(Receipt, _RECEIPTS, [s.stream for s in sent], [s.n for s in sent])
        return [delivery(s, receipts, answers) for s in sent]

    async def replies(self, item: UUID) -> Sequence[Answer]:
        """Replies to an item of this Member's, oldest first."""
        return replies(*await self._correspondence(item))

    async def officers(self) -> Sequence[Enrolled]:
        """Everybody who was ever enrolled, in that order."""
        return await self._rows(Enrolled, _OFFICERS)

    async def _entries(self, caller: Caller, at: datetime, wanted: Wanted, before: int) -> AsyncIterator[Entry]:
        """Lines before a position. An item stands where the version stands that is shown of it, and only there."""
        kinds, origins = (None if s is None else sorted(s) for s in (wanted.kinds, wanted.origins))
        while editions := await self._rows(Edition, _EDITIONS, before, at, kinds, origins, CHUNK):
            lines = await self._lines([e.stream for e in editions], caller, at)
            for edition in editions:
                entry = lines.get(edition.stream)
                if entry is not None and entry.position == edition.position and wanted.takes(entry):
                    yield entry
            before = editions[-1].position

    async def _lines(self, streams: Iterable[UUID], caller: Caller, at: datetime) -> dict[UUID, Entry]:
        """What a caller sees of these items, by stream; what they may not see is missing."""
        unique = list(dict.fromkeys(streams))
        items = await self._rows(Item, _ITEMS_OF, unique)
        editions: defaultdict[UUID, list[Edition]] = defaultdict(list)
        for edition in await self._rows(Edition, _EDITIONS_OF, unique):
            editions[edition.stream].append(edition)
        found = {i.stream: board.entry(i, editions[i.stream], caller, at) for i in items}
        return {stream: entry for stream, entry in found.items() if entry is not None}

    async def _correspondence(self, item: UUID) -> tuple[list[Sent], list[Answer]]:
        sent = await self._rows(Sent, _SENT, disclosure_id(item))
        return sent, await self._rows(Answer, _ANSWERS, list({s.manifest for s in sent}))

    async def _rows(self, table: type[R], query: LiteralString, *arguments: object) -> list[R]:
        with viewing():
            records = await self._pool.fetch(query, *arguments)
        return [read_row(table, tuple(record)) for record in records]
