"""Blobs on Postgres: the contract, the sweep, and an erasure that dies at any of its steps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from rilon.app.failpoints import Failpoint, Hook
from rilon.app.ports import Wrap
from rilon.errors import ConflictError, FatalError, NotFoundError, UnavailableError
from rilon.store.blobs import PostgresBlobs
from rilon.store.keyfile import KeyFile
from tests.contract.blobs import KEY, BlobsContract, Store, slot
from tests.fakes.keys import MemoryKeys, cheap_keyring
from tests.integration.keynode import KeyNode, key_node

pytestmark = pytest.mark.real

STEPS = [
    Failpoint.KEYS_REGISTERED,
    Failpoint.KEYS_ROTATED,
    Failpoint.KEYS_CLOSED,
    Failpoint.KEYS_REWRAPPED,
    Failpoint.KEYS_DROPPED,
]


class CrashError(Exception):
    """The process ended here."""


def crash_at(step: Failpoint) -> Hook:
    async def hook(at: Failpoint) -> None:
        if at is step:
            raise CrashError

    return hook


@pytest.fixture
async def node(database: str, tmp_path: Path) -> AsyncIterator[KeyNode]:
    async with key_node(database, tmp_path / "keyring") as made:
        yield made


class TestPostgresBlobs(BlobsContract):
    @pytest.fixture
    def store(self, node: KeyNode) -> Store:
        return node.store


async def test_pages_smaller_than_a_bucket_rewrap_all_of_it(node: KeyNode) -> None:
    slots = [slot(1, n) for n in range(23)]
    store = node.with_blobs(page=4).store
    await store.keep(*slots)
    await store.blobs.erase(slots[:2])
    left = await store.blobs.wraps(slots)
    assert len(left) == 21
    assert all(map(store.opens, left.values()))


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_any_step_is_repaired_by_the_next_start(node: KeyNode, step: Failpoint) -> None:
    slots = [slot(b, n) for b in (1, 2) for n in range(5)]
    wraps = await node.store.keep(*slots)
    before = {w.slot: w for w in wraps}
    with pytest.raises(CrashError):
        await node.with_blobs(hook=crash_at(step), page=2).blobs.erase([slots[0], slots[5]])

    started = node.other_process()
    await started.blobs.recover()
    assert started.keys.ring().turning() == []
    assert await node.keks() == {kek for _, kek in started.keys.ring().keks()}
    await started.blobs.erase([slots[0], slots[5]])  # the caller, who was never answered, asks again

    left = await started.blobs.wraps(slots)
    assert set(left) == set(slots) - {slots[0], slots[5]}
    assert all(map(started.store.opens, left.values()))
    assert not any(started.store.opens(before[s]) for s in (slots[0], slots[5]))
    await started.store.keep(slots[0])


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_is_repaired_by_the_next_erasure_too(node: KeyNode, step: Failpoint) -> None:
    wraps = await node.store.keep(slot(1), slot(1, 1), slot(1, 2), slot(2))
    with pytest.raises(CrashError):
        await node.with_blobs(hook=crash_at(step)).blobs.erase([slot(1)])
    await node.blobs.erase([slot(1), slot(1, 1)])
    assert set(await node.blobs.wraps([w.slot for w in wraps])) == {slot(1, 2), slot(2)}
    assert node.keys.ring().turning() == []
    assert [node.store.opens(w) for w in wraps] == [False, False, False, True]
    assert all(map(node.store.opens, (await node.blobs.wraps([slot(1, 2), slot(2)])).values()))


@pytest.mark.parametrize("step", STEPS)
async def test_asking_again_after_a_failure_ends_only_when_it_is_done(node: KeyNode, step: Failpoint) -> None:
    (wrap,) = await node.store.keep(slot(1))
    with pytest.raises(CrashError):
        await node.with_blobs(hook=crash_at(step)).blobs.erase([slot(1)])
    await node.blobs.erase([slot(1)])
    assert not node.store.opens(wrap)
    assert node.keys.ring().turning() == []
    assert await node.blobs.wraps([slot(1)]) == {}


@pytest.mark.parametrize("step", STEPS)
async def test_everything_that_lives_opens_at_every_step(node: KeyNode, step: Failpoint) -> None:
    """A reader and a writer in other processes go on while a bucket turns."""
    slots = [slot(1, n) for n in range(6)]
    await node.store.keep(*slots)
    other = node.other_process()
    written = slot(1, 99)

    async def look(at: Failpoint) -> None:
        if at is step:
            live = await other.blobs.wraps(slots[1:])
            assert set(live) == set(slots[1:])
            assert all(map(other.store.opens, live.values()))
            await other.store.keep(written)

    await node.with_blobs(hook=look).blobs.erase(slots[:1])
    live = await other.blobs.wraps([*slots, written])
    assert set(live) == {*slots[1:], written}
    assert all(map(other.store.opens, live.values()))


async def test_a_writer_with_the_old_key_is_wrapped_anew_or_refused(node: KeyNode) -> None:
    """Whenever it comes, a wrap under the old key is either carried over or never stored."""
    await node.store.keep(slot(1))
    late = {step: node.store.wrapped(slot(1, n))[0] for n, step in enumerate(STEPS, 10)}
    refused = set[Failpoint]()

    async def write(at: Failpoint) -> None:
        if at in late:
            wrap = late.pop(at)
            try:
                await node.append([wrap])
            except ConflictError as conflict:
                if conflict.code != "log.key-turned":
                    raise
                refused.add(at)

    await node.with_blobs(hook=write).blobs.erase([slot(1)])
    assert refused == {Failpoint.KEYS_DROPPED}
    stored = await node.blobs.wraps([slot(1, n) for n in range(10, 15)])
    assert len(stored) == 4
    assert all(map(node.store.opens, stored.values()))


@pytest.mark.parametrize("step", STEPS)
async def test_a_key_that_comes_during_an_erasure_is_not_of_it(node: KeyNode, step: Failpoint) -> None:
    """Deleting it too would leave it in the write-ahead log under a key that is not turned after it."""
    await node.store.keep(slot(1))
    other = node.other_process()

    async def write(at: Failpoint) -> None:
        if at is step:
            await other.store.keep(slot(2))

    await node.with_blobs(hook=write).blobs.erase([slot(1), slot(2)])
    (live,) = (await node.blobs.wraps([slot(1), slot(2)])).values()
    assert node.store.opens(live)
    assert live.slot == slot(2)
    assert set(await node.blobs.get([slot(1), slot(2)])) == {slot(2)}


async def test_an_append_in_flight_is_waited_for(node: KeyNode) -> None:
    await node.store.keep(slot(1))
    (wrap,) = node.store.wrapped(slot(1, 1))
    async with node.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("INSERT INTO rilon.keywraps VALUES ($1, $2, $3)", wrap.slot, wrap.kek, wrap.wrapped)
        erasing = asyncio.create_task(node.blobs.erase([slot(1)]))
        await asyncio.sleep(0.2)
        assert not erasing.done()
        await transaction.commit()
        await erasing
    (stored,) = (await node.blobs.wraps([slot(1, 1)])).values()
    assert stored.kek != wrap.kek
    assert node.store.opens(stored)


async def test_erasures_and_appends_at_once_lose_nothing(node: KeyNode) -> None:
    gone, kept = set[bytes](), set[bytes]()

    async def write(process: KeyNode, bucket: int) -> None:
        for n in range(12):
            mine = slot(bucket % 3, 1000 * bucket + n)
            for _ in range(20):
                try:
                    await process.store.keep(mine)
                    break
                except ConflictError as conflict:
                    if conflict.code != "log.key-turned":
                        raise
            else:
                pytest.fail("the key kept turning")
            if n % 3 == 0:
                await process.blobs.erase([mine])
                gone.add(mine)
            else:
                kept.add(mine)

    processes = [node, node.other_process(), node.other_process()]
    await asyncio.gather(*(write(processes[n % 3], n) for n in range(6)))
    live = await node.blobs.wraps([*gone, *kept])
    assert set(live) == kept
    assert all(map(node.store.opens, live.values()))
    assert await node.keks() == {kek for _, kek in node.keys.ring().keks()}


async def test_a_row_that_was_changed_does_not_hold_up_an_erasure(node: KeyNode) -> None:
    await node.store.keep(*(slot(1, n) for n in range(5)))
    await node.pool.execute("UPDATE rilon.keywraps SET wrapped = $1 WHERE slot = $2", bytes(60), slot(1, 3))
    await node.blobs.erase([slot(1)])
    live = await node.blobs.wraps([slot(1, n) for n in range(5)])
    assert set(live) == {slot(1, n) for n in (1, 2, 4)}
    assert all(map(node.store.opens, live.values()))


async def test_a_key_that_cannot_be_saved_is_not_used(node: KeyNode) -> None:
    await node.store.keep(slot(1))
    node.path.with_name("keyring.new").symlink_to("/dev/full")
    before = node.path.read_bytes()
    with pytest.raises(UnavailableError, match=r"keyring\.unwritable"):
        await node.blobs.erase([slot(1)])
    assert node.path.read_bytes() == before
    assert all(map(node.store.opens, (await node.blobs.wraps([slot(1)])).values()))
    node.path.with_name("keyring.new").unlink()
    await node.blobs.recover()
    assert await node.keks() == {kek for _, kek in node.keys.ring().keks()}


async def test_a_keyring_of_another_node_is_refused_and_destroys_nothing(node: KeyNode) -> None:
    (wrap,) = await node.store.keep(slot(1))
    other = PostgresBlobs(node.pool, MemoryKeys(cheap_keyring()))
    with pytest.raises(FatalError, match=r"keyring\.foreign"):
        await other.recover()
    assert await node.blobs.wraps([slot(1)]) == {slot(1): wrap}
    assert await node.keks() == {kek for _, kek in node.keys.ring().keks()}


async def test_an_older_keyring_is_refused(node: KeyNode, tmp_path: Path) -> None:
    old = KeyFile.create(tmp_path / "old", node.keys.ring())
    await node.store.keep(slot(1), slot(1, 1))
    await node.blobs.erase([slot(1)])
    with pytest.raises(FatalError, match=r"keyring\.foreign"):
        await PostgresBlobs(node.pool, old).recover()


async def test_starting_twice_changes_nothing(node: KeyNode) -> None:
    await node.store.keep(slot(1))
    before = node.path.read_bytes()
    await asyncio.gather(node.blobs.recover(), node.other_process().blobs.recover())
    assert node.path.read_bytes() == before


async def test_the_sweep_takes_what_no_key_came_for_and_nothing_else(node: KeyNode) -> None:
    brief = node.with_blobs(lease=timedelta(0))
    await brief.blobs.put({slot(1): b"never appended", slot(2): b"appended", slot(3): b"put again"})
    await node.blobs.put({slot(3): b"put again", slot(4): b"under way"})
    await node.append(node.store.wrapped(slot(2)))
    await asyncio.sleep(0.01)
    assert await node.blobs.sweep() == 1
    assert set(await node.blobs.get([slot(n) for n in range(6)])) == {slot(2), slot(3), slot(4)}
    assert await node.blobs.sweep() == 0


async def test_a_shorter_lease_never_cuts_a_longer_one(node: KeyNode) -> None:
    await node.blobs.put({slot(1): b"one"})
    await node.with_blobs(lease=timedelta(0)).blobs.put({slot(1): b"one"})
    await asyncio.sleep(0.01)
    assert await node.blobs.sweep() == 0


async def test_writers_of_the_same_slots_do_not_wait_in_a_circle(node: KeyNode) -> None:
    slots = {slot(b): os.urandom(2000) for b in range(200)}
    turned = dict(reversed(slots.items()))
    await asyncio.gather(*(node.blobs.put(slots if n % 2 else turned) for n in range(20)))
    assert await node.blobs.get(list(slots)) == slots


async def test_a_database_that_is_away_is_said_to_be(node: KeyNode) -> None:
    await node.store.keep(slot(1))
    await node.pool.close()
    for attempt in (node.blobs.get([slot(1)]), node.blobs.wraps([]), node.blobs.erase([slot(1)]), node.blobs.recover()):
        with pytest.raises(UnavailableError, match=r"blobs\.unavailable"):
            await attempt


async def test_the_vault_over_the_real_thing(node: KeyNode) -> None:
    texts = []
    for n in range(30):
        sealed, wrap = await node.vault.seal_text("alert.reason", "owner", str(n))
        await node.append([wrap])
        texts.append(sealed)
    await node.vault.erase([t.slot for t in texts[::3]])
    for n, sealed in enumerate(texts):
        if n % 3:
            assert await node.other_process().vault.open_text(sealed, "alert.reason", "owner") == str(n)
        else:
            with pytest.raises(NotFoundError, match=r"vault\.erased"):
                await node.vault.open_text(sealed, "alert.reason", "owner")


async def test_a_wrap_moved_by_a_database_writer_opens_nothing(node: KeyNode) -> None:
    one, two = await node.store.keep(slot(1), slot(1, 1))
    moved = Wrap(two.slot, one.kek, one.wrapped)
    await node.pool.execute("UPDATE rilon.keywraps SET wrapped = $1 WHERE slot = $2", moved.wrapped, moved.slot)
    outcome = (await node.vault.keys([one.slot, two.slot]))[two.slot]
    assert not isinstance(outcome, bytes)
    assert outcome.code == "keyring.wrap"
    assert (await node.vault.keys([one.slot]))[one.slot] == KEY
