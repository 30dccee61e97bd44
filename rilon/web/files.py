"""Files of an alert: uploaded while it is written, read for a purpose; as bytes, never shown in place."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote, unquote
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath, HeaderParameter

from rilon.domain.attachments import MAX_FILE_BYTES
from rilon.domain.permissions import Action
from rilon.domain.values import Purpose
from rilon.errors import InvalidError, MalformedError
from rilon.web.bodies import no_form, one, read_form
from rilon.web.render import AnyRequest
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

NAME_HEADER: Final = "Rilon-File-Name"
"""The file's name, percent-encoded UTF-8: in a header, for addresses end up in logs."""
UPLOAD: Final = "application/octet-stream"
SANDBOX: Final = "sandbox; default-src 'none'"


@post("/attachments", status_code=200, opt=needs(Action.ATTACH), request_max_body_size=MAX_FILE_BYTES)
async def upload(
    request: AnyRequest,
    services: Node,
    file_name: Annotated[str, HeaderParameter(name=NAME_HEADER, max_length=1024)],
) -> dict[str, str | int]:
    """Take a file in: cleaned, sealed, and kept for an hour until the alert is posted that names its ticket."""
    if request.content_type[0] != UPLOAD:
        raise no_form()
    data = b"".join([chunk async for chunk in request.stream()])
    try:
        name = unquote(file_name, errors="strict")
    except UnicodeDecodeError:
        raise MalformedError("attachment.name", "The name is not percent-encoded UTF-8.", field=NAME_HEADER) from None
    taken = await services.attachments.upload(caller_of(request), name, data)
    return {"ticket": taken.ticket, "name": taken.name, "bytes": taken.bytes}


@post("/items/{origin:str}/{item:uuid}/files/{number:int}", status_code=200, opt=needs(Action.OPEN_SECTION))
async def download(
    origin: FromPath[str], item: FromPath[UUID], number: FromPath[int], request: AnyRequest, services: Node
) -> Response[bytes]:
    """One attached file, counted from 1, for a purpose: an opening of its own."""
    try:
        purpose = Purpose(one(await read_form(request), "purpose"))
    except ValueError:
        fix = "Say what you open it for."
        raise InvalidError("opening.value", "Choose a purpose.", field="purpose", fix=fix) from None
    file, _ = await services.reading.attachment(caller_of(request), origin, item, number, purpose)
    if origin != services.me:
        file = await services.attachments.fresh(file)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "content-security-policy": SANDBOX,
    }
    return Response(file.data, media_type=file.type, headers=headers)


HANDLERS = (upload, download)
