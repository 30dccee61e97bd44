"""Key epochs: published before used, kept until every peer knows the next, destroyed then; whatever dies between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rilon.app.keys_desk import EPOCH, KEEP, OUTBOX_EPOCH, OUTBOX_KEEP
from rilon.app.link_desk import ReceiptFacts
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.peer_link import Signed
from rilon.domain.values import Role
from rilon.errors import UnavailableError
from tests.nodes import MemoryNode, acquaint, memory_node

MOMENT = timedelta(seconds=1)


def kids(node: MemoryNode) -> list[bytes]:
    return [key.kid for key in node.desks.keys.ring().kems()]


async def published(node: MemoryNode) -> list[tuple[int, bytes]]:
    """Where the log names which KEM key of this node."""
    found = await node.log.recorded(DIRECTORY_ID)
    own = [r for r in found if isinstance(r.event, Directory.RosterChanged) and r.event.roster.member == node.member]
    return [(r.position, r.event.roster.kem) for r in own if isinstance(r.event, Directory.RosterChanged)]


async def in_force(node: MemoryNode) -> bytes:
    roster = (await node.desks.directory.current()).own.roster
    assert roster is not None
    return roster.kem


async def receipt(node: MemoryNode, peer: MemoryNode, through: int, log_id: bytes = b"") -> None:
    facts = ReceiptFacts(log_id or peer.log_id, through, through, bytes(32), (), Signed(b"", b""))
    await node.desks.links.receipted(peer.member, facts)


async def trio() -> tuple[MemoryNode, MemoryNode, MemoryNode]:
    th, my, bd = await memory_node("th"), await memory_node("my"), await memory_node("bd")
    await acquaint(th, my, bd)
    return th, my, bd


async def test_a_new_key_is_published_to_every_peer_and_the_old_one_still_opens() -> None:
    th, _, _ = await trio()
    await th.approver()
    before = (await th.desks.directory.current()).own.roster
    old = th.desks.keys.ring().kem()
    new = await th.desks.epochs.rotate()
    assert kids(th) == [old.kid, new]
    after = (await th.desks.directory.current()).own.roster
    assert before is not None
    assert after is not None
    assert (after.kem, after.seq) == (th.desks.keys.ring().kem().public, before.seq + 1)
    assert (after.approvers, after.two_for) == (before.approvers, before.two_for)
    told = [e for e in await th.events() if isinstance(e, Directory.RosterChanged)][-1]
    assert set(told.to) == {"my", "bd"}


async def test_the_old_key_goes_when_the_last_peer_has_receipted_the_new_one() -> None:
    th, my, bd = await trio()
    old, new = kids(th)[0], await th.desks.epochs.rotate()
    position = (await published(th))[-1][0]
    await receipt(th, my, position + 5)
    await th.desks.epochs.tend()
    assert kids(th) == [old, new]
    await receipt(th, bd, position - 1)
    await th.desks.epochs.tend()
    assert kids(th) == [old, new]
    await receipt(th, bd, position)
    await th.desks.epochs.tend()
    assert kids(th) == [new]


async def test_a_peer_that_stays_silent_does_not_keep_it_alive() -> None:
    th, my, _ = await trio()
    old, new = kids(th)[0], await th.desks.epochs.rotate()
    await receipt(th, my, (await published(th))[-1][0])
    th.clock.at += KEEP - MOMENT
    await th.desks.epochs.tend()
    assert kids(th) == [old, new]
    th.clock.at += MOMENT
    await th.desks.epochs.tend()
    assert kids(th) == [new]


async def test_what_an_older_log_of_a_peer_receipted_does_not_count() -> None:
    """The peer came back from a backup that may not hold our roster."""
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    old, new = kids(th)[0], await th.desks.epochs.rotate()
    await receipt(th, my, (await published(th))[-1][0], b"O" * 16)
    await th.desks.epochs.tend()
    assert kids(th) == [old, new]


async def test_who_is_revoked_or_unverified_is_not_waited_for() -> None:
    th, my, bd = await trio()
    focal = await th.officer(Role.FOCAL_POINT)
    await th.desks.epochs.rotate()
    await receipt(th, my, (await published(th))[-1][0])
    await th.desks.directory.revoke(focal.caller, bd.member)
    await th.desks.epochs.tend()
    assert len(kids(th)) == 1


async def test_each_old_key_goes_for_its_own_successor() -> None:
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    _, second, third = kids(th)[0], await th.desks.epochs.rotate(), await th.desks.epochs.rotate()
    await receipt(th, my, (await published(th))[-2][0])  # it knows of the second, and not yet of the third
    await th.desks.epochs.tend()
    assert kids(th) == [second, third]


async def test_an_epoch_ends_after_a_month() -> None:
    th = await memory_node("th")
    first = kids(th)
    th.clock.at += EPOCH - MOMENT
    await th.desks.epochs.tend()
    assert kids(th) == first
    th.clock.at += MOMENT
    await th.desks.epochs.tend()
    assert kids(th)[0] == first[0]
    assert await in_force(th) == th.desks.keys.ring().kem().public
    await th.desks.epochs.tend()  # nobody knows this node yet: nothing is under way to it
    assert len(kids(th)) == 1
    assert kids(th) != first
    size = (await th.log.head()).size
    await th.desks.epochs.tend()
    assert (await th.log.head()).size == size


class Dies:
    """Fails when it is called for the ``nth`` time, before or after it does what it stands for."""

    def __init__(self, does: Any, nth: int = 1, *, after: bool = False) -> None:
        self._does, self._left, self._after = does, nth, after

    async def __call__(self, *args: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise UnavailableError("test", "Died.")
        done = await self._does(*args)
        if self._left == 0:
            raise UnavailableError("test", "Died.")
        return done


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["save", "publish_kem"])
async def test_a_death_at_any_step_of_a_rotation_is_mended_by_the_next_start(
    monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    old = kids(th)[0]
    owner = th.desks.keys if step == "save" else th.desks.directory
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, Dies(getattr(owner, step), after=after))
        with pytest.raises(UnavailableError):
            await th.desks.epochs.rotate()
    assert (len(kids(th)), kids(th)[0]) == (1 if (step, after) == ("save", False) else 2, old)
    await th.desks.epochs.settle()
    assert await in_force(th) == th.desks.keys.ring().kem().public
    assert len(await published(th)) == len(kids(th))
    size = (await th.log.head()).size
    await th.desks.epochs.settle()
    assert (await th.log.head()).size == size


async def test_the_published_key_is_not_taken_for_an_old_one_because_a_newer_lies_beside_it() -> None:
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    await receipt(th, my, 100)
    async with th.desks.keys.exclusive() as draft:
        draft.new_kem()
        await th.desks.keys.save(draft)
    await th.desks.epochs.tend()
    assert await in_force(th) == th.desks.keys.ring().kem().public


async def test_a_key_that_was_never_published_is_dropped_when_a_newer_one_is() -> None:
    th = await memory_node("th")
    async with th.desks.keys.exclusive() as draft:
        lost = draft.new_kem().kid
        await th.desks.keys.save(draft)
    new = await th.desks.epochs.rotate()
    assert lost in kids(th)
    await th.desks.epochs.tend()
    assert kids(th) == [new]


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_while_a_key_is_destroyed_is_mended_an_hour_later(
    monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    th = await memory_node("th")
    await th.desks.epochs.settle()
    old, new = kids(th)[0], await th.desks.epochs.rotate()
    with monkeypatch.context() as patch:
        patch.setattr(th.desks.keys, "save", Dies(th.desks.keys.save, after=after))
        with pytest.raises(UnavailableError):
            await th.desks.epochs.tend()
    assert kids(th) == ([new] if after else [old, new])
    await th.desks.epochs.tend()
    assert kids(th) == [new]


async def test_what_is_held_is_told_with_ages_and_no_key() -> None:
    th, _, _ = await trio()
    born = th.clock.at
    th.clock.forward(days=3)
    old, new = kids(th)[0], await th.desks.epochs.rotate()
    async with th.desks.keys.exclusive() as draft:
        lost = draft.new_kem().kid
        await th.desks.keys.save(draft)
    told = await th.desks.epochs.held()
    assert [(h.kid, h.since, h.until) for h in told] == [
        (old, born, th.clock.at + KEEP),
        (new, th.clock.at, th.clock.at + KEEP),
        (lost, None, None),
    ]
    assert not any(key.seed.hex() in repr(told) for key in th.desks.keys.ring().kems())


async def test_browsers_seal_to_a_key_of_the_week_and_what_waited_four_goes_dark() -> None:
    th = await memory_node("th")
    await th.desks.epochs.settle()
    (first,) = th.desks.keys.ring().outbox()
    assert first.since == int(th.clock.now().timestamp()), "the founder's, of no known age, is never told"
    th.clock.forward(seconds=OUTBOX_EPOCH.total_seconds() - 1)
    await th.desks.epochs.tend()
    assert len(th.desks.keys.ring().outbox()) == 1
    th.clock.forward(seconds=1)
    await th.desks.epochs.tend()
    assert th.desks.keys.ring().outbox()[0].seed == first.seed
    th.clock.forward(seconds=(OUTBOX_KEEP - OUTBOX_EPOCH).total_seconds())
    await th.desks.epochs.tend()
    assert first.seed not in {key.seed for key in th.desks.keys.ring().outbox()}
