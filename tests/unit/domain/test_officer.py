"""Officers: separate roles, tokens no wider than their officer, and a suspension that stops everything."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import structs

from rilon.domain.officer import APPROVING, LONGEST_STAND_IN, SYSTEM, Officer, Token
from rilon.domain.permissions import Action, Caller
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
    assert found.caller(START).roles == {Role.OFFICER}
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
    assert refused(found, found.caller, START) == "officer.suspended"
    assert refused(found, found.enrol_key, b"other", START) == "officer.no-approver"
    assert not found.approves
    found.reinstate(BY, START)
    assert (found.approves, found.caller(START).ref) == (False, found.ref)  # key and role must be confirmed anew
    assert (found.caller(START).roles, found.caller(START).waiting) == (frozenset(), {Role.FOCAL_POINT})


def deputy() -> Officer:
    found = officer(Role.OFFICER, Role.DEPUTY)
    found.enrol_key(b"key", START)
    return found


PRINCIPAL = Caller("a" * 32, frozenset({Role.FOCAL_POINT}), "navy", "d1")
HOUR = timedelta(hours=1)


def test_a_deputy_is_one_only_while_somebody_calls_upon_them() -> None:
    found = deputy()
    assert found.caller(START).roles == {Role.OFFICER}
    found.call_upon(PRINCIPAL, START + HOUR, START)
    now = found.caller(START)
    assert (now.roles, now.stands_in_for) == ({Role.OFFICER, Role.DEPUTY}, {PRINCIPAL.ref})
    assert now.until == START + HOUR
    assert found.caller(START, until=START + HOUR / 2).until == START + HOUR / 2
    assert found.caller(START, frozenset({Role.OFFICER})).stands_in_for == frozenset()  # a token without the role
    later = found.caller(START + HOUR)
    assert (later.roles, later.stands_in_for, later.until) == ({Role.OFFICER}, frozenset(), None)


@pytest.mark.parametrize("end", ["relieve", "role", "suspend"])
def test_what_ends_a_stand_in_at_once(end: str) -> None:
    found = deputy()
    found.call_upon(PRINCIPAL, START + HOUR, START)
    if end == "relieve":
        found.relieve(PRINCIPAL.ref, BY, START)
    elif end == "role":
        found.revoke_role(Role.DEPUTY, BY, START)
        found.grant_role(Role.DEPUTY, SYSTEM, START)
    else:
        found.suspend(BY, START)
        found.reinstate(BY, START)
    assert found.stand_ins == {}
    assert found.caller(START).roles == {Role.OFFICER}
    with pytest.raises(NotFoundError):
        found.relieve(PRINCIPAL.ref, BY, START)


def test_who_calls_upon_whom_and_for_how_long() -> None:
    found, call = deputy(), Officer.call_upon
    mine = structs.replace(PRINCIPAL, ref=found.ref)
    on_loan = Caller("b" * 32, frozenset({Role.DEPUTY}), "navy", "d1", stands_in_for=frozenset({"a" * 32}))
    assert refused(found, call, found, mine, START + HOUR, START) == "deputy.self"
    assert refused(found, call, found, on_loan, START + HOUR, START) == "deputy.on-loan"
    assert refused(found, call, found, PRINCIPAL, START, START) == "deputy.until"
    assert refused(found, call, found, PRINCIPAL, START + LONGEST_STAND_IN + HOUR, START) == "deputy.until"
    no_key, no_deputy = officer(Role.DEPUTY), officer(Role.PROTECTION)
    no_deputy.enrol_key(b"key", START)
    for other in (no_key, no_deputy):
        assert refused(other, call, other, PRINCIPAL, START + HOUR, START) == "deputy.role"


@pytest.mark.parametrize("own", [Role.FOCAL_POINT, Role.PROTECTION])
def test_who_approves_in_their_own_right_is_nobodys_deputy(own: Role) -> None:
    with pytest.raises(RefusedError, match=r"separate-roles"):
        officer(own, Role.DEPUTY)


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
    if role in APPROVING:
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
    assert found.caller(START, found.tokens["t1"].roles).roles == {Role.OFFICER}
    found.revoke_role(Role.OFFICER, BY, START)
    assert found.caller(START, found.tokens["t1"].roles).roles == set()


def test_a_revoked_token_is_gone() -> None:
    found = officer(Role.OFFICER)
    found.issue_token(token(Role.OFFICER), BY, START)
    assert refused(found, found.revoke_token, "t2", BY, START) == NotFoundError().code
    found.revoke_token("t1", BY, START)
    assert found.tokens == {}
    assert refused(found, found.revoke_token, "t1", BY, START) == NotFoundError().code


def test_nobody_is_sent_to_themselves() -> None:
    """A focal point who may not is told of a colleague; everybody else is told to ask a focal point."""
    for role, whom in ((Role.OFFICER, "focal point"), (Role.FOCAL_POINT, "colleague")):
        with pytest.raises(RefusedError) as caught:
            Caller("01", frozenset({role}), "navy", "d1").must(Action.REPLAY)
        assert (caught.value.code, whom in caught.value.fix) == ("permission.denied", True)
