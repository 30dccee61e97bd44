"""The views in memory: the very folds of the projections, asked as the database's reader is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from rilon.app.ports import Recorded
from rilon.domain.delivery import Delivery
from rilon.domain.disclosure import disclosure_id
from rilon.domain.holding import holding_id
from rilon.domain.peer_link import link_stream
from rilon.domain.permissions import Action, Caller
from rilon.front.views import BoardFilter
from rilon.projections import approvals, board, contact, deliveries, officers, openings, ties, times
from rilon.projections.board import Entry, Sight
from rilon.projections.changes import Row, Tables
from rilon.projections.views import fold

T = TypeVar("T", bound=Row)


class MemoryViews:
    """A follower that is also its own reader."""

    name = "views"

    def __init__(self) -> None:
        self.tables = Tables()
        self._at = 0

    async def position(self) -> int:
        return self._at

    async def apply(self, batch: Sequence[Recorded]) -> None:
        fold(batch, self.tables)
        self._at = batch[-1].position

    async def board(
        self, caller: Caller, at: datetime, wanted: BoardFilter, before: int | None, limit: int
    ) -> Sequence[Entry]:
        found = [self._entry(item, caller, at) for item in self.tables.rows(board.Item).values()]
        taken = [e for e in found if e and wanted.takes(e) and (before is None or e.position < before)]
        return sorted(taken, key=lambda e: -e.position)[:limit]

    async def sights(self, caller: Caller, at: datetime, since: datetime, limit: int) -> Sequence[Sight]:
        found = await self.board(caller, at, BoardFilter(since=since), None, limit)
        return [Sight(e.origin, e.item, e.summary_version, e.kind, e.urgency, e.at) for e in found]

    async def entry(self, caller: Caller, at: datetime, origin: str, item: UUID) -> Entry | None:
        row = self.tables.find(board.Item, holding_id(origin, item) if origin else item)
        return self._entry(row, caller, at) if row and row.origin == origin else None

    def _entry(self, item: board.Item, caller: Caller, at: datetime) -> Entry | None:
        return board.entry(item, self.tables.rows(board.Edition).values(), caller, at)

    async def queue(self, before: int | None, limit: int) -> Sequence[approvals.Waiting]:
        rows = self.tables.rows(approvals.Approval).values()
        due = [a for a in rows if a.state == "waiting" or a.review_since or a.asked]
        taken = sorted((a for a in due if before is None or a.position < before), key=lambda a: -a.position)
        editions = self.tables.rows(board.Edition)
        return [approvals.waiting(a, editions[a.item, 0]) for a in taken[:limit]]

    async def deliveries(self, item: UUID) -> Sequence[Delivery]:
        receipts, answers = self.tables.rows(deliveries.Receipt).values(), self.tables.rows(deliveries.Answer).values()
        erased = [e for e in self.tables.rows(deliveries.Erased).values() if e.stream == disclosure_id(item)]
        return [deliveries.delivery(sent, receipts, answers, erased) for sent in self._sent(item)]

    async def deliveries_of(self, items: Sequence[UUID]) -> Mapping[UUID, Sequence[Delivery]]:
        return {item: await self.deliveries(item) for item in items}

    async def replies(self, item: UUID) -> Sequence[deliveries.Answer]:
        return deliveries.replies(self._sent(item), self.tables.rows(deliveries.Answer).values())

    def _sent(self, item: UUID) -> list[deliveries.Sent]:
        rows = self.tables.rows(deliveries.Sent).values()
        return sorted((s for s in rows if s.disclosure == disclosure_id(item)), key=lambda s: (s.n, s.recipient))

    async def openings(self, since: datetime, until: datetime) -> Sequence[openings.Opened]:
        rows = self.tables.rows(openings.Opened).values()
        return sorted((o for o in rows if since <= o.at < until), key=lambda o: o.n)

    async def sendings(self, caller: Caller, since: datetime, limit: int) -> Sequence[times.Sending]:
        posted = [p for p in self.tables.rows(times.Posted).values() if p.at >= since and self._told(caller, p.item)]
        found = [await self._sendings(p) for p in sorted(posted, key=lambda p: (-p.at.timestamp(), p.stream))]
        return [sending for some in found for sending in some][:limit]

    def _told(self, caller: Caller, item: UUID) -> bool:
        return caller.may(Action.REPLAY) or caller.among(self.tables.rows(board.Edition)[item, 0].readers)

    async def _sendings(self, posted: times.Posted) -> list[times.Sending]:
        asking, newer = self.tables.find(times.Asking, posted.stream), posted.n + 1
        ends = [self.tables.rows(board.Edition)[posted.item, 0].until, asking.over_at if asking else None]
        ends += [n.at for n in [self.tables.find(times.Posted, posted.stream, newer)] if n]
        found: dict[str, times.Sending] = {}
        for at, d in enumerate(lines := await self.deliveries(posted.item)):
            if d.kind == "release" and d.manifest == posted.manifest and not d.code and d.recipient not in found:
                recalls = [c.sent_at for c in lines[at:] if (c.kind, c.recipient) == ("recall", d.recipient)]
                over = min(end for end in (*ends, *recalls) if end)
                answered = min((a for a in (d.acknowledged_at, d.acted_at) if a), default=None)
                ways = (d.sent_at, d.stored_at, answered, over)
                found[d.recipient] = times.Sending(posted.urgency, d.recipient, posted.at, *ways)
        return [found[recipient] for recipient in sorted(found)]

    async def decisions(self, since: datetime, limit: int) -> Sequence[times.Decided]:
        posted = {p.manifest: p.urgency for p in self.tables.rows(times.Posted).values()}
        found = [
            (at, asking.stream, times.Decided(posted[asking.asked_for[n]], at, *_ended(asking, n)))
            for asking in self.tables.rows(times.Asking).values()
            for n, at in enumerate(asking.asked_at)
            if at >= since and asking.asked_for[n] in posted
        ]
        return [decided for *_, decided in sorted(found, key=lambda f: (-f[0].timestamp(), f[1]))][:limit]

    async def contacts(self, members: Sequence[str], instants: Sequence[datetime]) -> Sequence[contact.Contact]:
        return [self._contact(member, at) for member in sorted(members) for at in sorted(instants)]

    def _contact(self, member: str, at: datetime) -> contact.Contact:
        def then(table: type[T]) -> list[T]:
            rows: list[Any] = [r for r in self.tables.rows(table).values() if r.stream == link_stream(member)]
            return [r for r in rows if r.at <= at]

        turns, receipts = then(contact.Turn), then(deliveries.Receipt)
        newest = max(receipts, key=lambda r: (r.at, r.n), default=None)
        lines = [*(s for s in then(deliveries.Sent) if not s.returned), *then(contact.Spoken)]
        heard = [r.at for r in (*receipts, *then(contact.Heard))]
        return contact.Contact(
            member,
            at,
            max(turns, key=lambda t: t.n).state if turns else "",
            min((r.at for r in lines if r.n > (newest.through if newest else 0)), default=None),
            max(heard, default=None),
        )

    async def ties(self, streams: Sequence[UUID], items: Sequence[UUID], limit: int) -> Sequence[ties.Tie]:
        rows = sorted(self.tables.rows(ties.Tie).values(), key=lambda t: t.n)
        mine, named = [t for t in rows if t.stream in streams], [t for t in rows if {*t.others} & {*items}]
        return sorted({*mine[-limit:], *named[-limit:]}, key=lambda t: t.n)

    async def some(self, caller: Caller, at: datetime, streams: Sequence[UUID]) -> Sequence[Entry]:
        rows = [self.tables.find(board.Item, stream) for stream in streams]
        found = [entry for row in rows if row and (entry := self._entry(row, caller, at))]
        return sorted(found, key=lambda e: -e.position)

    async def officers(self) -> Sequence[officers.Enrolled]:
        return list(self.tables.rows(officers.Enrolled).values())


def _ended(asking: times.Asking, n: int) -> tuple[datetime | None, str]:
    return (asking.ended_at[n], asking.ended[n]) if n < len(asking.ended_at) else (None, "")
