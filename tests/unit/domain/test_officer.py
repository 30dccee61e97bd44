"""Officers: separate roles, tokens no wider than their officer, and a suspension that stops everything."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from rilon.domain.officer import SYSTEM, Officer, Token
from rilon.domain.values import Role
from rilon.errors import NotFoundError, RefusedError
from tests.fakes.histories import START, digest, sealed
from tests.fakes.refusals import refused

BY, OTHER = "f" * 32, "e" * 32
APART = (Role.AUDITOR, Role.ADMINISTRATOR)


def officer(*roles: Role) -> Officer:
    found = Officer.enrol(UUID(int=5), SYSTEM, sealed("name"), "navy", "d1", frozenset(roles), START)
    found.collect_events()
    return found


def token(*roles: Role, name: str = "t1") -> Token:
    return Token(name, digest("secret"), frozenset(roles), START + timedelta(days=90))


def test_an_officer_is_an_opaque_id() -> None:
    found = officer(Role.OFFICER)
    assert (found.ref, found.agency, found.desk, found.active) == (UUID(int=5).hex, "navy", "d1", True)
    assert found.caller().roles == {Role.OFFICER}
    assert found.approval_key is None


@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize("other", list(Role))
def test_who_audits_or_administers_does_nothing_else(apart: Role, other: Role) -> None:
    if other is apart:
        assert officer(apart).roles == {apart}
        return
    with pytest.raises(RefusedError) as caught:
        officer(apart, other)
    assert caught.value.code == "officer.separate-roles"
    for first, second in ((apart, other), (other, apart)):
        found = officer(first)
        assert refused(found, found.grant_role, second, BY, START) == "officer.separate-roles"


def test_roles_come_and_go_and_nothing_happens_twice() -> None:
    found = officer(Role.OFFICER)
    found.grant_role(Role.FOCAL_POINT, BY, START)
    found.grant_role(Role.FOCAL_POINT, BY, START)
    assert found.roles == {Role.OFFICER, Role.FOCAL_POINT}
    found.revoke_role(Role.OFFICER, BY, START)
    found.revoke_role(Role.OFFICER, BY, START)
    assert found.roles == {Role.FOCAL_POINT}
    assert [type(e).__name__ for e in found.collect_events()] == ["RoleGranted", "RoleRevoked"]


def test_a_suspended_officer_is_nobody_until_reinstated() -> None:
    found = officer(Role.FOCAL_POINT)
    assert refused(found, found.reinstate, BY, START) == "officer.active"
    found.enrol_key(b"key", START)
    assert found.approves
    found.suspend(BY, START)
    assert refused(found, found.suspend, BY, START) == "officer.suspended"
    assert refused(found, found.caller) == "officer.suspended"
    assert refused(found, found.enrol_key, b"other", START) == "officer.no-approver"
    assert not found.approves
    found.reinstate(BY, START)
    assert (found.approves, found.caller().ref) == (False, found.ref)  # key and role must be confirmed anew
    assert (found.caller().roles, found.caller().waiting) == (frozenset(), {Role.FOCAL_POINT})


def test_a_stolen_token_puts_no_other_approval_key_in_the_officers_place() -> None:
    found = officer(Role.FOCAL_POINT)
    found.enrol_key(b"key", START)
    found.enrol_key(b"key", START)  # a command sent twice
    assert refused(found, found.enrol_key, b"thief", START) == "officer.has-key"
    assert found.approval_key == b"key"
    assert [type(e).__name__ for e in found.collect_events()] == ["KeyEnrolled", "Confirmed"]
    found.suspend(BY, START)
    found.reinstate(BY, START)
    assert found.approval_key is None
    found.enrol_key(b"new", START)
    assert (found.approval_key, found.offered_key) == (None, b"new")
    assert refused(found, found.enrol_key, b"thief", START) == "officer.has-key"
    found.confirm(OTHER, b"signed", START)
    assert found.approval_key == b"new"


@pytest.mark.parametrize("role", list(Role))
def test_who_never_approves_enrols_no_key(role: Role) -> None:
    found = officer(role)
    if role in {Role.FOCAL_POINT, Role.PROTECTION}:
        found.enrol_key(b"key", START)
        assert found.approval_key == b"key"
    else:
        assert refused(found, found.enrol_key, b"key", START) == "officer.no-approver"


def test_a_token_carries_no_more_than_its_officer_has() -> None:
    found = officer(Role.OFFICER, Role.FOCAL_POINT)
    assert refused(found, found.issue_token, token(Role.PROTECTION), BY, START) == "officer.token-roles"
    found.issue_token(token(Role.OFFICER), BY, START)
    found.issue_token(token(Role.FOCAL_POINT, name="t2"), BY, START)
    assert set(found.tokens) == {"t1", "t2"}
    assert found.caller(found.tokens["t1"].roles).roles == {Role.OFFICER}
    found.revoke_role(Role.OFFICER, BY, START)
    assert found.caller(found.tokens["t1"].roles).roles == set()


def test_a_revoked_token_is_gone() -> None:
    found = officer(Role.OFFICER)
    found.issue_token(token(Role.OFFICER), BY, START)
    assert refused(found, found.revoke_token, "t2", BY, START) == NotFoundError().code
    found.revoke_token("t1", BY, START)
    assert found.tokens == {}
    assert refused(found, found.revoke_token, "t1", BY, START) == NotFoundError().code
