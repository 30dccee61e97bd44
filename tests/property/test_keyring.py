"""Whatever is sealed, erased and turned, in any order: what lives opens, what was erased opens from no old copy."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from rilon.app.ports import Wrap
from rilon.app.vault import Vault
from rilon.crypto.keyring import WRAPPED_BYTES, Keyring
from rilon.crypto.section import local_context, seal
from rilon.domain.values import Sealed
from rilon.errors import NotFoundError, ProofError
from tests.fakes.entropy import SeededEntropy
from tests.fakes.keys import CHEAP, cheap_keyring
from tests.fakes.memory_blobs import MemoryBlobs

RING = cheap_keyring()
SLOTS = st.binary(min_size=32, max_size=32)
KEYS = st.binary(min_size=32, max_size=32)


@given(SLOTS, KEYS)
def test_unwrap_undoes_wrap(slot: bytes, key: bytes) -> None:
    assert RING.unwrap(slot, *RING.wrap(slot, key)) == key


@given(SLOTS, KEYS, st.integers(0, WRAPPED_BYTES * 8 - 1))
def test_no_flipped_bit_opens(slot: bytes, key: bytes, bit: int) -> None:
    kek, wrapped = RING.wrap(slot, key)
    flipped = (int.from_bytes(wrapped, "big") ^ 1 << bit).to_bytes(WRAPPED_BYTES, "big")
    assert refuses(slot, kek, flipped)


@given(SLOTS, SLOTS, KEYS)
def test_no_other_slot_opens(slot: bytes, other: bytes, key: bytes) -> None:
    assert refuses(other, *RING.wrap(slot, key)) or slot == other


@given(SLOTS, st.binary(min_size=16, max_size=16), st.binary(max_size=80))
def test_no_invented_wrap_opens(slot: bytes, kek: bytes, wrapped: bytes) -> None:
    assert refuses(slot, kek, wrapped)
    assert refuses(slot, RING.wrap(slot, bytes(32))[0], wrapped)


def refuses(slot: bytes, kek: bytes, wrapped: bytes) -> bool:
    try:
        RING.unwrap(slot, kek, wrapped)
    except (NotFoundError, ProofError):
        return True
    return False


@given(st.lists(st.tuples(st.sampled_from(["rotate", "destroy", "kem", "reopen"]), st.integers(0, 255)), max_size=30))
@settings(max_examples=30, deadline=None)
def test_a_keyring_is_what_its_file_says(steps: list[tuple[str, int]]) -> None:
    ring, known = cheap_keyring(""), {}
    for step, bucket in steps:
        slot = bytes([bucket]) * 32
        known[slot] = (bytes([bucket]) * 32, *ring.wrap(slot, bytes([bucket]) * 32))
        if step == "rotate":
            ring.rotate(bucket)
        elif step == "kem":
            ring.new_kem()
        elif step == "reopen":
            ring = Keyring.unlock(ring.sealed(), "", floor=CHEAP)
        else:
            for _, kek in ring.turning():
                ring.destroy(kek)
    again = Keyring.unlock(ring.sealed(), "", floor=CHEAP)
    assert list(again.keks()) == list(ring.keks())
    assert [k.kid for k in again.kems()] == [k.kid for k in ring.kems()]
    for slot, (key, kek, wrapped) in known.items():
        if ring.knows(kek):
            assert again.unwrap(slot, kek, wrapped) == key
        else:
            assert not again.knows(kek)


class Story(RuleBasedStateMachine):
    """A desk and an attacker who keeps a copy of every wrap that was ever stored."""

    texts: Bundle[Sealed] = Bundle("texts")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.blobs = MemoryBlobs()
        self.vault = Vault(self.blobs, self.blobs.keyring, SeededEntropy())
        self.live: dict[Sealed, bytes] = {}
        self.gone: set[bytes] = set()
        self.copies: set[Wrap] = set()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(target=texts, bucket=st.integers(0, 3), text=st.binary(max_size=20))
    def write(self, bucket: int, text: bytes) -> Sealed:
        made = seal(text, local_context("x", b""))
        slot = bytes([bucket]) + SeededEntropy(len(self.copies)).bytes(31)
        ((sealed, wrap),) = self.run(self.vault.adopt({slot: made})).values()
        self.blobs.keywraps[slot] = wrap
        self.live[sealed] = text
        return sealed

    @rule(erased=st.lists(consumes(texts), max_size=3))
    def erase(self, erased: list[Sealed]) -> None:
        self.run(self.vault.erase([sealed.slot for sealed in erased]))
        for sealed in erased:
            del self.live[sealed]
            self.gone.add(sealed.slot)

    @invariant()
    def what_lives_opens(self) -> None:
        wanted = [(sealed, local_context("x", b"")) for sealed in self.live]
        assert self.run(self.vault.open_many(wanted)) == list(self.live.values())
        self.copies |= set(self.blobs.keywraps.values())

    @invariant()
    def what_was_erased_opens_from_no_copy(self) -> None:
        ring = self.blobs.keyring.ring()
        assert not any(ring.knows(copy.kek) for copy in self.copies if copy.slot in self.gone)

    def teardown(self) -> None:
        self.loop.close()


Story.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestStory = Story.TestCase
