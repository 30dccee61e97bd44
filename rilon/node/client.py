"""A client of a node's API: JSON in, JSON out, problems as the errors they are."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Final, Self

import httpx

from rilon.errors import (
    ConflictError,
    FatalError,
    InvalidError,
    MalformedError,
    NotFoundError,
    RefusedError,
    RilonError,
    UnavailableError,
)

TIMEOUT_S: Final = 30.0
SILENCE_S: Final = 45.0
"""A stream of notices says something every 15 seconds; after three silences its line is dead."""
PATIENCE: Final = 20
"""How often a request is sent again that the node found too fast."""
LONGEST_WAIT_S: Final = 5.0
_BY_STATUS: Final[dict[int, type[RilonError]]] = {
    400: MalformedError,
    401: RefusedError,
    403: RefusedError,
    409: ConflictError,
    429: UnavailableError,
    503: UnavailableError,
}


_FIXES: Final = {"auth.token": "Is it a token of this node? A focal point makes a new one: rilon officer token."}
"""What a person at a terminal does, where the node's answer says what a program sends."""

Query = str | int | list[str] | None
"""A parameter of a query; None is left out, and a list stands as often as it is long."""


class NodeClient:
    """One officer's view of one node.

    Args:
        url: of the node, without path; plain HTTP only on this machine, or it would show the token to the network.
        token: bearer token; never shown.
        heard: is shown every answer, a refusal too.

    Raises:
        MalformedError: ``client.url``. RefusedError: ``client.plain-http``.
    """

    def __init__(self, url: str, token: str, heard: Callable[[httpx.Response], None] = lambda _: None) -> None:
        self._url, self._heard, address = url, heard, _checked(url)
        headers = {"Authorization": f"Bearer {token}", "Host": address.netloc.decode()}
        # `th.localhost` is this machine (RFC 6761, 6.3), but not every resolver says so.
        base = address.copy_with(host="127.0.0.1") if _named_local(address) else address
        # Nothing of the environment: a proxy would see what goes to the node.
        self._http = httpx.AsyncClient(base_url=base.join("/v1/"), headers=headers, timeout=TIMEOUT_S, trust_env=False)

    def __repr__(self) -> str:
        return f"NodeClient({self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: Query) -> Any:
        """Read. Raises RilonError as the node's problem says; UnavailableError when it cannot be reached."""
        asked = {name: value for name, value in query.items() if value is not None}
        return answered(await self._send("GET", path, params=asked))

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """Command, once per idempotency key. Errors: see ``get``."""
        return answered(await self.command("POST", path, body, key=key))

    async def command(self, method: str, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """Command, with the whole answer."""
        once = key or secrets.token_hex(16)
        try:
            return await self._send(method, path, json=body, headers={"Idempotency-Key": once})
        except UnavailableError as error:
            error.fix = f"{error.fix} It may have been done: send it again with the idempotency key {once}.".strip()
            raise

    async def upload(self, path: str, data: bytes, headers: dict[str, str]) -> Any:
        """Send a body as it is."""
        kind = {"Content-Type": "application/octet-stream"}
        return answered(await self._send("POST", path, content=data, headers=kind | headers))

    async def download(self, path: str, body: object) -> bytes:
        """Ask for bytes."""
        return (await self._send("POST", path, json=body)).content

    async def notices(self, after: int | None = None) -> AsyncIterator[str]:
        """The lines of the live stream of notices, from now or from a position on, until either side stops."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)
        try:
            async with self._http.stream("GET", "notices", headers=headers, timeout=timeout) as answer:
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
                answer = await self._http.request(method, path.lstrip("/"), **more)
            except httpx.TransportError as error:
                raise self._away() from error
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(min(LONGEST_WAIT_S, float(answer.headers.get("Retry-After", "1"))))
        self._heard(answer)
        if answer.is_error:
            raise problem(answer)
        return answer

    def _away(self) -> UnavailableError:
        return UnavailableError("node.away", f"The node at {self._url} cannot be reached.", fix="Is it running?")


def problem(answer: httpx.Response) -> RilonError:
    """The error that a problem answer (RFC 9457) tells."""
    told = _told(answer)
    code = str(told.get("type", "")).removeprefix("urn:rilon:")
    detail, field, fix = _words(told)
    fix = _FIXES.get(code, fix)
    match answer.status_code:
        case 404:
            return NotFoundError(code, detail)
        case 422:
            several = [_fault(each) for each in told.get("problems", ())]
            return InvalidError(code, detail, field=field, fix=fix, problems=several)
        case status:
            kind = _BY_STATUS.get(status, FatalError if answer.is_server_error else MalformedError)
            return kind(code, detail, field=field, fix=fix)


def _told(answer: httpx.Response) -> dict[str, Any]:
    told = answered(answer)
    if isinstance(told, dict) and "type" in told:
        return told
    raise _no_node(answer)


def answered(answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises UnavailableError ``node.answer``: it is none."""
    try:
        return answer.json()
    except ValueError:
        raise _no_node(answer) from None


def _no_node(answer: httpx.Response) -> UnavailableError:
    fix = "Is the address right, and does a proxy stand between?"
    return UnavailableError("node.answer", f"What answers there ({answer.status_code}) is no RILON node.", fix=fix)


def _fault(told: dict[str, Any]) -> InvalidError:
    detail, field, fix = _words(told)
    return InvalidError(str(told.get("code", "")), detail, field=field, fix=fix)


def _words(told: dict[str, Any]) -> tuple[str, str, str]:
    return str(told.get("detail", "")), str(told.get("field", "")), str(told.get("fix", ""))


def _checked(url: str) -> httpx.URL:
    fix = "For example: https://node.example"
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise MalformedError("client.url", "This is no address of a node.", fix=fix) from None
    if address.scheme not in {"http", "https"} or not address.host or address.userinfo or address.path != "/":
        raise MalformedError("client.url", "This is no address of a node.", fix=fix)
    if address.scheme == "http" and not (_named_local(address) or _loopback(address.host)):
        fix = "Use https, or a tunnel to the node's own machine."
        raise RefusedError("client.plain-http", "Plain HTTP would show your token to the network.", fix=fix)
    return address


def _named_local(address: httpx.URL) -> bool:
    return address.scheme == "http" and (address.host == "localhost" or address.host.endswith(".localhost"))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
