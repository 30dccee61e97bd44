"""Without a network: what was written waits in the browser, sealed to this node, and is sent once when there is one.

The browser keeps ciphertext only, and the offline page has nothing of anybody's: no case, no name, no session.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec
from litestar import Response, get, post

from rilon.app.keys_desk import OUTBOX_KEEP
from rilon.crypto.keys import key_id
from rilon.crypto.outbox import Bound, Opened, open_
from rilon.domain.kinds import KINDS
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import Action, Caller
from rilon.errors import NotFoundError
from rilon.front.services import Services
from rilon.web import forms
from rilon.web.bodies import no_form, one, parse_form, read_form
from rilon.web.render import AnyRequest, asset, page, static
from rilon.web.sessions import PUBLIC, caller_of, needs
from rilon.web.signin import Node, raw, text
from rilon.web.words import countries
from rilon.web.write import INFORMATION, SOURCES, show, store, wrong_with

SHELL = "/offline"
MEDIA_TYPE = "application/cbor"


@get("/outbox", opt=needs(Action.POST))
async def outbox(request: AnyRequest, services: Node) -> Response[str]:
    """What waits in this browser; the list is the browser's own."""
    return page(request, services, "outbox.html")


@get("/outbox/key", opt=needs(Action.POST))
async def key(request: AnyRequest, services: Node) -> dict[str, Any]:
    """What this browser seals to, as whom it writes, and who may be written to.

    ``lasts``: for how many seconds more the node opens what is sealed to it; the browser's clock may be wrong.
    """
    newest, directory = services.keys.ring().outbox()[-1], await services.directory.current()
    until = datetime.fromtimestamp(newest.since, UTC) + OUTBOX_KEEP
    return {
        "member": services.me,
        "world": services.world,
        "officer": caller_of(request).ref,
        "hybrid": {"kid": text(key_id(newest.hybrid)), "key": text(newest.hybrid)},
        "classical": {"kid": text(key_id(newest.classical)), "key": text(newest.classical)},
        "lasts": int((until - services.clock.now()).total_seconds()),
        "members": list(directory.peers),
    }


@post("/outbox", status_code=200, opt=needs(Action.POST))
async def send(request: AnyRequest, services: Node) -> dict[str, str]:
    """Post what waited. The item's id is the idempotency key: sent again, it is answered as before, and done once."""
    if request.content_type[0] != MEDIA_TYPE:
        raise no_form()
    caller = caller_of(request)
    opened = _open(services, caller, await request.body())
    return {"go": await store(services, caller, parse_form(opened.content), opened.id.hex())}


@post("/outbox/open", status_code=200, opt=needs(Action.POST))
async def go_on(request: AnyRequest, services: Node) -> Response[str]:
    """Show what was sealed, to be written on, and what is wrong with it if it was refused; nothing is stored."""
    given, caller = await read_form(request), caller_of(request)
    opened = _open(services, caller, raw(one(given, "sealed")))
    form = parse_form(opened.content) | {"once": [opened.id.hex()]}
    kind = KINDS.get(one(form, "kind"))
    if kind is None:
        raise NotFoundError
    error = await wrong_with(services, caller, form) if one(given, "refused") else None
    return await show(request, services, kind, form, error, status=200)


def _open(services: Services, caller: Caller, data: bytes) -> Opened:
    return open_(data, services.keys.ring().outbox(), Bound(services.me, services.world, caller.ref))


@get(SHELL, opt=PUBLIC)
async def shell(request: AnyRequest, services: Node) -> Response[str]:
    """The page that the browser keeps: every form, empty."""
    fit = sorted((k for k in KINDS.values() if not k.exercise or services.world == "exercise"), key=lambda k: k.family)
    found = page(
        request,
        services,
        "offline.html",
        families={family: list(kinds) for family, kinds in groupby(fit, key=lambda k: k.family)},
        all_parts={k.code: forms.parts(k) for k in fit},
        rows=forms.row,
        count=forms.count,
        members=sorted(MEMBERS.values(), key=lambda m: m.name),
        sources=SOURCES,
        information=INFORMATION,
        countries=countries(),
    )
    return Response(squeezed(found.content), media_type=found.media_type)


def squeezed(html: str) -> str:
    """HTML without the blanks that templates leave at the ends of lines; there is no ``pre`` in it."""
    return "\n".join(line for raw_line in html.splitlines() if (line := raw_line.strip()))


@get("/sw.js", opt=PUBLIC, media_type="text/javascript")
async def worker(request: AnyRequest, services: Node) -> Response[bytes]:
    """The browser's own part, told what to keep; its bytes change when the offline page or an asset does."""
    content = (await shell.fn(request, services)).content
    files = [SHELL, asset("app.js"), asset("site.css")]
    told = msgspec.json.encode({"files": files, "version": sha256(content.encode()).hexdigest()[:16]})
    program = b"self.rilon=" + told + b";\n" + static("sw.js")
    return Response(program, media_type="text/javascript", headers={"cache-control": "no-cache"})


HANDLERS = (outbox, key, send, go_on, shell, worker)
