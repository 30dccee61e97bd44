"""Asking an originator for more, and answering: a third Member, more sections, use in court."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.shapes import Decided, Placed, QuestionShown, Turning, decided, placed, show_question
from rilon.app.onward_desk import OnwardAsk
from rilon.domain.permissions import Action
from rilon.errors import NotFoundError


def _named(question: str) -> bytes:
    """A question's name. Raises NotFoundError: it is none."""
    try:
        return bytes.fromhex(question)
    except ValueError:
        raise NotFoundError from None


@post("/items/{origin:str}/{item:uuid}/ask", status_code=200, opt=needs(Action.ASK_ONWARD))
async def ask_onward(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[OnwardAsk], caller: Asking, services: Node, key: Once
) -> Placed:
    """Ask the originator to grant a third Member access, or this Member more sections, or use in court."""
    return placed(await services.onward.ask(caller, origin, item, data, key))


@get("/items/{origin:str}/{item:uuid}/asked", opt=needs(Action.ASK_ONWARD))
async def read_asked(
    origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node
) -> list[QuestionShown]:
    """Read what this Member asked about an item, and the answers."""
    return [show_question(q) for q in await services.onward.asked(caller, origin, item)]


@get("/approvals/{item:uuid}/asked", opt=needs(Action.SEE_APPROVALS))
async def read_questions(item: FromPath[UUID], caller: Asking, services: Node) -> list[QuestionShown]:
    """Read what holders asked about an item of ours, with what the rules say of each cell now."""
    return [show_question(q) for q in await services.onward.questions(caller, item)]


@post("/approvals/{item:uuid}/asked/{question:str}/grant", status_code=200, opt=needs(Action.DECIDE))
async def grant_onward(
    item: FromPath[UUID], question: FromPath[str], caller: Asking, services: Node, key: Once
) -> Decided:
    """Say yes: what was asked for waits as a draft, to be read and signed like any other. The signature answers."""
    return decided(item, await services.onward.grant(caller, item, _named(question), key), "waiting")


@post("/approvals/{item:uuid}/asked/{question:str}/refuse", status_code=200, opt=needs(Action.DECIDE))
async def refuse_onward(
    item: FromPath[UUID], question: FromPath[str], data: JSONBody[Turning], caller: Asking, services: Node, key: Once
) -> Decided:
    """Say no, with a code that the asker sees."""
    return decided(item, await services.onward.refuse(caller, item, _named(question), data.why, key), "refused")


HANDLERS = (ask_onward, read_asked, read_questions, grant_onward, refuse_onward)
