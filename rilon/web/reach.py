"""How one is reached outside the pages: addresses, what comes at once, the digest, quiet hours, and a test."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from rilon.domain.clocks import DUTY_DESK
from rilon.domain.permissions import Action
from rilon.domain.reach import Digest, Plan, Quiet
from rilon.domain.values import Urgency
from rilon.errors import InvalidError
from rilon.web.bodies import one, read_form
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

_FIELDS: Final = ("mail", "phone", "zone", "daily_at", "digest")


@get("/me/notices", opt=needs(Action.USE))
async def reach(request: AnyRequest, services: Node) -> Response[str]:
    """What one chose, in a form."""
    held = await services.reach.plan(caller_of(request))
    return page(
        request,
        services,
        "reach.html",
        plan=held or Plan(),
        held=held is not None,
        ways=services.reach.ways,
        duty=caller_of(request).desk == DUTY_DESK,
        urgencies=tuple(Urgency),
        digests=tuple(Digest),
        once=secrets.token_hex(16),
    )


@post("/me/notices", status_code=303, opt=needs(Action.USE))
async def choose(request: AnyRequest, services: Node) -> Redirect:
    """Take in what one chooses."""
    form, caller = await read_form(request), caller_of(request)
    plan = _plan(form, await services.reach.plan(caller) or Plan())
    meaning = msgspec.json.encode(plan, order="deterministic")
    key = services.key(caller, one(form, "once"), "POST", "/me/notices", meaning)
    await services.reach.choose(caller, plan, key)
    return Redirect("/me/notices?done=set", status_code=303)


@post("/me/notices/forget", status_code=303, opt=needs(Action.USE))
async def forget(request: AnyRequest, services: Node) -> Redirect:
    """Be reached no more, and have the addresses erased."""
    await services.reach.forget(caller_of(request))
    return Redirect("/me/notices?done=forgotten", status_code=303)


@post("/me/notices/test", status_code=303, opt=needs(Action.USE))
async def try_out(request: AnyRequest, services: Node) -> Redirect:
    """Send a test."""
    await services.reach.try_out(caller_of(request))
    return Redirect("/me/notices?done=tested", status_code=303)


def _plan(form: dict[str, list[str]], held: Plan) -> Plan:
    """A plan out of the form; what the form does not show stays. Raises InvalidError ``reach.form``."""
    start, end = one(form, "start"), one(form, "end")
    facts: dict[str, Any] = {name: one(form, name).strip() for name in _FIELDS}
    facts |= {"at_once": form.get("at_once", []), "quiet": Quiet(start, end) if start or end else None}
    facts |= {"about": held.about, "kinds": held.kinds}
    try:
        return msgspec.convert(msgspec.to_builtins(facts), Plan)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`").partition(".")[0]
        fix = "Write times as 22:30, or leave both empty."
        raise InvalidError("reach.form", "That cannot be read.", field=field, fix=fix) from None


HANDLERS = (reach, choose, forget, try_out)
