"""Who asks, whether they may, and how often: deny by default, decided before a body is read."""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import sha256
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler

from rilon.api.requests import ApiRequest
from rilon.app.unit import Key
from rilon.domain.permissions import Action, Caller
from rilon.errors import InvalidError, NotFoundError, RefusedError
from rilon.front.limits import FAILED, MOST_BUCKETS, TOKEN, Buckets
from rilon.front.services import Services

ACTION: Final = "action"
PUBLIC: Final[dict[str, Any]] = {"public": True}
"""``opt`` of a handler that anybody may call."""

MAX_TOKEN_CHARACTERS: Final = 200
KEY_HEADER: Final = "Idempotency-Key"
KEY_PATTERN: Final = "^[!-~]{8,128}$"
_KEY: Final = re.compile(KEY_PATTERN[:-1] + r"\Z")

Connection = ASGIConnection[Any, Any, Any, Any]

Asking = NamedDependency[Caller]
"""A handler's ``caller``."""
Node = NamedDependency[Services]
"""A handler's ``services``."""
Once = NamedDependency[Key]
"""A handler's ``key``: the command is done once, however often it is sent."""


def needs(action: Action) -> dict[str, Any]:
    """``opt`` of a handler that only callers with this action may call."""
    return {ACTION: action}


class Gate:
    """The guard of every route."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tokens = Buckets(services.clock, TOKEN)
        self._failures = Buckets(services.clock, FAILED)
        self._good: OrderedDict[str, None] = OrderedDict()

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Let a request in: a public route, or a caller whose roles allow the route's action.

        Raises:
            NotAuthorizedException: no valid token, whatever is wrong with it.
            RefusedError: ``permission.denied``; ``permission.undeclared``: nobody said who may call this.
            TooManyRequestsException: too often, with this token, or with bad ones from this address.
        """
        if connection.scope.get("method") == "OPTIONS" or handler.opt.get("public"):
            return
        caller = connection.scope["user"] = await self._caller(connection)
        action = handler.opt.get(ACTION)
        if action is None:
            raise RefusedError("permission.undeclared", "Nobody may do this.")
        caller.must(action)

    async def _caller(self, connection: Connection) -> Caller:
        """Who a token is. A flood of bad ones is turned away unread, and hurts nobody whose token was good before."""
        client = connection.scope["client"]
        address = client[0] if client else ""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN_CHARACTERS:
            raise _no_token()
        name = sha256(token.encode()).hexdigest()  # nothing here outlives the request but this
        if address and name not in self._good:
            _check(self._failures.wait_s(address))
        _check(self._tokens.take(name))
        try:
            caller = await self._services.membership.authenticate(token)
        except NotFoundError:
            self._good.pop(name, None)
            self._failures.take(address)
            raise _no_token() from None
        self._remember(name)
        return caller

    def _remember(self, name: str) -> None:
        self._good[name] = None
        self._good.move_to_end(name)
        while len(self._good) > MOST_BUCKETS:
            self._good.popitem(last=False)


def _no_token() -> NotAuthorizedException:
    return NotAuthorizedException(headers={"www-authenticate": "Bearer"})


def _check(wait_s: int) -> None:
    if wait_s:
        raise TooManyRequestsException(headers={"retry-after": str(wait_s)})


async def provide_caller(request: ApiRequest) -> Caller:
    """Who asks, as the gate found them."""
    return request.user


async def provide_key(request: ApiRequest, services: Node) -> Key:
    """The idempotency key as the log may hold it: HMACs, so that it confirms no guess of a key or a request.

    Raises:
        InvalidError: ``idempotency.missing`` or ``idempotency.form``.
    """
    text = request.headers.get(KEY_HEADER)
    fix = "Send 8 to 128 visible ASCII characters that you never used before, such as a random UUID."
    if text is None:
        raise InvalidError("idempotency.missing", "This needs an Idempotency-Key.", field=KEY_HEADER, fix=fix)
    if not _KEY.match(text):
        raise InvalidError("idempotency.form", "This is no Idempotency-Key.", field=KEY_HEADER, fix=fix)
    body = await request.canonical_body()
    return services.key(request.user, text, request.method, request.url.path, body)
