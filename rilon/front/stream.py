"""A listener's notices as server-sent events: that something came, of what kind and urgency; never what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from rilon.app.notices import Notice
from rilon.app.ports import Clock
from rilon.domain.permissions import Caller
from rilon.errors import MalformedError
from rilon.front.notifier import Notifier

PING_S: Final = 15
"""Between two comments, so that a proxy keeps the line and a dead one is noticed."""
LIFE: Final = timedelta(hours=1)
"""After this a stream ends, so that its listener's token is looked at again when it comes back."""
PING: Final = b": ping\n\n"
RETRY_MS: Final = 3000
_LONGEST_ID: Final = 18


def parse_position(text: str | None) -> int | None:
    """The position after which a listener wants to hear.

    Raises:
        MalformedError: ``notices.position``.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise MalformedError("notices.position", "Last-Event-ID is no position.", field="Last-Event-ID")
    return int(text)


async def stream(notifier: Notifier, clock: Clock, caller: Caller, after: int | None) -> AsyncIterator[bytes]:
    """The frames of one listener, until it goes, is ended, or has listened long enough."""
    until = min(clock.now() + LIFE, caller.until or datetime.max.replace(tzinfo=UTC))
    with notifier.listen(caller) as listener:
        if not await notifier.may_listen(caller):
            return
        yield b"retry: %d\n\n" % RETRY_MS
        if after is not None:
            async for notice in notifier.missed(listener, after):
                yield frame(notice)
        while clock.now() < until:
            goes_on, heard = await listener.hear(min(PING_S, (until - clock.now()).total_seconds()))
            if not goes_on:
                return
            yield frame(heard) if heard else PING


def frame(notice: Notice) -> bytes:
    """One event. JSON has no line breaks, so it is one line of data."""
    return b"id: %d\nevent: notice\ndata: %s\n\n" % (notice.position, msgspec.json.encode(notice))
