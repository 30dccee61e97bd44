"""Approvals: what waits, what exactly would leave and why; and the decision, by a passkey over exactly those bytes.

Being signed in approves nothing. The browser's authenticator signs the challenge of this very release body, so what it
gives back is the approval itself, which every recipient checks again (docs/spec/releases.md, Passkeys).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.unit import Done, Key
from rilon.domain.onward import REFUSALS
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Purpose, Sensitivity
from rilon.errors import ConflictError, NotFoundError
from rilon.front.services import Services
from rilon.web.bodies import no_form, one, read_form
from rilon.web.inbox import decides, of_waiting
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.signing import challenge, consent
from rilon.web.write import by_recipient

PAGE = 50


@get("/approvals", opt=needs(Action.SEE_APPROVALS))
async def queue(request: AnyRequest, services: Node) -> Response[str]:
    """What waits: for me first, then what others decide."""
    caller = caller_of(request)
    found = await services.views.queue(None, PAGE)
    mine = [of_waiting(w, services, caller) for w in found if decides(caller, w)]
    others = [of_waiting(w, services, caller) for w in found if not decides(caller, w)]
    return page(request, services, "approvals.html", mine=mine, others=others)


@get("/approvals/{item:uuid}", opt=needs(Action.SEE_APPROVALS))
async def show(item: FromPath[UUID], request: AnyRequest, services: Node) -> Response[str]:
    """What would leave, cell by cell, and the ways to decide."""
    caller = caller_of(request)
    try:
        found = await services.disclosures.show(caller, item)
    except ConflictError:
        due = [w for w in await services.views.queue(None, PAGE) if w.approval.item == item and w.approval.review_since]
        return page(
            request, services, "over.html", item=item, review=bool(due), **await _questions(services, caller, item)
        )
    asked = await challenge(services, caller, found.draft.digest)
    row = next((w for w in await services.views.queue(None, PAGE) if w.approval.item == item), None)
    return page(
        request,
        services,
        "approval.html",
        found=found,
        item=item,
        row=of_waiting(row, services, caller) if row else None,
        recipients=by_recipient(found.cells),
        fields=services.summaries.get(services.me, item, found.version),
        own=caller.ref == found.author,
        signed=caller.ref in found.signed_by,
        left=found.draft.approvers - len(found.signed_by),
        challenge=asked,
        purposes=tuple(Purpose),
        closed=sorted({c.sensitivity for c in found.cells} - {Sensitivity.SUMMARY}),
        **await _questions(services, caller, item),
    )


async def _questions(services: Services, caller: Caller, item: UUID) -> dict[str, Any]:
    """What holders ask for more of it, and the answers."""
    found = await services.onward.questions(caller, item)
    return {"questions": found, "refusals": REFUSALS, "once": secrets.token_hex(16)}


@post("/approvals/{item:uuid}/asked/{question:str}/grant", status_code=303, opt=needs(Action.DECIDE))
async def grant(item: FromPath[UUID], question: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Say yes to a holder: it waits as a draft, to be read and signed like any other. The signature answers."""
    form, caller = await read_form(request), caller_of(request)
    key = _key(services, request, form, question.encode())
    done = await services.onward.grant(caller, item, _named(question), key)
    await services.caught_up(done.position)
    return Redirect(f"/approvals/{item}?done=granted", status_code=303)


@post("/approvals/{item:uuid}/asked/{question:str}/refuse", status_code=303, opt=needs(Action.DECIDE))
async def decline(item: FromPath[UUID], question: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Say no to a holder, with a code that they see."""
    form, caller = await read_form(request), caller_of(request)
    why = one(form, "why")
    key = _key(services, request, form, f"{question} {why}".encode())
    done = await services.onward.refuse(caller, item, _named(question), why, key)
    return await _done(services, done.position, "answered")


def _named(question: str) -> bytes:
    """A question's name. Raises NotFoundError: it is none."""
    try:
        return bytes.fromhex(question)
    except ValueError:
        raise NotFoundError from None


@post("/approvals/{item:uuid}/approve", status_code=303, opt=needs(Action.DECIDE))
async def approve(item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Give the approval to the desk, which checks it against what waits."""
    form, caller = await read_form(request), caller_of(request)
    approval = await consent(services, caller, form)
    done = await services.disclosures.approve(caller, item, approval, _key(services, request, form, approval))
    return await _done(services, done.position, done.answer.decode())


@post("/approvals/{item:uuid}/cut", status_code=303, opt=needs(Action.DECIDE))
async def cut(item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Cut cells; what is left waits as a new draft."""
    form, caller = await read_form(request), caller_of(request)
    try:
        keep = frozenset((c.partition(":")[0], Sensitivity(c.partition(":")[2])) for c in form.get("keep", []))
    except ValueError:
        raise no_form() from None
    named = "\n".join(sorted(form.get("keep", []))).encode()
    done = await services.disclosures.cut(caller, item, keep, _key(services, request, form, named))
    await services.caught_up(done.position)
    return Redirect(f"/approvals/{item}?done=cut", status_code=303)


@post("/approvals/{item:uuid}/return", status_code=303, opt=needs(Action.DECIDE))
async def give_back(item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Give it back to its author with a comment."""
    return await _said(services.disclosures.return_, item, request, services, "returned")


@post("/approvals/{item:uuid}/refuse", status_code=303, opt=needs(Action.DECIDE))
async def refuse(item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Say no."""
    return await _said(services.disclosures.refuse, item, request, services, "refused")


@post("/approvals/{item:uuid}/review", status_code=303, opt=needs(Action.REVIEW))
async def review(item: FromPath[UUID], request: AnyRequest, services: Node) -> Redirect:
    """Say whether a break-glass release was sound."""
    form, caller = await read_form(request), caller_of(request)
    sound = one(form, "sound")
    key = _key(services, request, form, sound.encode())
    done = await services.disclosures.review(caller, item, sound=sound == "yes", key=key)
    return await _done(services, done.position, "reviewed")


async def _said(
    decide: Callable[[Caller, UUID, str, Key], Awaitable[Done]],
    item: UUID,
    request: AnyRequest,
    services: Services,
    outcome: str,
) -> Redirect:
    form = await read_form(request)
    words = one(form, "words")
    done = await decide(caller_of(request), item, words, _key(services, request, form, words.encode()))
    return await _done(services, done.position, outcome)


def _key(services: Services, request: AnyRequest, form: dict[str, list[str]], meaning: bytes) -> Any:
    return services.key(caller_of(request), one(form, "once"), "POST", request.url.path, meaning)


async def _done(services: Services, position: int, outcome: str) -> Redirect:
    await services.caught_up(position)
    return Redirect(f"/approvals?done={outcome}", status_code=303)


HANDLERS = (queue, show, approve, cut, give_back, refuse, review, grant, decline)
