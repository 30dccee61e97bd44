"""Teams, and items given to officers and teams, or watched. None of it lets anybody see more than they may."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.pages import After
from rilon.api.requests import reads
from rilon.api.shapes import Placed, Words, placed
from rilon.app.team_desk import TaskShown, TeamShown
from rilon.domain.permissions import Action
from rilon.domain.team import Keeper
from rilon.domain.values import MemberId, OfficerId, Value
from rilon.front.views import task_entries


class TeamName(Value, frozen=True):
    """A team's name; it stays at this node, sealed."""

    name: Words


class NewMember(Value, frozen=True):
    """Who is taken in."""

    officer: OfficerId


class Assignment(Value, frozen=True):
    """To whom: ``officer:ID`` or ``team:ID``."""

    to: Keeper


class TasksAsked(After, frozen=True, kw_only=True):
    """Whose: given to the caller by name, to a team of theirs, or watched by them."""

    of: Literal["mine", "team", "watching"] = "mine"


class TaskRow(Value, frozen=True):
    """An item that awaits the caller, and why; ``teams``: those of theirs that have it."""

    origin: MemberId
    item: UUID
    mine: bool
    teams: tuple[UUID, ...]
    watching: bool


@get("/teams", opt=needs(Action.TAKE_CARE), dependencies={"asked": reads(After)})
async def read_teams(asked: NamedDependency[After], caller: Asking, services: Node) -> list[TeamShown]:
    """List the teams you are in, and who else is; a focal point sees all."""
    await services.caught_up(asked.after)
    return await services.teams.all(caller)


@post("/teams", opt=needs(Action.KEEP_TEAMS))
async def form_team(data: JSONBody[TeamName], caller: Asking, services: Node, key: Once) -> Placed:
    """Make a team of nobody yet."""
    return placed(await services.teams.form(caller, data.name, key))


@post("/teams/{team:uuid}/members", status_code=200, opt=needs(Action.KEEP_TEAMS))
async def join_team(
    team: FromPath[UUID], data: JSONBody[NewMember], caller: Asking, services: Node, key: Once
) -> Placed:
    """Take an officer into a team."""
    return placed(await services.teams.join(caller, team, UUID(hex=data.officer), key))


@delete("/teams/{team:uuid}/members/{officer:uuid}", status_code=200, opt=needs(Action.TAKE_CARE))
async def leave_team(
    team: FromPath[UUID], officer: FromPath[UUID], caller: Asking, services: Node, key: Once
) -> Placed:
    """Let an officer go from a team: yourself, or anybody by a focal point."""
    return placed(await services.teams.leave(caller, team, officer, key))


@delete("/teams/{team:uuid}", status_code=200, opt=needs(Action.KEEP_TEAMS))
async def dissolve_team(team: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """End a team; what it had is nobody's then."""
    return placed(await services.teams.dissolve(caller, team, key))


@get("/tasks", opt=needs(Action.TAKE_CARE), dependencies={"asked": reads(TasksAsked)})
async def read_tasks(asked: NamedDependency[TasksAsked], caller: Asking, services: Node) -> list[TaskRow]:
    """List what awaits you, newest first, and why: of what you may see, as on the board."""
    await services.caught_up(asked.after)
    found = await task_entries(services.views, services.tasks, caller, services.clock.now(), services.me, asked.of)
    return [TaskRow(place[0], place[1], why.mine, why.teams, why.watching) for place, _, why in found]


@get("/items/{origin:str}/{item:uuid}/task", opt=needs(Action.TAKE_CARE))
async def read_task(origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node) -> TaskShown:
    """Say who takes care of an item, and whether you watch it."""
    return await services.care.show(caller, origin, item)


@post("/items/{origin:str}/{item:uuid}/assign", status_code=200, opt=needs(Action.TAKE_CARE))
async def assign(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[Assignment], caller: Asking, services: Node, key: Once
) -> Placed:
    """Give an item to an officer or a team who may see it, beside those who have it."""
    return placed(await services.care.assign(caller, origin, item, data.to, key))


@post("/items/{origin:str}/{item:uuid}/unassign", status_code=200, opt=needs(Action.TAKE_CARE))
async def unassign(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[Assignment], caller: Asking, services: Node, key: Once
) -> Placed:
    """Take an item from an officer or a team."""
    return placed(await services.care.unassign(caller, origin, item, data.to, key))


@post("/items/{origin:str}/{item:uuid}/watch", status_code=200, opt=needs(Action.TAKE_CARE))
async def watch(origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Watch an item."""
    return placed(await services.care.watch(caller, origin, item, on=True, key=key))


@post("/items/{origin:str}/{item:uuid}/unwatch", status_code=200, opt=needs(Action.TAKE_CARE))
async def unwatch(origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Watch an item no more."""
    return placed(await services.care.watch(caller, origin, item, on=False, key=key))


HANDLERS = (
    read_teams,
    form_team,
    join_team,
    leave_team,
    dissolve_team,
    read_tasks,
    read_task,
    assign,
    unassign,
    watch,
    unwatch,
)
