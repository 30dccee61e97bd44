"""Writing an alert: the form of its kind, the matrix live beside it, and posting it once."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from rilon.app.drafts import AlertDraft
from rilon.domain.handling import Tlp
from rilon.domain.kinds import KINDS, Kind
from rilon.domain.matrix import Cell
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Urgency
from rilon.errors import InvalidError, RilonError
from rilon.front.services import Services
from rilon.web import forms
from rilon.web.bodies import one, read_form
from rilon.web.faults import faults
from rilon.web.kinds import by_family
from rilon.web.language import gettext, mark
from rilon.web.render import AnyRequest, page, wants_part
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.words import countries

MOST_LETTERS: Final = 100
"""Of what is looked for among the kinds."""
SOURCES = {
    "A": mark("A: completely reliable"),
    "B": mark("B: usually reliable"),
    "C": mark("C: fairly reliable"),
    "D": mark("D: not usually reliable"),
    "E": mark("E: unreliable"),
    "F": mark("F: cannot be judged"),
}
INFORMATION = {
    "1": mark("1: confirmed by others"),
    "2": mark("2: probably true"),
    "3": mark("3: possibly true"),
    "4": mark("4: doubtful"),
    "5": mark("5: improbable"),
    "6": mark("6: cannot be judged"),
}


@get("/new", opt=needs(Action.POST))
async def choose(request: AnyRequest, services: Node) -> Response[str]:
    """Choose a kind, or write one."""
    kind = KINDS.get(request.query_params.get("kind", ""))
    if kind is None:
        circle, query = request.query_params.get("circle", ""), request.query_params.get("q", "")[:MOST_LETTERS].strip()
        template = "kind-list.html" if wants_part(request) else "kinds.html"
        return page(request, services, template, families=by_family(services.world, query), circle=circle, query=query)
    return await show(request, services, kind, {"circle": [request.query_params.get("circle", "")]})


@post("/new/preview", status_code=200, opt=needs(Action.PREVIEW))
async def preview(request: AnyRequest, services: Node) -> Response[str]:
    """The matrix of what is written so far; nothing is stored."""
    form = await read_form(request)
    return await matrix(request, services, form, lambda: draft(form))


async def matrix(
    request: AnyRequest,
    services: Services,
    form: forms.Form,
    made: Callable[[], AlertDraft],
    corrects: UUID | None = None,
) -> Response[str]:
    """Who would get what, or what is wrong with it."""
    try:
        found = await services.alerts.preview(caller_of(request), made(), corrects)
    except RilonError as error:
        return page(request, services, "matrix.html", recipients=[], faults=faults(error, _kind(form)), handling=None)
    cells = by_recipient(found.matrix.cells)
    return page(request, services, "matrix.html", recipients=cells, faults=[], handling=found.handling)


@post("/new", status_code=303, opt=needs(Action.POST))
async def post_alert(request: AnyRequest, services: Node) -> Response[Any]:
    """Post it; what is wrong is shown in the form, with everything that was written."""
    form = await read_form(request)
    try:
        return Redirect(await store(services, caller_of(request), form, one(form, "once")), status_code=303)
    except RilonError as error:
        kind = _kind(form)
        if kind is None or error.status not in {400, 422}:
            raise
        return await show(request, services, kind, form, error)


async def wrong_with(services: Services, caller: Caller, form: forms.Form) -> RilonError | None:
    """What stands in the way of posting what a form holds; None: nothing that is known before."""
    try:
        await services.alerts.preview(caller, draft(form))
    except RilonError as error:
        return error
    return None


async def store(services: Services, caller: Caller, form: forms.Form, once: str) -> str:
    """Post what a form holds, once for each ``once``, by whatever way it came; its page.

    Raises:
        RilonError: as ``draft`` and ``AlertDesk.post``.
    """
    meaning = msgspec.json.encode({k: v for k, v in form.items() if k != "once"}, order="deterministic")
    key = services.key(caller, once, "POST", "/new", meaning)
    done = await services.alerts.post(caller, draft(form), key)
    await services.caught_up(done.position)
    return f"/items/{services.me}/{UUID(bytes=done.answer)}?done=posted"


async def show(
    request: AnyRequest,
    services: Services,
    kind: Kind,
    form: forms.Form,
    error: RilonError | None = None,
    *,
    correcting: UUID | None = None,
    status: int | None = None,
) -> Response[str]:
    """The form of a kind, for a new alert or for the next version of one.

    Args:
        error: what is wrong with it. status: of the answer; None: the error's.
    """
    directory, found = await services.directory.current(), await services.circles.all(caller_of(request))
    wrong = faults(error, kind)
    return page(
        request,
        services,
        "write.html",
        status=status or (error.status if error else 200),
        kind=kind,
        correcting=correcting,
        files=list(zip(form.get("attachment", []), form.get("attachment_name", []), strict=False)),
        parts=forms.parts(kind),
        form=form,
        rows=forms.row,
        count=forms.count,
        members=[MEMBERS[m] for m in directory.peers],
        circles=[(c.circle, c.name) for c in found if c.state == "live"],
        tlps=list(Tlp),
        urgencies=list(Urgency),
        sources={code: gettext(words) for code, words in SOURCES.items()},
        information={code: gettext(words) for code, words in INFORMATION.items()},
        countries=countries(),
        faults=wrong,
        by_field={f.path: f for f in wrong},
        once=one(form, "once") or secrets.token_hex(16),
        recipients=[],
        handling=None,
    )


def draft(form: forms.Form) -> AlertDraft:
    """The draft that a form holds.

    Raises:
        InvalidError: ``kind.unknown``, or a choice that no form offers.
    """
    kind = _kind(form)
    if kind is None:
        raise InvalidError(
            "kind.unknown", "There is no such kind of alert.", field="kind", fix="Choose one of the list."
        )
    graded = {"scheme": "admiralty_6x6", "source": one(form, "source"), "information": one(form, "information")}
    handling = {name: value for name, value in _marks(form).items() if value}
    made = {
        "kind": kind.code,
        "fields": forms.read(kind, form),
        "audience": {
            "everyone": one(form, "everyone") == "yes",
            "members": form.get("member", []),
            "circle": one(form, "circle"),
        },
        "handling": handling,
        "grade": graded if graded["source"] and graded["information"] else None,
        "urgency": one(form, "urgency") or None,
        "onward": one(form, "onward") or "ask",
        "attachments": form.get("attachment", []),
    }
    try:
        return msgspec.convert(made, AlertDraft)
    except msgspec.ValidationError:
        raise InvalidError("draft.value", "Something of it is none of what can be chosen.") from None


def _marks(form: forms.Form) -> dict[str, Any]:
    return {"tlp": one(form, "tlp"), "not_to": form.get("not_to", [])}


def _kind(form: forms.Form) -> Kind | None:
    return KINDS.get(one(form, "kind"))


def by_recipient(cells: Any) -> list[tuple[str, list[Cell]]]:
    """Cells by recipient, in the order of both."""
    found: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[cell.recipient].append(cell)
    return sorted(found.items())


HANDLERS = (choose, preview, post_alert)
