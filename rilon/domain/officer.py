"""An officer of this node: enrolled, given and relieved of roles, suspended; with the keys and tokens in their name.

Nobody becomes an approver by one person's will: the roles that approve, and the key to approve with, count only once a
focal point who had no hand in them has confirmed both by a signature. The first focal points are the founder's word.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from rilon.domain.base import Opening, Root
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Instant, OfficerId, Role, Sealed, Value
from rilon.errors import ConflictError, NotFoundError, RefusedError

SYSTEM = "0" * 32
"""Who enrols the first focal points of a node: its administrator's command line, before anybody is enrolled."""

APPROVING = frozenset({Role.FOCAL_POINT, Role.PROTECTION, Role.DEPUTY})
"""Roles that sign releases, and may see and do what others may not."""


LONGEST_STAND_IN = timedelta(days=31)
"""Long enough for a leave; a deputy for longer is a focal point, and should be made one."""


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
            aggregate.enrollers |= {self.by}

    class RoleRevoked(Root.Event):
        TOPIC = "rilon.officer.role-revoked.1"
        by: OfficerId
        role: Role

        def apply(self, aggregate: Officer) -> None:
            aggregate.roles -= {self.role}
            aggregate.confirmed -= {self.role}
            if self.role is Role.DEPUTY:
                aggregate.stand_ins = {}

    class Suspended(Root.Event):
        """All access stops. Tokens, approval key and what was confirmed go for good: who comes back begins anew."""

        TOPIC = "rilon.officer.suspended.1"
        by: OfficerId

        def apply(self, aggregate: Officer) -> None:
            aggregate.active, aggregate.founder = False, False
            aggregate.approval_key = aggregate.offered_key = None
            aggregate.confirmed, aggregate.makers, aggregate.tokens = frozenset(), frozenset(), {}
            aggregate.stand_ins = {}

    class Reinstated(Root.Event):
        TOPIC = "rilon.officer.reinstated.1"
        by: OfficerId

        def apply(self, aggregate: Officer) -> None:
            aggregate.active = True

    class KeyEnrolled(Root.Event):
        """The public half of a key the officer wants to approve with; the private half never comes here.

        ``through`` are those who made the invitation, if any, that let it in: they could have used it themselves.
        """

        TOPIC = "rilon.officer.key-enrolled.1"
        key: bytes
        through: frozenset[OfficerId]

        def apply(self, aggregate: Officer) -> None:
            aggregate.offered_key = self.key
            aggregate.makers |= self.through

    class CalledUpon(Root.Event):
        """A focal point lets this deputy decide in their place until a moment; again: until another one."""

        TOPIC = "rilon.officer.called-upon.1"
        by: OfficerId
        until: datetime

        def apply(self, aggregate: Officer) -> None:
            aggregate.stand_ins = {**aggregate.stand_ins, self.by: self.until}

    class Relieved(Root.Event):
        """The deputy stands in no more for one focal point, before its time was up."""

        TOPIC = "rilon.officer.relieved.1"
        by: OfficerId
        principal: OfficerId

        def apply(self, aggregate: Officer) -> None:
            aggregate.stand_ins = {p: end for p, end in aggregate.stand_ins.items() if p != self.principal}

    class Confirmed(Root.Event):
        """From here on they approve, in these roles and by this key.

        ``consent`` is the signature of ``by``, a focal point, over both; empty when the founder's word is enough.
        """

        TOPIC = "rilon.officer.confirmed.1"
        by: OfficerId
        roles: frozenset[Role]
        key: bytes
        consent: bytes

        def apply(self, aggregate: Officer) -> None:
            aggregate.confirmed, aggregate.approval_key, aggregate.offered_key = self.roles, self.key, None

    class TokenIssued(Root.Event):
        TOPIC = "rilon.officer.token-issued.1"
        by: OfficerId
        token: Token

        def apply(self, aggregate: Officer) -> None:
            aggregate.tokens = {**aggregate.tokens, self.token.id: self.token}
            aggregate.makers |= {self.by}

    class TokenRevoked(Root.Event):
        TOPIC = "rilon.officer.token-revoked.1"
        by: OfficerId
        token_id: Code

        def apply(self, aggregate: Officer) -> None:
            aggregate.tokens = {k: v for k, v in aggregate.tokens.items() if k != self.token_id}

    def __init__(self, by: OfficerId, name: Sealed, agency: Code, desk: Code, roles: frozenset[Role]) -> None:
        self.name, self.agency, self.desk, self.roles = name, agency, desk, roles
        self.active, self.founder = True, by == SYSTEM
        self.enrollers, self.makers = frozenset({by}), frozenset[str]()
        self.confirmed = roles & APPROVING if self.founder else frozenset[Role]()
        self.approval_key: bytes | None = None
        self.offered_key: bytes | None = None
        self.tokens: dict[str, Token] = {}
        self.stand_ins: dict[OfficerId, datetime] = {}

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

    def enrol_key(self, key: bytes, at: datetime, through: frozenset[str] = frozenset()) -> None:
        """Record the public half of an approval key the officer made; again for the same key changes nothing.

        It approves nothing before it is confirmed. Who was named at the founding, and whose tokens nobody but the
        founder has made, is confirmed thereby.

        Raises:
            RefusedError: ``officer.no-approver``: focal points and protection officers approve, and nobody else.
            ConflictError: ``officer.has-key``: another key stands. A token enrols it, and who steals one must not be
                able to put a key of their own in its place: that takes a colleague.
        """
        if not (self.active and self.roles & APPROVING):
            raise RefusedError("officer.no-approver", "Only focal points and protection officers approve.")
        if key in {self.approval_key, self.offered_key}:
            return
        if self.approval_key or self.offered_key:
            fix = "A focal point who suspends you and reinstates you takes it away."
            raise ConflictError("officer.has-key", "You have another approval key already.", fix=fix)
        self.trigger_event(self.KeyEnrolled, key=key, through=through, timestamp=at)
        if self.by_founding:
            self._confirm(SYSTEM, b"", at)

    def confirm(self, by: str, consent: bytes, at: datetime) -> None:
        """Let them approve, by the word of a focal point whose signature over roles and key the caller has verified.

        Raises:
            ConflictError: ``officer.nothing-to-confirm``: no key, or nothing new.
            RefusedError: ``officer.second-person``: who enrolled them, gave them a role or made their token has acted
                for them already; and nobody confirms themselves.
        """
        if not self.awaits or self.key_shown is None:
            fix = "They offer a key first: rilon officer enrol-key."
            raise ConflictError("officer.nothing-to-confirm", "There is nothing to confirm.", fix=fix)
        if by in self.involved:
            message = "Somebody must confirm this who neither enrolled them nor made their token."
            raise RefusedError("officer.second-person", message, fix="Ask another focal point.")
        self._confirm(by, consent, at)

    def _confirm(self, by: str, consent: bytes, at: datetime) -> None:
        roles, key = self.roles & APPROVING, self.key_shown
        self.trigger_event(self.Confirmed, by=by, roles=roles, key=key, consent=consent, timestamp=at)

    def call_upon(self, principal: Caller, until: datetime, at: datetime) -> None:
        """Let this deputy decide in a focal point's place, until a moment.

        No chain can come of it: a deputy is never a focal point, and only a focal point calls upon one.

        Args:
            principal: in office, and a focal point.

        Raises:
            RefusedError: ``deputy.self``; ``deputy.role``: no deputy whom a second focal point has confirmed;
                ``deputy.on-loan``: the principal stands in for somebody, and cannot lend that on;
                ``deputy.until``: over already, or longer than ``LONGEST_STAND_IN``.
        """
        if principal.ref == self.ref:
            raise RefusedError("deputy.self", "Nobody is their own deputy.", fix="Name somebody else.")
        if Role.FOCAL_POINT not in principal.roles:
            raise RefusedError("deputy.on-loan", "Who stands in for a focal point cannot pass that on.")
        if not self.approves or Role.DEPUTY not in self.confirmed:
            fix = "Give them the role and let a second focal point confirm their key."
            raise RefusedError("deputy.role", "This officer is not a confirmed deputy.", fix=fix)
        if not at < until <= at + LONGEST_STAND_IN:
            days = LONGEST_STAND_IN.days
            raise RefusedError("deputy.until", f"It must end within {days} days.", fix="Give an earlier end.")
        self.trigger_event(self.CalledUpon, by=principal.ref, until=until, timestamp=at)

    def relieve(self, principal: str, by: str, at: datetime) -> None:
        """Stand in for a focal point no more. Raises NotFoundError."""
        if principal not in self.stand_ins:
            raise NotFoundError
        self.trigger_event(self.Relieved, by=by, principal=principal, timestamp=at)

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
        return self.active and self.approval_key is not None and bool(self.confirmed)

    @property
    def by_founding(self) -> bool:
        """Whether the founder's word stands for their key: nobody else ever had a hand in them."""
        return self.founder and self.involved == {SYSTEM, self.ref}

    @property
    def involved(self) -> frozenset[str]:
        """Who had a hand in them: enrolled, invited, gave a role, made a token; and they themselves."""
        return self.enrollers | self.makers | {self.ref}

    @property
    def unconfirmed(self) -> frozenset[Role]:
        """Roles that they have been given, and do not have yet."""
        return (self.roles & APPROVING) - self.confirmed

    @property
    def awaits(self) -> bool:
        """Whether something of theirs is to be confirmed."""
        return self.active and bool(self.roles & APPROVING) and bool(self.offered_key or self.unconfirmed)

    @property
    def key_shown(self) -> bytes | None:
        """The key that is, or would be, theirs to approve with."""
        return self.offered_key or self.approval_key

    def caller(self, at: datetime, roles: frozenset[Role] | None = None, until: Instant | None = None) -> Caller:
        """Act as this officer at a moment, with all their roles or fewer, until what they called with ends.

        A deputy is one only for whom they stand in just then; a caller ends with the last of these, to be asked anew.

        Raises:
            RefusedError: ``officer.suspended``.
        """
        if not self.active:
            raise RefusedError("officer.suspended", "This officer is suspended.")
        used = self.roles if roles is None else self.roles & roles
        waiting = used & self.unconfirmed
        stands_in = {p: end for p, end in self.stand_ins.items() if at < end} if Role.DEPUTY in used - waiting else {}
        if not stands_in:
            waiting |= used & {Role.DEPUTY}
            return Caller(self.ref, used - waiting, self.agency, self.desk, waiting, until)
        ends = min(filter(None, (until, max(stands_in.values()))))
        return Caller(self.ref, used - waiting, self.agency, self.desk, waiting, ends, frozenset(stands_in))


def _check_separate(roles: frozenset[Role]) -> None:
    apart = {Role.AUDITOR, Role.ADMINISTRATOR}
    if roles & apart and len(roles) > 1:
        raise RefusedError("officer.separate-roles", "An auditor or administrator can have no other role.")
    if Role.DEPUTY in roles and len(roles & APPROVING) > 1:
        raise RefusedError("officer.separate-roles", "Who approves in their own right is nobody's deputy.")
