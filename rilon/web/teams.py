"""Teams on pages, and who takes care of an item: giving it, taking it, watching it."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.team_desk import TeamShown
from rilon.app.unit import Done
from rilon.domain.permissions import Action, Caller
from rilon.errors import InvalidError, NotFoundError
from rilon.front.services import Services
from rilon.web.bodies import no_form, one, read_form
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node


@get("/teams", opt=needs(Action.TAKE_CARE))
async def teams(request: AnyRequest, services: Node) -> Response[str]:
    """The teams one is in; for who keeps them, all, with what may be done."""
    caller = caller_of(request)
    found = [(team, [(UUID(hex=m.officer), m.name) for m in team.members]) for team in await services.teams.all(caller)]
    officers = [o for o in await services.views.officers() if o.active] if caller.may(Action.KEEP_TEAMS) else []
    names = await services.membership.names(caller, [o.stream for o in officers])
    facts: dict[str, Any] = {"teams": found, "officers": officers, "names": names, "once": secrets.token_hex(16)}
    return page(request, services, "teams.html", **facts)


@post("/teams", status_code=303, opt=needs(Action.KEEP_TEAMS))
async def form(request: AnyRequest, services: Node) -> Redirect:
    """Make a team."""
    given, caller = await read_form(request), caller_of(request)
    name = one(given, "name").strip()
    key = services.key(caller, one(given, "once"), "POST", "/teams", name.encode())
    return await _back(services, await services.teams.form(caller, name, key), "formed")


@post("/teams/{team:uuid}/members", status_code=303, opt=needs(Action.KEEP_TEAMS))
async def join(team: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Take somebody in."""
    given = await read_form(request)
    done = await services.teams.join(caller_of(request), team, _officer(one(given, "officer")))
    return await _back(services, done, "joined")


@post("/teams/{team:uuid}/leave", status_code=303, opt=needs(Action.TAKE_CARE))
async def leave(team: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Let somebody go."""
    given = await read_form(request)
    done = await services.teams.leave(caller_of(request), team, _officer(one(given, "officer")))
    return await _back(services, done, "left")


@post("/teams/{team:uuid}/dissolve", status_code=303, opt=needs(Action.KEEP_TEAMS))
async def dissolve(team: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """End a team."""
    return await _back(services, await services.teams.dissolve(caller_of(request), team), "dissolved")


@post("/items/{origin:str}/{item:uuid}/task", status_code=303, opt=needs(Action.TAKE_CARE))
async def change(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Give it to somebody, take it from them, or watch it; one form, the button says which."""
    given, caller, care = await read_form(request), caller_of(request), services.care
    what, to = one(given, "do"), one(given, "to")
    if what == "assign":
        done = await care.assign(caller, origin, item, to)
    elif what == "unassign":
        done = await care.unassign(caller, origin, item, to)
    elif what in {"watch", "unwatch"}:
        done = await care.watch(caller, origin, item, on=what == "watch")
    else:
        raise no_form()
    await services.caught_up(done.position)
    return Redirect(f"/items/{origin}/{item}?done={what}", status_code=303)


async def care_of(services: Services, caller: Caller, origin: str, item: UUID) -> dict[str, Any]:
    """Who takes care of an item, and to whom the caller may give it: themselves, their teams, colleagues of these."""
    try:
        task = await services.care.show(caller, origin, item)
    except NotFoundError:
        return {"task": None, "keepers": (), "givable": ()}
    names = _names(await services.teams.all(caller)) | {f"officer:{caller.ref}": ""}
    keepers = [(code, names.get(code, code.partition(":")[2][-6:])) for code in task.keepers]
    givable = [(code, name) for code, name in names.items() if code not in task.keepers]
    return {"task": task, "keepers": keepers, "givable": givable}


def _names(found: list[TeamShown]) -> dict[str, str]:
    teams = {f"team:{t.id.hex}": t.name or t.id.hex[-6:] for t in found}
    people = {f"officer:{m.officer}": m.name or m.officer[-6:] for t in found for m in t.members}
    return teams | people


def _officer(said: str) -> UUID:
    """Raises InvalidError."""
    try:
        return UUID(said)
    except ValueError:
        raise InvalidError("team.officer", "Choose an officer.", field="officer") from None


async def _back(services: Services, done: Done, what: str) -> Redirect:
    await services.caught_up(done.position)
    return Redirect(f"/teams?done={what}", status_code=303)


HANDLERS = (teams, form, join, leave, dissolve, change)
