"""What waits for approval: the queue, what exactly would leave, and the decision.

A bearer token says who decides; it never approves. An approval is a signature by the approver's own key, over exactly
the bytes that were shown, and that key is never held by the node.
"""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.pages import Paged, QueuePage, show_waiting_row
from rilon.api.requests import reads
from rilon.api.shapes import Comment, Cut, Decided, Refusal, Review, Signature, WaitingShown, decided, show_waiting
from rilon.domain.permissions import Action


@get("/approvals", opt=needs(Action.SEE_APPROVALS), dependencies={"asked": reads(Paged)})
async def read_queue(asked: NamedDependency[Paged], services: Node) -> QueuePage:
    """List what waits for a signature or for a review, newest first."""
    await services.caught_up(asked.after)
    page = await services.views.queue(asked.cursor, asked.limit)
    rows = tuple(show_waiting_row(waiting) for waiting in page)
    return QueuePage(rows, rows[-1].position if len(rows) == asked.limit else None)


@get("/approvals/{item:uuid}", opt=needs(Action.SEE_APPROVALS))
async def read_approval(item: FromPath[UUID], caller: Asking, services: Node) -> WaitingShown:
    """Show what would leave, to whom, under which rules, and the very bytes that an approver signs."""
    return show_waiting(await services.disclosures.show(caller, item))


@post("/approvals/{item:uuid}/approve", status_code=200, opt=needs(Action.DECIDE))
async def approve(
    item: FromPath[UUID], data: JSONBody[Signature], caller: Asking, services: Node, key: Once
) -> Decided:
    """Sign what waits; the last signature that is needed releases it, another one is waited for otherwise."""
    done = await services.disclosures.approve(caller, item, data.approval, key)
    return decided(item, done, done.answer.decode())


@post("/approvals/{item:uuid}/cut", status_code=200, opt=needs(Action.DECIDE))
async def cut(item: FromPath[UUID], data: JSONBody[Cut], caller: Asking, services: Node, key: Once) -> Decided:
    """Cut cells. What is left waits as a new draft, to be read and signed anew."""
    return decided(item, await services.disclosures.cut(caller, item, data.keep, key), "waiting")


@post("/approvals/{item:uuid}/return", status_code=200, opt=needs(Action.DECIDE))
async def give_back(
    item: FromPath[UUID], data: JSONBody[Comment], caller: Asking, services: Node, key: Once
) -> Decided:
    """Give it back to its author with a comment; it comes again as a correction."""
    return decided(item, await services.disclosures.return_(caller, item, data.comment, key), "returned")


@post("/approvals/{item:uuid}/refuse", status_code=200, opt=needs(Action.DECIDE))
async def refuse(item: FromPath[UUID], data: JSONBody[Refusal], caller: Asking, services: Node, key: Once) -> Decided:
    """Say no."""
    return decided(item, await services.disclosures.refuse(caller, item, data.reason, key), "refused")


@post("/approvals/{item:uuid}/review", status_code=200, opt=needs(Action.REVIEW))
async def review(item: FromPath[UUID], data: JSONBody[Review], caller: Asking, services: Node, key: Once) -> Decided:
    """Say whether a break-glass release was sound."""
    return decided(item, await services.disclosures.review(caller, item, sound=data.sound, key=key), "reviewed")


HANDLERS = (read_queue, read_approval, approve, cut, give_back, refuse, review)
