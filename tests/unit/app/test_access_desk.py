"""Coming in: an invitation once, passkeys, sessions that end; and nothing that tells why somebody stays out."""

from __future__ import annotations

from uuid import UUID

import pytest

from rilon.app.access_desk import SESSION, AccessDesk, Made, SignedIn
from rilon.domain.access import MAX_SESSIONS, Access, access_id
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.officer import Officer
from rilon.domain.values import Role
from rilon.errors import RilonError
from tests.fakes.authenticator import ATTESTED, ORIGIN, SYNCED, USED, Authenticator
from tests.nodes import MemoryNode, Person, memory_node

CHALLENGE = b"c" * 32


class Scene:
    def __init__(self, node: MemoryNode, focal: Person, newcomer: Person) -> None:
        self.node, self.focal, self.newcomer = node, focal, newcomer
        self.desk: AccessDesk = node.desks.access
        self.key = Authenticator()

    async def invite(self, who: Person | None = None) -> str:
        return (await self.desk.invite(self.focal.caller, (who or self.newcomer).id)).code

    async def join(self, code: str, key: Authenticator | None = None, *, flags: int = USED | ATTESTED) -> SignedIn:
        said, attested = (key or self.key).create(CHALLENGE, flags=flags)
        return await self.desk.join(code, Made(said, attested, CHALLENGE, ORIGIN))

    async def sign_in(self, old: str = "", challenge: bytes = CHALLENGE, who: UUID | None = None) -> SignedIn:
        given = self.key.sign(CHALLENGE)
        return await self.desk.sign_in(who or self.newcomer.id, self.key.credential, given, challenge, old)

    async def present(self, cookie: str) -> bool:
        try:
            return (await self.desk.present(cookie)).caller.ref == self.newcomer.caller.ref
        except RilonError as refused:
            return refused.status != 404

    async def access(self) -> Access:
        return await self.node.desks.work.read(Access, access_id(self.newcomer.id))


@pytest.fixture
async def scene() -> Scene:
    node = await memory_node()
    return Scene(node, await node.approver(), await node.officer())


async def refused(job: object) -> str:
    with pytest.raises(RilonError) as caught:
        await job  # type: ignore[misc]
    return caught.value.code


async def test_an_invitation_is_used_once_and_opens_a_session(scene: Scene) -> None:
    code = await scene.invite()
    inside = await scene.join(code)
    assert await scene.present(inside.cookie)
    assert await refused(scene.join(code, Authenticator(seed=2, credential=b"2"))) == "not-found"
    assert code.split(".")[2].encode() not in b"".join(str(e.__dict__).encode() for e in await scene.node.events())


async def test_a_new_invitation_voids_the_earlier_one_and_a_day_voids_both(scene: Scene) -> None:
    first, second = await scene.invite(), await scene.invite()
    assert await refused(scene.join(first)) == "not-found"
    scene.node.clock.forward(hours=24)
    assert await refused(scene.join(second)) == "not-found"


async def test_a_passkey_opens_and_the_old_session_of_that_browser_ends(scene: Scene) -> None:
    first = await scene.join(await scene.invite())
    second = await scene.sign_in(first.cookie)
    assert first.cookie != second.cookie
    assert not await scene.present(first.cookie)
    assert await scene.present(second.cookie)


async def test_whatever_is_wrong_with_a_passkey_is_told_alike(scene: Scene) -> None:
    await scene.join(await scene.invite())
    assert await refused(scene.sign_in(challenge=b"d" * 32)) == "auth.passkey"
    assert await refused(scene.sign_in(who=scene.focal.id)) == "auth.passkey"
    scene.key = Authenticator(seed=2)
    assert await refused(scene.sign_in()) == "auth.passkey"
    scene.key = Authenticator(credential=b"other")
    assert await refused(scene.sign_in()) == "auth.passkey"


async def test_a_session_ends_by_itself_by_its_owner_and_by_a_suspension(scene: Scene) -> None:
    inside = await scene.join(await scene.invite())
    here = await scene.desk.present(inside.cookie)
    await scene.desk.end_session(here.caller, here.session.id)
    assert not await scene.present(inside.cookie)
    again = await scene.sign_in()
    scene.node.clock.forward(seconds=SESSION.total_seconds())
    assert not await scene.present(again.cookie)
    third = await scene.sign_in()
    await scene.node.desks.members.suspend(scene.focal.caller, scene.newcomer.id)
    await scene.node.desks.members.reinstate(scene.focal.caller, scene.newcomer.id)
    assert not await scene.present(third.cookie), "who comes back begins anew"
    assert await refused(scene.sign_in()) == "auth.passkey"


async def test_a_cookie_is_the_whole_of_it(scene: Scene) -> None:
    officer, session, secret = (await scene.join(await scene.invite())).cookie.split(".")
    for wrong in ("", "x", f"{officer}.{session}.{'0' * 64}", f"{officer}.{'0' * 16}.{secret}"):
        assert not await scene.present(wrong)
    assert not await scene.present(f"{scene.focal.id.hex}.{session}.{secret}")


async def test_the_oldest_of_too_many_sessions_ends(scene: Scene) -> None:
    first = await scene.join(await scene.invite())
    for _ in range(MAX_SESSIONS):
        await scene.sign_in()
    assert not await scene.present(first.cookie)
    assert len((await scene.access()).sessions) == MAX_SESSIONS


async def test_a_removed_passkey_ends_what_it_opened(scene: Scene) -> None:
    inside = await scene.join(await scene.invite())
    await scene.desk.remove_passkey(inside.caller, scene.key.credential)
    assert not await scene.present(inside.cookie)
    assert await refused(scene.sign_in()) == "auth.passkey"


@pytest.mark.parametrize("synced", [False, True])
async def test_an_approvers_passkey_is_offered_as_their_approval_key_if_it_stays_on_its_device(synced: bool) -> None:
    node = await memory_node()
    scene = Scene(node, await node.approver(), await node.officer(Role.FOCAL_POINT))
    await scene.join(await scene.invite(), flags=USED | ATTESTED | (SYNCED if synced else 0))
    officer = await node.desks.work.read(Officer, scene.newcomer.id)
    assert (officer.offered_key, officer.approval_key) == (None if synced else scene.key.raw, None)


async def test_who_invites_could_use_the_invitation_so_somebody_else_confirms_what_came_of_it() -> None:
    node = await memory_node()
    scene = Scene(node, await node.approver(), await node.officer(Role.FOCAL_POINT))
    await scene.join(await scene.invite())
    assert await refused(node.confirm(scene.focal, scene.newcomer.id)) == "officer.second-person"
    await node.confirm(await node.approver(), scene.newcomer.id)
    directory = await node.desks.work.read(Directory, DIRECTORY_ID)
    assert directory.own.roster is not None
    assert {a.officer: a.key for a in directory.own.roster.approvers}[scene.newcomer.caller.ref] == scene.key.raw


async def test_only_a_focal_point_invites_and_nobody_themselves(scene: Scene) -> None:
    assert await refused(scene.desk.invite(scene.newcomer.caller, scene.focal.id)) == "permission.denied"
    assert await refused(scene.desk.invite(scene.focal.caller, scene.focal.id)) == "officer.own"
    assert await refused(scene.desk.invite(scene.focal.caller, UUID(int=7))) == "not-found"


async def test_a_demo_comes_in_without_a_passkey_once(scene: Scene) -> None:
    code = await scene.invite()
    inside = await scene.desk.join_without_passkey(code)
    assert await scene.present(inside.cookie)
    assert await refused(scene.desk.join_without_passkey(code)) == "not-found"
    officer = await scene.node.desks.work.read(Officer, scene.newcomer.id)
    assert officer.approval_key is None
