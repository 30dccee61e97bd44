"""What an identity provider's tokens must say before anybody comes in, or is signed out, by them.

Sources: OpenID Connect Core 1.0 §3.1.3.7 (ID token), OpenID Connect Back-Channel Logout 1.0 §2.6 (logout token). Pure:
the token's signature was checked before (``rilon.crypto.jose``), the moment is given.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rilon.crypto.jose import Verified, half_hash
from rilon.errors import ProofError

LEEWAY_S: Final = 60
"""How far the provider's clock and ours may differ."""
FRESH_S: Final = 600
"""A token older than this is none that was just made for us."""
SESSION_S: Final = 12 * 3600
"""A person whom the provider has not seen for longer signs in there again (``max_age``)."""
LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_NAME: Final = re.compile(r"[\x20-\x7e]{1,255}\Z")
_LATEST_S: Final = 2**40


@dataclass(frozen=True, slots=True)
class Party:
    """The two that a token is between: issuer and client id, compared to the letter."""

    issuer: str
    client: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for when somebody was sent to the provider.

    Attributes:
        nonce: made for this one browser. acr: one of these is required.
        access_token: what came beside the ID token, for ``at_hash``.
    """

    nonce: str = field(repr=False)
    acr: Collection[str]
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at their provider; it is known to the running process only, the log holds keyed digests.

    Attributes:
        subject: their name there, opaque. session: their session there, or "".
    """

    issuer: str
    subject: str = field(repr=False)
    session: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Farewell:
    """Whom a provider has signed out: a person, one of their sessions, or both named.

    Attributes:
        ticket: the token's own id, that counts once.
    """

    issuer: str
    subject: str = field(repr=False)
    session: str = field(repr=False)
    ticket: str = field(repr=False)


def check_id_token(token: Verified, party: Party, asked: Asked, now: datetime) -> Identity:
    """Who came back from the provider.

    Raises:
        ProofError: ``provider.type``, ``.issuer``, ``.audience``, ``.nonce``, ``.expired``, ``.time``, ``.acr``,
            ``.auth-time``, ``.hash`` or ``.subject``.
    """
    claims = token.claims
    if token.kind not in {"", "jwt"}:
        raise _no("provider.type")
    _check_party(claims, party)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise _no("provider.nonce")
    _check_times(claims, now)
    if not isinstance(acr := claims.get("acr"), str) or acr not in asked.acr:
        fix = "Sign in there with the strength that your Member asks for."
        raise ProofError("provider.acr", "Your identity provider did not vouch for how you signed in.", fix=fix)
    if not _second(claims, "auth_time", "provider.auth-time") >= now.timestamp() - SESSION_S - LEEWAY_S:
        raise _no("provider.auth-time")
    if "at_hash" in claims and claims["at_hash"] != half_hash(token.algorithm, asked.access_token):
        raise _no("provider.hash")
    return Identity(party.issuer, _name(claims, "sub"), _name(claims, "sid") if "sid" in claims else "")


def check_logout_token(token: Verified, party: Party, now: datetime) -> Farewell:
    """Whom the provider says it signed out.

    Raises:
        ProofError: ``provider.type``, ``.issuer``, ``.audience``, ``.expired``, ``.time``, ``.event``, ``.nonce``,
            ``.ticket`` or ``.subject``.
    """
    claims = token.claims
    if token.kind not in {"", "jwt", "logout+jwt"}:
        raise _no("provider.type")
    _check_party(claims, party)
    _check_times(claims, now)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise _no("provider.event")
    if "nonce" in claims:  # then it may be an ID token that somebody took
        raise _no("provider.nonce")
    ticket = claims.get("jti")
    if not isinstance(ticket, str) or not _NAME.match(ticket):
        raise _no("provider.ticket")
    subject, session = (_name(claims, name) if name in claims else "" for name in ("sub", "sid"))
    if not subject and not session:
        raise _no("provider.subject")
    return Farewell(party.issuer, subject, session, ticket)


def _check_party(claims: dict[str, Any], party: Party) -> None:
    """From exactly this issuer, for us alone: a token that others may use too is none of ours."""
    if claims.get("iss") != party.issuer:
        raise _no("provider.issuer")
    if claims.get("aud") not in (party.client, [party.client]) or claims.get("azp", party.client) != party.client:
        raise _no("provider.audience")


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    at = now.timestamp()
    if _second(claims, "exp", "provider.expired") <= at - LEEWAY_S:
        raise _no("provider.expired")
    if not at - FRESH_S - LEEWAY_S <= _second(claims, "iat", "provider.time") <= at + LEEWAY_S:
        raise _no("provider.time")
    if "nbf" in claims and _second(claims, "nbf", "provider.time") > at + LEEWAY_S:
        raise _no("provider.time")


def _second(claims: dict[str, Any], name: str, code: str) -> float:
    """A NumericDate (RFC 7519 §2)."""
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < _LATEST_S:
        raise _no(code)
    return found


def _name(claims: dict[str, Any], name: str) -> str:
    found = claims.get(name)
    if not isinstance(found, str) or not _NAME.match(found):
        raise _no("provider.subject")
    return found


def _no(code: str) -> ProofError:
    return ProofError(code, "What your identity provider said does not hold.", fix="Sign in again.")
