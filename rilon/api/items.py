"""An item, own or another's: opened for a purpose, acknowledged, answered."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.shapes import Opening, Pausing, Placed, Referral, Reply, placed
from rilon.app.reading_desk import Opened
from rilon.domain.permissions import Action


@post("/items/{origin:str}/{item:uuid}/open", status_code=200, opt=needs(Action.OPEN_SECTION))
async def open_section(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[Opening], caller: Asking, services: Node
) -> Opened:
    """Read a section for a purpose. Above ``summary`` that is an event, and the originator learns of it.

    It takes no idempotency key: what was opened cannot be kept to be given again, and each reading counts.
    """
    return await services.reading.open_(caller, origin, item, data.sensitivity, data.purpose)


@post("/items/{origin:str}/{item:uuid}/acknowledge", status_code=200, opt=needs(Action.ACKNOWLEDGE))
async def acknowledge(origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Tell the originator that somebody here has seen it and acts."""
    return placed(await services.reading.acknowledge(caller, origin, item, key))


@post("/items/{origin:str}/{item:uuid}/reply", status_code=200, opt=needs(Action.REPLY))
async def reply(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[Reply], caller: Asking, services: Node, key: Once
) -> Placed:
    """Answer the originator: a hit, no hit, a sighting, a question, a refusal. The text travels sealed."""
    return placed(await services.reading.reply(caller, origin, item, data.kind, data.text, key))


@post("/items/{origin:str}/{item:uuid}/refer", status_code=200, opt=needs(Action.REFER))
async def refer(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[Referral], caller: Asking, services: Node, key: Once
) -> Placed:
    """Say which agencies, desks and officers of this Member need to know an item.

    An own item is opened to them within its TLP; another Member's, by a focal point, is narrowed to them.
    """
    return placed(await services.reading.refer(caller, origin, item, data.readers, key))


@post("/items/{origin:str}/{item:uuid}/pause", status_code=200, opt=needs(Action.REPLY))
async def pause(
    origin: FromPath[str], item: FromPath[UUID], data: JSONBody[Pausing], caller: Asking, services: Node, key: Once
) -> Placed:
    """Tell the asker why a request's answer takes longer. Its clock stands still at both ends, and both show why."""
    return placed(await services.reading.pause(caller, origin, item, data.why, key))


@post("/items/{origin:str}/{item:uuid}/resume", status_code=200, opt=needs(Action.REPLY))
async def resume(origin: FromPath[str], item: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Let a request's clock run on."""
    return placed(await services.reading.resume(caller, origin, item, key))


HANDLERS = (open_section, acknowledge, reply, refer, pause, resume)
