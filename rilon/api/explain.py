"""Explanations: may I share this, why do I see this, and the same answer again."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, needs
from rilon.api.rule_shapes import Explained, Reference
from rilon.domain.permissions import Action
from rilon.domain.share import Answer, Share
from rilon.domain.sight import Sight


@post("/may-i-share", opt=needs(Action.PREVIEW), status_code=200)
async def may_i_share(data: JSONBody[Share], caller: Asking, services: Node) -> Answer:
    """Say whether something of a kind may be shared, and by which law; nothing of a case is asked, nothing stored."""
    return await services.explain.may_share(caller, data)


@get("/items/{origin:str}/{item:uuid}/why", opt=needs(Action.READ_BOARD))
async def why(origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node) -> Sight:
    """Say what the caller sees of an item and why; an item that is absent and one for others are answered alike."""
    return await services.explain.why(caller, origin, item)


@post("/explanations", opt=needs(Action.USE), status_code=200)
async def explain_again(data: JSONBody[Reference], caller: Asking, services: Node) -> Explained:
    """Give the answer of a reference again, as it was."""
    found = await services.explain.again(caller, data.reference)
    return Explained(share=found) if isinstance(found, Answer) else Explained(sight=found)


HANDLERS = (may_i_share, why, explain_again)
