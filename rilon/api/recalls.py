"""Taking back what was shared, and erasing it."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.shapes import Placed, placed
from rilon.app.recall_desk import ErasureOrder, RecallOrder
from rilon.domain.permissions import Action


@post("/items/{origin:str}/{item:uuid}/recall", status_code=200, opt=needs(Action.RECALL))
async def recall(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[RecallOrder], caller: Asking, services: Node, key: Once
) -> Placed:
    """Take back what was granted, from named Members or from all: holders destroy the keys and answer by a receipt."""
    return placed(await services.recalls.recall(caller, origin, item, data, key))


@post("/items/{origin:str}/{item:uuid}/erase", status_code=200, opt=needs(Action.ERASE))
async def erase(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[ErasureOrder], caller: Asking, services: Node, key: Once
) -> Placed:
    """Destroy the keys of an item of ours before its time, here and at every holder: no copy opens any more."""
    return placed(await services.recalls.erase(caller, origin, item, data, key))


HANDLERS = (recall, erase)
