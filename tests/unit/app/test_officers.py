"""Officers at the desk: tokens that never tell why they fail, roles taken away at once, and the published roster."""

from __future__ import annotations

from uuid import UUID

import pytest
import pytest_asyncio
from msgspec.structs import replace

from rilon.crypto.keys import SigningKey
from rilon.domain.identity import MAX_APPROVERS
from rilon.domain.officer import Officer
from rilon.domain.values import Role
from rilon.errors import ConflictError, InvalidError, MalformedError, NotFoundError, RefusedError, RilonError
from tests.nodes import MemoryNode, Person, memory_node

ROLES = frozenset({Role.OFFICER})
NOBODY = UUID(int=5)


@pytest_asyncio.fixture(scope="module")
async def founded() -> tuple[MemoryNode, Person, Person]:
    node = await memory_node()
    return node, await node.approver(), await node.officer()


@pytest.fixture
def world(founded: tuple[MemoryNode, Person, Person]) -> tuple[MemoryNode, Person, Person]:
    node, focal, officer = founded
    return node.copy(), focal, officer


World = tuple[MemoryNode, Person, Person]


async def test_a_token_says_who_calls_until_it_expires(world: World) -> None:
    node, focal, officer = world
    made = await node.desks.members.issue_token(focal.caller, officer.id, ROLES, days=2)
    assert replace(await node.desks.members.authenticate(made.text), until=None) == officer.caller
    node.clock.forward(days=2, seconds=-1)
    assert replace(await node.desks.members.authenticate(made.text), until=None) == officer.caller
    node.clock.forward(seconds=1)
    with pytest.raises(NotFoundError):
        await node.desks.members.authenticate(made.text)


async def test_a_token_that_fails_never_says_why(world: World) -> None:
    """Unknown officer, unknown token, wrong secret, expired, revoked, suspended, and what is no token at all."""
    node, focal, officer = world
    desk = node.desks.members
    good, old, gone = [await desk.issue_token(focal.caller, officer.id, ROLES, days=d) for d in (90, 1, 90)]
    await desk.revoke_token(focal.caller, officer.id, gone.id)
    node.clock.forward(days=1)
    prefix, ref, token_id, secret = good.text.split("_")
    wrong = {
        "unknown officer": f"{prefix}_{NOBODY.hex}_{token_id}_{secret}",
        "another officer": f"{prefix}_{focal.caller.ref}_{token_id}_{secret}",
        "unknown token": f"{prefix}_{ref}_{'0' * 16}_{secret}",
        "wrong secret": f"{prefix}_{ref}_{token_id}_{'0' * 64}",
        "expired": old.text,
        "revoked": gone.text,
        "another prefix": good.text.replace("rilon", "lilon"),
        "short": good.text[:-1],
        "long": good.text + "0",
        "with a line feed": good.text + "\n",
        "upper case": good.text.upper(),
        "no token": "",
        "half a character": f"{prefix}_{ref}_{token_id}_{chr(0xD800) * 64}",
        "no officer": f"{prefix}_{'x' * 32}_{token_id}_{secret}",
    }
    told = set()
    for text in wrong.values():
        with pytest.raises(NotFoundError) as caught:
            await desk.authenticate(text)
        told.add((caught.value.code, caught.value.message, caught.value.field, caught.value.fix))
    caller = await desk.authenticate(good.text)
    assert replace(caller, until=None) == officer.caller
    await desk.suspend(focal.caller, officer.id)
    with pytest.raises(NotFoundError) as caught:
        await desk.authenticate(good.text)
    told.add((caught.value.code, caught.value.message, caught.value.field, caught.value.fix))
    assert told == {("auth.token", "This token is not valid.", "", "")}
    await desk.reinstate(focal.caller, officer.id)  # the token went with the suspension
    with pytest.raises(NotFoundError):
        await desk.authenticate(good.text)


async def test_a_role_that_was_taken_away_is_gone_from_every_token(world: World) -> None:
    node, focal, _ = world
    both = await node.officer(Role.OFFICER, Role.PROTECTION)
    made = await node.desks.members.issue_token(focal.caller, both.id, both.caller.roles)
    await node.desks.members.revoke_role(focal.caller, both.id, Role.PROTECTION)
    assert (await node.desks.members.authenticate(made.text)).roles == ROLES


@pytest.mark.parametrize("days", [0, -1, 91])
async def test_a_token_lives_one_to_ninety_days(world: World, days: int) -> None:
    node, focal, officer = world
    before = await node.stored()
    with pytest.raises(InvalidError) as caught:
        await node.desks.members.issue_token(focal.caller, officer.id, ROLES, days=days)
    assert (caught.value.code, caught.value.field) == ("token.days", "days")
    assert await node.stored() == before


async def test_a_token_is_made_for_somebody_and_within_their_roles(world: World) -> None:
    node, focal, officer = world
    with pytest.raises(NotFoundError):
        await node.desks.members.issue_token(focal.caller, NOBODY, ROLES)
    with pytest.raises(RefusedError) as caught:
        await node.desks.members.issue_token(None, officer.id, frozenset({Role.AUDITOR}))
    assert caught.value.code == "officer.token-roles"


async def test_who_revokes_anothers_token_may_enrol(world: World) -> None:
    node, focal, officer = world
    made = await node.desks.members.issue_token(focal.caller, officer.id, ROLES)
    other = await node.officer()
    with pytest.raises(RefusedError):
        await node.desks.members.revoke_token(other.caller, officer.id, made.id)
    await node.desks.members.revoke_token(officer.caller, officer.id, made.id)
    with pytest.raises(NotFoundError):
        await node.desks.members.revoke_token(focal.caller, officer.id, made.id)


async def test_a_name_is_sealed_and_told_only_to_who_enrols(world: World) -> None:
    node, focal, officer = world
    enrolled = await node.desks.members.enrol(focal.caller, "  Fictional Officer Two ", "navy", "d1", ROLES)
    found = await node.desks.work.read(Officer, UUID(bytes=enrolled.answer))
    assert await node.desks.members.name(found) == "Fictional Officer Two"
    assert await node.desks.members.names(focal.caller, [found.id]) == {found.id: "Fictional Officer Two"}
    assert await node.desks.members.names(officer.caller, [found.id]) == {}
    await node.desks.vault.erase([found.name.slot])
    assert await node.desks.members.names(focal.caller, [found.id]) == {}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "text.blank"),
        ("a\nb", "text.lines"),
        ("a\u202eb", "text.bidi"),
        ("a\0b", "text.control"),
        ("x" * 201, "text.too-long"),
    ],
)
async def test_a_name_is_one_clean_line(world: World, name: str, code: str) -> None:
    node, focal, _ = world
    before = await node.stored()
    with pytest.raises(MalformedError) as caught:
        await node.desks.members.enrol(focal.caller, name, "navy", "d1", ROLES)
    assert caught.value.code == code
    assert await node.stored() == before


async def test_separate_roles_and_codes_that_are_none_enrol_nobody(world: World) -> None:
    node, focal, _ = world
    before = (await node.stored())[:2]
    for agency, roles, code in (
        ("navy", frozenset({Role.AUDITOR, Role.OFFICER}), "officer.separate-roles"),
        ("the navy", ROLES, "log.event-invalid"),
    ):
        with pytest.raises(RilonError) as caught:
            await node.desks.members.enrol(focal.caller, "Fictional", agency, "d1", roles)
        assert caught.value.code == code
    assert (await node.stored())[:2] == before


async def test_only_a_focal_point_changes_others_and_nobody_themselves(world: World) -> None:
    node, focal, officer = world
    desk = node.desks.members
    for attempt in (
        desk.suspend,
        desk.reinstate,
        lambda by, who: desk.grant_role(by, who, Role.PROTECTION),
        lambda by, who: desk.revoke_role(by, who, Role.OFFICER),
    ):
        before = await node.stored()
        for by, who, code in (
            (officer.caller, focal.id, "permission.denied"),
            (focal.caller, focal.id, "officer.own"),
            (focal.caller, NOBODY, "not-found"),
        ):
            with pytest.raises(RilonError) as caught:
                await attempt(by, who)
            assert caught.value.code == code
        assert await node.stored() == before
    with pytest.raises(RefusedError):
        await desk.enrol(officer.caller, "Fictional", "navy", "d1", ROLES)


async def test_a_suspended_focal_point_enrols_nobody_more(world: World) -> None:
    node, focal, officer = world
    other = await node.officer(Role.FOCAL_POINT)
    await node.desks.members.suspend(other.caller, focal.id)
    for attempt in (
        lambda: node.desks.members.enrol(focal.caller, "Fictional", "navy", "d1", ROLES),
        lambda: node.desks.members.suspend(focal.caller, officer.id),
    ):
        with pytest.raises(RefusedError) as caught:
            await attempt()
        assert caught.value.code == "officer.suspended"


# The roster


async def listed(node: MemoryNode) -> set[str]:
    roster = (await node.desks.directory.current()).own.roster
    assert roster is not None
    return {a.officer for a in roster.approvers}


async def test_the_roster_names_who_approves_now(world: World) -> None:
    node, focal, _ = world
    desk, other = node.desks.members, await node.approver(Role.PROTECTION)
    assert await listed(node) == {focal.caller.ref, other.caller.ref}
    await desk.revoke_role(focal.caller, other.id, Role.PROTECTION)
    assert await listed(node) == {focal.caller.ref}
    await desk.grant_role(focal.caller, other.id, Role.FOCAL_POINT)
    assert await listed(node) == {focal.caller.ref}
    second = await node.approver()
    await node.confirm(second, other.id)
    everyone = {focal.caller.ref, other.caller.ref, second.caller.ref}
    assert await listed(node) == everyone
    before = await node.stored()
    await desk.grant_role(focal.caller, other.id, Role.FOCAL_POINT)  # nothing new, so nothing is said
    assert await node.stored() == before
    await desk.suspend(focal.caller, other.id)
    assert await listed(node) == everyone - {other.caller.ref}
    await desk.reinstate(focal.caller, other.id)  # the key went with the suspension
    await desk.enrol_key(other.id, SigningKey.from_seed(b"n" * 64).public.raw)
    assert await listed(node) == everyone - {other.caller.ref}
    await node.confirm(second, other.id)
    assert await listed(node) == everyone


async def test_no_two_people_share_an_approval_key(world: World) -> None:
    node, _, __ = world
    one, two = await node.officer(Role.FOCAL_POINT), await node.officer(Role.FOCAL_POINT)
    public = SigningKey.from_seed(b"s" * 64).public.raw
    await node.desks.members.enrol_key(one.id, public)
    before = await node.stored()
    with pytest.raises(ConflictError) as caught:
        await node.desks.members.enrol_key(two.id, public)
    assert caught.value.code == "directory.key-shared"
    assert await node.stored() == before


async def test_what_is_no_key_is_not_enrolled(world: World) -> None:
    node, focal, officer = world
    for who, key, code in (
        (focal, b"", "key.length"),
        (officer, SigningKey.from_seed(b"s" * 64).public.raw, "officer.no-approver"),
    ):
        with pytest.raises(RilonError) as caught:
            await node.desks.members.enrol_key(who.id, key)
        assert caught.value.code == code


async def test_there_is_room_for_so_many_approvers(world: World) -> None:
    node, _, __ = world
    for _ in range(MAX_APPROVERS - 1):
        await node.approver()
    with pytest.raises(ConflictError) as caught:
        await node.approver()
    assert caught.value.code == "directory.approvers-full"
    assert len(await listed(node)) == MAX_APPROVERS
