"""A client of a node's API: JSON in, JSON out, problems as the errors they are."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

import httpx

from rilon.errors import (
    ConflictError,
    InvalidError,
    MalformedError,
    NotFoundError,
    RefusedError,
    RilonError,
    UnavailableError,
)

TIMEOUT_S: Final = 30.0
PATIENCE: Final = 20
"""How often a request is sent again that the node found too fast."""
LONGEST_WAIT_S: Final = 5.0
_BY_STATUS: Final = {
    400: MalformedError,
    401: RefusedError,
    403: RefusedError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidError,
    429: UnavailableError,
    503: UnavailableError,
}


class NodeClient:
    """One officer's view of one node.

    Args:
        url: of the node, without path.
        token: bearer token; never shown.
    """

    def __init__(self, url: str, token: str) -> None:
        # The name is looked up on this machine: `th.localhost` is loopback for browsers, not for every resolver.
        host = httpx.URL(url).host
        base, headers = url, {"Authorization": f"Bearer {token}"}
        if host.endswith(".localhost"):
            base, headers = url.replace(host, "127.0.0.1", 1), headers | {"Host": httpx.URL(url).netloc.decode()}
        self._http = httpx.AsyncClient(base_url=f"{base}/v1", headers=headers, timeout=TIMEOUT_S)
        self._url = url

    def __repr__(self) -> str:
        return f"NodeClient({self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str | int | None) -> Any:
        """Read. Raises RilonError as the node's problem says; UnavailableError when it cannot be reached."""
        asked = {name: value for name, value in query.items() if value is not None}
        return (await self._send("GET", path, params=asked)).json()

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """Command, once per idempotency key. Errors: see ``get``."""
        return (await self.command("POST", path, body, key=key)).json()

    async def command(self, method: str, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """Command, with the whole answer."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return await self._send(method, path, json={} if body is None else body, headers=headers)

    async def notices(self) -> AsyncIterator[str]:
        """The lines of the live stream of notices, until the caller stops."""
        try:
            async with self._http.stream("GET", "/notices", timeout=None) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise problem(answer)
                async for line in answer.aiter_lines():
                    yield line
        except httpx.TransportError as error:
            raise self._away() from error

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        for _ in range(PATIENCE):
            try:
                answer = await self._http.request(method, path, **more)
            except httpx.TransportError as error:
                raise self._away() from error
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(min(LONGEST_WAIT_S, float(answer.headers.get("Retry-After", "1"))))
        if answer.is_error:
            raise problem(answer)
        return answer

    def _away(self) -> UnavailableError:
        return UnavailableError("node.away", f"The node at {self._url} cannot be reached.", fix="Is it running?")


def problem(answer: httpx.Response) -> RilonError:
    """The error that a problem answer (RFC 9457) tells."""
    try:
        told = answer.json()
    except ValueError:
        told = {}
    code = str(told.get("type", "")).removeprefix("urn:rilon:") or f"http.{answer.status_code}"
    detail = str(told.get("detail") or told.get("title") or "The node refused this.")
    kind: type[RilonError] = _BY_STATUS.get(answer.status_code, RilonError)
    if kind is NotFoundError:
        return NotFoundError(code, detail)
    return kind(code, detail, field=str(told.get("field", "")), fix=str(told.get("fix", "")))
