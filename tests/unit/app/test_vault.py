"""The vault: what it seals opens where it belongs, and what it erased opens nowhere."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256

import pytest

from rilon.app.ports import Wrap
from rilon.app.vault import Vault, received_slot
from rilon.crypto import section
from rilon.domain.values import Sealed
from rilon.errors import ConflictError, NotFoundError, ProofError
from tests.fakes.entropy import SeededEntropy
from tests.fakes.memory_blobs import MemoryBlobs

OWNER = "0f" * 16
CONTEXT = section.local_context("alert.reason", OWNER.encode())


class Desk:
    """What a desk does with the vault: seal, then append, which here is to keep the wrap."""

    def __init__(self, seed: int = 0) -> None:
        self.blobs = MemoryBlobs()
        self.vault = Vault(self.blobs, self.blobs.keyring, SeededEntropy(seed))

    async def say(self, text: str) -> Sealed:
        sealed, wrap = await self.vault.seal_text("alert.reason", OWNER, text)
        self.append(wrap)
        return sealed

    def append(self, *wraps: Wrap) -> None:
        self.blobs.keywraps |= {wrap.slot: wrap for wrap in wraps}

    async def read(self, sealed: Sealed) -> str:
        return await self.vault.open_text(sealed, "alert.reason", OWNER)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def foreign(plaintext: bytes = b"from abroad") -> section.SealedSection:
    return section.seal(plaintext, CONTEXT)


async def test_what_was_sealed_opens(desk: Desk) -> None:
    sealed = await desk.say("two boats, no lights")
    assert await desk.read(sealed) == "two boats, no lights"


async def test_the_ciphertext_is_stored_before_the_key_can_be(desk: Desk) -> None:
    sealed, wrap = await desk.vault.seal_text("alert.reason", OWNER, "words")
    stored = desk.blobs.ciphertexts[sealed.slot]
    assert sha256(stored).digest() == sealed.digest
    assert sealed.slot == wrap.slot
    assert desk.blobs.keywraps == {}
    with pytest.raises(NotFoundError, match=r"vault\.erased"):
        await desk.read(sealed)


async def test_nothing_at_rest_shows_the_words(desk: Desk) -> None:
    sealed = await desk.say("two boats, no lights")
    at_rest = repr((sealed, desk.blobs.ciphertexts, desk.blobs.keywraps)).encode()
    assert b"boats" not in at_rest
    wrap = desk.blobs.keywraps[sealed.slot]
    key = desk.blobs.keyring.ring().unwrap(wrap.slot, wrap.kek, wrap.wrapped)
    assert key not in wrap.wrapped
    assert key.hex() not in repr(wrap)


async def test_the_same_words_twice_look_like_different_ones(desk: Desk) -> None:
    one, two = await desk.say("words"), await desk.say("words")
    assert not {one.slot, one.digest, one.commitment} & {two.slot, two.digest, two.commitment}


async def test_a_text_opens_only_as_what_it_is_and_for_whom_it_is(desk: Desk) -> None:
    sealed = await desk.say("words")
    for purpose, owner in (("alert.comment", OWNER), ("alert.reason", "0e" * 16)):
        with pytest.raises(ProofError, match=r"section\.seal"):
            await desk.vault.open_text(sealed, purpose, owner)


async def test_sections_sealed_here_keep_their_order(desk: Desk) -> None:
    made = [foreign(bytes([n])) for n in range(20)]
    kept = await desk.vault.keep(made)
    desk.append(*(wrap for _, wrap in kept))
    assert [sealed.digest for sealed, _ in kept] == [it.digest for it in made]
    assert await desk.vault.open_many([(s, CONTEXT) for s, _ in kept]) == [bytes([n]) for n in range(20)]


async def test_a_received_section_lies_where_origin_manifest_and_place_say(desk: Desk) -> None:
    slots = [
        received_slot("th", bytes(32), 1),
        received_slot("th", bytes(32), 2),
        received_slot("my", bytes(32), 1),
        received_slot("th", b"\1" * 32, 1),
    ]
    assert len(set(slots)) == 4
    it = foreign()
    adopted = await desk.vault.adopt({slots[0]: it})
    sealed, wrap = adopted[slots[0]]
    desk.append(wrap)
    assert sealed == Sealed(slots[0], it.digest, it.commitment)
    assert await desk.vault.open(sealed, CONTEXT) == b"from abroad"
    assert await desk.vault.keys([slots[0]]) == {slots[0]: it.key}
    assert await desk.vault.ciphertexts([slots[0]]) == {slots[0]: it.ciphertext}


async def test_a_section_that_comes_twice_is_no_conflict_but_another_one_is(desk: Desk) -> None:
    slot, it = bytes(32), foreign()
    await desk.vault.adopt({slot: it})
    await desk.vault.adopt({slot: it})
    with pytest.raises(ConflictError, match=r"blobs\.slot-taken"):
        await desk.vault.adopt({slot: foreign()})
    assert await desk.vault.ciphertexts([slot]) == {slot: it.ciphertext}


async def test_a_key_may_come_before_its_ciphertext(desk: Desk) -> None:
    slot, it = bytes(32), foreign()
    desk.append(*desk.vault.wrap({slot: it.key}).values())
    sealed = Sealed(slot, it.digest, it.commitment)
    with pytest.raises(NotFoundError, match=r"vault\.erased"):
        await desk.vault.open(sealed, CONTEXT)
    await desk.blobs.put({slot: it.ciphertext})
    assert await desk.vault.open(sealed, CONTEXT) == b"from abroad"


async def test_what_was_erased_is_gone_and_its_neighbours_are_not(desk: Desk) -> None:
    texts = {n: await desk.say(str(n)) for n in range(300)}
    gone = [texts[n].slot for n in range(0, 300, 7)]
    await desk.vault.erase(gone)
    await desk.vault.erase(gone)
    assert await desk.vault.has([s.slot for s in texts.values()]) == {s.slot for s in texts.values()} - set(gone)
    for n, sealed in texts.items():
        if n % 7:
            assert await desk.read(sealed) == str(n)
        else:
            with pytest.raises(NotFoundError, match=r"vault\.erased"):
                await desk.read(sealed)


async def test_a_wrap_from_before_an_erasure_opens_nothing_after_it(desk: Desk) -> None:
    sealed = await desk.say("words")
    backup = dict(desk.blobs.keywraps), dict(desk.blobs.ciphertexts)
    await desk.vault.erase([sealed.slot])
    desk.blobs.keywraps, desk.blobs.ciphertexts = backup
    assert await desk.vault.has([sealed.slot]) == set()
    with pytest.raises(NotFoundError, match=r"vault\.erased"):
        await desk.read(sealed)


async def test_opening_while_the_key_is_being_turned_reads_the_wrap_anew(desk: Desk) -> None:
    sealed = await desk.say("words")
    read = desk.blobs.wraps
    waiting = [True]

    async def slow(slots: list[bytes]) -> dict[bytes, Wrap]:
        found = await read(slots)
        if waiting.pop():
            waiting.append(False)
            other, wrap = await desk.vault.seal_text("alert.reason", OWNER, "other")
            there = sealed.slot[:1] + other.slot[1:]  # a neighbour in the bucket is erased between our two steps
            desk.blobs.keywraps[there] = Wrap(there, *desk.blobs.keyring.ring().wrap(there, bytes(32)))
            await desk.blobs.erase([there])
            assert wrap.slot == other.slot
        return found

    desk.blobs.wraps = slow  # type: ignore[method-assign, assignment]
    assert await desk.read(sealed) == "words"


async def test_one_damaged_row_does_not_close_the_others(desk: Desk) -> None:
    texts = [await desk.say(str(n)) for n in range(6)]
    wraps, ciphertexts = desk.blobs.keywraps, desk.blobs.ciphertexts
    wraps[texts[0].slot] = replace(wraps[texts[0].slot], wrapped=bytes(60))
    wraps[texts[1].slot] = replace(wraps[texts[2].slot], slot=texts[1].slot)
    ciphertexts[texts[3].slot] = ciphertexts[texts[4].slot]
    ciphertexts[texts[4].slot] = b""
    found = await desk.vault.open_many([(sealed, CONTEXT) for sealed in texts])
    assert [f if isinstance(f, bytes) else f.code for f in found] == [
        "keyring.wrap",
        "keyring.wrap",
        b"2",
        "section.seal",
        "section.seal",
        b"5",
    ]


async def test_opening_nothing_is_nothing(desk: Desk) -> None:
    assert await desk.vault.open_many([]) == []
    assert await desk.vault.keep([]) == []


async def test_slots_are_spread_over_the_buckets() -> None:
    desk = Desk(random.Random(1).randrange(1 << 30))
    assert len({(await desk.say("x")).slot[0] for _ in range(200)}) > 100
