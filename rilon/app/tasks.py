"""Which items whom await, by name, by team or because they watch: a follower that keeps it in memory.

It says where to look, never that somebody may: whoever shows a row asks the board, as for every other row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from uuid import UUID

from rilon.app.follower import Remembering
from rilon.domain.base import Event
from rilon.domain.permissions import Caller
from rilon.domain.team import Task, Team

Place = tuple[str, UUID]
"""Originator and item."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why an item awaits somebody.

    Attributes:
        mine: assigned to them by name. teams: teams of theirs that have it. watching: they watch it.
    """

    mine: bool
    teams: tuple[UUID, ...]
    watching: bool


class Tasks(Remembering):
    """Knows what is given to whom, and who watches what."""

    name = "tasks"

    def __init__(self) -> None:
        self._tasks: dict[UUID, Place] = {}
        self._kept: defaultdict[str, dict[Place, None]] = defaultdict(dict)
        self._teams: dict[UUID, set[str]] = {}

    def _note(self, event: Event) -> None:
        """Fold what concerns teams and tasks."""
        self._fold(event)

    @property
    def teams(self) -> tuple[UUID, ...]:
        """The teams there are."""
        return tuple(self._teams)

    def teams_of(self, officer: str) -> tuple[UUID, ...]:
        """The teams somebody is in."""
        return tuple(team for team, members in self._teams.items() if officer in members)

    def mine(self, caller: Caller) -> list[Place]:
        """Assigned to the caller by name, newest first."""
        return self._of([f"officer:{caller.ref}"])

    def of_teams(self, caller: Caller) -> list[Place]:
        """Assigned to a team of the caller's, newest first."""
        return self._of([f"team:{team.hex}" for team in self.teams_of(caller.ref)])

    def watched(self, caller: Caller) -> list[Place]:
        """What the caller watches, newest first."""
        return self._of([f"watch:{caller.ref}"])

    def why(self, caller: Caller, place: Place) -> Why:
        """Why an item awaits the caller, if it does."""
        teams = tuple(t for t in self.teams_of(caller.ref) if place in self._kept.get(f"team:{t.hex}", ()))
        mine = place in self._kept.get(f"officer:{caller.ref}", ())
        return Why(mine, teams, place in self._kept.get(f"watch:{caller.ref}", ()))

    def _of(self, keepers: Sequence[str]) -> list[Place]:
        found: dict[Place, None] = {}
        for keeper in keepers:
            found |= self._kept.get(keeper, {})
        return list(reversed(found))

    @singledispatchmethod
    def _fold(self, _event: object) -> None:
        """Most events concern neither."""

    @_fold.register
    def _(self, event: Task.Begun) -> None:
        self._tasks[event.originator_id] = event.origin, event.item

    @_fold.register
    def _(self, event: Task.Assigned) -> None:
        self._kept[event.keeper][self._tasks[event.originator_id]] = None

    @_fold.register
    def _(self, event: Task.Unassigned) -> None:
        self._kept[event.keeper].pop(self._tasks[event.originator_id], None)

    @_fold.register
    def _(self, event: Task.Watched) -> None:
        self._kept[f"watch:{event.officer}"][self._tasks[event.originator_id]] = None

    @_fold.register
    def _(self, event: Task.Unwatched) -> None:
        self._kept[f"watch:{event.officer}"].pop(self._tasks[event.originator_id], None)

    @_fold.register
    def _(self, event: Team.Formed) -> None:
        self._teams[event.originator_id] = set()

    @_fold.register
    def _(self, event: Team.Joined) -> None:
        self._teams[event.originator_id].add(event.officer)

    @_fold.register
    def _(self, event: Team.Left) -> None:
        self._teams[event.originator_id].discard(event.officer)

    @_fold.register
    def _(self, event: Team.Dissolved) -> None:
        self._teams.pop(event.originator_id, None)
        self._kept.pop(f"team:{event.originator_id.hex}", None)
