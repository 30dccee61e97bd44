"""The other way in: to the Member's identity provider and back (authorization code, PKCE), and signed out by it.

A way begins with a request of our own page and ends with a navigation from the provider's, to which browsers send no
``SameSite=Strict`` cookie. So a cookie of its own, ``Lax``, binds the way to the browser, and the answer is a page that
goes on by itself: from there on the session's cookie is sent. Of the provider's answer only ``code``, ``state``,
``iss`` and whether it is an error are looked at, and no word of it is shown or logged.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.ports import Provider
from rilon.crypto.jose import pkce_challenge
from rilon.crypto.provider_token import Identity
from rilon.domain.permissions import Action
from rilon.errors import MalformedError, NotFoundError, ProofError, RefusedError
from rilon.front.services import Services
from rilon.web.bodies import one, parse_form, read_form, read_json
from rilon.web.render import AnyRequest, home, page
from rilon.web.sessions import COOKIE, MACHINE, PUBLIC, WAY, Doorkeeper, Way, caller_of, needs
from rilon.web.signin import Door, Given, Invited, Node, Nothing, address, raw

MAX_CODE: Final = 4096
"""Characters of a code; what is longer is none."""


@post("/sign-in/provider", status_code=200, opt=PUBLIC)
async def sign_in(request: AnyRequest, services: Node, door: Door) -> Response[dict[str, str]]:
    """Where to go to sign in."""
    await read_json(request, Nothing)
    door.try_(address(request))
    return await _leave(services, *door.ways.begin(old=request.cookies.get(COOKIE, "")))


@post("/join/provider", status_code=200, opt=PUBLIC)
async def join(request: AnyRequest, services: Node, door: Door) -> Response[dict[str, str]]:
    """Where to go to use a one-time link up with an account instead of a passkey."""
    asked = await read_json(request, Invited)
    door.try_(address(request), asked.code[:32])
    await services.access.invited(asked.code)
    return await _leave(services, *door.ways.begin(asked.code))


@post("/me/accounts", status_code=200, opt=needs(Action.USE))
async def bind(request: AnyRequest, services: Node, door: Door) -> Response[dict[str, str]]:
    """Where to go to bind an account to oneself; only who has just been verified by a passkey goes there."""
    given, caller = await read_json(request, Given), caller_of(request)
    door.try_(address(request), caller.ref)
    challenge = raw(given.challenge)
    door.challenges.use(challenge)
    await services.access.step_up(caller, raw(given.credential), given.encoded(), challenge)
    return await _leave(services, *door.ways.begin(present=request.scope["user"]))


@get("/provider/back", opt=PUBLIC)
async def come_back(request: AnyRequest, services: Node, door: Door) -> Response[str]:
    """Take the provider's answer: once, in the browser that asked, and only as an answer to what was asked."""
    provider, said = _provider(services), parse_form(request.scope["query_string"])
    way = door.ways.end(request.cookies.get(WAY, ""), one(said, "state"))
    code, issuer = one(said, "code"), one(said, "iss") if "iss" in said else None
    if "error" in said:
        fix = "Try again, or sign in with a passkey."
        raise RefusedError("provider.denied", "The identity provider did not sign you in.", fix=fix)
    if not 0 < len(code) <= MAX_CODE:
        raise MalformedError("provider.code", "What the identity provider sent cannot be read.")
    identity = await provider.redeem(code, issuer, way.verifier, way.nonce)
    door.try_(address(request), services.accounts.person(identity).hex())
    return await _arrive(request, services, door, way, identity)


@post("/provider/logout", status_code=200, opt=MACHINE)
async def farewell(request: AnyRequest, services: Node, door: Door) -> Response[Any]:
    """Hear from the provider whom it signed out (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8)."""
    provider = _provider(services)
    try:
        said = await provider.farewell(one(await read_form(request), "logout_token"))
        await services.accounts.end(said)
    except (MalformedError, ProofError) as error:
        door.failed(address(request))
        return Response({"error": "invalid_request", "error_description": error.code}, status_code=400)
    return Response(None, status_code=200)


@post("/me/accounts/{account:str}/remove", status_code=303, opt=needs(Action.USE))
async def unbind(account: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Remove an account of one's own, and end what it opened."""
    caller = caller_of(request)
    await services.accounts.unbind(caller, UUID(hex=caller.ref), account)
    return Redirect("/me?done=account-removed", status_code=303)


async def _leave(services: Services, way: Way, cookie: Any) -> Response[dict[str, str]]:
    go = await _provider(services).begin(way.state, way.nonce, pkce_challenge(way.verifier))
    return Response({"go": go}, cookies=[cookie])


async def _arrive(
    request: AnyRequest, services: Services, door: Doorkeeper, way: Way, identity: Identity
) -> Response[str]:
    """Do what the way was for, and lead on from a page of ours."""
    if way.present is not None:
        await services.accounts.bind(way.present, identity)
        return _onward(request, services, "/me", door.ways.forgotten())
    if way.code:
        inside = await services.accounts.join(way.code, identity)
    else:
        inside = await services.accounts.sign_in(identity, way.old)
    return _onward(request, services, home(inside.caller), door.ways.forgotten(), door.entered(inside.cookie))


def _onward(request: AnyRequest, services: Services, go: str, *cookies: Any) -> Response[str]:
    shown = page(request, services, "arrived.html", go=go)
    shown.cookies.extend(cookies)
    return shown


def _provider(services: Services) -> Provider:
    """Raises NotFoundError: there is none."""
    if services.provider is None:
        raise NotFoundError
    return services.provider


HANDLERS = (sign_in, join, bind, come_back, farewell, unbind)
