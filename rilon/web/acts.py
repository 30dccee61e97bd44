"""What one does with an item beyond reading it: correct it, end its work, say who here needs it, ask for more of it."""

from __future__ import annotations

import secrets
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import structs

from rilon.app.drafts import AlertDraft
from rilon.app.onward_desk import OnwardAsk
from rilon.app.unit import Done, Key
from rilon.domain.kinds import KINDS
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Purpose, Sensitivity
from rilon.errors import InvalidError, NotFoundError, RefusedError, RilonError
from rilon.front.services import Services
from rilon.projections.board import Entry
from rilon.web import forms, write
from rilon.web.bodies import one, read_form
from rilon.web.render import AnyRequest
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

OUTCOMES: Final = ("resolved", "arrested", "rescued", "unfounded", "passed-on", "no-result")
"""With what the work on an alert ends, as the page offers it."""
_Form = dict[str, list[str]]


@post("/items/{origin:str}/{item:uuid}/correct", status_code=200, opt=needs(Action.CORRECT))
async def correct(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Response[Any]:
    """Begin a correction: every section is opened for a purpose and written into the form; or send it in."""
    form, caller = await read_form(request), caller_of(request)
    if origin != services.me:
        raise NotFoundError
    base = await services.alerts.begin_correction(caller, item)
    if "kind" not in form:
        return await _begin(request, services, caller, item, base, _purpose(form))
    try:
        wanted = corrected(base, form)
        done = await services.alerts.correct(caller, item, wanted, _key(services, request, form))
    except RilonError as error:
        if error.status not in {400, 422}:
            raise
        return await write.show(request, services, KINDS[base.kind], form, error, correcting=item)
    return await _back(services, done, f"/items/{origin}/{item}?done=corrected")


@post("/items/{origin:str}/{item:uuid}/correct/preview", status_code=200, opt=needs(Action.CORRECT))
async def preview(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Response[str]:
    """The matrix of a correction as it is written so far: exactly what would leave; nothing is stored."""
    form = await read_form(request)
    if origin != services.me:
        raise NotFoundError
    base = await services.alerts.begin_correction(caller_of(request), item)
    return await write.matrix(request, services, form, lambda: corrected(base, form), item)


@post("/items/{origin:str}/{item:uuid}/close", status_code=303, opt=needs(Action.WITHDRAW))
async def close(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """End an alert's work; every holder learns with what outcome."""
    form = await read_form(request)
    outcome = one(form, "outcome")
    if origin != services.me:
        raise NotFoundError
    if outcome not in OUTCOMES:
        raise InvalidError("alert.outcome", "Say how it ended.", field="outcome", fix="Choose one of the list.")
    done = await services.alerts.close(caller_of(request), item, outcome, _key(services, request, form))
    return await _back(services, done, f"/items/{origin}/{item}?done=closed")


@post("/items/{origin:str}/{item:uuid}/refer", status_code=303, opt=needs(Action.REFER))
async def refer(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Say which agencies and desks of this Member need to know it."""
    form, caller = await read_form(request), caller_of(request)
    readers = frozenset(form.get("reader", []))
    if not readers:
        raise InvalidError("audience.readers", "Say who needs it.", field="reader", fix="Tick one at least.")
    done = await services.reading.refer(caller, origin, item, readers, _key(services, request, form))
    return await _back(services, done, f"/items/{origin}/{item}?done=referred")


@post("/items/{origin:str}/{item:uuid}/ask", status_code=303, opt=needs(Action.ASK_ONWARD))
async def ask(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Ask the originator for more: for a third Member, for more sections, or for use in court."""
    form, caller = await read_form(request), caller_of(request)
    given = {"reason": one(form, "reason"), "sections": form.get("section", []), "court": one(form, "court") == "yes"}
    try:
        order = msgspec.convert(given | {"member": one(form, "member") or None}, OnwardAsk)
    except msgspec.ValidationError:
        fix = "Tick a section, and say why."
        raise InvalidError("onward.value", "Something is missing.", field="section", fix=fix) from None
    done = await services.onward.ask(caller, origin, item, order, _key(services, request, form))
    return await _back(services, done, f"/items/{origin}/{item}?done=asked")


def corrected(base: AlertDraft, form: _Form) -> AlertDraft:
    """The draft of a form over what the page does not ask for: marks, readers and conditions stay as they were."""
    made = write.draft(form)
    audience = structs.replace(
        base.audience, everyone=made.audience.everyone, members=made.audience.members, circle=made.audience.circle
    )
    return structs.replace(
        made,
        kind=base.kind,
        audience=audience,
        handling=base.handling | {"not_to": [], **made.handling},
        court=base.court,
        onward=base.onward,
        keep_attachments=one(form, "keep") == "yes",
        extension=None,
    )


async def _begin(
    request: AnyRequest, services: Services, caller: Caller, item: UUID, base: AlertDraft, purpose: Purpose
) -> Response[str]:
    """The form with everything in it; each section above the summary is an opening, as for whoever reads it.

    A recovered alert has none here: its author writes it anew.
    """
    entry = await services.views.entry(caller, services.clock.now(), "", item)
    if entry is None:
        raise NotFoundError
    fields: dict[str, object] = {}
    for sensitivity in _readable(entry, caller):
        fields |= (await services.reading.open_(caller, services.me, item, sensitivity, purpose)).fields
    kind = KINDS[base.kind]
    form = forms.fill(kind, fields) | _head(base, keeps=Sensitivity.ATTACHMENT in entry.sensitivities)
    return await write.show(request, services, kind, form, correcting=item)


def _readable(entry: Entry, caller: Caller) -> list[Sensitivity]:
    """The sections to write on. Raises RefusedError: there is one that the caller would write over unread."""
    found = [Sensitivity(s) for s in entry.sensitivities if s != Sensitivity.ATTACHMENT]
    if not all(caller.may_read(s) for s in found):
        fix = "Ask somebody who opens all its sections: a protection officer, or a focal point."
        raise RefusedError("correct.unread", "It has a section that you would write over unread.", fix=fix)
    return sorted(found, key=list(Sensitivity).index)


def _head(base: AlertDraft, *, keeps: bool) -> _Form:
    grade = base.grade or {}
    return {
        "member": list(base.audience.members),
        "circle": [base.audience.circle],
        "not_to": list(base.handling.get("not_to", ())),
        "tlp": [str(base.handling["tlp"])],
        "urgency": [str(base.urgency)],
        "source": [grade.get("source", "")],
        "information": [grade.get("information", "")],
        "keep": ["yes"] if keeps else [],
    }


def _purpose(form: _Form) -> Purpose:
    try:
        return Purpose(one(form, "purpose"))
    except ValueError:
        fix = "Say what you open it for."
        raise InvalidError("opening.value", "Choose a purpose.", field="purpose", fix=fix) from None


def _key(services: Services, request: AnyRequest, form: _Form) -> Key:
    meaning = msgspec.json.encode({k: v for k, v in form.items() if k != "once"}, order="deterministic")
    return services.key(caller_of(request), one(form, "once"), "POST", request.url.path, meaning)


async def _back(services: Services, done: Done, to: str) -> Redirect:
    await services.caught_up(done.position)
    return Redirect(to, status_code=303)


def once() -> str:
    """A fresh key, for a form that is sent once."""
    return secrets.token_hex(16)


HANDLERS = (correct, preview, close, refer, ask)
