"""Who asks, on the pages: the session's cookie, whether the request comes from our own page, and how often.

Deny by default: a route without ``action`` or ``public`` is nobody's. The cookie is the only thing the browser sends
by itself, so everything that changes something must also come from a page of ours (``Sec-Fetch-Site``, ``Origin``).
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.exceptions import TooManyRequestsException
from litestar.handlers import BaseRouteHandler

from rilon.app.access_desk import SESSION, Present
from rilon.app.ports import Clock
from rilon.domain.permissions import Action, Caller
from rilon.errors import NotFoundError, RefusedError
from rilon.front.limits import FAILED, TOKEN, Buckets, Rate
from rilon.front.services import Services

CLEAR: Final = {"clear-site-data": '"cache", "storage"'}
"""Lets the browser forget what it keeps: sealed items, the offline page, everything but its cookie."""
COOKIE: Final = "__Host-rilon"
"""The prefix makes the browser insist on ``Secure``, ``Path=/`` and no ``Domain``."""
IDLE: Final = timedelta(minutes=30)
"""A session that asks nothing for so long is over, in this process and after its restart."""
CHALLENGE: Final = timedelta(minutes=5)
MOST: Final = 10_000
PERSON: Final = Rate(burst=10, per_second=0.1)
"""Sign-ins and invitations tried for one person, whatever their outcome."""
SAFE: Final = frozenset({"GET", "HEAD"})
PUBLIC: Final[dict[str, Any]] = {"public": True}
"""``opt`` of a handler that needs no session."""
MACHINE: Final[dict[str, Any]] = {"public": True, "machine": True}
"""``opt`` of a handler that a machine calls, which proves by what it sends who it is; no cookie counts there."""
WAY: Final = "__Host-rilon-way"
"""Binds somebody's way to the provider and back to their browser. ``Lax``: they come back from another site."""
WAY_LASTS: Final = timedelta(minutes=10)

Connection = ASGIConnection[Any, Any, Any, Any]


class SignedOutError(Exception):
    """Nobody is signed in; the page leads to sign-in.

    Attributes:
        ended: the browser comes with a session that was ended, so what it keeps of it goes; it stays when it was idle.
    """

    def __init__(self, *, ended: bool) -> None:
        self.ended = ended


def needs(action: Action) -> dict[str, Any]:
    """``opt`` of a handler for callers with this action only."""
    return {"action": action}


class Bounded(OrderedDict[str, datetime]):
    """Instants by name; the one that was noted longest ago goes first."""

    def note(self, name: str, at: datetime) -> None:
        """Note one."""
        self[name] = at
        self.move_to_end(name)
        while len(self) > MOST:
            self.popitem(last=False)


class Challenges:
    """What authenticators were asked to sign: each for five minutes, and once."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._open = clock, Bounded()

    def new(self) -> bytes:
        """A fresh challenge."""
        challenge = secrets.token_bytes(32)
        self._open.note(challenge.hex(), self._clock.now())
        return challenge

    def use(self, challenge: bytes) -> None:
        """Use one up. Raises NotFoundError ``auth.challenge``."""
        made = self._open.pop(challenge.hex(), None)
        if made is None or self._clock.now() - made >= CHALLENGE:
            raise NotFoundError("auth.challenge", "That took too long.")


@dataclass(frozen=True, slots=True)
class Way:
    """Somebody's way to the identity provider and back: for signing in, for a one-time link, or for binding an account.

    Attributes:
        state, nonce, verifier: fresh secrets, 256 bits each; the last one never leaves this node but to the provider.
        code: of the link. present: who is signed in, and has stepped up.
        old: the session's cookie of that browser when it left; on the way back browsers do not send it.
    """

    made_at: datetime
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    code: str = field(default="", repr=False)
    present: Present | None = None
    old: str = field(default="", repr=False)


class Ways:
    """Ways that were begun: each for ten minutes, once, and for the browser that began it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Way] = OrderedDict()

    def begin(self, code: str = "", present: Present | None = None, old: str = "") -> tuple[Way, Cookie]:
        """A fresh one, and what the browser keeps of it."""
        secret, (state, nonce, verifier) = secrets.token_hex(32), (secrets.token_urlsafe(32) for _ in range(3))
        way = self._open[_hash(secret)] = Way(self._clock.now(), state, nonce, verifier, code, present, old)
        while len(self._open) > MOST:
            self._open.popitem(last=False)
        return way, _cookie(secret, int(WAY_LASTS.total_seconds()), WAY, "lax")

    def end(self, secret: str, state: str) -> Way:
        """Use one up, whatever comes of it. Raises NotFoundError ``auth.way``: none, too old, or another's answer."""
        way = self._open.pop(_hash(secret), None)
        late = way is not None and self._clock.now() - way.made_at >= WAY_LASTS
        if way is None or late or not hmac.compare_digest(way.state.encode(), state.encode()):
            raise NotFoundError("auth.way", "That took too long, or was begun in another browser.")
        return way

    def forgotten(self) -> Cookie:
        """What takes the cookie away."""
        return _cookie("", 0, WAY, "lax")


class Doorkeeper:
    """The guard of every page."""

    def __init__(self, services: Services) -> None:
        self._services, self._seen = services, Bounded()
        self._asks, self._failures = Buckets(services.clock, TOKEN), Buckets(services.clock, FAILED)
        self._people = Buckets(services.clock, PERSON)
        self.challenges, self.ways = Challenges(services.clock), Ways(services.clock)

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Let a request in.

        Raises:
            SignedOutError: no session. RefusedError: ``permission.*``, ``request.cross-site``.
            TooManyRequestsException: too often.
        """
        if connection.scope.get("method") not in SAFE and not handler.opt.get("machine"):
            self._same_site(connection)
        if handler.opt.get("public"):
            return
        present = await self._present(connection)
        connection.scope["user"] = present
        action = handler.opt.get("action")
        if action is None:
            raise RefusedError("permission.undeclared", "Nobody may do this.")
        present.caller.must(action)

    def try_(self, address: str, person: str = "") -> None:
        """Count a try to come in, by where from and as whom. Raises TooManyRequestsException."""
        _check(self._failures.take(address))
        if person:
            _check(self._people.take(person))

    def failed(self, address: str) -> None:
        """Count what a machine sent that proves nothing. Raises TooManyRequestsException."""
        _check(self._failures.take(address))

    def entered(self, cookie: str) -> Cookie:
        """The cookie of a session that was just opened."""
        self._seen.note(_name(cookie), self._services.clock.now())
        return _cookie(cookie, int(SESSION.total_seconds()))

    def left(self) -> Cookie:
        """What takes the cookie away."""
        return _cookie("", 0)

    async def _present(self, connection: Connection) -> Present:
        cookie, now = connection.cookies.get(COOKIE, ""), self._services.clock.now()
        name = _name(cookie)
        seen = self._seen.get(name)
        if seen is None or now - seen >= IDLE:
            self._seen.pop(name, None)
            raise await self._out(cookie)
        _check(self._asks.take(name))
        try:
            present = await self._services.access.present(cookie)
        except NotFoundError:
            raise await self._out(cookie) from None
        if connection.scope["path"] != "/live":  # a page left open asks by itself; that is nobody's presence
            self._seen.note(name, now)
        return present

    async def _out(self, cookie: str) -> SignedOutError:
        return SignedOutError(ended=bool(cookie) and not await self._services.access.stands(cookie))

    def _same_site(self, connection: Connection) -> None:
        """Refuse what another site's page sent in this person's name (as Go's CrossOriginProtection does).

        Raises:
            RefusedError: ``request.cross-site``.
        """
        site = connection.headers.get("sec-fetch-site")
        origin = connection.headers.get("origin")
        if site == "same-origin" or (site is None and origin == self._services.origin):
            return
        raise RefusedError("request.cross-site", "That did not come from a page of this node.")


def caller_of(request: Any) -> Caller:
    """Who asks, as the doorkeeper found them."""
    present: Present = request.scope["user"]
    return present.caller


def _name(cookie: str) -> str:
    """Officer and session of a cookie, without its secret."""
    return cookie.rpartition(".")[0]


def _cookie(value: str, seconds: int, name: str = COOKIE, site: Literal["lax", "strict"] = "strict") -> Cookie:
    return Cookie(name, value=value, max_age=seconds, secure=True, httponly=True, samesite=site)


def _hash(secret: str) -> str:
    return sha256(b"rilon way 1\0" + secret.encode()).hexdigest()


def _check(wait_s: int) -> None:
    if wait_s:
        raise TooManyRequestsException(headers={"retry-after": str(wait_s)})
