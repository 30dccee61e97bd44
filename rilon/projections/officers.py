"""The officers of this node: roles, place, keys and tokens by id. Names are sealed and stay so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial, singledispatch
from typing import ClassVar

from msgspec.structs import replace

from rilon.domain.officer import APPROVING, SYSTEM, Officer
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, OfficerId, Role
from rilon.projections.changes import Change, Row, edit


class Enrolled(Row, frozen=True):
    """An officer.

    Attributes:
        has_key: whether they have a key to approve with that is confirmed. offers_key: whether one is not, yet.
        confirmed: of the roles that approve, those that a second focal point (or the founding) has confirmed.
        tokens: ids of bearer tokens not revoked. token_ends: their ends, in the same order.
        stands_in_for: focal points whom this deputy was called upon for. stand_in_ends: until when each.
    """

    TABLE: ClassVar[str] = "officer"

    agency: Code
    desk: Code
    roles: tuple[Role, ...]
    active: bool
    has_key: bool
    at: datetime
    offers_key: bool = False
    confirmed: tuple[Role, ...] = ()
    tokens: tuple[Code, ...] = ()
    token_ends: tuple[datetime, ...] = ()
    stands_in_for: tuple[OfficerId, ...] = ()
    stand_in_ends: tuple[datetime, ...] = ()

    @property
    def ref(self) -> OfficerId:
        """The opaque id."""
        return self.stream.hex

    @property
    def waiting(self) -> tuple[Role, ...]:
        """Roles that nobody has confirmed yet."""
        return tuple(r for r in self.roles if self.active and r in APPROVING and r not in self.confirmed)

    def caller(self, at: datetime) -> Caller:
        """This officer with all the roles they have at a moment; with none when suspended."""
        waiting = frozenset(self.waiting)
        had = frozenset(self.roles if self.active else ()) - waiting
        for_ = frozenset(p for p, end in _stand_ins(self).items() if at < end)
        idle = frozenset() if for_ else had & {Role.DEPUTY}
        return Caller(self.ref, had - idle, self.agency, self.desk, waiting | idle, stands_in_for=for_)


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say how the officers change. Pure."""
    return ()


@changes.register
def _(event: Officer.Enrolled, _position: int) -> Iterable[Change]:
    roles = _ordered(event.roles)
    return (
        Enrolled(
            event.originator_id,
            0,
            event.agency,
            event.desk,
            roles,
            active=True,
            has_key=False,
            at=event.timestamp,
            confirmed=_ordered(event.roles & APPROVING) if event.by == SYSTEM else (),
        ),
    )


@changes.register
def _(event: Officer.RoleGranted, _position: int) -> Iterable[Change]:
    role = event.role
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, roles=_ordered({*o.roles, role}))),)


@changes.register
def _(event: Officer.RoleRevoked, _position: int) -> Iterable[Change]:
    role = event.role
    return (edit(Enrolled, event.originator_id, lambda o: _without(o, role)),)


@changes.register
def _(event: Officer.Suspended, _position: int) -> Iterable[Change]:
    return (edit(Enrolled, event.originator_id, _suspended),)


@changes.register
def _(event: Officer.Reinstated, _position: int) -> Iterable[Change]:
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, active=True)),)


@changes.register
def _(event: Officer.KeyEnrolled, _position: int) -> Iterable[Change]:
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, offers_key=True)),)


@changes.register
def _(event: Officer.Confirmed, _position: int) -> Iterable[Change]:
    roles = _ordered(event.roles)
    now = partial(replace, has_key=True, offers_key=False, confirmed=roles)
    return (edit(Enrolled, event.originator_id, now),)


@changes.register
def _(event: Officer.TokenIssued, _position: int) -> Iterable[Change]:
    token, end = event.token.id, event.token.expires_at
    return (edit(Enrolled, event.originator_id, lambda o: _tokens(o, _ends(o) | {token: end})),)


@changes.register
def _(event: Officer.TokenRevoked, _position: int) -> Iterable[Change]:
    gone = event.token_id
    return (
        edit(Enrolled, event.originator_id, lambda o: _tokens(o, {t: e for t, e in _ends(o).items() if t != gone})),
    )


@changes.register
def _(event: Officer.CalledUpon, _position: int) -> Iterable[Change]:
    by, until = event.by, event.until
    return (edit(Enrolled, event.originator_id, lambda o: _standing_in(o, _stand_ins(o) | {by: until})),)


@changes.register
def _(event: Officer.Relieved, _position: int) -> Iterable[Change]:
    gone = event.principal
    return (
        edit(
            Enrolled,
            event.originator_id,
            lambda o: _standing_in(o, {p: end for p, end in _stand_ins(o).items() if p != gone}),
        ),
    )


def _without(officer: Enrolled, role: Role) -> Enrolled:
    left = replace(
        officer, roles=_ordered({*officer.roles} - {role}), confirmed=_ordered({*officer.confirmed} - {role})
    )
    return _standing_in(left, {}) if role is Role.DEPUTY else left


def _suspended(officer: Enrolled) -> Enrolled:
    gone = replace(officer, active=False, has_key=False, offers_key=False, confirmed=(), tokens=(), token_ends=())
    return _standing_in(gone, {})


def _ordered(roles: Iterable[Role]) -> tuple[Role, ...]:
    return tuple(r for r in Role if r in set(roles))


def _ends(officer: Enrolled) -> dict[Code, datetime]:
    return dict(zip(officer.tokens, officer.token_ends, strict=True))


def _stand_ins(officer: Enrolled) -> dict[OfficerId, datetime]:
    return dict(zip(officer.stands_in_for, officer.stand_in_ends, strict=True))


def _standing_in(officer: Enrolled, ends: dict[OfficerId, datetime]) -> Enrolled:
    return replace(officer, stands_in_for=tuple(ends), stand_in_ends=tuple(ends.values()))


def _tokens(officer: Enrolled, ends: dict[Code, datetime]) -> Enrolled:
    return replace(officer, tokens=tuple(ends), token_ends=tuple(ends.values()))
