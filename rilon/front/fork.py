"""One socket, two fronts: what begins with the API's prefix goes to the API, everything else to the pages."""

from __future__ import annotations

from litestar.types import ASGIApp, Receive, Scope, Send

PREFIX = "/v1"


def fork(api: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """The two as one application."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        await (api if path == PREFIX or path.startswith(f"{PREFIX}/") else pages)(scope, receive, send)

    return either
