"""A frozen link: why it is, and the signatures of two focal points that let it go on.

A signature is that of the caller's passkey over exactly what was shown; being signed in signs nothing.
"""

from __future__ import annotations

import secrets

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.domain.peer_link import SIGNERS
from rilon.domain.permissions import Action
from rilon.web.bodies import one, read_form
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.signing import challenge, consent


@get("/network/{member:str}/frozen", opt=needs(Action.VERIFY_PEER))
async def frozen(member: FromPath[str], request: AnyRequest, services: Node) -> Response[str]:
    """Why a link is frozen, and what the caller's passkey is asked to sign."""
    caller = caller_of(request)
    found = await services.link_desk.halted(caller, member)
    signed = caller.ref in found.signed
    return page(
        request,
        services,
        "frozen.html",
        halt=found,
        needed=SIGNERS,
        signed=signed,
        challenge=None if signed else await challenge(services, caller, found.digest),
        once=secrets.token_hex(16),
    )


@post("/network/{member:str}/reset", status_code=303, opt=needs(Action.VERIFY_PEER))
async def reset(member: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Sign that it goes on; the second person's signature does it."""
    form, caller = await read_form(request), caller_of(request)
    signed = await consent(services, caller, form)
    key = services.key(caller, one(form, "once"), "POST", request.url.path, signed)
    done = await services.link_desk.reset(caller, member, signed, key)
    await services.caught_up(done.position)
    what = "reset" if done.answer == b"reset" else "asked"
    return Redirect(f"/network/{member}?done={what}", status_code=303)


HANDLERS = (frozen, reset)
