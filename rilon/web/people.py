"""People: who works here in which roles; enrolling, inviting, confirming a colleague's key, deputies, suspending.

Confirming is a signature of one's own, like an approval: by the passkey, after the colleague has read the words of
their key aloud. Being signed in confirms nobody.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.directory_desk import fingerprint
from rilon.app.membership_desk import Candidate
from rilon.app.unit import Done
from rilon.crypto.approval import confirm_digest
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Role
from rilon.domain.words import COUNT, heard
from rilon.errors import InvalidError, NotFoundError, ProofError
from rilon.front.services import Services
from rilon.projections.officers import Enrolled
from rilon.web.bodies import one, read_form
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.signing import challenge, consent

_FIELDS = ("name", "agency", "desk")
_CODE = re.compile("[a-z0-9][a-z0-9_.:+-]{0,63}")


@get("/people", opt=needs(Action.SEE_OFFICERS))
async def people(request: AnyRequest, services: Node) -> Response[str]:
    """Everybody of this node; names for those who enrol only."""
    caller, found = caller_of(request), await services.views.officers()
    names = await services.membership.names(caller, [each.stream for each in found])
    return page(request, services, "people.html", officers=_ordered(found, names), names=names)


@get("/people/new", opt=needs(Action.ENROL))
async def newcomer(request: AnyRequest, services: Node) -> Response[str]:
    """The form for somebody new."""
    return page(request, services, "newcomer.html", once=secrets.token_hex(16), roles=tuple(Role))


@post("/people/new", status_code=303, opt=needs(Action.ENROL))
async def enrol(request: AnyRequest, services: Node) -> Redirect:
    """Enrol them."""
    form, caller = await read_form(request), caller_of(request)
    name, agency, desk = (one(form, field).strip() for field in _FIELDS)
    roles = form.get("role", [])
    meaning = "\n".join((name, agency, desk, *sorted(roles))).encode()
    key = services.key(caller, one(form, "once"), "POST", "/people/new", meaning)
    places = (_code("agency", agency), _code("desk", desk))
    done = await services.membership.enrol(caller, name, *places, _roles(roles), key)
    await services.caught_up(done.position)
    return Redirect(f"/people/{UUID(bytes=done.answer)}?done=enrolled", status_code=303)


@get("/people/{officer:uuid}", opt=needs(Action.SEE_OFFICERS))
async def person(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Response[str]:
    """Somebody, and what may be done about them."""
    caller, found = caller_of(request), await _find(services, officer)
    wanted = [officer, *(UUID(hex=p) for p in found.stands_in_for)]
    candidate = await _candidate(services, caller, officer)
    return page(
        request,
        services,
        "person.html",
        found=found,
        names=await services.membership.names(caller, wanted),
        own=caller.ref == found.ref,
        roles=tuple(Role),
        principals=[
            (UUID(hex=p), end)
            for p, end in zip(found.stands_in_for, found.stand_in_ends, strict=True)
            if end > services.clock.now()
        ],
        candidate=candidate,
        barred=candidate is not None and caller.ref in candidate.involved,
        challenge=await challenge(services, caller, _digest(candidate)) if candidate else None,
        accounts=await services.accounts.accounts(caller, officer),
        once=secrets.token_hex(16),
        tomorrow=(services.clock.now() + timedelta(days=1)).astimezone(UTC),
    )


@post("/people/{officer:uuid}/invite", status_code=200, opt=needs(Action.ENROL))
async def invite(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Response[str]:
    """Make a one-time link. It stands in this answer and nowhere else."""
    form, caller = await read_form(request), caller_of(request)
    made = await services.access.invite(caller, officer, _key(services, request, form))
    names = await services.membership.names(caller, [officer])
    link = f"{services.origin}/join#{made.code}"
    return page(request, services, "invited.html", officer=officer, name=names.get(officer), link=link, made=made)


@post("/people/{officer:uuid}/roles", status_code=303, opt=needs(Action.ENROL))
async def change_role(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Give a role, or take one away."""
    form, caller = await read_form(request), caller_of(request)
    (role,) = _roles([one(form, "role")])
    give = one(form, "give") == "yes"
    key = _key(services, request, form, f"{give} {role}")
    change = services.membership.grant_role if give else services.membership.revoke_role
    return await _done(services, officer, await change(caller, officer, role, key), "roles")


@post("/people/{officer:uuid}/suspend", status_code=303, opt=needs(Action.ENROL))
async def suspend(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Stop all their access at once."""
    form, caller = await read_form(request), caller_of(request)
    done = await services.membership.suspend(caller, officer, _key(services, request, form))
    return await _done(services, officer, done, "suspended")


@post("/people/{officer:uuid}/reinstate", status_code=303, opt=needs(Action.ENROL))
async def reinstate(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Give access back; passkeys and keys begin anew."""
    form, caller = await read_form(request), caller_of(request)
    done = await services.membership.reinstate(caller, officer, _key(services, request, form))
    return await _done(services, officer, done, "reinstated")


@post("/people/{officer:uuid}/accounts/{account:str}/remove", status_code=303, opt=needs(Action.ENROL))
async def unbind(officer: FromPath[UUID], account: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Take an account at the identity provider away, and end what it opened."""
    form, caller = await read_form(request), caller_of(request)
    done = await services.accounts.unbind(caller, officer, account, _key(services, request, form))
    return await _done(services, officer, done, "unbound")


@post("/people/{officer:uuid}/confirm", status_code=303, opt=needs(Action.CONFIRM))
async def confirm(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Confirm an approver: the words first, as they were heard; then one's own signature over roles and key."""
    form, caller = await read_form(request), caller_of(request)
    candidate = await services.membership.candidate(caller, officer)
    if heard(one(form, "words")) != fingerprint(candidate.key)[:COUNT]:
        fix = "Do not go on: compare again, by a number you know to be theirs."
        raise ProofError("officer.fingerprint", "These are not the words of this key.", fix=fix)
    signed = await consent(services, caller, form)
    done = await services.membership.confirm(caller, officer, signed, _key(services, request, form, signed.hex()))
    return await _done(services, officer, done, "confirmed")


@post("/people/{officer:uuid}/call-upon", status_code=303, opt=needs(Action.CALL_UPON))
async def call_upon(officer: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Let a deputy decide in one's own place until a moment, in UTC."""
    form, caller = await read_form(request), caller_of(request)
    said = one(form, "until")
    try:
        until = datetime.fromisoformat(said).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidError("deputy.until", "Say until when.", field="until", fix="A date and a time.") from None
    done = await services.membership.call_upon(caller, officer, until, _key(services, request, form, said))
    return await _done(services, officer, done, "called-upon")


@post("/people/{officer:uuid}/relieve/{principal:uuid}", status_code=303, opt=needs(Action.USE))
async def relieve(officer: FromPath[UUID], principal: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """End it before its time: by the deputy, or by any focal point."""
    form, caller = await read_form(request), caller_of(request)
    done = await services.membership.relieve(caller, officer, principal, _key(services, request, form))
    await services.caught_up(done.position)
    own = caller.ref == officer.hex
    return Redirect("/me?done=relieved" if own else f"/people/{officer}?done=relieved", status_code=303)


def _code(field: str, said: str) -> str:
    """What somebody calls an agency or a desk, as the code that all write alike. Raises InvalidError."""
    code = "-".join(said.lower().split())
    if not _CODE.fullmatch(code):
        fix = "Use Latin letters, digits and hyphens, as in: immigration."
        raise InvalidError("officer.code", "This is no code.", field=field, fix=fix)
    return code


def _roles(given: list[str]) -> frozenset[Role]:
    """Raises InvalidError ``officer.roles``."""
    try:
        found = frozenset(map(Role, given))
    except ValueError:
        found = frozenset()
    if not found:
        raise InvalidError("officer.roles", "Choose a role.", field="role", fix="One of the list.")
    return found


async def _find(services: Services, officer: UUID) -> Enrolled:
    found = next((each for each in await services.views.officers() if each.stream == officer), None)
    if found is None:
        raise NotFoundError
    return found


async def _candidate(services: Services, caller: Caller, officer: UUID) -> Candidate | None:
    """What is to be confirmed of them, for those who may."""
    if not caller.may(Action.CONFIRM) or caller.ref == officer.hex:
        return None
    try:
        return await services.membership.candidate(caller, officer)
    except NotFoundError:
        return None


def _digest(candidate: Candidate) -> bytes:
    return confirm_digest(candidate.member, candidate.officer, candidate.roles, candidate.key)


def _ordered(found: Any, names: dict[UUID, str]) -> list[Enrolled]:
    """Those in office first, then by name."""
    return sorted(found, key=lambda o: (not o.active, names.get(o.stream, ""), o.ref))


def _key(services: Services, request: AnyRequest, form: dict[str, list[str]], meaning: str = "") -> Any:
    return services.key(caller_of(request), one(form, "once"), "POST", request.url.path, meaning.encode())


async def _done(services: Services, officer: UUID, done: Done, what: str) -> Redirect:
    await services.caught_up(done.position)
    return Redirect(f"/people/{officer}?done={what}", status_code=303)


HANDLERS = (
    people,
    newcomer,
    enrol,
    person,
    invite,
    change_role,
    suspend,
    reinstate,
    unbind,
    confirm,
    call_upon,
    relieve,
)
