"""Keys and terms: which keys open what is under way and until when, how long alerts are kept, how long the log is.

Read only. Keys turn by themselves every month; to turn one at once takes the machine itself (``rilon keys rotate``).
"""

from __future__ import annotations

from collections import defaultdict

from litestar import Response, get

from rilon.app.keys_desk import EPOCH, KEEP
from rilon.domain.kinds import KINDS
from rilon.domain.permissions import Action
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import needs
from rilon.web.signin import Node


@get("/keys", opt=needs(Action.SEE_LINKS))
async def keys(request: AnyRequest, services: Node) -> Response[str]:
    """The epochs of this node's KEM keys, the newest first, the terms of the kinds, and the log's head."""
    head = await services.log.head()
    held = list(reversed(await services.epochs.held()))
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
    )


def terms() -> list[tuple[int, list[str]]]:
    """Kinds of alert by the days they are kept, the shortest first."""
    kept: dict[int, list[str]] = defaultdict(list)
    for kind in KINDS.values():
        kept[kind.retention_days].append(kind.code)
    return sorted(kept.items())


HANDLERS = (keys,)
