"""An item: its content section by section, who can see it, what happened to it; and what one can do with it."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.disclosure_desk import Outcome
from rilon.app.recall_desk import RecallOrder
from rilon.domain.conditions import Conditions
from rilon.domain.delivery import Delivery
from rilon.domain.holding import REPLIES
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import Action, Caller
from rilon.domain.recall import GROUNDS
from rilon.domain.values import Purpose, Role, Sensitivity
from rilon.errors import InvalidError, NotFoundError, RilonError
from rilon.front.services import Services
from rilon.projections.board import Entry
from rilon.web.acts import OUTCOMES
from rilon.web.bodies import one, read_form
from rilon.web.history import Replied, moments
from rilon.web.inbox import of_entry, readers
from rilon.web.language import gettext, mark
from rilon.web.render import AnyRequest, page, wants_part
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.teams import care_of

TABS = (("content", mark("Content")), ("seen-by", mark("Who can see it")), ("history", mark("History")))


@get("/items/{origin:str}/{item:uuid}", opt=needs(Action.READ_BOARD))
async def show(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Response[str]:
    """An item's page."""
    caller = caller_of(request)
    entry = await _entry(services, caller, origin, item)
    tab = request.query_params.get("tab", "content")
    sent = await _deliveries(services, item) if entry.own and tab != "content" else ()
    replied = await _replies(services, caller, item) if entry.own else []
    outcome = await _outcome(services, caller, item) if entry.own else None
    return page(
        request,
        services,
        "item.html",
        entry=entry,
        origin=origin,
        row=of_entry(entry, services, caller),
        fields=services.summaries.get(origin, item, entry.summary_version),
        closed=[s for s in entry.sensitivities if s != Sensitivity.SUMMARY],
        purposes=tuple(Purpose),
        purposes_of=lambda s: (s in entry.conditions and entry.conditions[s].purposes) or tuple(Purpose),
        conditions=_alike(entry.conditions),
        tab=tab if tab in dict(TABS) else "content",
        tabs=[(code, gettext(name)) for code, name in TABS],
        sent=sent,
        replied=replied,
        outcome=outcome,
        readers=readers(entry.readers, caller),
        moments=await moments(services, caller, entry, sent, replied) if tab == "history" else (),
        replies=REPLIES,
        grounds=GROUNDS,
        **await care_of(services, caller, origin, item),
        **await _acts(services, caller, entry, origin),
        once=secrets.token_hex(16),
    )


@post("/items/{origin:str}/{item:uuid}/open", status_code=200, opt=needs(Action.OPEN_SECTION))
async def open_section(
    origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node
) -> Response[str]:
    """Open a section for a purpose. It comes in this answer only, and no address leads back to it."""
    form = await read_form(request)
    try:
        sensitivity, purpose = Sensitivity(one(form, "sensitivity")), Purpose(one(form, "purpose"))
    except ValueError:
        raise InvalidError(
            "opening.value", "Choose a purpose.", field="purpose", fix="Say what you open it for."
        ) from None
    opened = await services.reading.open_(caller_of(request), origin, item, sensitivity, purpose)
    template = "opened.html" if wants_part(request) else "opened-page.html"
    return page(request, services, template, opened=opened, origin=origin, purpose=purpose)


@post("/items/{origin:str}/{item:uuid}/acknowledge", status_code=303, opt=needs(Action.ACKNOWLEDGE))
async def acknowledge(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Tell the originator that somebody here has seen it and acts."""
    form, caller = await read_form(request), caller_of(request)
    key = services.key(caller, one(form, "once"), "POST", request.url.path, b"")
    done = await services.reading.acknowledge(caller, origin, item, key)
    return await _back(services, request, done.position, f"/items/{origin}/{item}?done=acknowledged")


@post("/items/{origin:str}/{item:uuid}/reply", status_code=303, opt=needs(Action.REPLY))
async def reply(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Answer the originator."""
    form, caller = await read_form(request), caller_of(request)
    kind, words = one(form, "kind"), one(form, "text")
    key = services.key(caller, one(form, "once"), "POST", request.url.path, f"{kind}\n{words}".encode())
    done = await services.reading.reply(caller, origin, item, kind, words, key)
    return await _back(services, request, done.position, f"/items/{origin}/{item}?done=answered")


@post("/items/{origin:str}/{item:uuid}/withdraw", status_code=303, opt=needs(Action.WITHDRAW))
async def withdraw(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Take an alert of our own back."""
    if origin != services.me:
        raise NotFoundError
    form, caller = await read_form(request), caller_of(request)
    reason = one(form, "reason")
    key = services.key(caller, one(form, "once"), "POST", request.url.path, reason.encode())
    done = await services.alerts.withdraw(caller, item, reason, key)
    return await _back(services, request, done.position, f"/items/{origin}/{item}?tab=seen-by&done=withdrawn")


@post("/items/{origin:str}/{item:uuid}/recall", status_code=303, opt=needs(Action.RECALL))
async def recall(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Take back what was granted, from those who are ticked: they destroy the keys and answer by a receipt."""
    form, caller = await read_form(request), caller_of(request)
    order = _order(form)
    key = services.key(caller, one(form, "once"), "POST", request.url.path, msgspec.json.encode(order, order="sorted"))
    done = await services.recalls.recall(caller, origin, item, order, key)
    return await _back(services, request, done.position, f"/items/{origin}/{item}?tab=seen-by&done=recalled")


def _order(form: dict[str, list[str]]) -> RecallOrder:
    """Raises InvalidError: ``recall.members``: nobody is ticked; ``recall.value``: a choice the page does not offer."""
    if not form.get("member"):
        raise InvalidError("recall.members", "Say from whom.", field="member", fix="Tick one at least.")
    given = {"reason": one(form, "reason"), "ground": one(form, "ground"), "members": form["member"]}
    try:
        return msgspec.convert(given | {"sensitivity": one(form, "sensitivity") or None}, RecallOrder)
    except msgspec.ValidationError:
        raise InvalidError("recall.value", "Something of it is none of what can be chosen.") from None


async def _back(services: Services, _: AnyRequest, position: int, to: str) -> Redirect:
    await services.caught_up(position)
    return Redirect(to, status_code=303)


async def _entry(services: Services, caller: Caller, origin: str, item: UUID) -> Entry:
    of = "" if origin == services.me else origin
    entry = await services.views.entry(caller, services.clock.now(), of, item)
    if entry is None:
        raise NotFoundError
    return entry


def _alike(conditions: dict[Sensitivity, Conditions]) -> list[tuple[Conditions, list[Sensitivity]]]:
    """Sections that are held under the same conditions together."""
    found: dict[Conditions, list[Sensitivity]] = {}
    for section, under in conditions.items():
        found.setdefault(under, []).append(section)
    return list(found.items())


async def _acts(services: Services, caller: Caller, entry: Entry, origin: str) -> dict[str, Any]:
    """What the caller may do with it, and what such a form offers."""
    directory = await services.directory.current()
    desks = {(o.agency, o.desk) for o in await services.views.officers() if o.active}
    agencies = {agency for agency, _desk in desks}
    asked = () if entry.own else await services.onward.asked(caller, origin, entry.item)
    return {
        "changes": entry.own and await services.alerts.may_change(caller, entry.item),
        "refers": Role.FOCAL_POINT in caller.roles,
        "outcomes": OUTCOMES,
        "desks": [
            *((f"agency:{a}", a, "") for a in sorted(agencies)),
            *((f"desk:{a}:{d}", a, d) for a, d in sorted(desks)),
        ],
        "members": [m for m in MEMBERS if m not in {services.me, origin}],
        "sections": [s for s in Sensitivity if caller.may_read(s)],
        "asked": asked,
        "my_member": directory.me,
    }


async def _outcome(services: Services, caller: Caller, item: UUID) -> Outcome | None:
    """What became of its disclosure, for those who may know."""
    try:
        return await services.disclosures.outcome(caller, item)
    except NotFoundError:
        return None


async def _replies(services: Services, caller: Caller, item: UUID) -> list[Replied]:
    answers = await services.views.replies(item)
    wanted = [(a.peer, a.manifest, a.sealed) for a in answers if a.sealed is not None]
    try:
        texts = iter(await services.reading.reply_texts(caller, wanted))
    except RilonError:
        return []
    return [Replied(a, next(texts) if a.sealed is not None else None) for a in answers]


async def _deliveries(services: Services, item: UUID) -> list[Delivery]:
    now = services.clock.now()
    return [delivery.as_of(now) for delivery in await services.views.deliveries(item)]


HANDLERS = (show, open_section, acknowledge, reply, withdraw, recall)
