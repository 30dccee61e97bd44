"""The Member's identity provider over HTTPS: its metadata, its keys, and the exchange of a code (OpenID Connect).

What it says of itself is fetched when it is first needed and then kept for an hour; keys are fetched again sooner only
when a token names one that is not known, and at most once a minute, so that no stranger can make this node ask. Every
answer has an end: in bytes, and in seconds. Nothing follows a redirect, and no proxy of the environment is used.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx

from rilon.app.ports import Clock
from rilon.crypto.jose import ALGORITHMS, ProviderKeys, UnknownKeyError, Verified, read_object, verify
from rilon.crypto.provider_token import (
    SESSION_S,
    Asked,
    Farewell,
    Identity,
    Party,
    check_id_token,
    check_logout_token,
)
from rilon.errors import MalformedError, NotFoundError, ProofError, RilonError, UnavailableError
from rilon.node.config import Config, Home, ProviderAccess, first_line

BACK: Final = "/provider/back"
"""Where the provider sends a browser back to, below the pages' origin."""
FAREWELL: Final = "/provider/logout"
"""Where the provider tells of sign-outs, machine to machine."""
MAX_BYTES: Final = 256 * 1024
"""The largest answer that is read."""
ANSWER_S: Final = 8.0
"""All of one answer, connecting included."""
KEEP: Final = timedelta(hours=1)
AGAIN: Final = timedelta(minutes=1)
"""Between two fetches of keys for the sake of a key that is not known."""
PAUSE: Final = timedelta(seconds=5)
"""After a failure nothing is asked for so long."""
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the provider said of itself (OpenID Connect Discovery 1.0 §3), as far as it is used."""

    authorize: str
    token: str
    jwks: str
    basic: bool
    names_itself: bool
    keys: ProviderKeys
    since: datetime


class OidcProvider:
    """The port ``Provider``.

    Args:
        origin: of the pages. home: what the configuration's paths are relative to.
    """

    def __init__(self, access: ProviderAccess, origin: str, home: Path, clock: Clock) -> None:
        self._access, self._origin, self._home, self._clock = access, origin, home, clock
        self._party = Party(access.issuer, access.client_id)
        self._lock = asyncio.Lock()
        self._known: _Known | None = None
        self._failed: tuple[datetime, RilonError] | None = None

    def __repr__(self) -> str:
        return f"OidcProvider({self._access.issuer})"

    @property
    def name(self) -> str:
        """See ``Provider``."""
        return self._access.name

    async def begin(self, state: str, nonce: str, challenge: str) -> str:
        """See ``Provider.begin``."""
        known = await self._ready()
        asked = {
            "response_type": "code",
            "client_id": self._access.client_id,
            "redirect_uri": self._origin + BACK,
            "scope": " ".join(self._access.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "acr_values": " ".join(self._access.acr),
            "max_age": str(SESSION_S),
        }
        return f"{known.authorize}{'&' if '?' in known.authorize else '?'}{urlencode(asked)}"

    async def redeem(self, code: str, issuer: str | None, verifier: str, nonce: str) -> Identity:
        """See ``Provider.redeem``."""
        known = await self._ready()
        if issuer != self._access.issuer and (issuer is not None or known.names_itself):
            # whoever answered is not whom we asked (RFC 9207): the code is not sent anywhere
            raise ProofError("provider.issuer", "That answer is not from the identity provider that was asked.")
        told = await self._exchange(known, code, verifier)
        token, access_token = told.get("id_token"), told.get("access_token", "")
        if not isinstance(token, str) or not isinstance(access_token, str):
            raise MalformedError("provider.token", "The identity provider sent no ID token.")
        asked = Asked(nonce, self._access.acr, access_token)
        return check_id_token(await self._verified(token), self._party, asked, self._clock.now())

    async def farewell(self, token: str) -> Farewell:
        """See ``Provider.farewell``."""
        return check_logout_token(await self._verified(token), self._party, self._clock.now())

    async def check(self) -> None:
        """Ask the provider for all that signing in needs, and read our secret.

        Raises:
            RilonError: what is wrong.
        """
        self._secret()
        await self._ready()

    async def _verified(self, token: str) -> Verified:
        known = await self._ready()
        try:
            return verify(token, known.keys)
        except UnknownKeyError:
            if self._clock.now() - known.since < AGAIN:
                raise
        return verify(token, (await self._ready(but=known)).keys)

    async def _ready(self, but: _Known | None = None) -> _Known:
        """What is known of the provider; fetched by one task for all who wait.

        Args:
            but: that is too old.
        """
        async with self._lock:
            now = self._clock.now()
            if self._known is not None and self._known is not but and now - self._known.since < KEEP:
                return self._known
            if self._failed is not None and now - self._failed[0] < PAUSE:
                raise self._failed[1]
            try:
                self._known = await self._discover(now)
            except RilonError as error:
                self._failed = now, error
                raise
            return self._known

    async def _discover(self, now: datetime) -> _Known:
        issuer = self._access.issuer
        told = read_object(await self._fetch("GET", issuer.rstrip("/") + _WELL_KNOWN), "provider.metadata")
        if told.get("issuer") != issuer:
            fix = "provider.issuer must be what the provider calls itself, to the letter."
            raise UnavailableError("provider.issuer", "The identity provider calls itself something else.", fix=fix)
        authorize, token, jwks = (
            self._address(told, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        self._must_offer(told, "code_challenge_methods_supported", {"S256"})
        self._must_offer(told, "response_types_supported", {"code"})
        self._must_offer(told, "id_token_signing_alg_values_supported", set(ALGORITHMS))
        offered = told.get("token_endpoint_auth_methods_supported", [_BASIC])
        self._must_offer({"methods": offered}, "methods", {_BASIC, _POST})
        keys = ProviderKeys(await self._fetch("GET", jwks))
        named = told.get("authorization_response_iss_parameter_supported") is True
        return _Known(authorize, token, jwks, _BASIC in offered, named, keys, now)

    def _address(self, told: Mapping[str, Any], name: str) -> str:
        """An address of the provider's; over TLS, unless the provider runs on this very machine."""
        found = told.get(name)
        scheme = urlsplit(self._access.issuer).scheme
        if not isinstance(found, str) or len(found) > 1000 or not found.startswith(f"{scheme}://") or "#" in found:  # noqa: PLR2004
            raise UnavailableError("provider.metadata", f"The identity provider names no usable {name}.")
        if scheme == "http" and urlsplit(found).hostname not in {"localhost", "127.0.0.1"}:
            raise UnavailableError("provider.metadata", f"The identity provider's {name} is without TLS.")
        return found

    def _must_offer(self, told: Mapping[str, Any], name: str, wanted: set[str]) -> None:
        offered = told.get(name)
        if not isinstance(offered, list) or not wanted & {each for each in offered if isinstance(each, str)}:
            words = " or ".join(sorted(wanted))
            raise UnavailableError("provider.metadata", f"The identity provider does not offer {words} ({name}).")

    async def _exchange(self, known: _Known, code: str, verifier: str) -> dict[str, Any]:
        """Redeem a code (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._origin + BACK,
            "code_verifier": verifier,
        }
        headers, own = {"accept": "application/json"}, (self._access.client_id, self._secret())
        if known.basic:  # form-encoded first (RFC 6749 §2.3.1)
            pair = ":".join(map(quote_plus, own)).encode()
            headers["authorization"] = f"Basic {b64encode(pair).decode()}"
        else:
            asked |= dict(zip(("client_id", "client_secret"), own, strict=True))
        return read_object(await self._fetch("POST", known.token, data=asked, headers=headers), "provider.token")

    def _secret(self) -> str:
        return first_line(self._home / self._access.secret_file, "provider.secret-file", "provider's secret file")

    async def _fetch(self, method: str, url: str, **more: Any) -> bytes:
        """One answer, read to its end.

        Raises:
            NotFoundError: ``auth.provider``: a code was refused. UnavailableError: ``provider.away``.
        """
        try:
            trusted = self._trusted
            async with (
                asyncio.timeout(ANSWER_S),
                httpx.AsyncClient(trust_env=False, verify=trusted, timeout=ANSWER_S) as client,
                client.stream(method, url, **_plain(more)) as answer,
            ):
                body = await _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
            raise _away() from None
        if answer.status_code == httpx.codes.BAD_REQUEST and method == "POST":
            raise NotFoundError("auth.provider", "This account does not open anything here.")
        if answer.status_code != httpx.codes.OK:
            raise _away()
        return body

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        authority = self._home / self._access.authority if self._access.authority else None
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def provider_of(config: Config, home: Home, clock: Clock) -> OidcProvider | None:
    """The provider that a node is configured with."""
    if not config.provider.issuer:
        return None
    return OidcProvider(config.provider, config.http.origin, home.path, clock)


def _plain(more: dict[str, Any]) -> dict[str, Any]:
    """Nothing is asked for compressed: a few bytes could become many."""
    return more | {"headers": {"accept-encoding": "identity", **more.get("headers", {})}}


async def _read(answer: httpx.Response) -> bytes:
    body = b""
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > MAX_BYTES:
            raise MalformedError("provider.size", "The identity provider sent too much.")
    return body


def _away() -> UnavailableError:
    fix = "Sign in with a passkey, or try again later."
    return UnavailableError("provider.away", "The identity provider does not answer.", fix=fix)
