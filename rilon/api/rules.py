"""The rule book of this Member."""

from __future__ import annotations

from litestar import get, post
from litestar.params import JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.shapes import Book, Recorded
from rilon.domain.permissions import Action
from rilon.domain.rules import RuleBook


@get("/rules", opt=needs(Action.SEE_RULES))
async def read_rules(caller: Asking, services: Node) -> RuleBook:
    """Show the book in force."""
    return await services.rules.current(caller)


@post("/rules", opt=needs(Action.PUBLISH_RULES))
async def publish_rules(data: JSONBody[Book], caller: Asking, services: Node, key: Once) -> Recorded:
    """Put a whole new book in force; what waits for approval is judged by it when it is approved."""
    done = await services.rules.publish(caller, data.version, data.rules, key)
    return Recorded(done.position)


HANDLERS = (read_rules, publish_rules)
