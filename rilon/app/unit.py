"""One command's work: what it loads, what it changes, what it guards, stored in one append or not at all.

Everything loaded is guarded: the append refuses when a stream the decision has read moved meanwhile (architecture.md,
decision 4), and ``run`` decides again on what is true now. A command with an idempotency key stores its answer in the
same append, so that a retry after a lost connection finds the first answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID

from rilon.app.ports import Clock, Entropy, EventLog, Wrap
from rilon.domain.base import Event, Root
from rilon.domain.command import Command
from rilon.errors import ConflictError, NotFoundError, RilonError

A = TypeVar("A", bound=Root)

ATTEMPTS = 5
"""How often a decision is taken again when what it read has moved."""

_MOVED = frozenset({"log.guard-moved", "log.version-taken", "log.key-turned"})


def fold(events: list[Event], aggregate: Root | None = None) -> Root | None:
    """Replay one stream. The library's own projector checks a runtime protocol per event: 6.5 times slower."""
    for event in events:
        aggregate = event.mutate(aggregate)
    return aggregate


class Repository:
    """Aggregates of the log, with a pop-cache: ``take`` removes, ``put`` gives back, a failed append just drops."""

    def __init__(self, log: EventLog, *, keep: int = 4096) -> None:
        self.log, self._keep = log, keep
        self._cache: OrderedDict[UUID, Root] = OrderedDict()

    async def take(self, stream: UUID, *, fresh: bool = False) -> Root | None:
        """The aggregate, of whatever kind; None when there is none.

        A cached one may be behind what another process wrote: a command's append finds that out by its guards. Who only
        reads asks for a ``fresh`` one.
        """
        found = self._cache.pop(stream, None)
        if found is None or fresh:
            found = fold(await self.log.stream(stream, after=found.version if found else 0), found)
        return found

    def __contains__(self, stream: UUID) -> bool:
        """Whether it lies in the cache."""
        return stream in self._cache

    def put(self, *aggregates: Root) -> None:
        """Give aggregates back after a commit, or unchanged."""
        for aggregate in aggregates:
            self._cache[aggregate.id] = aggregate
        while len(self._cache) > self._keep:
            self._cache.popitem(last=False)


class Unit:
    """The work of one command. Made by ``Work.run``; a desk's methods use it and never see the log.

    Attributes:
        at: when it began.
    """

    def __init__(self, repository: Repository, at: datetime) -> None:
        self._repository, self.at = repository, at
        self._loaded: dict[UUID, Root | None] = {}
        self._cached: dict[UUID, int] = {}
        self._wraps: list[Wrap] = []

    async def find(self, cls: type[A], stream: UUID) -> A | None:
        """Load an aggregate, or None. Its absence is guarded too; one of another kind is none, and guarded likewise."""
        if stream not in self._loaded:
            cached = stream in self._repository
            found = self._loaded[stream] = await self._repository.take(stream)
            if found is not None and cached:
                self._cached[stream] = found.version
        found = self._loaded[stream]
        return found if isinstance(found, cls) else None

    async def get(self, cls: type[A], stream: UUID) -> A:
        """Load an aggregate. Raises NotFoundError."""
        found = await self.find(cls, stream)
        if found is None:
            raise NotFoundError
        return found

    def add(self, aggregate: Root) -> None:
        """Store a new aggregate with this command; from here on it is found like one that was loaded."""
        self._loaded[aggregate.id] = aggregate

    def keep(self, *wraps: Wrap) -> None:
        """Store section keys with this command; their ciphertexts are in the blobs already."""
        self._wraps.extend(wraps)

    async def give_back(self) -> bool:
        """After a refusal: give back what it did not touch; whether it was decided on something that had moved.

        Then what exists and is not for the asker costs the same as what does not exist: one look at the log each.
        """
        moved = {s for s, version in self._cached.items() if await self._repository.log.stream(s, after=version)}
        found = [a for s, a in self._loaded.items() if a is not None and s not in moved]
        self._repository.put(*(a for a in found if not a.pending_events))
        return bool(moved)

    async def commit(self) -> int:
        """Append everything; position of the last event, 0 when nothing happened."""
        everything = [a for a in self._loaded.values() if a is not None]
        events = [cast("Event", e) for a in everything for e in a.collect_events()]
        changed = {e.originator_id for e in events}
        guards = {i: a.version if a else 0 for i, a in self._loaded.items() if i not in changed}
        position = 0
        if events:
            position = await self._repository.log.append(events, wraps=self._wraps, unchanged=guards)
        self._repository.put(*everything)
        return position


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: its answer (ids and codes only) and the position to read after.

    Attributes:
        repeated: it was done before under the same key; this is the first answer again.
    """

    answer: bytes
    position: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key as the log may hold it: the command's stream and the HMAC of the request."""

    command: UUID
    request: bytes


class Work:
    """Runs commands: each on a unit of its own, again when what it read has moved, once per idempotency key."""

    def __init__(self, log: EventLog, clock: Clock, entropy: Entropy) -> None:
        self.log, self.clock, self.entropy = log, clock, entropy
        self.repository = Repository(log)

    async def run(self, do: Callable[[Unit], Awaitable[bytes]], key: Key | None = None) -> Done:
        """Run a command to its end.

        Args:
            do: decides on the unit and gives the answer; it may run several times, so it must not act elsewhere.
            key: the idempotency key; the first answer is given again.

        Raises:
            ConflictError: ``command.key-reused``, or the decision kept moving under load.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self._once(do, key)
            except ConflictError as conflict:
                if conflict.code not in _MOVED:
                    raise
        raise ConflictError("command.busy", "Others keep changing this right now.", fix="Try again.")

    async def _once(self, do: Callable[[Unit], Awaitable[bytes]], key: Key | None) -> Done:
        if earlier := await self._earlier(key):
            return earlier
        unit = Unit(self.repository, self.clock.now())
        try:
            answer = await do(unit)
        except RilonError as refused:
            moved = await unit.give_back()
            if earlier := await self._earlier(key):  # a second click: what stood in its way is the first one's work
                return earlier
            if moved:
                raise ConflictError("log.guard-moved", "This was refused on what is no longer so.") from refused
            raise
        if key is not None:
            unit.add(Command.record(key.command, key.request, answer, self.clock.now()))
        return Done(answer, await unit.commit())

    async def _earlier(self, key: Key | None) -> Done | None:
        """The first answer under a key. Its stream's version 1 can be stored once, so no guard is needed."""
        command = await self.seek(Command, key.command) if key else None
        if key is None or command is None:
            return None
        return Done(command.same(key.request), (await self.log.head()).size, repeated=True)

    async def read(self, cls: type[A], stream: UUID, *, fresh: bool = True) -> A:
        """An aggregate for reading only. Raises NotFoundError.

        Args:
            fresh: False for who asks only for what can no longer change.
        """
        found = await self.seek(cls, stream, fresh=fresh)
        if found is None:
            raise NotFoundError
        return found

    async def seek(self, cls: type[A], stream: UUID, *, fresh: bool = True) -> A | None:
        """An aggregate for reading only, or None: see ``read``."""
        found = await self.repository.take(stream, fresh=fresh)
        if found is not None:
            self.repository.put(found)
        return found if isinstance(found, cls) else None
