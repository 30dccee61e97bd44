"""Coming in through the pages: invitations, passkeys and sessions; and telling who a session is.

A code or a cookie reads ``<officer>.<id>.<secret>``: the officer's streams are found without a table, so suspension or
an ended session acts with the next request. The log holds hashes; a secret is told once. What a session may do is what
the officer's roles allow at that moment; it never approves, an assertion over the release does (protocol.md, Release).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from rilon.app.alert_desk import active
from rilon.app.directory_desk import relist
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto import passkey as crypto
from rilon.crypto.keys import SigningKey
from rilon.crypto.release import approver_key
from rilon.domain.access import Access, Invitation, Passkey, Session, access_id
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.officer import APPROVING, SYSTEM, Officer
from rilon.domain.permissions import Action, Caller
from rilon.errors import ConflictError, MalformedError, NotFoundError, ProofError, RefusedError

INVITATION: Final = timedelta(hours=24)
SESSION: Final = timedelta(hours=12)
"""Longest life of a session, whatever is done with it."""
SECRET_BYTES: Final = 32
_CODE: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{16})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """A fresh invitation; the code is shown once and stored nowhere."""

    officer: UUID
    position: int
    expires_at: datetime
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just opened; the cookie is told to the browser and stored nowhere."""

    caller: Caller
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Present:
    """Who a session is, right now."""

    caller: Caller
    session: Session


@dataclass(frozen=True, slots=True)
class Made:
    """What a browser answered when it was asked for a new passkey."""

    client_data: bytes
    attestation: bytes
    challenge: bytes
    origin: str


Use = Callable[[Unit, Officer, Access, datetime], Awaitable[None]]
"""What an invitation is used for, in the append that uses it up."""


class AccessDesk:
    """Lets officers in."""

    def __init__(self, work: Work, signing: SigningKey) -> None:
        self._work, self._signing = work, signing

    async def invite(self, by: Caller | None, officer: UUID, key: Key | None = None) -> NewInvitation:
        """Make a one-time way in for an officer; ``by`` is None only for the node's own command line.

        Raises:
            RefusedError: ``by`` may not enrol, or it is their own. NotFoundError: no such officer, or suspended.
            ConflictError: ``invitation.shown-once``: the same command made it before.
        """
        if by is not None:
            by.must(Action.ENROL)
            if by.ref == officer.hex:
                raise RefusedError("officer.own", "Nobody invites themselves.", fix="Ask another focal point.")
        now, code, secret = self._work.clock.now(), self._work.entropy.bytes(8).hex(), self._secret()
        invitation = Invitation(_hash(secret), now + INVITATION)

        async def do(unit: Unit) -> bytes:
            if by is not None:
                await active(unit, by)
            await in_office(unit, officer)
            access = await unit.find(Access, access_id(officer))
            if access is None:
                access = Access.open_(officer, now)
                unit.add(access)
            access.invite(invitation, by.ref if by else SYSTEM, now)
            return code.encode()

        done = await self._work.run(do, key)
        if done.answer != code.encode():
            fix = "Invite them again with a new idempotency key; that voids the earlier link."
            raise ConflictError("invitation.shown-once", "This invitation was made already.", fix=fix)
        return NewInvitation(officer, done.position, invitation.expires_at, f"{officer.hex}.{code}.{secret}")

    async def invited(self, code: str) -> tuple[Officer, Access]:
        """Whom an invitation is for; it stays unused.

        Raises:
            NotFoundError: wrong, used, replaced or expired; told alike.
        """
        officer_id, _, secret = _split(code)
        officer = await self._work.seek(Officer, officer_id)
        access = await self._work.seek(Access, access_id(officer_id))
        if officer is None or access is None or not officer.active:
            raise NotFoundError
        access.must_invite(_hash(secret), self._work.clock.now())
        return officer, access

    async def join(self, code: str, made: Made) -> SignedIn:
        """Use an invitation: take in a passkey and open a session with it.

        An approver's first passkey, if it stays on its device, is also offered as their approval key.

        Raises:
            NotFoundError: see ``invited``. ProofError, MalformedError: no sound passkey. ConflictError, RefusedError:
                see ``Access.add_passkey``.
        """
        new = crypto.register(made.client_data, made.attestation, made.challenge, made.origin)
        passkey = Passkey(new.credential, new.raw, new.synced)

        async def use(unit: Unit, officer: Officer, access: Access, at: datetime) -> None:
            access.add_passkey(passkey, at)
            if not passkey.synced:
                await self._offer(unit, officer, access, approver_key(passkey.key).raw, at)

        return await self.enter(code, use, credential=passkey.credential)

    async def join_without_passkey(self, code: str, key: bytes | None = None) -> SignedIn:
        """Use an invitation for one session and no more: for demos, whose browsers may have no authenticator.

        Args:
            key: the public half of a key that the demo keeps in their stead; an approver's is offered like a passkey.
        """

        async def use(unit: Unit, officer: Officer, access: Access, at: datetime) -> None:
            if key is not None:
                await self._offer(unit, officer, access, key, at)

        return await self.enter(code, use)

    async def sign_in(
        self, officer: UUID, credential: bytes, assertion: bytes, challenge: bytes, old: str = ""
    ) -> SignedIn:
        """Open a session by a passkey; an old one of this browser ends.

        Args:
            assertion: an encoded ``rilon.crypto.passkey.Assertion`` over the challenge.
            old: the cookie that came with the request, if any.

        Raises:
            NotFoundError: ``auth.passkey``: whatever is wrong with it.
        """
        at = self._work.clock.now()
        secret, session = self.new_session(at, credential=credential)

        async def do(unit: Unit) -> bytes:
            access, _ = await unit.find(Access, access_id(officer)), await in_office(unit, officer)
            replace_session(_verified(access, credential, assertion, challenge), old, session, at)
            return b""

        try:
            await self._work.run(do)
        except (NotFoundError, ProofError):
            raise _opens_nothing() from None
        return await self.signed_in(officer, session, secret)

    async def step_up(self, caller: Caller, credential: bytes, assertion: bytes, challenge: bytes) -> None:
        """Make sure that who is signed in is there now, by one of their passkeys.

        Raises:
            NotFoundError: ``auth.passkey``: whatever is wrong with it.
        """
        try:
            _verified(await self.of(caller), credential, assertion, challenge)
        except (NotFoundError, ProofError):
            raise _opens_nothing() from None

    async def present(self, cookie: str) -> Present:
        """Who a session is.

        Raises:
            NotFoundError: malformed, unknown, ended, too old, or of a suspended officer; told alike.
        """
        officer, session = await self._opened(cookie)
        at = self._work.clock.now()
        if at >= session.expires_at:
            raise NotFoundError
        return Present(officer.caller(at, until=session.expires_at), session)

    async def stands(self, cookie: str) -> bool:
        """Whether a session is merely idle or too old. False: it was ended, or its officer was, or it never was."""
        try:
            await self._opened(cookie)
        except NotFoundError:
            return False
        return True

    async def _opened(self, cookie: str) -> tuple[Officer, Session]:
        """Whose session a cookie opened, however long ago, and the session.

        Raises:
            NotFoundError: malformed, unknown, ended, or of a suspended officer; told alike, and after the same work.
        """
        officer_id, session_id, secret = _split(cookie)
        access = await self._work.seek(Access, access_id(officer_id))
        session = access.sessions.get(session_id) if access else None
        good = hmac.compare_digest(session.hash if session else _hash(""), _hash(secret))
        officer = await self._work.seek(Officer, officer_id)
        if session is None or officer is None or not good or not officer.active:
            raise NotFoundError
        return officer, session

    async def of(self, caller: Caller) -> Access | None:
        """The caller's own passkeys and sessions, for reading only."""
        return await self._work.seek(Access, access_id(UUID(hex=caller.ref)))

    async def prove(self, caller: Caller, credential: bytes, assertion: bytes, challenge: bytes) -> None:
        """Check that a passkey of the caller's signed this challenge: they are there, now, and mean this.

        Raises:
            RefusedError: ``auth.proof``.
        """
        try:
            _verified(await self.of(caller), credential, assertion, challenge)
        except (NotFoundError, MalformedError, ProofError):
            fix = "Load the page again, and use a passkey of yours."
            raise RefusedError("auth.proof", "No passkey of yours has signed this.", fix=fix) from None

    async def end_session(self, caller: Caller, session: str) -> Done:
        """End one of the caller's own sessions. Raises NotFoundError."""

        async def do(unit: Unit) -> bytes:
            access = await unit.get(Access, access_id(UUID(hex=caller.ref)))
            access.end_session(session, caller.ref, self._work.clock.now())
            return b""

        return await self._work.run(do)

    async def remove_passkey(self, caller: Caller, credential: bytes) -> Done:
        """Remove one of the caller's own passkeys. Raises NotFoundError."""

        async def do(unit: Unit) -> bytes:
            access = await unit.get(Access, access_id(UUID(hex=caller.ref)))
            access.remove_passkey(credential, caller.ref, self._work.clock.now())
            return b""

        return await self._work.run(do)

    async def _offer(self, unit: Unit, officer: Officer, access: Access, key: bytes, at: datetime) -> None:
        """Offer an approver's first key."""
        if officer.roles & APPROVING and officer.key_shown is None:
            officer.enrol_key(key, at, access.inviters)
            relist(await unit.get(Directory, DIRECTORY_ID), officer, self._signing, at)

    async def enter(
        self, code: str, use: Use, *, credential: bytes = b"", account: bytes = b"", there: bytes = b""
    ) -> SignedIn:
        """Use an invitation up, and open a session.

        Args:
            use: what is done with it, in the same append. credential, account, there: see ``Session``.

        Raises:
            NotFoundError: see ``invited``; and what ``use`` refuses.
        """
        officer_id, _, invited = _split(code)
        at = self._work.clock.now()
        secret, session = self.new_session(at, credential=credential, account=account, there=there)

        async def do(unit: Unit) -> bytes:
            officer, access = await in_office(unit, officer_id), await unit.get(Access, access_id(officer_id))
            access.must_invite(_hash(invited), at)
            await use(unit, officer, access, at)
            access.start_session(session, at)
            return b""

        await self._work.run(do)
        return await self.signed_in(officer_id, session, secret)

    async def signed_in(self, officer: UUID, session: Session, secret: str) -> SignedIn:
        """What the browser is told of a session that was opened."""
        caller = (await self._work.read(Officer, officer)).caller(session.started_at)
        return SignedIn(caller, f"{officer.hex}.{session.id}.{secret}")

    def new_session(
        self, at: datetime, *, credential: bytes = b"", account: bytes = b"", there: bytes = b""
    ) -> tuple[str, Session]:
        """A fresh session, not opened yet, and its secret."""
        secret, name = self._secret(), self._work.entropy.bytes(8).hex()
        return secret, Session(name, _hash(secret), at, at + SESSION, credential, account, there)

    def _secret(self) -> str:
        return self._work.entropy.bytes(SECRET_BYTES).hex()


async def in_office(unit: Unit, officer: UUID) -> Officer:
    """An officer who is not suspended. Raises NotFoundError."""
    found = await unit.get(Officer, officer)
    if not found.active:
        raise NotFoundError
    return found


def replace_session(access: Access, old: str, session: Session, at: datetime) -> None:
    """Open a session, and end the one that an old cookie names, if it is this officer's: that needs no secret."""
    found = _CODE.fullmatch(old)
    if found and found[1] == access.officer and found[2] in access.sessions:
        access.end_session(found[2], access.officer, at)
    access.start_session(session, at)


def _verified(access: Access | None, credential: bytes, assertion: bytes, challenge: bytes) -> Access:
    """Whose passkey signed it. Raises NotFoundError: there is none; MalformedError, ProofError: it did not sign it."""
    held = access.passkeys.get(credential) if access else None
    if access is None or held is None:
        raise NotFoundError
    crypto.Passkey(held.key).verify(assertion, challenge)
    return access


def _opens_nothing() -> NotFoundError:
    return NotFoundError("auth.passkey", "This passkey does not open anything here.")


def _hash(secret: str) -> bytes:
    return sha256(b"rilon access 1\0" + secret.encode()).digest()


def _split(text: str) -> tuple[UUID, str, str]:
    if not (found := _CODE.fullmatch(text)):
        raise NotFoundError
    return UUID(found[1]), found[2], found[3]
