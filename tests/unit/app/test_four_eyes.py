"""Nobody makes an approver alone: what one focal point can do with puppets, tokens and keys of their own making."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rilon.crypto import strict
from rilon.crypto.approval import ApprovalKey, confirm_digest
from rilon.crypto.keys import SigningKey
from rilon.domain.officer import Officer
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Role
from rilon.errors import RilonError
from tests.nodes import MemoryNode, Person, memory_node

_FOCAL = frozenset({Role.FOCAL_POINT})


@pytest.fixture
async def node() -> MemoryNode:
    return await memory_node()


async def puppet(node: MemoryNode, by: Person, *roles: Role) -> Person:
    """Somebody whom one focal point enrolled, with a token and a key that this focal point made."""
    enrolled = await node.desks.members.enrol(by.caller, "Fictional Puppet", "navy", "d1", frozenset(roles))
    officer = Person(Caller(enrolled.answer.hex(), frozenset(), "navy", "d1"))
    token = await node.desks.members.issue_token(by.caller, officer.id, frozenset(roles))
    key = SigningKey.from_seed(node.desks.entropy.bytes(64))
    await node.desks.members.enrol_key(officer.id, key.public.raw)
    return Person(await node.desks.members.authenticate(token.text), ApprovalKey(officer.caller.ref, key))


async def listed(node: MemoryNode) -> set[str]:
    roster = (await node.desks.directory.current()).own.roster
    assert roster is not None
    return {a.officer for a in roster.approvers}


async def refused(node: MemoryNode, by: Person, candidate: Person) -> str:
    before = await node.stored()
    with pytest.raises(RilonError) as caught:
        await node.confirm(by, candidate.id)
    assert await node.stored() == before
    return caught.value.code


@pytest.mark.parametrize("role", [Role.FOCAL_POINT, Role.PROTECTION])
async def test_whom_one_person_enrolled_approves_and_sees_nothing(node: MemoryNode, role: Role) -> None:
    one = await node.approver()
    made = await puppet(node, one, role)
    assert (made.caller.roles, made.caller.waiting) == (frozenset(), {role})
    assert {a for a in Action if made.caller.may(a)} == {Action.USE, Action.OFFER_KEY}
    assert await listed(node) == {one.caller.ref}
    assert await refused(node, one, made) == "officer.second-person"
    assert await refused(node, made, made) == "permission.denied"


async def test_a_second_focal_point_confirms_role_and_key(node: MemoryNode) -> None:
    one, two = await node.approver(), await node.approver()
    made = await puppet(node, one, Role.FOCAL_POINT)
    confirmed = await node.confirm(two, made.id)
    assert confirmed.caller.roles == _FOCAL
    assert await listed(node) == {one.caller.ref, two.caller.ref, made.caller.ref}
    assert await refused(node, two, made) == "not-found"


async def test_a_colleagues_token_is_not_the_colleague(node: MemoryNode) -> None:
    """It confirms nothing: that takes the key. And while they have none, it puts none of its maker's in the place."""
    one, two, three = await node.approver(), await node.officer(Role.FOCAL_POINT), await node.approver()
    made = await puppet(node, one, Role.FOCAL_POINT)
    token = await node.desks.members.issue_token(one.caller, two.id, _FOCAL)
    thief = replace(one, caller=await node.desks.members.authenticate(token.text))
    assert await refused(node, thief, made) == "approval.no-key"
    await node.desks.members.enrol_key(two.id, SigningKey.from_seed(b"t" * 64).public.raw)
    assert await listed(node) == {one.caller.ref, three.caller.ref}
    assert await refused(node, thief, made) == "approval.no-key"
    assert await refused(node, one, two) == "officer.second-person"
    again = await node.desks.members.issue_token(one.caller, three.id, _FOCAL)
    thief = replace(one, caller=await node.desks.members.authenticate(again.text))
    assert await refused(node, thief, made) == "approval.officer"
    await node.confirm(three, two.id)
    assert two.caller.ref in await listed(node)


async def test_puppets_confirm_no_puppets(node: MemoryNode) -> None:
    one = await node.approver()
    first = await puppet(node, one, Role.FOCAL_POINT)
    second = await puppet(node, one, Role.PROTECTION)
    for by, candidate in ((first, second), (second, first)):
        assert await refused(node, by, candidate) == "permission.denied"
        forced = replace(by, caller=replace_roles(by.caller))
        assert await refused(node, forced, candidate) == "permission.denied"


def replace_roles(caller: Caller) -> Caller:
    return Caller(caller.ref, _FOCAL, caller.agency, caller.desk)


async def test_a_confirmation_is_of_one_person_one_key_and_these_roles(node: MemoryNode) -> None:
    one, two = await node.approver(), await node.approver()
    made = await puppet(node, one, Role.PROTECTION)
    other = await puppet(node, one, Role.PROTECTION)
    found = await node.desks.members.candidate(two.caller, made.id)
    assert two.key is not None
    digests = [
        confirm_digest(found.member, other.caller.ref, found.roles, found.key),
        confirm_digest(found.member, found.officer, _FOCAL, found.key),
        confirm_digest(found.member, found.officer, found.roles, SigningKey.from_seed(b"x" * 64).public.raw),
        confirm_digest("id", found.officer, found.roles, found.key),
    ]
    for digest in digests:
        with pytest.raises(RilonError) as caught:
            await node.desks.members.confirm(two.caller, made.id, strict.encode(two.key.consent(digest, b"\5" * 32)))
        assert caught.value.code == "signature.invalid"
    assert (await node.desks.work.read(Officer, made.id)).approval_key is None


async def test_a_protection_officer_becomes_no_focal_point_by_one_word(node: MemoryNode) -> None:
    one, two = await node.approver(), await node.approver()
    nurse = await node.approver(Role.PROTECTION)
    await node.desks.members.grant_role(one.caller, nurse.id, Role.FOCAL_POINT)
    caller = (await node.desks.work.read(Officer, nurse.id)).caller(node.clock.at)
    assert (caller.roles, caller.waiting) == ({Role.PROTECTION}, _FOCAL)
    assert await refused(node, one, nurse) == "officer.second-person"
    assert (await node.confirm(two, nurse.id)).caller.roles == {Role.PROTECTION, Role.FOCAL_POINT}


async def test_who_comes_back_is_confirmed_anew(node: MemoryNode) -> None:
    one, two = await node.approver(), await node.approver()
    await node.desks.members.suspend(one.caller, two.id)
    await node.desks.members.reinstate(one.caller, two.id)
    token = await node.desks.members.issue_token(one.caller, two.id, _FOCAL)
    caller = await node.desks.members.authenticate(token.text)
    assert (caller.roles, caller.waiting) == (frozenset(), _FOCAL)
    await node.desks.members.enrol_key(two.id, SigningKey.from_seed(b"w" * 64).public.raw)
    assert await listed(node) == {one.caller.ref}
    assert await refused(node, one, two) == "officer.second-person"
