"""Files of an item: uploaded for an alert, and read for a purpose; as bytes, never through JSON."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote, unquote
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from rilon.api.access import Asking, Node, needs
from rilon.api.requests import RAW, ApiRequest
from rilon.api.shapes import Reading
from rilon.app.attachment_desk import Uploaded
from rilon.domain.attachments import MAX_FILE_BYTES
from rilon.domain.permissions import Action
from rilon.errors import MalformedError

NAME_HEADER: Final = "Rilon-File-Name"
"""The file's name, percent-encoded UTF-8: in a header, for paths and queries end up in logs."""


@post("/attachments", opt=needs(Action.ATTACH) | RAW, request_max_body_size=MAX_FILE_BYTES)
async def upload(
    request: ApiRequest,
    caller: Asking,
    services: Node,
    file_name: Annotated[str, HeaderParameter(name=NAME_HEADER, max_length=1024)],
) -> Uploaded:
    """Upload a file for an alert: cleaned, sealed, and kept for an hour until a draft names its ticket.

    The body is the file. It takes no idempotency key: nothing is recorded, and what no alert takes is gone in an hour.
    """
    data = b"".join([chunk async for chunk in request.stream()])
    try:
        name = unquote(file_name, errors="strict")
    except UnicodeDecodeError:
        raise MalformedError("attachment.name", "The name is not percent-encoded UTF-8.", field=NAME_HEADER) from None
    return await services.attachments.upload(caller, name, data)


@post(
    "/items/{origin:str}/{item:uuid}/attachments/{number:int}",
    status_code=200,
    opt=needs(Action.OPEN_SECTION),
    media_type="application/octet-stream",
)
async def read_attachment(
    origin: FromPath[str],
    item: FromPath[UUID],
    number: FromPath[int],
    data: JSONBody[Reading],
    caller: Asking,
    services: Node,
) -> Response[bytes]:
    """Read one attached file, counted from 1, for a purpose: an opening, of which the originator learns.

    The names are told by opening the section ``attachment``. The answer is for saving, never for showing in place.
    """
    file, position = await services.reading.attachment(caller, origin, item, number, data.purpose)
    if origin != services.me:
        file = await services.attachments.fresh(file)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "content-security-policy": "sandbox; default-src 'none'",
        "rilon-position": str(position),
    }
    return Response(file.data, media_type=file.type, headers=headers)


HANDLERS = (upload, read_attachment)
