"""Reminding a Member whose log was restored of what it has forgotten: what it released to us and does not say again.

Under its new log id it says again every line that its backup still had, and then the line that names its new identity.
What we hold of it and it has not said again by then, it has forgotten. That follows from our log alone: nothing is
kept, and after a crash the reading begins anew. Each release goes back as a line, neither lost nor repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from rilon.app.follower import Remembering
from rilon.app.outgoing import release_of
from rilon.app.unit import Unit, Work
from rilon.crypto import statement
from rilon.domain.base import Event
from rilon.domain.directory import DIRECTORY_ID, Directory, PeerNode
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding, holding_id
from rilon.domain.values import Urgency

PAGE = 64
"""Most items that are returned to one Member each time somebody tends."""


@dataclass(slots=True)
class _Origin:
    """A Member, as far as its releases to us go.

    Attributes:
        log_id: of its newest log. identities: digests of the statements that name it.
        given: releases to us under any log, and their items. unsaid: those not said again under the newest log.
        told: whether its newest log has said again all that it knows.
        queue: items to return, most urgent last; None: not yet looked at.
    """

    log_id: bytes = b""
    identities: set[bytes] = field(default_factory=set)
    given: dict[bytes, UUID] = field(default_factory=dict)
    unsaid: dict[bytes, UUID] = field(default_factory=dict)
    told: bool = False
    queue: list[UUID] | None = None

    def speak_from(self, log_id: bytes, identity: bytes) -> None:
        """An identity names its log."""
        if log_id != self.log_id:
            self.log_id, self.identities, self.told, self.queue = log_id, set(), False, None
            self.unsaid = dict(self.given)
        self.identities.add(identity)


class Reminders(Remembering):
    """Knows what each Member has forgotten; ``tend`` returns a page of it."""

    name = "reminders"

    def __init__(self, work: Work) -> None:
        self._work = work
        self._origins: dict[str, _Origin] = {}

    def _note(self, event: Event) -> None:
        """What each Member released to us, under which log it said so last, and what went back."""
        match event:
            case PeerNode.Introduced() | PeerNode.IdentityChanged():
                identity = event.identity
                origin = self._origins.setdefault(identity.member, _Origin())
                origin.speak_from(identity.log_id, statement.parse(event.statement).digest)
            case Entry.Accepted() | Entry.Refused() if event.peer in self._origins:
                self._heard(self._origins[event.peer], event)
            case Holding.Reminded():
                for member in event.to:
                    self._origins[member].unsaid.pop(event.release, None)

    def _heard(self, origin: _Origin, event: Entry.Accepted | Entry.Refused) -> None:
        kind, digests = event.line.kind, event.line.digests
        if kind == "release" and digests:
            if isinstance(event, Entry.Accepted) and event.item is not None:
                origin.given[digests[-1]] = event.item
            if event.log_id == origin.log_id:
                origin.unsaid.pop(digests[-1], None)
        if kind == "directory" and event.log_id == origin.log_id and origin.identities & {*digests}:
            origin.told = True

    async def tend(self) -> None:
        """Return the next page to each Member that has forgotten something, urgent items first.

        Raises:
            UnavailableError: repeat it.
        """
        forgetful = [(m, o) for m, o in self._origins.items() if o.told and o.unsaid]
        directory = await self._work.read(Directory, DIRECTORY_ID) if forgetful else None
        for member, origin in forgetful:
            if directory and directory.standing(member) == "verified":
                await self._return(member, origin)

    async def _return(self, member: str, origin: _Origin) -> None:
        if origin.queue is None:
            origin.queue = await self._ranked(member, {*origin.unsaid.values()})
        queue, log_id = origin.queue, origin.log_id
        for item in reversed(queue[-PAGE:]):
            await self._work.run(partial(self._remind, member, log_id, item, frozenset(origin.unsaid)))
        del queue[-PAGE:]
        if not queue and origin.queue is queue:  # else it has begun another log meanwhile
            origin.unsaid = {}

    async def _ranked(self, member: str, items: set[UUID]) -> list[UUID]:
        ranks: dict[UUID, int] = {}
        for item in items:
            holding = await self._work.read(Holding, holding_id(member, item))
            ranks[item] = min(list(Urgency).index(e.urgency) for e in holding.grants.editions)
        return sorted(items, key=lambda item: (-ranks[item], item))

    async def _remind(self, member: str, log_id: bytes, item: UUID, unsaid: frozenset[bytes], unit: Unit) -> bytes:
        holding = await unit.get(Holding, holding_id(member, item))
        for edition in sorted(holding.grants.editions, key=lambda e: e.version):
            manifest, release = release_of(edition)
            if release in unsaid:
                holding.remind(log_id, manifest, release, self._work.clock.now())
        return b""
