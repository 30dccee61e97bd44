"""Coming and going: sign-in by passkey, joining by a one-time link, one's own passkeys and sessions."""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from rilon.app.access_desk import Made, SignedIn
from rilon.app.directory_desk import fingerprint
from rilon.crypto import strict
from rilon.crypto.passkey import Assertion, host
from rilon.domain.officer import APPROVING
from rilon.domain.permissions import Action
from rilon.domain.words import words
from rilon.errors import NotFoundError
from rilon.front.services import Services
from rilon.web.bodies import no_form, read_json
from rilon.web.render import AnyRequest, home, page
from rilon.web.sessions import CLEAR, COOKIE, PUBLIC, Doorkeeper, caller_of, needs

Text = Annotated[str, Meta(max_length=8192)]
Node = NamedDependency[Services]
Door = NamedDependency[Doorkeeper]
USER_BYTES: Final = 16


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No content."""


class Invited(msgspec.Struct, forbid_unknown_fields=True):
    """The code of a one-time link, out of the fragment of its address, which no server's log sees."""

    code: Text


class Joining(Invited):
    """The code, and what the browser made."""

    challenge: Text
    client_data: Text
    attestation: Text


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """An assertion as the browser gives it, bytes in base64url."""

    credential: Text
    client_data: Text
    authenticator_data: Text
    signature: Text
    user: Text = ""
    challenge: Text = ""

    def encoded(self) -> bytes:
        """The assertion's bytes. Raises MalformedError."""
        parts = (self.client_data, self.authenticator_data, self.signature)
        return strict.encode(
            strict.shape(dict(zip(Assertion.__struct_fields__, map(raw, parts), strict=True)), Assertion)
        )


@get("/sign-in", opt=PUBLIC)
async def sign_in_page(request: AnyRequest, services: Node) -> Response[str]:
    """Ask for a passkey."""
    return page(request, services, "sign-in.html", provider=named(services))


@post("/sign-in/begin", status_code=200, opt=PUBLIC)
async def begin_sign_in(request: AnyRequest, services: Node, door: Door) -> dict[str, Any]:
    """What the authenticator is to sign. Nobody is named: the passkey says who it is for."""
    await read_json(request, Nothing)
    door.try_(address(request))
    return {"challenge": text(door.challenges.new()), "host": host(services.origin)}


@post("/sign-in", status_code=200, opt=PUBLIC)
async def sign_in(request: AnyRequest, services: Node, door: Door) -> Response[dict[str, str]]:
    """Open a session by a passkey; whatever is wrong with it is told alike."""
    given = await read_json(request, Given)
    challenge, user, credential = raw(given.challenge), raw(given.user), raw(given.credential)
    if len(user) != USER_BYTES:
        raise NotFoundError("auth.passkey", "This passkey does not open anything here.")
    door.try_(address(request), user.hex())
    door.challenges.use(challenge)
    old = request.cookies.get(COOKIE, "")
    inside = await services.access.sign_in(UUID(bytes=user), credential, given.encoded(), challenge, old)
    return _inside(door, inside)


@get("/join", opt=PUBLIC)
async def join_page(request: AnyRequest, services: Node) -> Response[str]:
    """Ask to make a passkey; the code stays in the browser until then."""
    return page(request, services, "join.html", provider=named(services))


@post("/join/begin", status_code=200, opt=PUBLIC)
async def begin_join(request: AnyRequest, services: Node, door: Door) -> dict[str, Any]:
    """Whom the passkey is for, and which they have."""
    asked = await read_json(request, Invited)
    door.try_(address(request), asked.code[:32])
    officer, access = await services.access.invited(asked.code)
    name = await services.membership.name(officer)
    return {
        "challenge": text(door.challenges.new()),
        "host": host(services.origin),
        "name": f"RILON {services.me.upper()}",
        "user": text(officer.id.bytes),
        "label": name,
        "known": [text(credential) for credential in access.passkeys],
    }


@post("/join", status_code=200, opt=PUBLIC)
async def join(request: AnyRequest, services: Node, door: Door) -> Response[dict[str, str]]:
    """Use the link up: take in the passkey, and open a session."""
    asked = await read_json(request, Joining)
    door.try_(address(request), asked.code[:32])
    challenge = raw(asked.challenge)
    door.challenges.use(challenge)
    made = Made(raw(asked.client_data), raw(asked.attestation), challenge, services.origin)
    return _inside(door, await services.access.join(asked.code, made))


@post("/join/demo", status_code=200, opt=PUBLIC)
async def join_demo(request: AnyRequest, services: Node, door: Door) -> Response[dict[str, str]]:
    """Come into a demo without a passkey; everywhere else there is no such thing."""
    asked = await read_json(request, Invited)
    if services.soft_keys is None:
        raise NotFoundError
    door.try_(address(request), asked.code[:32])
    officer, _ = await services.access.invited(asked.code)
    key = await services.soft_keys.make(officer.ref) if officer.roles & APPROVING else None
    return _inside(door, await services.access.join_without_passkey(asked.code, key))


@post("/sign-out", status_code=303, opt=needs(Action.USE))
async def sign_out(request: AnyRequest, services: Node, door: Door) -> Redirect:
    """End this session."""
    await services.access.end_session(caller_of(request), request.scope["user"].session.id)
    return Redirect("/sign-in", status_code=303, cookies=[door.left()], headers=CLEAR)


@get("/me", opt=needs(Action.USE))
async def account(request: AnyRequest, services: Node) -> Response[str]:
    """One's own passkeys and sessions, the words of one's approval key, and for whom one stands in."""
    officer, now = await services.membership.officer(caller_of(request)), services.clock.now()
    access = await services.access.of(caller_of(request))
    present = request.scope["user"]
    passkeys = [(text(p.credential), p) for p in access.passkeys.values()] if access else []
    sessions = [s for s in access.sessions.values() if s.expires_at > now] if access else []
    accounts = await services.accounts.accounts(caller_of(request), officer.id)
    return page(
        request,
        services,
        "me.html",
        passkeys=passkeys,
        accounts=accounts,
        provider=named(services),
        sessions=sessions,
        here=present.session.id,
        key_words=words(fingerprint(officer.key_shown)) if officer.key_shown else (),
        key_waits=officer.awaits,
        officer=officer.id,
        principals=[(UUID(hex=p), end) for p, end in officer.stand_ins.items() if end > now],
        once=secrets.token_hex(16),
    )


@post("/me/sessions/{session:str}/end", status_code=303, opt=needs(Action.USE))
async def end_session(session: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """End another session of one's own."""
    await services.access.end_session(caller_of(request), session)
    return Redirect("/me?done=session-ended", status_code=303)


@post("/me/passkeys/{credential:str}/remove", status_code=303, opt=needs(Action.USE))
async def remove_passkey(credential: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Remove a passkey of one's own, and end what it opened."""
    await services.access.remove_passkey(caller_of(request), raw(credential))
    return Redirect("/me?done=passkey-removed", status_code=303)


def _inside(door: Doorkeeper, inside: SignedIn) -> Response[dict[str, str]]:
    return Response({"go": home(inside.caller)}, cookies=[door.entered(inside.cookie)])


def address(request: AnyRequest) -> str:
    """Where a request comes from."""
    client = request.scope["client"]
    return client[0] if client else ""


def named(services: Services) -> str:
    """What people know the identity provider by; "": there is none."""
    return services.provider.name if services.provider else ""


def raw(value: str) -> bytes:
    """Bytes out of base64url without padding. Raises MalformedError."""
    try:
        found = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise no_form() from None
    return found


def text(value: bytes) -> str:
    """Bytes as base64url without padding."""
    return urlsafe_b64encode(value).decode().rstrip("=")


HANDLERS = (
    sign_in_page,
    begin_sign_in,
    sign_in,
    join_page,
    begin_join,
    join,
    join_demo,
    sign_out,
    account,
    end_session,
    remove_passkey,
)
