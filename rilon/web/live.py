"""What runs beside a page: live notices, and the built assets."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream

from rilon.domain.permissions import Action
from rilon.errors import NotFoundError
from rilon.front.stream import parse_position, stream
from rilon.web.render import AnyRequest, static
from rilon.web.sessions import PUBLIC, caller_of, needs
from rilon.web.signin import Node

TYPES: Final = {
    "app.js": "text/javascript",
    "site.css": "text/css",
    "land.svg": "image/svg+xml",
}
"""The assets there are; nothing else of the folder is served."""
FOR_EVER: Final = "public, max-age=31536000, immutable"


@get("/live", opt=needs(Action.USE), media_type="text/event-stream")
async def listen(
    request: AnyRequest,
    services: Node,
    last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
) -> Stream:
    """Stream what concerns this person, as the API does; a suspension ends it."""
    caller = caller_of(request)
    services.notifier.check_room(caller)
    frames = stream(services.notifier, services.clock, caller, parse_position(last_event_id))
    return Stream(frames, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@get("/static/{name:str}", opt=PUBLIC)
async def asset(name: FromPath[str]) -> Response[bytes]:
    """A built asset; its address changes with its content."""
    if name not in TYPES:
        raise NotFoundError
    return Response(static(name), media_type=TYPES[name], headers={"cache-control": FOR_EVER})


HANDLERS = (listen, asset)
