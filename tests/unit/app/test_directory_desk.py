"""The directory desk: whom a node believes, whom people verify, and who may say so."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from rilon.app.directory_desk import ROSTER, Introduction, fingerprint, sign_identity
from rilon.app.drafts import AudienceDraft, resolve
from rilon.crypto import statement, strict
from rilon.domain.directory import DIRECTORY_ID, QUOTA, Directory
from rilon.domain.values import Role
from rilon.errors import ConflictError, NotFoundError, ProofError, RilonError
from rilon.node.desks import assemble
from tests.fakes.items import OTHER_NODE
from tests.fakes.unreliable_log import CrowdedLog
from tests.nodes import MemoryNode, draft_of, introduce, memory_node

Pair = tuple[MemoryNode, MemoryNode]


@pytest_asyncio.fixture(scope="module")
async def founded() -> Pair:
    return await memory_node("th"), await memory_node("my")


@pytest.fixture
def pair(founded: Pair) -> Pair:
    return founded[0].copy(), founded[1].copy()


async def code_of(node: MemoryNode, do: Any, *args: Any) -> str:
    before = await node.stored()
    with pytest.raises(RilonError) as caught:
        await do(*args)
    assert await node.stored() == before
    return caught.value.code


async def test_what_introduces_itself_is_unverified_until_people_compared(pair: Pair) -> None:
    th, my = pair
    listing = await th.desks.directory.take_in(await my.desks.directory.introduction())
    assert (listing.identity.member, listing.standing) == ("my", "unverified")
    focal, heard = await th.officer(Role.FOCAL_POINT), fingerprint(my.root.public.raw)
    verify = th.desks.directory.verify
    assert await code_of(th, verify, focal.caller, "my", heard[::-1]) == "directory.fingerprint"
    assert await code_of(th, verify, focal.caller, "my", b"") == "directory.fingerprint"
    assert await code_of(th, verify, focal.caller, "id", heard) == NotFoundError().code
    await verify(focal.caller, "my", heard)
    assert await code_of(th, verify, focal.caller, "my", heard) == "directory.verified"
    assert (await th.desks.directory.current()).peers == ("my",)
    await th.desks.directory.revoke(focal.caller, "my")
    assert (await th.desks.directory.current()).standing("my") == "revoked"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.FOCAL_POINT}))
async def test_only_a_focal_point_verifies_and_revokes(pair: Pair, role: Role) -> None:
    th, my = pair
    await introduce(th, my)
    person = await th.officer(role)
    for do in (th.desks.directory.revoke, th.desks.directory.verify):
        args = (fingerprint(my.root.public.raw),) if do == th.desks.directory.verify else ()
        assert await code_of(th, do, person.caller, "my", *args) == "permission.denied"


async def test_a_suspended_focal_point_verifies_nobody(pair: Pair) -> None:
    th, my = pair
    await introduce(th, my, verify=False)
    focal, other = await th.officer(Role.FOCAL_POINT), await th.officer(Role.FOCAL_POINT)
    await th.desks.members.suspend(other.caller, focal.id)
    heard = fingerprint(my.root.public.raw)
    assert await code_of(th, th.desks.directory.verify, focal.caller, "my", heard) == "officer.suspended"
    assert await code_of(th, th.desks.directory.revoke, focal.caller, "my") == "officer.suspended"


async def test_what_is_not_signed_all_the_way_is_not_taken_in(pair: Pair) -> None:
    th, my = pair
    good = await my.desks.directory.introduction()
    own = await th.desks.directory.introduction()
    mine = (await my.desks.directory.current()).own.identity
    forged = sign_identity(replace(mine, signing=OTHER_NODE.public.raw), OTHER_NODE)
    other_signer = sign_identity(replace(mine, seq=2, signing=OTHER_NODE.public.raw), my.root)
    exercise = sign_identity(replace(mine, world="exercise"), my.root)
    take_in = th.desks.directory.take_in
    wrong = {
        "statement.kid": (Introduction(forged, good.roster), Introduction(other_signer, good.roster)),
        "directory.world": (Introduction(exercise, good.roster),),
        "statement.kind": (Introduction(good.roster, good.roster), Introduction(good.identity, good.identity)),
        "statement.tag": (Introduction(b"", good.roster), Introduction(good.identity, b"")),
    }
    for code, introductions in wrong.items():
        for each in introductions:
            assert await code_of(th, take_in, each) in {code, "cbor.shape"}
    assert await code_of(th, take_in, Introduction(good.identity, own.roster)) == "statement.kid"


async def test_the_same_introduction_twice_says_nothing_new(pair: Pair) -> None:
    th, my = pair
    said = await my.desks.directory.introduction()
    await th.desks.directory.take_in(said)
    before = await th.stored()
    assert (await th.desks.directory.take_in(said)).standing == "unverified"
    assert (await th.desks.directory.take_in(await th.desks.directory.introduction())).standing == "verified"
    assert await th.stored() == before


async def test_a_node_is_founded_once(pair: Pair) -> None:
    th, _ = pair
    identity = (await th.desks.directory.current()).own.identity
    with pytest.raises(ConflictError):
        await th.desks.directory.found(identity, sign_identity(identity, th.root))
    with pytest.raises(ProofError):
        await th.desks.directory.found(identity, sign_identity(identity, OTHER_NODE))


async def test_the_key_in_force_is_published_once(pair: Pair) -> None:
    th, _ = pair
    kem, before = th.blobs.keyring.ring().kem().public, await th.stored()
    await th.desks.directory.publish_kem(kem)
    assert await th.stored() == before
    await th.desks.directory.publish_kem(b"k" * 1216)
    roster = (await th.desks.directory.current()).own.roster
    assert roster is not None
    assert (roster.kem, roster.seq) == (b"k" * 1216, 2)


async def test_a_member_newer_than_our_list_is_listed_and_addressed_by_nobody(pair: Pair) -> None:
    th, my = pair
    mine = (await my.desks.directory.current()).own
    assert mine.roster is not None
    strange = await memory_node("th", seed=9)
    identity = replace((await strange.desks.directory.current()).own.identity, member="atlantis")

    roster = statement.sign(
        ROSTER, strict.encode(replace(mine.roster, member="atlantis")), strange.desks.keys.ring().signing
    )
    await th.desks.directory.take_in(Introduction(sign_identity(identity, strange.root), roster))
    directory = await th.desks.work.read(Directory, DIRECTORY_ID)
    assert directory.standing("atlantis") == "unverified"
    assert resolve(AudienceDraft(everyone=True), directory) == ()


async def test_a_peer_that_floods_its_roster_makes_no_decision_here_wait(pair: Pair) -> None:
    """With one stream for the whole directory, five statements that came in between made it ``command.busy``."""
    th, my = pair
    await introduce(th, my)
    author, crowd = await th.officer(), list[CrowdedLog]()
    busy = th.copy(lambda log: crowd.append(CrowdedLog(log)) or crowd[0])  # type: ignore[func-returns-value]
    theirs = assemble(busy.log, busy.blobs, busy.desks.keys, busy.clock, busy.desks.entropy)
    came = 0

    async def flood() -> None:
        nonlocal came
        await my.approver()
        await theirs.directory.take_in(await my.desks.directory.introduction())
        came += 1

    crowd[0].others = flood
    item = await busy.post(author, draft_of("TIP-RECRUIT", "my"))
    assert came == 1  # decided once
    assert (await busy.disclosure(item)).item == item


async def test_a_peer_that_floods_is_told_so_and_heard_later(pair: Pair) -> None:
    th, my = pair
    await introduce(th, my)
    for _ in range(QUOTA - 1):
        await my.desks.directory.publish_kem(my.desks.entropy.bytes(1216))
        await th.desks.directory.take_in(await my.desks.directory.introduction())
    await my.desks.directory.publish_kem(my.desks.entropy.bytes(1216))
    newest = await my.desks.directory.introduction()
    assert await code_of(th, th.desks.directory.take_in, newest) == "directory.quota"
    th.clock.forward(hours=1)
    listing = await th.desks.directory.take_in(newest)
    assert listing.roster == (await my.desks.directory.current()).own.roster
