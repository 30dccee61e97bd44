"""What must be true of nodes that have come to rest, read from their databases alone: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from rilon.app.link_facts import line_bytes
from rilon.app.ports import Recorded
from rilon.crypto import chain
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.peer_link import PeerLink
from rilon.domain.values import Line
from rilon.node.examine import examine
from rilon.projections.changes import Tables
from rilon.projections.rebuild import rebuild
from rilon.projections.rows import read_row
from rilon.projections.views import VIEWS, fold
from rilon.store.database import Pool, open_pool
from rilon.store.log import PostgresEventLog
from tests.postgres_log import real_log

E = TypeVar("E", bound=Event)


@dataclass
class Story:
    """A node's log as it lies in its database."""

    member: str
    log_id: bytes
    recorded: list[Recorded]

    def of(self, kind: type[E]) -> list[E]:
        return [r.event for r in self.recorded if isinstance(r.event, kind)]

    @property
    def posted(self) -> set[str]:
        """Items of its own; each once."""
        found = [e.originator_id.hex for e in self.of(Alert.Posted)]
        assert len(found) == len(set(found))
        return set(found)

    def held(self, origin: str) -> set[str]:
        """Items of another Member's; each granted once."""
        found = [e.item.hex for e in self.of(Holding.Granted) if e.origin == origin]
        assert len(found) == len(set(found))
        assert not self.of(Holding.GrantedMore)
        return set(found)

    def lines_to(self, peer: str) -> list[Line]:
        return [to[peer] for r in self.recorded if peer in (to := getattr(r.event, "to", None) or {})]


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[tuple[PostgresEventLog, Pool]]:
    async with real_log(dsn, dict(CATALOGUE)) as world, open_pool(dsn, role="rilon_projector", size=2) as pool:
        yield world.log, pool


async def read_story(member: str, dsn: str) -> Story:
    async with opened(dsn) as (log, _):
        return Story(member, await log.log_id(), await log.page(0, 10_000_000))


def assert_links_whole(stories: dict[str, Story]) -> Counter[str]:
    """Every line arrived, once, in order, under the same chain of heads, and is receipted; how many of each kind."""
    pairs = [(a, b) for a in stories.values() for b in stories.values() if a is not b]
    return Counter(line.kind for sender, taker in pairs for line in _assert_link_whole(sender, taker))


def introductions(stories: dict[str, Story]) -> int:
    """Lines in which every node tells every other, once, what the hub calls it."""
    return len(stories) * (len(stories) - 1)


def _assert_link_whole(sender: Story, taker: Story) -> list[Line]:
    sent = sender.lines_to(taker.member)
    came = [e for e in taker.of(Entry.Accepted) if e.peer == sender.member]
    assert [e.seq for e in came] == list(range(1, len(sent) + 1))
    assert [e.line for e in came] == sent
    assert {e.log_id for e in came} <= {sender.log_id}
    for unsound in (Entry.Refused, Entry.Unknown, PeerLink.Frozen, PeerLink.FrameRejected):
        assert not taker.of(unsound)
    head = chain.START
    for n, entry in enumerate(came, 1):
        head = chain.advance(sender.log_id, taker.member, head, n, line_bytes(entry.line))
    receipts = [e for e in sender.of(PeerLink.Receipted) if e.log_id == taker.log_id]
    if sent:
        assert (receipts[-1].upto, receipts[-1].head) == (len(sent), head)
        assert [r.upto for r in receipts] == sorted({r.upto for r in receipts})
    return sent


async def assert_views_and_log_sound(dsn: str) -> None:
    """The live views are a fold of the log, a rebuild makes the very same bytes, and the log proves itself."""
    async with opened(dsn) as (log, pool):
        live = await _dump(pool)
        folded = Tables()
        fold(await log.page(0, 10_000_000), folded)
        assert live == folded.dump()
        await rebuild(pool, log)
        assert await _dump(pool) == live
    report = await examine(dsn)
    assert report.sound, report.findings
    assert report.proved["events"] == report.size > 0


async def _dump(pool: Pool) -> bytes:
    tables, kinds = Tables(), [table for view in VIEWS for table in view.tables]
    for table in kinds:
        for row in await pool.fetch(f"SELECT * FROM views.{table.TABLE}"):
            tables.apply(read_row(table, tuple(row)))
    return tables.dump()
