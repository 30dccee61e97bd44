"""Places at which chaos tests may end the process, so that what a crash leaves behind is tried and not argued.

Whoever has a point of no return takes a ``Hook`` (``passing`` by default), awaits it there, and names the place here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum


class Failpoint(StrEnum):
    """Every place where a crash is tried."""

    LOG_BEFORE_INSERT = "log.before-insert"
    LOG_AFTER_INSERT = "log.after-insert"
    KEYS_REGISTERED = "keys.registered"
    KEYS_ROTATED = "keys.rotated"
    KEYS_CLOSED = "keys.closed"
    KEYS_REWRAPPED = "keys.rewrapped"
    KEYS_DROPPED = "keys.dropped"
    COURIER_AFTER_COMMIT = "courier.after-commit"
    COURIER_AFTER_PIECE = "courier.after-piece"
    COURIER_AFTER_SEND = "courier.after-send"
    COURIER_BEFORE_ACK = "courier.before-ack"


Hook = Callable[[Failpoint], Awaitable[None]]


async def passing(_: Failpoint) -> None:
    """The hook of every real node: go on."""
