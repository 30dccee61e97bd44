"""How an officer comes in through the pages: an invitation, the passkeys they made, and the sessions that are open.

A stream of its own beside the officer's, because people sign in every day and what an officer is changes seldom.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Digest, Instant, OfficerId, Value
from rilon.errors import ConflictError, NotFoundError, RefusedError

MAX_PASSKEYS = 6
MAX_ACCOUNTS = 3
MAX_SESSIONS = 8
"""Open at once; a further sign-in ends the oldest."""


class Invitation(Value, frozen=True):
    """A one-time way in, as the log knows it: the hash of its secret, and until when."""

    hash: Digest
    expires_at: Instant


class Passkey(Value, frozen=True):
    """A passkey's public half.

    Attributes:
        credential: the authenticator's id for it. key: see ``rilon.crypto.passkey.Listed``.
        synced: it may leave its device, so it signs in and does not approve.
    """

    credential: Annotated[bytes, Meta(min_length=1, max_length=1023)]
    key: Annotated[bytes, Meta(min_length=64, max_length=600)]
    synced: bool


class Account(Value, frozen=True):
    """An account at the Member's identity provider, bound to an officer; the log knows no name of it.

    Attributes:
        id: what it is called here. digest: keyed, of issuer and subject.
    """

    id: Code
    digest: Digest
    bound_at: Instant


class Session(Value, frozen=True):
    """An open session, as the log knows it.

    Attributes:
        credential: of the passkey that opened it; empty: none did.
        account: digest of the account that opened it; empty: none did. Without either an invitation did, in a demo.
        there: keyed digest of the session at the provider, when it named one.
    """

    id: Code
    hash: Digest
    started_at: Instant
    expires_at: Instant
    credential: bytes
    account: bytes = b""
    there: bytes = b""


def access_id(officer: UUID) -> UUID:
    """The stream of an officer's access."""
    return natural_id("access", officer.hex)


class Access(Root):
    """One officer's ways in."""

    TOPIC = "rilon.access"

    class Opened(Opening):
        TOPIC = "rilon.access.opened.1"
        officer: OfficerId

    class Invited(Root.Event):
        """The inviter has seen the secret, so they could have used it themselves."""

        TOPIC = "rilon.access.invited.1"
        by: OfficerId
        invitation: Invitation

        def apply(self, aggregate: Access) -> None:
            aggregate.invitation, aggregate.inviters = self.invitation, aggregate.inviters | {self.by}

    class PasskeyAdded(Root.Event):
        """By the invitation, which is used up."""

        TOPIC = "rilon.access.passkey-added.1"
        passkey: Passkey

        def apply(self, aggregate: Access) -> None:
            aggregate.invitation = None
            aggregate.passkeys = {**aggregate.passkeys, self.passkey.credential: self.passkey}

    class PasskeyRemoved(Root.Event):
        TOPIC = "rilon.access.passkey-removed.1"
        by: OfficerId
        credential: bytes

        def apply(self, aggregate: Access) -> None:
            gone = self.credential
            aggregate.passkeys = {k: v for k, v in aggregate.passkeys.items() if k != gone}
            aggregate.sessions = {k: v for k, v in aggregate.sessions.items() if v.credential != gone}

    class AccountBound(Root.Event):
        """By the invitation, which is used up; or by the officer, signed in and verified by a passkey."""

        TOPIC = "rilon.access.account-bound.1"
        account: Account
        invited: bool

        def apply(self, aggregate: Access) -> None:
            if self.invited:
                aggregate.invitation = None
            aggregate.accounts = {**aggregate.accounts, self.account.digest: self.account}

    class AccountUnbound(Root.Event):
        TOPIC = "rilon.access.account-unbound.1"
        by: OfficerId
        digest: Digest

        def apply(self, aggregate: Access) -> None:
            gone = self.digest
            aggregate.accounts = {k: v for k, v in aggregate.accounts.items() if k != gone}
            aggregate.sessions = {k: v for k, v in aggregate.sessions.items() if v.account != gone}

    class SessionStarted(Root.Event):
        TOPIC = "rilon.access.session-started.1"
        session: Session

        def apply(self, aggregate: Access) -> None:
            if not self.session.credential and not self.session.account:
                aggregate.invitation = None
            kept = list(aggregate.sessions.values())[-MAX_SESSIONS + 1 :]
            aggregate.sessions = {s.id: s for s in (*kept, self.session)}

    class SessionEnded(Root.Event):
        TOPIC = "rilon.access.session-ended.1"
        by: OfficerId
        session: Code

        def apply(self, aggregate: Access) -> None:
            aggregate.sessions = {k: v for k, v in aggregate.sessions.items() if k != self.session}

    class Shut(Root.Event):
        """Everything goes: who comes back is invited anew."""

        TOPIC = "rilon.access.shut.1"
        by: OfficerId

        def apply(self, aggregate: Access) -> None:
            aggregate.invitation, aggregate.passkeys, aggregate.sessions = None, {}, {}
            aggregate.inviters, aggregate.accounts = frozenset(), {}

    def __init__(self, officer: OfficerId) -> None:
        self.officer = officer
        self.invitation: Invitation | None = None
        self.inviters = frozenset[str]()
        self.passkeys: dict[bytes, Passkey] = {}
        self.accounts: dict[bytes, Account] = {}
        self.sessions: dict[str, Session] = {}

    @classmethod
    def open_(cls, officer: UUID, at: datetime) -> Self:
        """Begin it, with the first invitation."""
        return cls._create(cls.Opened, id=access_id(officer), officer=officer.hex, timestamp=at)

    def invite(self, invitation: Invitation, by: str, at: datetime) -> None:
        """Make a one-time way in; an earlier one that was not used is void."""
        self.trigger_event(self.Invited, by=by, invitation=invitation, timestamp=at)

    def must_invite(self, secret_hash: bytes, at: datetime) -> None:
        """Refuse what is no standing invitation. Raises NotFoundError: wrong, used, replaced or expired; told alike."""
        held = self.invitation
        if held is None or held.hash != secret_hash or at >= held.expires_at:
            raise NotFoundError

    def add_passkey(self, passkey: Passkey, at: datetime) -> None:
        """Add a passkey by the invitation.

        Raises:
            ConflictError: ``passkey.known``. RefusedError: ``passkey.too-many``.
        """
        if passkey.credential in self.passkeys:
            raise ConflictError("passkey.known", "This passkey is yours already.", fix="Sign in with it.")
        if len(self.passkeys) >= MAX_PASSKEYS:
            raise RefusedError("passkey.too-many", f"You have {MAX_PASSKEYS} passkeys already.", fix="Remove one.")
        self.trigger_event(self.PasskeyAdded, passkey=passkey, timestamp=at)

    def remove_passkey(self, credential: bytes, by: str, at: datetime) -> None:
        """Remove a passkey, and end what it opened. Raises NotFoundError."""
        if credential not in self.passkeys:
            raise NotFoundError
        self.trigger_event(self.PasskeyRemoved, by=by, credential=credential, timestamp=at)

    def bind_account(self, account: Account, at: datetime, *, invited: bool) -> None:
        """Bind an account at the provider; one that is bound already stays as it is.

        Raises:
            RefusedError: ``provider.too-many``.
        """
        if account.digest not in self.accounts and len(self.accounts) >= MAX_ACCOUNTS:
            raise RefusedError("provider.too-many", f"You have {MAX_ACCOUNTS} accounts already.", fix="Remove one.")
        kept = self.accounts.get(account.digest, account)
        self.trigger_event(self.AccountBound, account=kept, invited=invited, timestamp=at)

    def unbind_account(self, account: str, by: str, at: datetime) -> None:
        """Unbind an account by its id, and end what it opened. Raises NotFoundError."""
        digest = next((held.digest for held in self.accounts.values() if held.id == account), None)
        if digest is None:
            raise NotFoundError
        self.trigger_event(self.AccountUnbound, by=by, digest=digest, timestamp=at)

    def start_session(self, session: Session, at: datetime) -> None:
        """Open a session."""
        self.trigger_event(self.SessionStarted, session=session, timestamp=at)

    def end_session(self, session: str, by: str, at: datetime) -> None:
        """End a session. Raises NotFoundError."""
        if session not in self.sessions:
            raise NotFoundError
        self.trigger_event(self.SessionEnded, by=by, session=session, timestamp=at)

    def shut(self, by: str, at: datetime) -> None:
        """Take everything away."""
        self.trigger_event(self.Shut, by=by, timestamp=at)
