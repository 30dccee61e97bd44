"""Live notices as server-sent events: that something came, of what kind and urgency; never what it says."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import HeaderParameter
from litestar.response import Stream

from rilon.api.access import Asking, Node, needs
from rilon.domain.permissions import Action
from rilon.front.stream import parse_position, stream


@get("/notices", opt=needs(Action.USE), media_type="text/event-stream")
async def listen(
    caller: Asking, services: Node, last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None
) -> Stream:
    """Stream what concerns the caller from now on; with ``Last-Event-ID`` also what was missed since that position."""
    services.notifier.check_room(caller)
    frames = stream(services.notifier, services.clock, caller, parse_position(last_event_id))
    return Stream(frames, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


HANDLERS = (listen,)
