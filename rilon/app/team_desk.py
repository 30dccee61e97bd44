"""Teams: focal points make them, who is in one sees who else is; and items given to officers and teams, or watched.

Whoever may not see an item hears the same as for one that does not exist, and nobody sees more because of a task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from rilon.app.alert_desk import active
from rilon.app.tasks import Tasks
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.domain.alert import Alert
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.holding import Holding, holding_id
from rilon.domain.officer import Officer
from rilon.domain.permissions import Action, Caller
from rilon.domain.team import Keeper, Task, Team, task_id
from rilon.domain.text import check_text
from rilon.domain.values import OfficerId, Value
from rilon.errors import MalformedError, NotFoundError, RefusedError

NAME_CHARACTERS: Final = 100
_NAME: Final = "team.name"
_OFFICER_NAME: Final = "officer.name"


class Colleague(Value, frozen=True):
    """Somebody in a team; the name is told to who is in it and who enrols."""

    officer: OfficerId
    name: str | None


class TeamShown(Value, frozen=True):
    """A team as those in it see it."""

    id: UUID
    name: str | None
    members: tuple[Colleague, ...]


class TaskShown(Value, frozen=True):
    """Who takes care of an item, and whether the caller watches it."""

    keepers: tuple[Keeper, ...]
    watching: bool


class TeamDesk:
    """Keeps teams."""

    def __init__(self, work: Work, vault: Vault, tasks: Tasks) -> None:
        self._work, self._vault, self._tasks = work, vault, tasks

    async def form(self, caller: Caller, name: str, key: Key | None = None) -> Done:
        """Make a team of nobody; the answer is its id, 16 bytes.

        Raises:
            RefusedError: not a focal point. MalformedError: the name.
        """
        caller.must(Action.KEEP_TEAMS)
        team, clean = self._work.entropy.uuid(), check_text(name, max_chars=NAME_CHARACTERS, lines=False)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            sealed, wrap = await self._vault.seal_text(_NAME, team.hex, clean)
            unit.keep(wrap)
            unit.add(Team.form(team, caller.ref, sealed, unit.at))
            return team.bytes

        return await self._work.run(do, key)

    async def join(self, caller: Caller, team: UUID, officer: UUID, key: Key | None = None) -> Done:
        """Take an officer into a team. Raises RefusedError; NotFoundError: no such team, or officer in office."""
        caller.must(Action.KEEP_TEAMS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            if not (await unit.get(Officer, officer)).active:
                raise NotFoundError
            (await unit.get(Team, team)).join(officer.hex, caller.ref, unit.at)
            return team.bytes

        return await self._work.run(do, key)

    async def leave(self, caller: Caller, team: UUID, officer: UUID, key: Key | None = None) -> Done:
        """Let an officer go: by a focal point, or by themselves. Raises RefusedError, NotFoundError."""
        if caller.ref != officer.hex:
            caller.must(Action.KEEP_TEAMS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            (await unit.get(Team, team)).leave(officer.hex, caller.ref, unit.at)
            return team.bytes

        return await self._work.run(do, key)

    async def dissolve(self, caller: Caller, team: UUID, key: Key | None = None) -> Done:
        """End a team; what it had is nobody's then. Raises RefusedError, NotFoundError."""
        caller.must(Action.KEEP_TEAMS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            (await unit.get(Team, team)).dissolve(caller.ref, unit.at)
            return team.bytes

        return await self._work.run(do, key)

    async def all(self, caller: Caller) -> list[TeamShown]:
        """The teams the caller is in; for who keeps them, all."""
        keeps = caller.may(Action.KEEP_TEAMS)
        found = self._tasks.teams if keeps else self._tasks.teams_of(caller.ref)
        shown = [await self._shown(team) for team in found]
        return sorted((t for t in shown if t is not None), key=lambda t: (t.name or "", t.id))

    async def _shown(self, team: UUID) -> TeamShown | None:
        found = await self._work.seek(Team, team)
        if found is None or not found.active:
            return None
        officers = [await self._work.read(Officer, UUID(hex=ref)) for ref in sorted(found.members)]
        wanted = [(found.name, section.local_context(_NAME, team.hex.encode()))]
        wanted += [(o.name, section.local_context(_OFFICER_NAME, o.ref.encode())) for o in officers]
        name, *names = [o.decode() if isinstance(o, bytes) else None for o in await self._vault.open_many(wanted)]
        return TeamShown(team, name, tuple(Colleague(o.ref, n) for o, n in zip(officers, names, strict=True)))


class TaskDesk:
    """Gives items to officers and teams, and lets officers watch them."""

    def __init__(self, work: Work, tasks: Tasks) -> None:
        self._work, self._tasks = work, tasks

    async def show(self, caller: Caller, origin: str, item: UUID) -> TaskShown:
        """Who takes care of an item. Raises NotFoundError: absent, or not for this officer."""

        async def do(unit: Unit) -> bytes:
            await self._must_see(unit, caller, origin, item)
            return b""

        await self._work.run(do)
        task = await self._work.seek(Task, task_id(origin, item))
        return TaskShown(tuple(sorted(task.keepers)), caller.ref in task.watchers) if task else TaskShown((), False)

    async def assign(self, caller: Caller, origin: str, item: UUID, to: str, key: Key | None = None) -> Done:
        """Give an item to an officer or a team, beside those who have it.

        Raises:
            NotFoundError: absent, or not for the caller; no such officer or team, or none the caller works with.
            RefusedError: ``task.cannot-read``: they may not see it, and being given it would not change that.
        """

        async def change(unit: Unit, task: Task) -> None:
            await self._must_fit(unit, caller, origin, item, to)
            task.assign(to, caller.ref, unit.at)

        return await self._change(caller, origin, item, change, key)

    async def unassign(self, caller: Caller, origin: str, item: UUID, to: str, key: Key | None = None) -> Done:
        """Take an item from an officer or a team. Raises NotFoundError: see ``assign``, or they have it not."""

        async def change(unit: Unit, task: Task) -> None:
            task.unassign(to, caller.ref, unit.at)

        return await self._change(caller, origin, item, change, key)

    async def watch(self, caller: Caller, origin: str, item: UUID, *, on: bool, key: Key | None = None) -> Done:
        """Watch an item, or no more. Raises NotFoundError: absent, or not for this officer; not watched."""

        async def change(unit: Unit, task: Task) -> None:
            if on:
                task.watch(caller.ref, unit.at)
            else:
                task.unwatch(caller.ref, unit.at)

        return await self._change(caller, origin, item, change, key)

    async def _change(
        self,
        caller: Caller,
        origin: str,
        item: UUID,
        change: Callable[[Unit, Task], Awaitable[None]],
        key: Key | None,
    ) -> Done:
        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            await self._must_see(unit, caller, origin, item)
            task = await unit.find(Task, task_id(origin, item))
            if task is None:
                task = Task.begin(origin, item, unit.at)
                unit.add(task)
            await change(unit, task)
            return item.bytes

        return await self._work.run(do, key)

    async def _must_see(self, unit: Unit, caller: Caller, origin: str, item: UUID) -> None:
        """Raises NotFoundError: absent, over, or not for this officer; told alike."""
        if not caller.may(Action.TAKE_CARE):
            raise NotFoundError
        if origin == (await unit.get(Directory, DIRECTORY_ID)).me:
            alert = await unit.get(Alert, item)
            alert.must_be_for(caller)
            if unit.at >= alert.edition.expires_at:
                raise NotFoundError
        elif not (await unit.get(Holding, holding_id(origin, item))).seen_by(caller, unit.at):
            raise NotFoundError

    async def _must_fit(self, unit: Unit, caller: Caller, origin: str, item: UUID, to: str) -> None:
        kind, _, ref = to.partition(":")
        if kind == "team":
            team = await unit.get(Team, _id(ref))
            members = team.members
            if not team.active:
                raise NotFoundError
            if caller.ref not in members and not caller.may(Action.KEEP_TEAMS):
                raise NotFoundError
        else:
            members = frozenset({ref})
            if not (ref == caller.ref or caller.may(Action.KEEP_TEAMS) or await self._together(unit, caller.ref, ref)):
                raise NotFoundError
        for member in sorted(members):
            if await self._sees(unit, member, origin, item):
                return
        fix = "Give it to somebody who may see it, or let a focal point refer it first."
        raise RefusedError("task.cannot-read", "None of them may see this item.", fix=fix)

    async def _sees(self, unit: Unit, ref: str, origin: str, item: UUID) -> bool:
        officer = await unit.get(Officer, _id(ref))
        if not officer.active:
            return False
        try:
            await self._must_see(unit, officer.caller(unit.at), origin, item)
        except NotFoundError:
            return False
        return True

    async def _together(self, unit: Unit, one: str, other: str) -> bool:
        """Whether two are in one team; who is not does not learn that there is such an officer."""
        for team in self._tasks.teams_of(one):
            found = await unit.find(Team, team)
            if found is not None and {one, other} <= found.members:
                return True
        return False


def _id(ref: str) -> UUID:
    """Raises MalformedError ``task.to``."""
    try:
        return UUID(hex=ref)
    except ValueError:
        fix = "Write officer:ID or team:ID."
        raise MalformedError("task.to", "This names nobody.", field="to", fix=fix) from None
