"""An officer of this node: enrolled, given and relieved of roles, suspended; with the keys and tokens in their name."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Instant, OfficerId, Role, Sealed, Value
from rilon.errors import ConflictError, NotFoundError, RefusedError


class Token(Value, frozen=True):
    """A bearer token, as the log knows it: a hash, what it may be used as, and until when."""

    id: Code
    hash: Digest
    roles: frozenset[Role]
    expires_at: Instant


class Officer(Root):
    """A person at this node, by opaque id; the name is sealed."""

    TOPIC = "rilon.officer"

    class Enrolled(Opening):
        TOPIC = "rilon.officer.enrolled.1"
        by: OfficerId
        name: Sealed
        agency: Code
        desk: Code
        roles: frozenset[Role]

    class RoleGranted(Root.Event):
        TOPIC = "rilon.officer.role-granted.1"
        by: OfficerId
        role: Role

        def apply(self, aggregate: Officer) -> None:
            aggregate.roles |= {self.role}

    class RoleRevoked(Root.Event):
        TOPIC = "rilon.officer.role-revoked.1"
        by: OfficerId
        role: Role

        def apply(self, aggregate: Officer) -> None:
            aggregate.roles -= {self.role}

    class Suspended(Root.Event):
        """All access stops. The approval key goes for good: whoever comes back enrols one anew."""

        TOPIC = "rilon.officer.suspended.1"
        by: OfficerId

        def apply(self, aggregate: Officer) -> None:
            aggregate.active, aggregate.approval_key = False, None

    class Reinstated(Root.Event):
        TOPIC = "rilon.officer.reinstated.1"
        by: OfficerId

        def apply(self, aggregate: Officer) -> None:
            aggregate.active = True

    class KeyEnrolled(Root.Event):
        """The public half of the officer's own approval key; the private half never comes here."""

        TOPIC = "rilon.officer.key-enrolled.1"
        key: bytes

        def apply(self, aggregate: Officer) -> None:
            aggregate.approval_key = self.key

    class TokenIssued(Root.Event):
        TOPIC = "rilon.officer.token-issued.1"
        by: OfficerId
        token: Token

        def apply(self, aggregate: Officer) -> None:
            aggregate.tokens = {**aggregate.tokens, self.token.id: self.token}

    class TokenRevoked(Root.Event):
        TOPIC = "rilon.officer.token-revoked.1"
        by: OfficerId
        token_id: Code

        def apply(self, aggregate: Officer) -> None:
            aggregate.tokens = {k: v for k, v in aggregate.tokens.items() if k != self.token_id}

    def __init__(self, by: OfficerId, name: Sealed, agency: Code, desk: Code, roles: frozenset[Role]) -> None:
        del by  # evidence in the event; no decision needs it
        self.name, self.agency, self.desk, self.roles = name, agency, desk, roles
        self.active = True
        self.approval_key: bytes | None = None
        self.tokens: dict[str, Token] = {}

    @property
    def ref(self) -> str:
        """The opaque id that appears in events, approvals and receipts."""
        return self.id.hex

    @classmethod
    def enrol(
        cls, officer: UUID, by: str, name: Sealed, agency: str, desk: str, roles: frozenset[Role], at: datetime
    ) -> Self:
        """Enrol a person.

        Raises:
            RefusedError: roles that must be separate: an auditor or administrator does nothing else.
        """
        _check_separate(roles)
        return cls._create(
            cls.Enrolled, id=officer, by=by, name=name, agency=agency, desk=desk, roles=roles, timestamp=at
        )

    def grant_role(self, role: Role, by: str, at: datetime) -> None:
        """Give a role. Raises RefusedError when it must be separate from one they have."""
        _check_separate(self.roles | {role})
        if role not in self.roles:
            self.trigger_event(self.RoleGranted, by=by, role=role, timestamp=at)

    def revoke_role(self, role: Role, by: str, at: datetime) -> None:
        """Take a role away."""
        if role in self.roles:
            self.trigger_event(self.RoleRevoked, by=by, role=role, timestamp=at)

    def suspend(self, by: str, at: datetime) -> None:
        """Stop all access at once. Raises ConflictError when suspended already."""
        if not self.active:
            raise ConflictError("officer.suspended", "This officer is suspended already.")
        self.trigger_event(self.Suspended, by=by, timestamp=at)

    def reinstate(self, by: str, at: datetime) -> None:
        """Give access back. Raises ConflictError when not suspended."""
        if self.active:
            raise ConflictError("officer.active", "This officer is not suspended.")
        self.trigger_event(self.Reinstated, by=by, timestamp=at)

    def enrol_key(self, key: bytes, at: datetime) -> None:
        """Record the public half of an approval key the officer made; again for the same key changes nothing.

        Raises:
            RefusedError: ``officer.no-approver``: focal points and protection officers approve, and nobody else.
            ConflictError: ``officer.has-key``: another key stands. A token enrols it, and who steals one must not be
                able to put a key of their own in its place: that takes a colleague.
        """
        if not self.approves:
            raise RefusedError("officer.no-approver", "Only focal points and protection officers approve.")
        if self.approval_key == key:
            return
        if self.approval_key is not None:
            fix = "A focal point who suspends you and reinstates you takes it away."
            raise ConflictError("officer.has-key", "You have another approval key already.", fix=fix)
        self.trigger_event(self.KeyEnrolled, key=key, timestamp=at)

    def issue_token(self, token: Token, by: str, at: datetime) -> None:
        """Issue a bearer token. Raises RefusedError when it would carry a role the officer has not."""
        if not token.roles <= self.roles:
            raise RefusedError("officer.token-roles", "A token cannot carry more roles than its officer has.")
        self.trigger_event(self.TokenIssued, by=by, token=token, timestamp=at)

    def revoke_token(self, token_id: str, by: str, at: datetime) -> None:
        """Revoke a token. Raises NotFoundError."""
        if token_id not in self.tokens:
            raise NotFoundError
        self.trigger_event(self.TokenRevoked, by=by, token_id=token_id, timestamp=at)

    @property
    def approves(self) -> bool:
        """Whether they may sign approvals now."""
        return self.active and bool(self.roles & {Role.FOCAL_POINT, Role.PROTECTION})

    def caller(self, roles: frozenset[Role] | None = None) -> Caller:
        """Act as this officer, with all their roles or fewer.

        Raises:
            RefusedError: ``officer.suspended``.
        """
        if not self.active:
            raise RefusedError("officer.suspended", "This officer is suspended.")
        used = self.roles if roles is None else self.roles & roles
        return Caller(self.ref, used, self.agency, self.desk)


def _check_separate(roles: frozenset[Role]) -> None:
    apart = {Role.AUDITOR, Role.ADMINISTRATOR}
    if roles & apart and len(roles) > 1:
        raise RefusedError("officer.separate-roles", "An auditor or administrator can have no other role.")
