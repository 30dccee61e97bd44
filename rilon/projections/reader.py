"""Reading the views: pages of the board, the queue, deliveries and officers, from the rows the projector keeps.

The database passes over what a caller may not see, and the views' own pure functions judge what it found once more: so
a page can show nothing that a replay of the same log would not. A page is cut by position, newest first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, LiteralString, Protocol, TypeVar
from uuid import UUID

import asyncpg

from rilon.domain.delivery import Delivery
from rilon.domain.disclosure import disclosure_id
from rilon.domain.holding import holding_id
from rilon.domain.peer_link import link_stream
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Sensitivity
from rilon.projections import board
from rilon.projections.approvals import Approval, Waiting, waiting
from rilon.projections.board import Edition, Entry, Item, Sight
from rilon.projections.changes import Row
from rilon.projections.contact import Contact, day_of
from rilon.projections.deliveries import Answer, Erased, Receipt, Sent, delivery, replies
from rilon.projections.officers import Enrolled
from rilon.projections.openings import Opened
from rilon.projections.progress import viewing
from rilon.projections.rows import read_row
from rilon.projections.ties import Tie
from rilon.projections.times import Decided, Sending
from rilon.store.database import Pool

R = TypeVar("R", bound=Row)
S = TypeVar("S", bound=Row)

MAX_PAGE: Final = 200
"""Lines of a page, whatever is asked for."""
NEWEST: Final = 2**62
"""Where a page without a cursor begins."""

_SEEN: Final[LiteralString] = """
WITH granted AS NOT MATERIALIZED (
  SELECT e.*,
    ARRAY(
      SELECT s FROM unnest(e.sensitivities) AS s WHERE NOT EXISTS (
        SELECT FROM views.edition newer
        WHERE newer.stream = e.stream AND newer.version > e.version AND s = ANY(newer.sensitivities))
    ) AS shown
  FROM views.edition e WHERE until > $1 AND readers && $2::text[]
    AND (sensitivities && $3::text[] OR basis = 'recovered')
), mine AS NOT MATERIALIZED (
  SELECT * FROM granted WHERE shown && $3::text[] OR basis = 'recovered'
), page AS (
  SELECT e.stream, e.position FROM mine e JOIN views.item i USING (stream)
  WHERE e.position < $4
    AND NOT EXISTS (
      SELECT FROM mine more WHERE more.stream = e.stream AND (more.version, more.position) > (e.version, e.position))
    AND ($5::uuid[] IS NULL OR e.stream = ANY($5))
    AND ($6::text[] IS NULL OR e.kind = ANY($6))
    AND ($7::text[] IS NULL OR e.urgency = ANY($7))
    AND ($8::text[] IS NULL OR i.origin = ANY($8))
    AND ($9::boolean IS NULL OR (i.origin = '') = $9)
    AND ($10::text[] IS NULL OR $10 && ARRAY[
      CASE WHEN i.state = 'live' AND e.manifest = ANY(i.superseded) THEN 'superseded' ELSE i.state END])
    AND ($11::timestamptz IS NULL OR e.at >= $11)
    AND ($12::timestamptz IS NULL OR e.at < $12)
    AND ($13::boolean IS NULL OR (i.state = 'live' AND e.review_at <= $1) = $13)
    AND (i.known_to = '{}' OR i.known_to && $2)
  ORDER BY e.position DESC LIMIT $14
)
"""
_BOARD: Final[LiteralString] = (
    _SEEN  # noqa: S608  both parts are constants
    + """
SELECT page.position, i.*, e.* FROM page
CROSS JOIN LATERAL (SELECT * FROM views.item WHERE stream = page.stream OFFSET 0) AS i
CROSS JOIN LATERAL (SELECT * FROM mine WHERE stream = page.stream OFFSET 0) AS e
ORDER BY page.position DESC
"""
)
"""The lines an officer may see, each where the version stands that is shown of it; with all that is granted of each.

Of a sensitivity that a newer version was granted with, an older version shows nothing (``closing.in_force``): what is
left of a grant's is its last column. No other column is named, so that a new field of a row needs no change here.

$1 now; $2 readers among whom they are, $3 what they may open; $4 before; $5-$13 what is wanted; $14 how many. One
statement, so that a page is of one moment. Postgres believes that such a page has one line, and would read whole tables
to join each of them; OFFSET 0 lets it look for a page's own rows only.
"""

_SENSITIVITIES: Final = len(Item.__struct_fields__) + Edition.__struct_fields__.index("sensitivities")

_SIGHTS: Final[LiteralString] = (
    _SEEN  # noqa: S608  both parts are constants
    + """
SELECT i.origin, i.item, coalesce((
    SELECT max(s.version) FROM mine s WHERE s.stream = page.stream AND 'summary' = ANY(s.shown)), 0),
  e.kind, e.urgency, e.at
FROM page
CROSS JOIN LATERAL (SELECT * FROM views.item WHERE stream = page.stream OFFSET 0) AS i
CROSS JOIN LATERAL (SELECT * FROM views.edition WHERE (stream, position) = (page.stream, page.position) OFFSET 0) AS e
ORDER BY page.position DESC
"""
)
"""The same lines, for pictures: narrow, and as many as there are."""

_QUEUE: Final[LiteralString] = """
SELECT a.*, e.* FROM views.approval a JOIN views.edition e ON e.stream = a.item AND e.n = 0
WHERE a.position < $1 AND (a.state = 'waiting' OR a.review_since IS NOT NULL OR a.asked <> '{}')
ORDER BY a.position DESC LIMIT $2
"""
_SENT: Final[LiteralString] = "SELECT * FROM views.sent WHERE disclosure = ANY($1) ORDER BY n, recipient"
_RECEIPTS: Final[LiteralString] = """
SELECT DISTINCT r.* FROM unnest($1::uuid[], $2::bigint[]) AS s (stream, n) CROSS JOIN LATERAL (
  SELECT * FROM views.receipt r WHERE r.stream = s.stream AND r.n > s.n AND r.through >= s.n ORDER BY r.n LIMIT 1) AS r
"""
"""The first receipt that covers each line; it came after the line, so few are looked at."""

_ANSWERS: Final[LiteralString] = "SELECT * FROM views.answer WHERE manifest = ANY($1::bytea[]) ORDER BY position"
_OPENINGS: Final[LiteralString] = "SELECT * FROM views.opening WHERE at >= $1 AND at < $2 ORDER BY n"
_ERASED: Final[LiteralString] = "SELECT * FROM views.erased WHERE stream = ANY($1) ORDER BY n"
_SENDINGS: Final[LiteralString] = """
WITH mine AS (
  SELECT p.*, lead(p.at) OVER (PARTITION BY p.stream ORDER BY p.n) AS next_at, e.until
  FROM views.posted p JOIN views.edition e ON e.stream = p.item AND e.n = 0
  WHERE $1::text[] IS NULL OR e.readers && $1
)
SELECT m.urgency, s.recipient, m.at, s.at, r.at, a.at, least(m.next_at, k.over_at, m.until, c.at)
FROM mine m
CROSS JOIN LATERAL (
  SELECT DISTINCT ON (recipient) * FROM views.sent
  WHERE disclosure = m.stream AND manifest = m.manifest AND kind = 'release' AND code = ''
  ORDER BY recipient, n) AS s
LEFT JOIN LATERAL (
  SELECT at FROM views.receipt WHERE stream = s.stream AND n > s.n AND through >= s.n ORDER BY n LIMIT 1) AS r ON true
LEFT JOIN LATERAL (
  SELECT min(at) AS at FROM views.answer WHERE manifest = m.manifest AND peer = s.recipient
    AND (kind = 'status.acknowledged' OR kind LIKE 'reply.%')) AS a ON true
LEFT JOIN LATERAL (
  SELECT min(at) AS at FROM views.sent
  WHERE disclosure = m.stream AND recipient = s.recipient AND kind = 'recall' AND n > s.n) AS c ON true
LEFT JOIN views.asking k ON k.stream = m.stream AND k.n = 0
WHERE m.at >= $2 ORDER BY m.at DESC, m.stream, s.recipient LIMIT $3
"""
_DECISIONS: Final[LiteralString] = """
SELECT p.urgency, d.asked_at, d.ended_at, coalesce(d.ended, '')
FROM views.asking k
CROSS JOIN LATERAL unnest(k.asked_at, k.asked_for, k.ended_at, k.ended) AS d (asked_at, asked_for, ended_at, ended)
JOIN views.posted p ON p.stream = k.stream AND p.manifest = d.asked_for
WHERE d.asked_at >= $1 ORDER BY d.asked_at DESC, k.stream LIMIT $2
"""
_CONTACTS: Final[LiteralString] = """
SELECT l.member, t.at, coalesce(turn.state, ''), least(s.at, p.at), greatest(r.at, h.at)
FROM unnest($1::text[], $2::uuid[]) AS l (member, stream)
CROSS JOIN unnest($3::timestamptz[], $4::bigint[]) AS t (at, day)
LEFT JOIN LATERAL (
  SELECT state FROM views.turn WHERE stream = l.stream AND at <= t.at ORDER BY n DESC LIMIT 1) AS turn ON true
LEFT JOIN LATERAL (
  SELECT through, at FROM views.receipt WHERE stream = l.stream AND at <= t.at
  ORDER BY at DESC, n DESC LIMIT 1) AS r ON true
LEFT JOIN LATERAL (
  SELECT at FROM views.sent WHERE stream = l.stream AND n > coalesce(r.through, 0) AND NOT returned
  ORDER BY n LIMIT 1) AS s ON s.at <= t.at
LEFT JOIN LATERAL (
  SELECT at FROM views.spoken WHERE stream = l.stream AND n > coalesce(r.through, 0)
  ORDER BY n LIMIT 1) AS p ON p.at <= t.at
LEFT JOIN LATERAL (
  SELECT at FROM views.heard WHERE stream = l.stream AND n <= t.day AND at <= t.at ORDER BY n DESC LIMIT 1) AS h ON true
ORDER BY l.member, t.at
"""
"""Each link at each instant. What waited longest then is the first line behind the newest receipt of then."""

_TIES: Final[LiteralString] = """
(SELECT * FROM views.tie WHERE stream = ANY($1) ORDER BY n DESC LIMIT $3)
UNION
(SELECT * FROM views.tie WHERE others <> '{}' AND others && $2 ORDER BY n DESC LIMIT $3)
ORDER BY n
"""
_OFFICERS: Final[LiteralString] = "SELECT * FROM views.officer ORDER BY at, stream"


class Wanted(Protocol):
    """Which lines of a board; None does not restrict. The database passes over most of what ``takes`` would refuse."""

    @property
    def kinds(self) -> Collection[str] | None:
        """Kinds of alert."""
        ...

    @property
    def urgencies(self) -> Collection[str] | None:
        """How urgent."""
        ...

    @property
    def origins(self) -> Collection[str] | None:
        """Members; "" for this one."""
        ...

    @property
    def own(self) -> bool | None:
        """This Member's, or others'."""
        ...

    @property
    def states(self) -> Collection[str] | None:
        """As ``Entry.state``."""
        ...

    @property
    def since(self) -> datetime | None:
        """What is shown came into the log at this instant or later."""
        ...

    @property
    def until(self) -> datetime | None:
        """What is shown came into the log before this instant."""
        ...

    @property
    def review_due(self) -> bool | None:
        """Whether its review is due."""
        ...

    @property
    def places(self) -> Collection[tuple[str, UUID, int]] | None:
        """Origin, item and version of the summary."""
        ...

    def takes(self, entry: Entry) -> bool:
        """Whether a line is wanted: the last word on all of this."""
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
        limit, before = min(limit, MAX_PAGE), NEWEST if before is None else before
        page: list[Entry] = []
        while before and len(page) < limit:
            lines, before = await self._lines(caller, at, before, _asked(wanted), limit)
            page += [entry for entry in lines if wanted.takes(entry)]
        return page[:limit]

    async def sights(self, caller: Caller, at: datetime, since: datetime, limit: int) -> Sequence[Sight]:
        """At most ``limit`` lines that the caller may see at an instant and that came since another, newest first."""
        readers, readable = sorted(caller.readers), [s for s in Sensitivity if caller.may_read(s)]
        wanted = (*[None] * 6, since, None, None)
        return [Sight(*row) for row in await self._fetch(_SIGHTS, at, readers, readable, NEWEST, *wanted, limit)]

    async def entry(self, caller: Caller, at: datetime, origin: str, item: UUID) -> Entry | None:
        """One line, or None when the caller may not know of it; ``origin`` "" for this Member's own.

        What exists and is not for the caller is asked for, and answered, exactly as what does not exist.
        """
        asked = ([_stream(origin, item)], None, None, [origin], *[None] * 5)  # else a holding had a second address
        lines, _ = await self._lines(caller, at, NEWEST, asked, 1)
        return next(iter(lines), None)

    async def queue(self, before: int | None, limit: int) -> Sequence[Waiting]:
        """At most ``limit`` disclosures that wait for a signature or a review, newest first."""
        records = await self._fetch(_QUEUE, NEWEST if before is None else before, min(limit, MAX_PAGE))
        return [waiting(*_both(Approval, Edition, tuple(record))) for record in records]

    async def deliveries(self, item: UUID) -> Sequence[Delivery]:
        """What became of every line about an item of this Member's, in the order they were sent; none: empty."""
        return (await self.deliveries_of([item]))[item]

    async def deliveries_of(self, items: Sequence[UUID]) -> Mapping[UUID, Sequence[Delivery]]:
        """The same of several items, which asks the database no more often than for one."""
        streams = {disclosure_id(item): item for item in items}
        sent, answers = await self._correspondence(items)
        receipts = _by_stream(await self._rows(Receipt, _RECEIPTS, [s.stream for s in sent], [s.n for s in sent]))
        erased = _by_stream(await self._rows(Erased, _ERASED, list(streams)))
        found: dict[UUID, list[Delivery]] = {item: [] for item in items}
        for s in sent:
            heard = (a for a in answers if a.manifest == s.manifest)
            told = delivery(s, receipts.get(s.stream, ()), heard, erased.get(s.disclosure, ()))
            found[streams[s.disclosure]].append(told)
        return found

    async def replies(self, item: UUID) -> Sequence[Answer]:
        """Replies to an item of this Member's, oldest first."""
        return replies(*await self._correspondence([item]))

    async def openings(self, since: datetime, until: datetime) -> Sequence[Opened]:
        """Every opening at this node from an instant on and before another, oldest first."""
        return await self._rows(Opened, _OPENINGS, since, until)

    async def sendings(self, caller: Caller, since: datetime, limit: int) -> Sequence[Sending]:
        """At most ``limit`` versions posted since an instant, each on its way to one Member, newest first.

        Those that the caller may read here; an auditor is told of all, as of what became of each.
        """
        readers = None if caller.may(Action.REPLAY) else sorted(caller.readers)
        return [Sending(*row) for row in await self._fetch(_SENDINGS, readers, since, limit)]

    async def decisions(self, since: datetime, limit: int) -> Sequence[Decided]:
        """At most ``limit`` questions to our focal points since an instant, newest first; for who sees the queue."""
        return [Decided(*row) for row in await self._fetch(_DECISIONS, since, limit)]

    async def contacts(self, members: Sequence[str], instants: Sequence[datetime]) -> Sequence[Contact]:
        """How the link to each node was at each instant, by Member and time."""
        links, days = [link_stream(member) for member in members], [day_of(at) for at in instants]
        return [Contact(*row) for row in await self._fetch(_CONTACTS, members, links, instants, days)]

    async def ties(self, streams: Sequence[UUID], items: Sequence[UUID], limit: int) -> Sequence[Tie]:
        """What ties these streams to others, and what else names these items; the newest of each, oldest first."""
        return await self._rows(Tie, _TIES, streams, items, limit)

    async def some(self, caller: Caller, at: datetime, streams: Sequence[UUID]) -> Sequence[Entry]:
        """Those lines of these items that the caller may see, newest first; at most ``MAX_PAGE``."""
        lines, _ = await self._lines(caller, at, NEWEST, (list(streams), *[None] * 8), MAX_PAGE)
        return lines

    async def officers(self) -> Sequence[Enrolled]:
        """Everybody who was ever enrolled, in that order."""
        return await self._rows(Enrolled, _OFFICERS)

    async def _lines(
        self, caller: Caller, at: datetime, before: int, asked: tuple[object, ...], limit: int
    ) -> tuple[list[Entry], int]:
        """Lines before a position, and the position to go on from; 0 when there are no more.

        What the database found is judged again here, by the function that a replay uses.
        """
        readers, readable = sorted(caller.readers), [s for s in Sensitivity if caller.may_read(s)]
        found = await self._fetch(_BOARD, at, readers, readable, before, *asked, limit)
        pairs = [_shown(tuple(record)[1:]) for record in found]
        grouped = [(item, [e for _, e in group]) for item, group in groupby(pairs, key=itemgetter(0))]
        lines = [board.entry(item, editions, caller, at) for item, editions in grouped]
        last: int = found[-1][0] if len(grouped) == limit else 0
        return [line for line in lines if line is not None], last

    async def _correspondence(self, items: Sequence[UUID]) -> tuple[list[Sent], list[Answer]]:
        sent = await self._rows(Sent, _SENT, [disclosure_id(item) for item in items])
        return sent, await self._rows(Answer, _ANSWERS, list({s.manifest for s in sent}))

    async def _rows(self, table: type[R], query: LiteralString, *arguments: object) -> list[R]:
        return [read_row(table, tuple(record)) for record in await self._fetch(query, *arguments)]

    async def _fetch(self, query: LiteralString, *arguments: object) -> list[asyncpg.Record]:
        with viewing():
            return await self._pool.fetch(query, *arguments)


def _by_stream(rows: Iterable[R]) -> dict[UUID, list[R]]:
    found: dict[UUID, list[R]] = {}
    for row in rows:
        found.setdefault(row.stream, []).append(row)
    return found


def _stream(origin: str, item: UUID) -> UUID:
    return holding_id(origin, item) if origin else item


def _asked(wanted: Wanted) -> tuple[object, ...]:
    """What is wanted, as the statement takes it; None where it does not restrict."""
    sets = (wanted.kinds, wanted.urgencies, wanted.origins, wanted.states)
    kinds, urgencies, origins, states = (None if s is None else sorted(s) for s in sets)
    streams = None if wanted.places is None else [_stream(origin, item) for origin, item, _ in wanted.places]
    return streams, kinds, urgencies, origins, wanted.own, states, wanted.since, wanted.until, wanted.review_due


def _shown(columns: Sequence[object]) -> tuple[Item, Edition]:
    """A grant of an item; the last column, what of it is in force, stands in the place of what was granted."""
    *of_both, shown = columns
    of_both[_SENSITIVITIES] = shown
    return _both(Item, Edition, of_both)


def _both(one: type[R], other: type[S], columns: Sequence[object]) -> tuple[R, S]:
    """Two rows that were joined."""
    cut = len(one.__struct_fields__)
    return read_row(one, columns[:cut]), read_row(other, columns[cut:])
