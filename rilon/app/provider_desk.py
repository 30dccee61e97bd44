"""The other way in: accounts at the Member's identity provider, bound to officers, and the sessions they open.

Who somebody is there says nothing of who they are here: only the officer's own one-time link, or the officer signed in
and verified by a passkey, binds an account. Nothing is matched by name or mail address. The log holds keyed digests of
issuer and subject, so it tells nobody which account it is, and confirms no guess without the node's keyring. A session
opened this way approves nothing: that takes the officer's own key, as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from rilon.app.access_desk import AccessDesk, Present, SignedIn, in_office, replace_session
from rilon.app.alert_desk import active
from rilon.app.ports import Keys
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto import labels
from rilon.crypto.provider_token import Farewell, Identity
from rilon.domain.access import Access, Account, Session, access_id
from rilon.domain.base import natural_id
from rilon.domain.officer import SYSTEM, Officer
from rilon.domain.permissions import Action, Caller
from rilon.domain.pointer import Pointer, pointer_id
from rilon.errors import ConflictError, NotFoundError, ProofError


class ProviderDesk:
    """Binds accounts at the provider, and lets those in who have one."""

    def __init__(self, work: Work, access: AccessDesk, keys: Keys) -> None:
        self._work, self._access, self._keys = work, access, keys

    def person(self, who: Identity | Farewell) -> bytes:
        """The keyed digest of a person at their provider. 32 bytes; b"" when no person is named."""
        return self._digest(labels.PROVIDER_PERSON, who.issuer, who.subject)

    async def sign_in(self, identity: Identity, old: str = "") -> SignedIn:
        """Open a session for the officer to whom the account is bound; an old one of this browser ends.

        Raises:
            NotFoundError: ``auth.provider``: bound to nobody, or to somebody who is suspended; told alike.
        """
        at, digest = self._work.clock.now(), self.person(identity)
        secret, session = self._session(identity, at)

        async def do(unit: Unit) -> bytes:
            officer = UUID(hex=(await unit.get(Pointer, pointer_id(digest))).officer)
            access, _ = await unit.get(Access, access_id(officer)), await in_office(unit, officer)
            if digest not in access.accounts:
                raise NotFoundError
            await _lead(unit, session.there, officer, at)
            replace_session(access, old, session, at)
            return officer.bytes

        try:
            done = await self._work.run(do)
        except NotFoundError:
            raise NotFoundError("auth.provider", "This account does not open anything here.") from None
        return await self._access.signed_in(UUID(bytes=done.answer), session, secret)

    async def join(self, code: str, identity: Identity) -> SignedIn:
        """Use a one-time link: bind the account to its officer, and open a session.

        Raises:
            NotFoundError: see ``AccessDesk.invited``. ConflictError: ``provider.taken``. RefusedError: see
                ``Access.bind_account``.
        """
        digest = self.person(identity)

        async def use(unit: Unit, officer: Officer, access: Access, at: datetime) -> None:
            await self._bind(unit, access, digest, at, invited=True)
            await _lead(unit, self._there(identity), officer.id, at)

        return await self._access.enter(code, use, account=digest, there=self._there(identity))

    async def bind(self, present: Present, identity: Identity) -> Done:
        """Bind an account to who is signed in, in that session.

        Raises:
            NotFoundError: the session has ended. ConflictError, RefusedError: see ``join``.
        """
        officer, at, digest = UUID(hex=present.caller.ref), self._work.clock.now(), self.person(identity)

        async def do(unit: Unit) -> bytes:
            access, _ = await unit.get(Access, access_id(officer)), await in_office(unit, officer)
            session = access.sessions.get(present.session.id)
            if session is None or at >= session.expires_at:
                raise NotFoundError
            await self._bind(unit, access, digest, at, invited=False)
            return b""

        return await self._work.run(do)

    async def accounts(self, by: Caller, officer: UUID) -> list[Account]:
        """An officer's accounts, the oldest first: to themselves, and to who may see officers.

        Raises:
            RefusedError: ``permission.denied``. NotFoundError: no such officer.
        """
        if by.ref != officer.hex:
            by.must(Action.SEE_OFFICERS)
        await self._work.read(Officer, officer)
        access = await self._work.seek(Access, access_id(officer))
        return sorted(access.accounts.values(), key=lambda a: a.bound_at) if access else []

    async def unbind(self, by: Caller, officer: UUID, account: str, key: Key | None = None) -> Done:
        """Take an account away and end what it opened: one's own, or anybody's by a focal point.

        Raises:
            RefusedError: ``permission.denied``. NotFoundError.
        """
        if by.ref != officer.hex:
            by.must(Action.ENROL)

        async def do(unit: Unit) -> bytes:
            await active(unit, by)
            (await unit.get(Access, access_id(officer))).unbind_account(account, by.ref, self._work.clock.now())
            return officer.bytes

        return await self._work.run(do, key)

    async def end(self, farewell: Farewell) -> None:
        """End what the provider has ended: a person's sessions, or those of one session there; none is no error.

        Raises:
            ProofError: ``provider.replayed``: this farewell was heard before, by any process of the node.
        """
        person, there = self.person(farewell), self._there(farewell)
        ticket = self._digest(labels.PROVIDER_TICKET, farewell.issuer, farewell.ticket)

        async def do(unit: Unit) -> bytes:
            pointer = await unit.find(Pointer, pointer_id(person or there))
            access = await unit.find(Access, access_id(UUID(hex=pointer.officer))) if pointer else None
            for session in tuple(_meant(access, person, there)) if access else ():
                assert access is not None
                access.end_session(session.id, SYSTEM, self._work.clock.now())
            return b""

        done = await self._work.run(do, Key(natural_id("command", ticket.hex()), ticket))
        if done.repeated:
            raise ProofError("provider.replayed", "This sign-out was told before.")

    async def _bind(self, unit: Unit, access: Access, digest: bytes, at: datetime, *, invited: bool) -> None:
        pointer = await unit.find(Pointer, pointer_id(digest))
        if pointer is not None and pointer.officer != access.officer:
            other = await unit.find(Access, access_id(UUID(hex=pointer.officer)))
            if other is not None and digest in other.accounts:
                raise ConflictError("provider.taken", "This account belongs to another officer of this node.")
        await _lead(unit, digest, UUID(hex=access.officer), at)
        account = Account(self._work.entropy.bytes(8).hex(), digest, at)
        access.bind_account(account, at, invited=invited)

    def _session(self, identity: Identity, at: datetime) -> tuple[str, Session]:
        return self._access.new_session(at, account=self.person(identity), there=self._there(identity))

    def _there(self, who: Identity | Farewell) -> bytes:
        return self._digest(labels.PROVIDER_SESSION, who.issuer, who.session)

    def _digest(self, label: bytes, issuer: str, name: str) -> bytes:
        return self._keys.ring().hmac(label, issuer.encode(), name.encode()) if name else b""


async def _lead(unit: Unit, digest: bytes, officer: UUID, at: datetime) -> None:
    """Let a digest lead to this officer; an empty one leads nowhere."""
    pointer = await unit.find(Pointer, pointer_id(digest)) if digest else None
    if pointer is not None:
        pointer.move(officer, at)
    elif digest:
        unit.add(Pointer.to(digest, officer, at))


def _meant(access: Access, person: bytes, there: bytes) -> Iterator[Session]:
    """The sessions that a farewell names. One whose session there was never told may be meant, so it is."""
    for session in access.sessions.values():
        if person:
            if session.account == person and (not there or session.there in {there, b""}):
                yield session
        elif session.there == there:
            yield session
