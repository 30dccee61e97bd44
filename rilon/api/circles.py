"""Circles: who is in one reads it, its chair's focal points write it, both co-chairs sign a consultation."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.shapes import CharterChange, CirclePlaced, Outcome
from rilon.app.circle_desk import CharterDraft, CircleShown
from rilon.app.unit import Done
from rilon.domain.permissions import Action


@get("/circles", opt=needs(Action.SEE_CIRCLES))
async def read_circles(caller: Asking, services: Node) -> list[CircleShown]:
    """List the circles that this Member is in, those that are over included."""
    return await services.circles.all(caller)


@get("/circles/{circle:str}", opt=needs(Action.SEE_CIRCLES))
async def read_circle(circle: FromPath[str], caller: Asking, services: Node) -> CircleShown:
    """Read one circle: its charter, its members, its end, and who signed it."""
    return await services.circles.read(caller, circle)


@post("/circles", opt=needs(Action.KEEP_CIRCLES))
async def convene(data: JSONBody[CharterDraft], caller: Asking, services: Node, key: Once) -> CirclePlaced:
    """Convene a circle that this Member chairs. A consultation lives once the other co-chair has signed it too."""
    return _placed(await services.circles.convene(caller, data, key))


@post("/circles/{circle:str}/change", status_code=200, opt=needs(Action.KEEP_CIRCLES))
async def change_circle(
    circle: FromPath[str], data: JSONBody[CharterChange], caller: Asking, services: Node, key: Once
) -> CirclePlaced:
    """Write the next version of a charter: other words, members, or end. Who leaves learns that and nothing else."""
    return _placed(await services.circles.change(caller, circle, data.version, data.charter, key))


@post("/circles/{circle:str}/consent", status_code=200, opt=needs(Action.KEEP_CIRCLES))
async def consent(circle: FromPath[str], caller: Asking, services: Node, key: Once) -> CirclePlaced:
    """Sign a consultation as the other co-chair: from now on it is active, and its members are told."""
    return _placed(await services.circles.consent(caller, circle, key))


@post("/circles/{circle:str}/leave", status_code=200, opt=needs(Action.KEEP_CIRCLES))
async def leave_circle(circle: FromPath[str], caller: Asking, services: Node, key: Once) -> CirclePlaced:
    """Leave a circle: here it is absent from now on, and its chair tells the others. The chair itself closes it."""
    return _placed(await services.circles.leave(caller, circle, key))


@post("/circles/{circle:str}/close", status_code=200, opt=needs(Action.KEEP_CIRCLES))
async def close_circle(
    circle: FromPath[str], data: JSONBody[Outcome], caller: Asking, services: Node, key: Once
) -> CirclePlaced:
    """Close a circle with a note on what came of it, which its members read and nobody else."""
    return _placed(await services.circles.close(caller, circle, data.outcome, key))


def _placed(done: Done) -> CirclePlaced:
    return CirclePlaced(done.answer.decode(), done.position, done.repeated)


HANDLERS = (read_circles, read_circle, convene, change_circle, consent, leave_circle, close_circle)
