"""The tree against a word-for-word reading of RFC 9162, 2.1; the verifiers against every proof bent in every way."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rilon.crypto import merkle
from rilon.errors import ProofError

LEAVES = [merkle.leaf(bytes([n])) for n in range(70)]


def mth(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = max(1 << n for n in range(10) if 1 << n < len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = max(1 << n for n in range(10) if 1 << n < len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = max(1 << n for n in range(10) if 1 << n < len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def test_known_hashes() -> None:
    """Roots of the eight test leaves that Certificate Transparency implementations share."""
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    tree = merkle.Tree(merkle.leaf(bytes.fromhex(text)) for text in data)
    assert {size: tree.root(size).hex() for size in roots} == roots


@given(st.lists(st.integers(0, 40), max_size=4))
def test_growing_in_pieces_is_the_tree_at_once(pieces: list[int]) -> None:
    leaves: list[bytes] = []
    size, peaks = 0, tuple[bytes, ...]()
    for piece in pieces:
        new = [merkle.leaf(bytes([piece, n])) for n in range(piece)]
        leaves += new
        size, peaks = merkle.grow(size, peaks, new)
    assert size == len(leaves) == len(merkle.Tree(leaves))
    assert len(peaks) == size.bit_count()
    assert merkle.root(peaks) == mth(leaves) == merkle.Tree(leaves).root()


@pytest.mark.parametrize("peaks", [(), (merkle.EMPTY,) * 3])
def test_peaks_that_do_not_fit_the_size_are_refused(peaks: merkle.Peaks) -> None:
    with pytest.raises(ValueError, match="peaks"):
        merkle.grow(3, peaks, ())


@pytest.mark.parametrize("size", [*range(1, 35), 63, 64, 65, 70])
def test_proofs_are_those_of_the_rfc_and_hold(size: int) -> None:
    tree, leaves = merkle.Tree(LEAVES), LEAVES[:size]
    for index in range(size):
        proof = tree.inclusion(index, size)
        assert proof == path(index, leaves)
        merkle.verify_inclusion(leaves[index], index, size, mth(leaves), proof)
    for old in range(1, size + 1):
        steps = tree.consistency(old, size)
        assert steps == subproof(old, leaves, known=True)
        merkle.verify_consistency(old, size, mth(leaves[:old]), mth(leaves), steps)
    merkle.verify_consistency(0, size, merkle.EMPTY, mth(leaves), [])


def bent(proof: list[bytes]) -> list[list[bytes]]:
    flipped = [[*proof[:n], bytes([h[0] ^ 1]) + h[1:], *proof[n + 1 :]] for n, h in enumerate(proof)]
    cut = [[*proof[:n], h[:-1], *proof[n + 1 :]] for n, h in enumerate(proof)]
    return [*flipped, *cut, [*proof, merkle.EMPTY], [merkle.EMPTY, *proof], *([proof[:-1], proof[1:]] if proof else [])]


@pytest.mark.parametrize("size", [*range(1, 20), 33])
def test_no_other_inclusion_holds(size: int) -> None:
    tree, root = merkle.Tree(LEAVES), mth(LEAVES[:size])
    for index in range(size):
        proof = tree.inclusion(index, size)
        lies = [(LEAVES[index], at, size, root, proof) for at in range(-1, size + 2) if at != index]
        lies += [(LEAVES[index], index, size, root, bad) for bad in bent(proof)]
        lies += [(LEAVES[index + 1], index, size, root, proof), (LEAVES[index], index, size, merkle.EMPTY, proof)]
        for lie in lies:
            with pytest.raises(ProofError, match=r"merkle\.inclusion"):
                merkle.verify_inclusion(*lie)


@pytest.mark.parametrize("size", [*range(1, 20), 33])
def test_no_other_history_is_consistent(size: int) -> None:
    tree, root = merkle.Tree(LEAVES), mth(LEAVES[:size])
    for old in range(1, size + 1):
        proof, before = tree.consistency(old, size), mth(LEAVES[:old])
        lies = [(old, size, before, root, bad) for bad in bent(proof)]
        lies += [(old, size, mth(LEAVES[1 : old + 1]), root, proof), (old, size, before, merkle.EMPTY, proof)]
        lies += [(size + 1, size, before, root, proof), (0, size, before, root, proof), (-1, size, before, root, proof)]
        for lie in lies:
            with pytest.raises(ProofError, match=r"merkle\.consistency"):
                merkle.verify_consistency(*lie)


def test_a_leaf_binds_every_part_of_the_event() -> None:
    stream = UUID(int=7)
    parts = [(stream, 1, "ab", b"c"), (stream, 1, "a", b"bc"), (stream, 1, "abc", b""), (stream, 2, "ab", b"c")]
    assert len({merkle.event_leaf(*event) for event in parts}) == len(parts)
    framed = bytes(15) + b"\x07" + bytes(7) + b"\x01" + b"\x00\x02ab" + b"c"
    assert merkle.event_leaf(*parts[0]) == sha256(b"\x00" + framed).digest()
