"""What every ``Blobs`` promises. A suite inherits and gives a ``store``; the log is asked only to keep wraps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from rilon.app.ports import Blobs, Keys, Parcel, Wrap
from rilon.errors import ConflictError, NotFoundError

KEY = bytes(range(32))


def slot(bucket: int, n: int = 0) -> bytes:
    return bytes([bucket]) + n.to_bytes(31, "big")


@dataclass
class Store:
    """An implementation with what a writer needs beside it.

    ``append`` stands for the log: it stores wraps, or raises ``log.key-turned`` and stores none of them.
    """

    blobs: Blobs
    keys: Keys
    append: Callable[[Sequence[Wrap]], Awaitable[None]]

    def wrapped(self, *slots: bytes) -> list[Wrap]:
        return [Wrap(s, *self.keys.ring().wrap(s, KEY)) for s in slots]

    async def keep(self, *slots: bytes) -> list[Wrap]:
        """Ciphertexts first, then an append with their keys."""
        await self.blobs.put({s: b"ciphertext of " + s for s in slots})
        wraps = self.wrapped(*slots)
        await self.append(wraps)
        return wraps

    def opens(self, wrap: Wrap) -> bool:
        try:
            return self.keys.ring().unwrap(wrap.slot, wrap.kek, wrap.wrapped) == KEY
        except NotFoundError:
            return False


class BlobsContract:
    async def test_what_was_put_is_there(self, store: Store) -> None:
        blobs = {slot(1): b"one", slot(2): b"", slot(3): bytes(100_000)}
        await store.blobs.put(blobs)
        assert await store.blobs.get([*blobs, slot(4)]) == blobs

    async def test_nothing_is_asked_and_nothing_answered(self, store: Store) -> None:
        await store.blobs.put({})
        await store.blobs.erase([])
        assert await store.blobs.get([]) == {}
        assert await store.blobs.wraps([]) == {}

    async def test_putting_again_is_no_conflict(self, store: Store) -> None:
        await store.blobs.put({slot(1): b"one"})
        await store.blobs.put({slot(1): b"one", slot(2): b"two"})
        assert await store.blobs.get([slot(1), slot(2)]) == {slot(1): b"one", slot(2): b"two"}

    async def test_a_slot_keeps_what_it_holds(self, store: Store) -> None:
        await store.blobs.put({slot(1): b"one"})
        with pytest.raises(ConflictError) as conflict:
            await store.blobs.put({slot(1): b"another"})
        assert conflict.value.code == "blobs.slot-taken"
        assert await store.blobs.get([slot(1)]) == {slot(1): b"one"}

    async def test_wraps_come_back_as_they_were_appended(self, store: Store) -> None:
        wraps = await store.keep(slot(1), slot(2))
        assert await store.blobs.wraps([slot(1), slot(2), slot(3)]) == {w.slot: w for w in wraps}

    async def test_erasing_takes_key_and_ciphertext(self, store: Store) -> None:
        wraps = await store.keep(slot(1), slot(2))
        await store.blobs.erase([slot(1)])
        assert set(await store.blobs.wraps([slot(1), slot(2)])) == {slot(2)}
        assert set(await store.blobs.get([slot(1), slot(2)])) == {slot(2)}
        assert not store.opens(wraps[0])
        assert store.opens(wraps[1])

    async def test_the_rest_of_a_turned_bucket_still_opens(self, store: Store) -> None:
        slots = [slot(1, n) for n in range(20)]
        before = {w.slot: w for w in await store.keep(*slots)}
        await store.blobs.erase(slots[:3])
        after = await store.blobs.wraps(slots)
        assert set(after) == set(slots[3:])
        assert all(store.opens(w) for w in after.values())
        assert {w.kek for w in after.values()}.isdisjoint({w.kek for w in before.values()})
        assert not any(store.opens(w) for w in before.values())

    async def test_other_buckets_are_left_alone(self, store: Store) -> None:
        wraps = await store.keep(slot(1), slot(2))
        before = dict(store.keys.ring().keks())
        await store.blobs.erase([slot(1)])
        after = dict(store.keys.ring().keks())
        assert {b for b in before if before[b] != after[b]} == {1}
        assert await store.blobs.wraps([slot(2)]) == {slot(2): wraps[1]}

    async def test_one_call_turns_a_bucket_once(self, store: Store) -> None:
        slots = [slot(b, n) for b in (1, 2, 3) for n in range(5)]
        await store.keep(*slots)
        before = {kek for _, kek in store.keys.ring().keks()}
        await store.blobs.erase(slots)
        after = {kek for _, kek in store.keys.ring().keks()}
        assert len(before - after) == len(after - before) == 3
        assert await store.blobs.wraps(slots) == {}

    async def test_erasing_again_changes_nothing(self, store: Store) -> None:
        await store.keep(slot(1))
        await store.blobs.erase([slot(1), slot(1)])
        before = list(store.keys.ring().keks())
        await store.blobs.erase([slot(1), slot(9)])
        assert list(store.keys.ring().keks()) == before

    async def test_a_ciphertext_whose_append_is_under_way_is_left(self, store: Store) -> None:
        await store.blobs.put({slot(1): b"one"})
        await store.blobs.erase([slot(1)])
        assert await store.blobs.get([slot(1)]) == {slot(1): b"one"}

    async def test_a_late_writer_fails_and_stores_nothing(self, store: Store) -> None:
        await store.keep(slot(1))
        late = store.wrapped(slot(1, 1), slot(2))
        await store.blobs.erase([slot(1)])
        with pytest.raises(ConflictError) as conflict:
            await store.append(late)
        assert conflict.value.code == "log.key-turned"
        assert await store.blobs.wraps([w.slot for w in late]) == {}
        await store.append(store.wrapped(slot(1, 1), slot(2)))
        assert all(map(store.opens, (await store.blobs.wraps([slot(1, 1), slot(2)])).values()))

    async def test_an_erased_slot_can_be_used_again(self, store: Store) -> None:
        await store.keep(slot(1))
        await store.blobs.erase([slot(1)])
        (wrap,) = await store.keep(slot(1))
        assert await store.blobs.wraps([slot(1)]) == {slot(1): wrap}
        assert store.opens(wrap)

    async def test_erasures_at_once_all_happen(self, store: Store) -> None:
        slots = [slot(b, n) for b in range(4) for n in range(6)]
        wraps = await store.keep(*slots)
        await asyncio.gather(*(store.blobs.erase(slots[at::5]) for at in range(4)))
        left = await store.blobs.wraps(slots)
        assert set(left) == set(slots[4::5])
        assert all(map(store.opens, left.values()))
        assert [store.opens(w) for w in wraps if w.slot not in left] == [False] * (len(slots) - len(left))
        assert store.keys.ring().turning() == []

    async def test_a_part_says_how_large_the_whole_is(self, store: Store) -> None:
        await store.blobs.put({slot(1): b"0123456789"})
        assert await store.blobs.part(slot(1), 3, 4) == (10, b"3456")
        assert await store.blobs.part(slot(1), 8, 4) == (10, b"89")
        assert await store.blobs.part(slot(1), 10, 4) == (10, b"")
        assert await store.blobs.part(slot(2), 0, 4) is None

    async def test_only_so_large_ones_are_given(self, store: Store) -> None:
        await store.blobs.put({slot(1): b"small", slot(2): bytes(100)})
        assert await store.blobs.get([slot(1), slot(2)], 5) == {slot(1): b"small"}

    async def test_what_is_awaited_comes_urgent_first_and_only_under_a_live_key(self, store: Store) -> None:
        some = [parcel(1, rank=3), parcel(2, rank=0), parcel(3, rank=1), parcel(4, peer="my"), parcel(5)]
        await store.blobs.expect(some)
        await store.blobs.expect(some)
        await store.append(store.wrapped(*(p.slot for p in some[:4])))
        assert await store.blobs.awaited("th") == [some[1], some[2], some[0]]
        assert await store.blobs.awaited("th", (some[1].digest,)) == [some[2], some[0]]
        assert await store.blobs.awaited("my") == [some[3]]
        await store.blobs.erase([slot(2)])
        assert await store.blobs.awaited("th") == [some[2], some[0]]
        assert not await store.blobs.add(slot(2), 0, 5, b"piece")

    async def test_pieces_are_taken_in_order_and_once(self, store: Store) -> None:
        await store.blobs.expect([parcel(1)])
        await store.append(store.wrapped(slot(1)))
        assert not await store.blobs.add(slot(9), 0, 10, b"01234")
        assert not await store.blobs.add(slot(1), 5, 10, b"56789")
        assert await store.blobs.add(slot(1), 0, 10, b"01234")
        assert not await store.blobs.add(slot(1), 0, 10, b"01234")
        assert not await store.blobs.add(slot(1), 5, 11, b"56789")
        (half,) = await store.blobs.awaited("th")
        assert (half.have, half.total) == (5, 10)
        assert await store.blobs.add(slot(1), 5, 10, b"56789")
        assert await store.blobs.pieces(slot(1)) == b"0123456789"

    async def test_what_is_settled_is_awaited_no_more_or_from_its_beginning(self, store: Store) -> None:
        await store.blobs.expect([parcel(1), parcel(2)])
        await store.append(store.wrapped(slot(1), slot(2)))
        for at in (slot(1), slot(2)):
            assert await store.blobs.add(at, 0, 10, b"01234")
        await store.blobs.settle(slot(1))
        await store.blobs.settle(slot(2), anew=True)
        assert await store.blobs.awaited("th") == [parcel(2)]
        assert await store.blobs.pieces(slot(1)) == await store.blobs.pieces(slot(2)) == b""


def parcel(n: int, *, peer: str = "th", rank: int = 3) -> Parcel:
    return Parcel(slot(n), peer, rank, bytes(16), bytes(32), n, bytes([n]) * 32)
