"""The outermost layer: which host is meant, how often an address asks, the headers of every answer, one line of log.

It stands outside Litestar, so that what Litestar answers by itself (no such route, wrong method) is covered too.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from time import perf_counter
from typing import Any, Final, cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from rilon.app.ports import Clock
from rilon.front.limits import ADDRESS, Buckets
from rilon.front.problems import MALFORMED, MEDIA_TYPE, TOO_MANY, Problem, encode, mended, problem

log = logging.getLogger("rilon.access")

SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""On every answer that does not say otherwise: nobody's to keep, frame, guess the type of, or fetch from elsewhere."""

EXERCISE: Final = (b"rilon-world", b"exercise")
"""The watermark of a node of an exercise, on every answer: nothing that it says is real."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
"""What the log names; a caller may write anything there."""

_BAD_HOST: Final = problem(400, "http.host", "This node does not answer to that name.")


class Edge:
    """An ASGI application around the API.

    Args:
        app: the API.
        hosts: names the node answers to, lower case, without port.
        world: ``real`` or ``exercise``, of which every answer bears the mark.
    """

    def __init__(self, app: ASGIApp, clock: Clock, hosts: Collection[str], world: str = "real") -> None:
        self._app, self._hosts = app, frozenset(hosts)
        self._headers = (*SECURITY_HEADERS, *((EXERCISE,) if world == "exercise" else ()))
        self._addresses = Buckets(clock, ADDRESS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; there are no websockets here."""
        kind: str = scope["type"]
        if kind == "http":
            await self._serve(cast("HTTPScope", scope), receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started, status = perf_counter(), 500

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = list(message["headers"])
                said = {name.lower() for name, _ in given}
                message["headers"] = [*given, *(h for h in self._headers if h[0] not in said)]
            await send(message)

        try:
            await self._admit(scope, receive, guarded)
        finally:
            took_ms = 1000 * (perf_counter() - started)
            method = scope["method"] if scope["method"] in METHODS else "-"
            log.info("%s %s %d %.1f ms", method, scope.get("path_template", "-"), status, took_ms)

    async def _admit(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        client = scope["client"]
        wait_s = self._addresses.take(client[0]) if client else 0
        if wait_s:
            await _refuse(send, TOO_MANY, (b"retry-after", str(wait_s).encode()))
        elif _two_lengths(scope):
            await _refuse(send, MALFORMED, (b"connection", b"close"))
        elif _host(scope) not in self._hosts:
            await _refuse(send, _BAD_HOST)
        else:
            await self._app(scope, receive, send)


def _host(scope: HTTPScope) -> str:
    """The host that is meant, without its port; "" when it is not said exactly once (RFC 9112 §3.2)."""
    named = [value for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1:
        return ""
    text = named[0].decode("latin-1").lower()
    name, colon, port = text.rpartition(":")
    return name if colon and port.isdigit() else text


def _two_lengths(scope: HTTPScope) -> bool:
    """Whether a body has a length and chunks: a proxy before us may have seen another end of it (RFC 9112 §6.1)."""
    names = {name for name, _ in scope["headers"]}
    return {b"content-length", b"transfer-encoding"} <= names


async def _refuse(send: Send, refusal: Problem, *headers: tuple[bytes, bytes]) -> None:
    start: Any = {
        "type": "http.response.start",
        "status": refusal.status,
        "headers": [(b"content-type", MEDIA_TYPE.encode()), *headers],
    }
    await send(start)
    await send({"type": "http.response.body", "body": encode(mended(refusal)), "more_body": False})
