"""The officers of this node: roles, place, keys and tokens by id. Names are sealed and stay so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import ClassVar

from msgspec.structs import replace

from rilon.domain.officer import Officer
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, OfficerId, Role
from rilon.projections.changes import Change, Put, Row, edit


class Enrolled(Row, frozen=True):
    """An officer. ``tokens`` are ids of bearer tokens not revoked, ``token_ends`` their ends, in the same order."""

    TABLE: ClassVar[str] = "officer"

    agency: Code
    desk: Code
    roles: tuple[Role, ...]
    active: bool
    has_key: bool
    at: datetime
    tokens: tuple[Code, ...] = ()
    token_ends: tuple[datetime, ...] = ()

    @property
    def ref(self) -> OfficerId:
        """The opaque id."""
        return self.stream.hex

    @property
    def caller(self) -> Caller:
        """This officer with all their roles; with none when suspended."""
        return Caller(self.ref, frozenset(self.roles if self.active else ()), self.agency, self.desk)


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say how the officers change. Pure."""
    return ()


@changes.register
def _(event: Officer.Enrolled, _position: int) -> Iterable[Change]:
    roles = _ordered(event.roles)
    return (
        Put(
            Enrolled(
                event.originator_id, 0, event.agency, event.desk, roles, active=True, has_key=False, at=event.timestamp
            )
        ),
    )


@changes.register
def _(event: Officer.RoleGranted, _position: int) -> Iterable[Change]:
    role = event.role
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, roles=_ordered({*o.roles, role}))),)


@changes.register
def _(event: Officer.RoleRevoked, _position: int) -> Iterable[Change]:
    role = event.role
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, roles=_ordered({*o.roles} - {role}))),)


@changes.register
def _(event: Officer.Suspended, _position: int) -> Iterable[Change]:
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, active=False, has_key=False)),)


@changes.register
def _(event: Officer.Reinstated, _position: int) -> Iterable[Change]:
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, active=True)),)


@changes.register
def _(event: Officer.KeyEnrolled, _position: int) -> Iterable[Change]:
    return (edit(Enrolled, event.originator_id, lambda o: replace(o, has_key=True)),)


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


def _ordered(roles: Iterable[Role]) -> tuple[Role, ...]:
    return tuple(r for r in Role if r in set(roles))


def _ends(officer: Enrolled) -> dict[Code, datetime]:
    return dict(zip(officer.tokens, officer.token_ends, strict=True))


def _tokens(officer: Enrolled, ends: dict[Code, datetime]) -> Enrolled:
    return replace(officer, tokens=tuple(ends), token_ends=tuple(ends.values()))
