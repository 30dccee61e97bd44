"""How the caller is reached outside the pages: their own choice, told to nobody else."""

from __future__ import annotations

from litestar import delete, get, post
from litestar.params import JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.shapes import Placed, placed
from rilon.domain.permissions import Action
from rilon.domain.reach import Plan, Way
from rilon.domain.values import Value


class ReachShown(Value, frozen=True):
    """What one chose, or null; and the ways this node has."""

    plan: Plan | None
    ways: tuple[Way, ...]


class Sent(Value, frozen=True):
    """The ways a test went by."""

    ways: tuple[Way, ...]


@get("/me/reach", opt=needs(Action.USE))
async def read_reach(caller: Asking, services: Node) -> ReachShown:
    """Say how you are reached outside the pages, and which ways this node has."""
    return ReachShown(await services.reach.plan(caller), tuple(sorted(services.reach.ways)))


@post("/me/reach", status_code=200, opt=needs(Action.USE))
async def choose_reach(data: JSONBody[Plan], caller: Asking, services: Node, key: Once) -> Placed:
    """Be reached so from now on; what stood before is erased. The duty desk always hears of a life at risk."""
    return placed(await services.reach.choose(caller, data, key))


@delete("/me/reach", status_code=200, opt=needs(Action.USE))
async def forget_reach(caller: Asking, services: Node, key: Once) -> Placed:
    """Be reached no more outside the pages; your addresses are erased."""
    return placed(await services.reach.forget(caller, key))


@post("/me/reach/test", status_code=200, opt=needs(Action.USE))
async def try_reach(caller: Asking, services: Node) -> Sent:
    """Send yourself a test by every way you chose, now."""
    return Sent(await services.reach.try_out(caller))


HANDLERS = (read_reach, choose_reach, forget_reach, try_reach)
