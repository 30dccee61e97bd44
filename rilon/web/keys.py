"""Keys and terms: which keys open what is under way and until when, how long alerts are kept, how long the log is.

Keys turn by themselves every month; an administrator turns one at once by a passkey of theirs, or at the machine itself
(``rilon keys rotate``). A new log after a restore takes the root key, which no node holds: that stays at the machine.
"""

from __future__ import annotations

import secrets
from collections import defaultdict

from litestar import Response, get, post
from litestar.response import Redirect

from rilon.app.keys_desk import EPOCH, KEEP
from rilon.crypto.approval import turn_digest
from rilon.domain.kinds import KINDS
from rilon.domain.permissions import Action
from rilon.web.bodies import hexed, read_form
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.signing import challenge_any, prove


@get("/keys", opt=needs(Action.SEE_LINKS))
async def keys(request: AnyRequest, services: Node) -> Response[str]:
    """The epochs of this node's KEM keys, the newest first, the terms of the kinds, and the log's head."""
    caller, head = caller_of(request), await services.log.head()
    held = list(reversed(await services.epochs.held()))
    turns = caller.may(Action.TURN_KEYS)
    return page(
        request,
        services,
        "keys.html",
        held=held,
        epoch=EPOCH.days,
        keep=KEEP.days,
        kept=terms(),
        size=head.size,
        root=head.root.hex(),
        challenge=await challenge_any(services, caller, turn_digest(services.me, held[0].kid)) if turns else None,
        kid=held[0].kid.hex(),
        once=secrets.token_hex(16),
    )


@post("/keys/turn", status_code=303, opt=needs(Action.TURN_KEYS))
async def turn(request: AnyRequest, services: Node) -> Redirect:
    """Turn the key that was shown, once the administrator's passkey has signed just that."""
    form, caller = await read_form(request), caller_of(request)
    kid = hexed(form, "kid")
    await prove(services, caller, form, turn_digest(services.me, kid))
    await services.epochs.turn(caller, kid)
    return Redirect("/keys?done=turned", status_code=303)


def terms() -> list[tuple[int, list[str]]]:
    """Kinds of alert by the days they are kept, the shortest first."""
    kept: dict[int, list[str]] = defaultdict(list)
    for kind in KINDS.values():
        kept[kind.retention_days].append(kind.code)
    return sorted(kept.items())


HANDLERS = (keys, turn)
