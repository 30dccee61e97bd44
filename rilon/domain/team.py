"""Teams, and who takes care of an item: assignment and watch.

A desk is where an officer works and there is one; a team is made for a while, across desks and agencies. Neither a team
nor an assignment ever lets anybody see an item: they only say who should look, of those who may.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import MemberId, OfficerId, Sealed
from rilon.errors import ConflictError, NotFoundError

Keeper = Annotated[str, Meta(pattern=r"\A(officer|team):[0-9a-f]{32}\Z")]
"""Who takes care of something: an officer or a team, by opaque id."""
MAX_MEMBERS = 200


class Team(Root):
    """Officers of this node who work on something together; its name is sealed."""

    TOPIC = "rilon.team"

    class Formed(Opening):
        TOPIC = "rilon.team.formed.1"
        by: OfficerId
        name: Sealed

    class Joined(Root.Event):
        TOPIC = "rilon.team.joined.1"
        by: OfficerId
        officer: OfficerId

        def apply(self, aggregate: Team) -> None:
            aggregate.members |= {self.officer}

    class Left(Root.Event):
        TOPIC = "rilon.team.left.1"
        by: OfficerId
        officer: OfficerId

        def apply(self, aggregate: Team) -> None:
            aggregate.members -= {self.officer}

    class Dissolved(Root.Event):
        TOPIC = "rilon.team.dissolved.1"
        by: OfficerId

        def apply(self, aggregate: Team) -> None:
            aggregate.members, aggregate.active = frozenset(), False

    def __init__(self, by: OfficerId, name: Sealed) -> None:
        self.by, self.name = by, name
        self.members = frozenset[OfficerId]()
        self.active = True

    @property
    def code(self) -> str:
        """As a keeper names it."""
        return f"team:{self.id.hex}"

    @classmethod
    def form(cls, team: UUID, by: str, name: Sealed, at: datetime) -> Self:
        """Make a team of nobody."""
        return cls._create(cls.Formed, id=team, by=by, name=name, timestamp=at)

    def join(self, officer: str, by: str, at: datetime) -> None:
        """Take somebody in; again changes nothing.

        Raises:
            NotFoundError: it was dissolved. ConflictError: ``team.full``.
        """
        self._must_stand()
        if officer in self.members:
            return
        if len(self.members) >= MAX_MEMBERS:
            raise ConflictError("team.full", f"A team has at most {MAX_MEMBERS} officers.", fix="Form another one.")
        self.trigger_event(self.Joined, by=by, officer=officer, timestamp=at)

    def leave(self, officer: str, by: str, at: datetime) -> None:
        """Let somebody go. Raises NotFoundError: they are not in it."""
        if officer not in self.members:
            raise NotFoundError
        self.trigger_event(self.Left, by=by, officer=officer, timestamp=at)

    def dissolve(self, by: str, at: datetime) -> None:
        """End it. Raises NotFoundError: it was dissolved."""
        self._must_stand()
        self.trigger_event(self.Dissolved, by=by, timestamp=at)

    def _must_stand(self) -> None:
        if not self.active:
            raise NotFoundError


def task_id(origin: str, item: UUID) -> UUID:
    """The stream of who takes care of an item."""
    return natural_id("task", origin, item.hex)


class Task(Root):
    """Who at this node takes care of one item, and who watches it."""

    TOPIC = "rilon.task"

    class Begun(Opening):
        TOPIC = "rilon.task.begun.1"
        origin: MemberId
        item: UUID

    class Assigned(Root.Event):
        TOPIC = "rilon.task.assigned.1"
        by: OfficerId
        keeper: Keeper

        def apply(self, aggregate: Task) -> None:
            aggregate.keepers |= {self.keeper}

    class Unassigned(Root.Event):
        TOPIC = "rilon.task.unassigned.1"
        by: OfficerId
        keeper: Keeper

        def apply(self, aggregate: Task) -> None:
            aggregate.keepers -= {self.keeper}

    class Watched(Root.Event):
        TOPIC = "rilon.task.watched.1"
        officer: OfficerId

        def apply(self, aggregate: Task) -> None:
            aggregate.watchers |= {self.officer}

    class Unwatched(Root.Event):
        TOPIC = "rilon.task.unwatched.1"
        officer: OfficerId

        def apply(self, aggregate: Task) -> None:
            aggregate.watchers -= {self.officer}

    def __init__(self, origin: MemberId, item: UUID) -> None:
        self.origin, self.item = origin, item
        self.keepers = frozenset[str]()
        self.watchers = frozenset[OfficerId]()

    @classmethod
    def begin(cls, origin: str, item: UUID, at: datetime) -> Self:
        """Begin it."""
        return cls._create(cls.Begun, id=task_id(origin, item), origin=origin, item=item, timestamp=at)

    def assign(self, to: str, by: str, at: datetime) -> None:
        """Give it to somebody, beside those who have it; again changes nothing."""
        if to not in self.keepers:
            self.trigger_event(self.Assigned, by=by, keeper=to, timestamp=at)

    def unassign(self, to: str, by: str, at: datetime) -> None:
        """Take it from somebody. Raises NotFoundError: they have it not."""
        if to not in self.keepers:
            raise NotFoundError
        self.trigger_event(self.Unassigned, by=by, keeper=to, timestamp=at)

    def watch(self, officer: str, at: datetime) -> None:
        """Watch it; again changes nothing."""
        if officer not in self.watchers:
            self.trigger_event(self.Watched, officer=officer, timestamp=at)

    def unwatch(self, officer: str, at: datetime) -> None:
        """Watch it no more. Raises NotFoundError."""
        if officer not in self.watchers:
            raise NotFoundError
        self.trigger_event(self.Unwatched, officer=officer, timestamp=at)
