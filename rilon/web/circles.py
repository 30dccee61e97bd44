"""Circles on pages: read by their members; convened, changed, signed by both co-chairs, left, closed.

Who is no member gets the very answer that a circle gives which does not exist.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.circle_desk import CharterDraft, CircleShown
from rilon.app.unit import Done, Key
from rilon.domain.circle import co_chairs
from rilon.domain.kinds import KINDS
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Purpose
from rilon.errors import InvalidError
from rilon.front.services import Services
from rilon.front.views import BoardFilter
from rilon.web.bodies import one, read_form
from rilon.web.inbox import Row, of_entry
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

LATEST: Final = 100
"""Among so many of our newest alerts those of a circle are looked for."""
USUAL_LIFE: Final = timedelta(days=90)
_Form = dict[str, list[str]]


@get("/circles", opt=needs(Action.SEE_CIRCLES))
async def circles(request: AnyRequest, services: Node) -> Response[str]:
    """Every circle this Member is in; what is over stands last."""
    found = await services.circles.all(caller_of(request))
    ordered = sorted(found, key=lambda c: (c.state in {"ended", "closed"}, c.ends))
    return page(request, services, "circles.html", circles=ordered)


@get("/circles/new", opt=needs(Action.KEEP_CIRCLES))
async def new(request: AnyRequest, services: Node) -> Response[str]:
    """The form of a charter."""
    return await _form(request, services, None)


@post("/circles/new", status_code=303, opt=needs(Action.KEEP_CIRCLES))
async def convene(request: AnyRequest, services: Node) -> Redirect:
    """Convene it."""
    form, caller = await read_form(request), caller_of(request)
    done = await services.circles.convene(caller, charter(form), _key(services, request, form))
    what = "proposed" if one(form, "kind") == "consultation" else "convened"
    return await _done(services, done, done.answer.decode(), what)


@get("/circles/{circle:str}", opt=needs(Action.SEE_CIRCLES))
async def show(circle: FromPath[str], request: AnyRequest, services: Node) -> Response[str]:
    """One circle: what it is for, who is in it, until when, who signed it, and what we have shared in it."""
    caller = caller_of(request)
    found = await services.circles.read(caller, circle)
    return page(
        request,
        services,
        "circle.html",
        found=found,
        rows=await _ours(services, caller, circle),
        chairs=found.chair == services.me,
        stays=found.kind == "consultation" and services.me in co_chairs(),
        signs=found.state == "proposed" and found.chair != services.me and services.me in co_chairs(),
        once=secrets.token_hex(16),
    )


@get("/circles/{circle:str}/change", opt=needs(Action.KEEP_CIRCLES))
async def rewrite(circle: FromPath[str], request: AnyRequest, services: Node) -> Response[str]:
    """The form of a charter's next version."""
    found = await services.circles.read(caller_of(request), circle)
    return await _form(request, services, found)


@post("/circles/{circle:str}/change", status_code=303, opt=needs(Action.KEEP_CIRCLES))
async def change(circle: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Write the next version: who joins gets it whole, who leaves learns that and nothing else."""
    form, caller = await read_form(request), caller_of(request)
    version = one(form, "version")
    read = int(version) if version.isdecimal() and len(version) < 10 else 0  # noqa: PLR2004
    done = await services.circles.change(caller, circle, read, charter(form), _key(services, request, form))
    return await _done(services, done, circle, "changed")


@post("/circles/{circle:str}/consent", status_code=303, opt=needs(Action.KEEP_CIRCLES))
async def consent(circle: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Sign a consultation as its other co-chair: then it is active."""
    form = await read_form(request)
    done = await services.circles.consent(caller_of(request), circle, _key(services, request, form))
    return await _done(services, done, circle, "consented")


@post("/circles/{circle:str}/leave", status_code=303, opt=needs(Action.KEEP_CIRCLES))
async def leave(circle: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Leave it, once somebody has said that they know what that means."""
    form = await read_form(request)
    if one(form, "sure") != "yes":
        fix = "Tick that you know what leaving means."
        raise InvalidError("circle.unsure", "Nobody has confirmed this.", field="sure", fix=fix)
    done = await services.circles.leave(caller_of(request), circle, _key(services, request, form))
    await services.caught_up(done.position)
    return Redirect("/circles?done=left", status_code=303)


@post("/circles/{circle:str}/close", status_code=303, opt=needs(Action.KEEP_CIRCLES))
async def close(circle: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Close it with a note on what came of it."""
    form = await read_form(request)
    key = _key(services, request, form)
    return await _done(
        services, await services.circles.close(caller_of(request), circle, one(form, "outcome"), key), circle, "closed"
    )


def charter(form: _Form) -> CharterDraft:
    """The charter that a form holds. Raises InvalidError: ``circle.value``: a choice that the page does not offer."""
    try:
        ends = datetime.fromisoformat(one(form, "ends")).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidError("circle.ends", "Say until when.", field="ends", fix="A day within five years.") from None
    made = {
        "kind": one(form, "kind"),
        "name": one(form, "name").strip(),
        "charter": one(form, "charter").strip(),
        "purpose": one(form, "purpose"),
        "themes": form.get("theme", []),
        "members": form.get("member", []),
        "admitted": form.get("admitted", []),
        "ends": ends,
    }
    try:
        return msgspec.convert(made, CharterDraft)
    except msgspec.ValidationError:
        fix = "Give it a name, words, a purpose, a theme and another Member."
        raise InvalidError("circle.value", "Something is missing.", fix=fix) from None


async def _form(request: AnyRequest, services: Services, found: CircleShown | None) -> Response[str]:
    directory = await services.directory.current()
    others = {*directory.peers, *(found.members if found else ())} - {services.me}
    return page(
        request,
        services,
        "charter.html",
        found=found,
        form=_as_form(found, services.clock.now()),
        kinds=["group", "operation"] + ["consultation"] * (services.me in co_chairs()),
        themes=sorted({k.family for k in KINDS.values()}),
        purposes=tuple(Purpose),
        members=sorted((MEMBERS[m] for m in others), key=lambda m: m.name),
        once=secrets.token_hex(16),
    )


def _as_form(found: CircleShown | None, now: datetime) -> _Form:
    """What the form says at first."""
    if found is None:
        return {"ends": [f"{now + USUAL_LIFE:%Y-%m-%d}"]}
    several = {"theme": found.themes, "member": found.members, "admitted": found.admitted}
    single = {"kind": found.kind, "name": found.name, "charter": found.charter, "purpose": found.purpose}
    ends = [f"{found.ends.astimezone(UTC):%Y-%m-%d}"]
    return {n: list(v) for n, v in several.items()} | {n: [str(v)] for n, v in single.items()} | {"ends": ends}


async def _ours(services: Services, caller: Caller, circle: str) -> list[Row]:
    """Which of our newest alerts went to a circle; of another's only its originator knows where else it went."""
    if not caller.may(Action.READ_BOARD):
        return []
    found = await services.views.board(caller, services.clock.now(), BoardFilter(own=True), None, LATEST)
    there = await services.alerts.addressed(caller, circle, [e.item for e in found])
    return [of_entry(e, services, caller) for e in found if e.item in there]


def _key(services: Services, request: AnyRequest, form: _Form) -> Key:
    meaning = msgspec.json.encode({k: v for k, v in form.items() if k != "once"}, order="deterministic")
    return services.key(caller_of(request), one(form, "once"), "POST", request.url.path, meaning)


async def _done(services: Services, done: Done, circle: str, what: str) -> Redirect:
    await services.caught_up(done.position)
    return Redirect(f"/circles/{circle}?done={what}", status_code=303)


HANDLERS = (circles, new, convene, show, rewrite, change, consent, leave, close)
