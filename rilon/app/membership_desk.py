"""Officers: enrolling them, their roles, approval keys and bearer tokens; and telling who a token is.

A token reads ``rilon_<officer>_<token id>_<secret>``: the officer's stream is found without a table of tokens, so a
suspension or revocation acts with the next request. A token says who calls; it never approves (product.md).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from rilon.app.alert_desk import active
from rilon.app.directory_desk import relist
from rilon.app.release import check_focal_consent
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.crypto.approval import confirm_digest
from rilon.crypto.keys import SigningKey, VerifyKey
from rilon.domain.access import Access, access_id
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.officer import APPROVING, SYSTEM, Officer, Token
from rilon.domain.permissions import Action, Caller
from rilon.domain.text import check_text
from rilon.domain.values import Role
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError

SECRET_BYTES = 32
_TOKEN = re.compile(f"rilon_([0-9a-f]{{32}})_([0-9a-f]{{16}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
TOKEN_DAYS = 90
"""Longest life of a token (research: at most 90 days)."""
NAME_CHARACTERS = 200
_NAME = "officer.name"


@dataclass(frozen=True, slots=True)
class NewToken:
    """A fresh token; the text is shown once and stored nowhere."""

    id: str
    position: int
    text: str

    def __repr__(self) -> str:
        return f"NewToken({self.id})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who waits to become an approver: in which roles, and by which public key.

    Attributes:
        involved: who enrolled them, gave them a role or made their token, and so cannot confirm them.
    """

    member: str
    officer: str
    roles: tuple[Role, ...]
    key: bytes
    involved: frozenset[str] = frozenset()


class MembershipDesk:
    """Enrols the officers of this node."""

    def __init__(self, work: Work, vault: Vault, signing: SigningKey) -> None:
        self._work, self._vault, self._signing = work, vault, signing

    async def enrol(
        self, by: Caller | None, name: str, agency: str, desk: str, roles: frozenset[Role], key: Key | None = None
    ) -> Done:
        """Enrol a person under a new opaque id; ``by`` is None only for the node's own command line.

        Returns:
            The answer is the officer's id, 16 bytes.

        Raises:
            RefusedError: ``by`` may not enrol, or the roles must be separate.
            InvalidError: the name is no clean text.
        """
        if by is not None:
            by.must(Action.ENROL)
        officer, clean = self._work.entropy.uuid(), check_text(name, max_chars=NAME_CHARACTERS, lines=False)

        async def do(unit: Unit) -> bytes:
            if by is not None:
                await active(unit, by)
            sealed, wrap = await self._vault.seal_text(_NAME, officer.hex, clean)
            unit.keep(wrap)
            who = by.ref if by else SYSTEM
            unit.add(Officer.enrol(officer, who, sealed, agency, desk, roles, self._work.clock.now()))
            return officer.bytes

        return await self._work.run(do, key)

    async def officer(self, caller: Caller) -> Officer:
        """The caller's own entry, for reading only."""
        return await self._work.read(Officer, UUID(hex=caller.ref))

    async def name(self, officer: Officer) -> str:
        """An officer's name, opened for a colleague of the same node."""
        return await self._vault.open_text(officer.name, _NAME, officer.ref)

    async def names(self, by: Caller, officers: Sequence[UUID]) -> dict[UUID, str]:
        """Names of colleagues, for who enrols them; nobody else is told any, and no erased one is there."""
        if not by.may(Action.ENROL):
            return {}
        found = [await self._work.read(Officer, officer) for officer in officers]
        wanted = [(o.name, section.local_context(_NAME, o.ref.encode())) for o in found]
        outcomes = await self._vault.open_many(wanted)
        return {o.id: name.decode() for o, name in zip(found, outcomes, strict=True) if isinstance(name, bytes)}

    async def issue_token(
        self,
        by: Caller | None,
        officer: UUID,
        roles: frozenset[Role],
        days: int = TOKEN_DAYS,
        key: Key | None = None,
    ) -> NewToken:
        """Make a bearer token; ``by`` is None only for the node's own command line.

        The secret is never stored; the log holds its hash, and who made it: they have seen the secret.

        Raises:
            NotFoundError, RefusedError, InvalidError: no such officer, too many roles, or too long a life; or ``by``
                may not enrol.
            ConflictError: ``token.shown-once``: the same command made it before; nobody can show its secret again.
        """
        if by is not None:
            by.must(Action.ENROL)
        if not 0 < days <= TOKEN_DAYS:
            raise InvalidError("token.days", f"A token lives 1 to {TOKEN_DAYS} days.", field="days")
        token_id, secret = self._work.entropy.bytes(8).hex(), self._work.entropy.bytes(SECRET_BYTES).hex()
        now = self._work.clock.now()
        token = Token(token_id, _hash(secret), roles, now + timedelta(days=days))

        async def do(unit: Unit) -> bytes:
            if by is not None:
                await active(unit, by)
            (await unit.get(Officer, officer)).issue_token(token, by.ref if by else SYSTEM, now)
            return token_id.encode()

        done = await self._work.run(do, key)
        if done.answer != token_id.encode():
            fix = "Revoke it, and make another one with a new idempotency key."
            raise ConflictError("token.shown-once", f"Token {done.answer.decode()} was made already.", fix=fix)
        return NewToken(token_id, done.position, f"rilon_{officer.hex}_{token_id}_{secret}")

    async def revoke_token(self, by: Caller, officer: UUID, token_id: str, key: Key | None = None) -> Done:
        """Revoke a token: the officer's own, or anybody's by a focal point."""
        if by.ref != officer.hex:
            by.must(Action.ENROL)

        async def do(unit: Unit) -> bytes:
            await active(unit, by)
            (await unit.get(Officer, officer)).revoke_token(token_id, by.ref, self._work.clock.now())
            return officer.bytes

        return await self._work.run(do, key)

    async def suspend(self, by: Caller, officer: UUID, key: Key | None = None) -> Done:
        """Stop an officer's access at once, passkeys and sessions too, and take them off the published approvers."""

        async def shut(unit: Unit) -> None:
            if access := await unit.find(Access, access_id(officer)):
                access.shut(by.ref, self._work.clock.now())

        return await self._change(by, officer, lambda o, at: o.suspend(by.ref, at), key, shut)

    async def reinstate(self, by: Caller, officer: UUID, key: Key | None = None) -> Done:
        """Give access back."""
        return await self._change(by, officer, lambda o, at: o.reinstate(by.ref, at), key)

    async def grant_role(self, by: Caller, officer: UUID, role: Role, key: Key | None = None) -> Done:
        """Give an officer a role."""
        return await self._change(by, officer, lambda o, at: o.grant_role(role, by.ref, at), key)

    async def revoke_role(self, by: Caller, officer: UUID, role: Role, key: Key | None = None) -> Done:
        """Take a role away."""
        return await self._change(by, officer, lambda o, at: o.revoke_role(role, by.ref, at), key)

    async def enrol_key(self, officer: UUID, public_key: bytes, key: Key | None = None) -> Done:
        """Record the public half of an approval key its owner made elsewhere; once confirmed, peers are told."""
        public = VerifyKey(public_key)
        return await self._relisted(None, officer, lambda o, at: o.enrol_key(public.raw, at), key)

    async def candidate(self, by: Caller, officer: UUID) -> Candidate:
        """Who waits to become an approver.

        Raises:
            RefusedError: not a focal point. NotFoundError: no such officer, or nothing of theirs is to be confirmed.
        """
        by.must(Action.CONFIRM)
        found = await self._work.read(Officer, officer)
        if not found.awaits or found.key_shown is None:
            raise NotFoundError
        member = (await self._work.read(Directory, DIRECTORY_ID)).me
        roles, involved = tuple(sorted(found.roles & APPROVING)), frozenset(found.involved)
        return Candidate(member, found.ref, roles, found.key_shown, involved)

    async def confirm(self, by: Caller, officer: UUID, consent: bytes, key: Key | None = None) -> Done:
        """Let a colleague approve, as a second focal point who had no hand in it, and publish their key to the peers.

        Args:
            consent: an encoded ``rilon.crypto.release.Approval`` of ``confirm_digest``: by the key, not by the token,
                because whoever makes a token can use it.

        Raises:
            RefusedError, ConflictError: see ``Officer.confirm``. ProofError, MalformedError: not this person's
                signature over these roles and this key.
        """
        by.must(Action.CONFIRM)

        async def do(unit: Unit) -> bytes:
            confirmer, found = await active(unit, by), await unit.get(Officer, officer)
            directory, at = await unit.get(Directory, DIRECTORY_ID), self._work.clock.now()
            found.confirm(confirmer.ref, consent, at)
            check_confirmed(directory.me, found, consent, confirmer)
            relist(directory, found, self._signing, at)
            return officer.bytes

        return await self._work.run(do, key)

    async def call_upon(self, by: Caller, deputy: UUID, until: datetime, key: Key | None = None) -> Done:
        """Let a deputy decide in the caller's place until a moment.

        Raises:
            NotFoundError: no such officer. RefusedError: not a focal point, or see ``Officer.call_upon``.
        """
        if by.ref != deputy.hex:  # who names themselves is told so, whatever they are
            by.must(Action.CALL_UPON)

        async def do(unit: Unit) -> bytes:
            await active(unit, by)
            (await unit.get(Officer, deputy)).call_upon(by, until, unit.at)
            return deputy.bytes

        return await self._work.run(do, key)

    async def relieve(self, by: Caller, deputy: UUID, principal: UUID, key: Key | None = None) -> Done:
        """End a deputy's standing in for a focal point: by either of them, or by any focal point.

        Raises:
            RefusedError: none of these. NotFoundError: they do not stand in for them.
        """
        if by.ref != deputy.hex:
            by.must(Action.CALL_UPON)

        async def do(unit: Unit) -> bytes:
            await active(unit, by)
            (await unit.get(Officer, deputy)).relieve(principal.hex, by.ref, unit.at)
            return deputy.bytes

        return await self._work.run(do, key)

    async def _change(
        self,
        by: Caller,
        officer: UUID,
        change: Callable[[Officer, datetime], None],
        key: Key | None,
        also: Callable[[Unit], Awaitable[None]] | None = None,
    ) -> Done:
        """Change a colleague. Raises RefusedError: not a focal point, or one's own entry."""
        by.must(Action.ENROL)
        if by.ref == officer.hex:
            raise RefusedError("officer.own", "Nobody changes their own entry.", fix="Ask another focal point.")
        return await self._relisted(by, officer, change, key, also)

    async def _relisted(
        self,
        by: Caller | None,
        officer: UUID,
        change: Callable[[Officer, datetime], None],
        key: Key | None,
        also: Callable[[Unit], Awaitable[None]] | None = None,
    ) -> Done:
        """Change an officer and the published list of approvers in one append."""

        async def do(unit: Unit) -> bytes:
            if by is not None:
                await active(unit, by)
            at, found = self._work.clock.now(), await unit.get(Officer, officer)
            change(found, at)
            if also is not None:
                await also(unit)
            directory = await unit.find(Directory, DIRECTORY_ID)
            if directory is not None:
                relist(directory, found, self._signing, at)
            return officer.bytes

        return await self._work.run(do, key)

    async def authenticate(self, text: str) -> Caller:
        """Who a token is.

        Raises:
            NotFoundError: ``auth.token``: malformed, unknown, expired, revoked, or of a suspended officer; told alike.
        """
        officer_id, token_id, secret = _split(text)
        officer = await self._work.seek(Officer, officer_id)
        token = officer.tokens.get(token_id) if officer else None
        good = hmac.compare_digest(token.hash if token else _hash(""), _hash(secret))
        if officer is None or token is None or not good:
            raise _no_token()
        at = self._work.clock.now()
        if not officer.active or at >= token.expires_at:
            raise _no_token()
        return officer.caller(at, token.roles, token.expires_at)


def check_confirmed(member: str, found: Officer, consent: bytes, confirmer: Officer) -> None:
    """Check the signature over an officer's roles and key, by a focal point who is confirmed themselves.

    Raises:
        ProofError: ``approval.no-key``, ``approval.officer``, ``approval.kid``, ``signature.invalid``.
        MalformedError: no approval.
    """
    roles, key = found.roles & APPROVING, found.key_shown or b""
    check_focal_consent(confirm_digest(member, found.ref, roles, key), consent, confirmer)


def _no_token() -> NotFoundError:
    return NotFoundError("auth.token", "This token is not valid.")


def _hash(secret: str) -> bytes:
    return sha256(b"rilon token 1\0" + secret.encode()).digest()


def _split(text: str) -> tuple[UUID, str, str]:
    if not (found := _TOKEN.fullmatch(text)):
        raise _no_token()
    return UUID(found[1]), found[2], found[3]
