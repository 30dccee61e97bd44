"""What the API asks of the views: the pages it shows. ``rilon.projections.reader`` answers from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from rilon.app.summaries import Place
from rilon.app.tasks import Tasks, Why
from rilon.domain.delivery import Delivery
from rilon.domain.permissions import Caller
from rilon.projections.approvals import Waiting
from rilon.projections.board import Entry, Sight
from rilon.projections.contact import Contact
from rilon.projections.deliveries import Answer
from rilon.projections.officers import Enrolled
from rilon.projections.openings import Opened
from rilon.projections.ties import Tie
from rilon.projections.times import Decided, Sending


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """Which lines of a board; None does not restrict.

    Attributes:
        origins: Members; "" for this one.
        since, until: when what is shown came into the log: from, and before.
        places: what was found by words: the version that is found is the one whose summary the caller may read.
    """

    kinds: frozenset[str] | None = None
    urgencies: frozenset[str] | None = None
    origins: frozenset[str] | None = None
    own: bool | None = None
    states: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    review_due: bool | None = None
    places: frozenset[Place] | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether a line is wanted."""
        named = (
            (self.kinds, entry.kind),
            (self.urgencies, entry.urgency),
            (self.origins, entry.origin),
            (self.states, entry.state),
            (self.places, (entry.origin, entry.item, entry.summary_version)),
        )
        timely = (self.since is None or entry.at >= self.since) and (self.until is None or entry.at < self.until)
        sided = self.own is None or entry.own is self.own
        due = self.review_due is None or entry.review_due is self.review_due
        return timely and sided and due and all(wanted is None or value in wanted for wanted, value in named)


class Views(Protocol):
    """The views of this node as they are now."""

    async def board(
        self, caller: Caller, at: datetime, wanted: BoardFilter, before: int | None, limit: int
    ) -> Sequence[Entry]:
        """At most ``limit`` lines that the caller may see at an instant, newest first, from before a position."""
        ...

    async def sights(self, caller: Caller, at: datetime, since: datetime, limit: int) -> Sequence[Sight]:
        """What pictures are made of: the lines ``board`` would show that came since an instant, newest first."""
        ...

    async def entry(self, caller: Caller, at: datetime, origin: str, item: UUID) -> Entry | None:
        """One line, or None when the caller may not know of it; ``origin`` "" for this Member's own."""
        ...

    async def queue(self, before: int | None, limit: int) -> Sequence[Waiting]:
        """At most ``limit`` disclosures that wait for a signature or a review, newest first."""
        ...

    async def deliveries(self, item: UUID) -> Sequence[Delivery]:
        """What became of every line about an item of this Member's, in the order they were sent; none: empty."""
        ...

    async def deliveries_of(self, items: Sequence[UUID]) -> Mapping[UUID, Sequence[Delivery]]:
        """The same of several items at once."""
        ...

    async def replies(self, item: UUID) -> Sequence[Answer]:
        """Replies to an item of this Member's, oldest first."""
        ...

    async def openings(self, since: datetime, until: datetime) -> Sequence[Opened]:
        """Every opening at this node from an instant on and before another, oldest first."""
        ...

    async def sendings(self, caller: Caller, since: datetime, limit: int) -> Sequence[Sending]:
        """Versions posted since an instant on their way to each Member, newest first: of items the caller may know."""
        ...

    async def decisions(self, since: datetime, limit: int) -> Sequence[Decided]:
        """Questions to our own focal points since an instant, newest first; for who sees the queue."""
        ...

    async def contacts(self, members: Sequence[str], instants: Sequence[datetime]) -> Sequence[Contact]:
        """How the link to each node was at each instant, by Member and time."""
        ...

    async def ties(self, streams: Sequence[UUID], items: Sequence[UUID], limit: int) -> Sequence[Tie]:
        """What ties these streams to others, and what else names these items, whoever may see it; oldest first."""
        ...

    async def some(self, caller: Caller, at: datetime, streams: Sequence[UUID]) -> Sequence[Entry]:
        """Those lines of these items that the caller may see, newest first."""
        ...

    async def officers(self) -> Sequence[Enrolled]:
        """Everybody who was ever enrolled, in that order."""
        ...


MOST_TASKS: Final = 100
"""Items that await somebody, shown at once."""


async def task_entries(
    views: Views, tasks: Tasks, caller: Caller, at: datetime, me: str, of: str
) -> list[tuple[tuple[str, UUID], Entry, Why]]:
    """What awaits the caller, newest first, as the board shows it and why; what the board does not show is not there.

    Args:
        of: ``mine``, ``team`` or ``watching``.
    """
    places = {"mine": tasks.mine, "team": tasks.of_teams, "watching": tasks.watched}[of](caller)
    found = []
    for origin, item in places[:MOST_TASKS]:
        entry = await views.entry(caller, at, "" if origin == me else origin, item)
        if entry is not None:
            found.append(((origin, item), entry, tasks.why(caller, (origin, item))))
    return found
