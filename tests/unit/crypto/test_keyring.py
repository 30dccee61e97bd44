"""The keyring: what it wraps opens only as it was wrapped, and what it destroyed never opens again."""

from __future__ import annotations

import pytest

from rilon.crypto import strict
from rilon.crypto.keyring import BUCKETS, MOST, WRAPPED_BYTES, Keyring
from rilon.crypto.strongbox import LIMIT_BYTES, Strongbox
from rilon.errors import FatalError, MalformedError, NotFoundError, ProofError, RefusedError
from tests.fakes.keys import CHEAP, cheap_keyring

KEY = bytes(range(32))
SLOT = b"\x05" + bytes(31)


@pytest.fixture
def ring() -> Keyring:
    return cheap_keyring()


def unlocked(ring: Keyring) -> Keyring:
    return Keyring.unlock(ring.sealed(), "a passphrase of tests", floor=CHEAP)


def test_a_wrap_opens_before_and_after_the_file_was_written(ring: Keyring) -> None:
    kek, wrapped = ring.wrap(SLOT, KEY)
    assert len(wrapped) == WRAPPED_BYTES
    assert KEY not in wrapped
    assert ring.unwrap(SLOT, kek, wrapped) == unlocked(ring).unwrap(SLOT, kek, wrapped) == KEY


def test_two_wraps_of_one_key_differ(ring: Keyring) -> None:
    assert ring.wrap(SLOT, KEY)[1] != ring.wrap(SLOT, KEY)[1]


def test_all_keys_come_back_from_the_file(ring: Keyring) -> None:
    ring.new_kem()
    ring.rotate(9)
    again = unlocked(ring)
    assert again.signing.seed == ring.signing.seed
    assert again.link.seed == ring.link.seed
    assert [k.seed for k in again.kems()] == [k.seed for k in ring.kems()]
    assert list(again.keks()) == list(ring.keks())
    assert again.hmac(b"label", b"part") == ring.hmac(b"label", b"part")


def test_two_nodes_share_no_key() -> None:
    one, two = cheap_keyring(), cheap_keyring()
    assert not {kek for _, kek in one.keks()} & {kek for _, kek in two.keks()}
    assert one.signing.kid != two.signing.kid
    assert one.hmac(b"label") != two.hmac(b"label")


def test_there_is_one_kek_a_bucket_and_the_slot_chooses_it(ring: Keyring) -> None:
    by_bucket = dict(ring.keks())
    assert len(by_bucket) == BUCKETS
    assert all(ring.wrap(bytes([b]) + bytes(31), KEY)[0] == by_bucket[b] for b in range(BUCKETS))


@pytest.mark.parametrize("at", range(WRAPPED_BYTES))
def test_a_changed_wrap_is_refused(ring: Keyring, at: int) -> None:
    kek, wrapped = ring.wrap(SLOT, KEY)
    for bit in range(8):
        flipped = bytearray(wrapped)
        flipped[at] ^= 1 << bit
        with pytest.raises(ProofError, match=r"keyring\.wrap"):
            ring.unwrap(SLOT, kek, bytes(flipped))


@pytest.mark.parametrize("wrapped", [b"", b"\0" * 11, b"\0" * 12, b"\0" * 27, b"\0" * 61])
def test_a_wrap_of_the_wrong_length_is_refused(ring: Keyring, wrapped: bytes) -> None:
    with pytest.raises(ProofError, match=r"keyring\.wrap"):
        ring.unwrap(SLOT, ring.wrap(SLOT, KEY)[0], wrapped)


def test_a_wrap_does_not_open_at_another_slot(ring: Keyring) -> None:
    kek, wrapped = ring.wrap(SLOT, KEY)
    with pytest.raises(ProofError, match=r"keyring\.wrap"):
        ring.unwrap(SLOT[:-1] + b"\x01", kek, wrapped)


def test_a_wrap_does_not_open_under_another_kek(ring: Keyring) -> None:
    kek, wrapped = ring.wrap(SLOT, KEY)
    _, newer = ring.rotate(SLOT[0])
    with pytest.raises(ProofError, match=r"keyring\.wrap"):
        ring.unwrap(SLOT, newer, wrapped)
    assert ring.unwrap(SLOT, kek, wrapped) == KEY


def test_a_turned_bucket_wraps_anew_and_opens_the_old_until_it_is_destroyed(ring: Keyring) -> None:
    kek, wrapped = ring.wrap(SLOT, KEY)
    old, new = ring.rotate(SLOT[0])
    assert old == kek
    assert ring.wrap(SLOT, KEY)[0] == new
    assert ring.turning() == [(SLOT[0], old)]
    assert ring.knows(old)
    ring.destroy(old)
    assert ring.turning() == []
    assert not ring.knows(old)
    for copy in (ring, unlocked(ring)):
        with pytest.raises(NotFoundError, match=r"keyring\.kek-gone"):
            copy.unwrap(SLOT, kek, wrapped)


def test_turning_one_bucket_leaves_the_others_alone(ring: Keyring) -> None:
    before = dict(ring.keks())
    ring.destroy(ring.rotate(5)[0])
    after = dict(ring.keks())
    assert {b for b in range(BUCKETS) if before[b] != after[b]} == {5}


def test_a_destroyed_kek_is_overwritten_in_memory(ring: Keyring) -> None:
    secret = ring._buckets[5][0][1]
    ring.destroy(ring.rotate(5)[0])
    assert secret == bytes(32)


def test_the_current_kek_is_never_destroyed(ring: Keyring) -> None:
    kek, wrapped = ring.wrap(SLOT, KEY)
    with pytest.raises(FatalError, match=r"keyring\.current"):
        ring.destroy(kek)
    assert ring.unwrap(SLOT, kek, wrapped) == KEY


def test_destroying_an_unknown_kek_changes_nothing(ring: Keyring) -> None:
    before = list(ring.keks())
    ring.destroy(bytes(16))
    assert list(ring.keks()) == before


def test_kem_keys_come_by_epoch_and_go(ring: Keyring) -> None:
    first, second = ring.kem(), ring.new_kem()
    assert ring.kem() is second
    assert ring.kem(first.kid) is first
    ring.destroy_kem(first.kid)
    assert ring.kems() == (second,)
    with pytest.raises(NotFoundError, match=r"keyring\.kem-gone"):
        unlocked(ring).kem(first.kid)
    with pytest.raises(FatalError, match=r"keyring\.current"):
        ring.destroy_kem(second.kid)


def test_a_file_never_becomes_too_full_to_be_read(ring: Keyring) -> None:
    for _ in range(MOST - 1):
        ring.rotate(5)
        ring.new_kem()
    for add in (lambda: ring.rotate(5), ring.new_kem):
        with pytest.raises(RefusedError, match=r"keyring\.full"):
            add()
    assert len(unlocked(ring).turning()) == MOST - 1


def test_names_are_told_apart_by_label_and_by_framing(ring: Keyring) -> None:
    names = {ring.hmac(b"a", b"bc"), ring.hmac(b"ab", b"c"), ring.hmac(b"a", b"b", b"c"), ring.hmac(b"a", b"bc", b"")}
    assert len(names) == 4
    assert ring.hmac(b"a", b"bc") in names


def test_another_process_reads_what_was_written_without_the_passphrase(ring: Keyring) -> None:
    other = unlocked(ring)
    ring.destroy(ring.rotate(5)[0])
    fresh = other.reopened(ring.sealed())
    assert list(fresh.keks()) == list(ring.keks())
    with pytest.raises(RefusedError, match=r"keyring\.passphrase"):
        other.reopened(cheap_keyring().sealed())


def content_of(ring: Keyring) -> dict[str, object]:
    return strict.loads(
        Strongbox.unlock("keyring.1", ring.sealed(), "a passphrase of tests", floor=CHEAP)[1], limit=LIMIT_BYTES
    )


def relocked(content: dict[str, object]) -> bytes:
    return Strongbox.create("keyring.1", "x", cost=CHEAP).seal(strict.dumps(content))


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("cbor.shape", {"signing": bytes(63)}),
        ("cbor.shape", {"kems": []}),
        ("cbor.shape", {"keks": [bytes(48)] * 255}),
        ("cbor.shape", {"keks": [bytes(49)] * 256}),
        ("cbor.shape", {"keks": [b""] * 256}),
        ("cbor.shape", {"more": 1}),
        ("keyring.repeats", {"keks": [bytes(48)] * 256}),
    ],
)
def test_content_that_is_no_keyring_is_refused(ring: Keyring, code: str, change: dict[str, object]) -> None:
    with pytest.raises(MalformedError) as refused:
        Keyring.unlock(relocked(content_of(ring) | change), "x", floor=CHEAP)
    assert refused.value.code == code


def test_nothing_secret_shows(ring: Keyring) -> None:
    assert repr(ring) == object.__repr__(ring)
