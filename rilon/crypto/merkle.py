"""The RFC 9162 Merkle tree over the log: hashes, growth from the peaks, proofs and their verifiers.

``grow`` and ``root`` need only the *peaks*, the hashes of the complete subtrees from largest to smallest (as many as
``size`` has bits set): the log's head carries them, so appending never reads a row. Whoever proves keeps a ``Tree``;
whoever verifies needs neither. The format is docs/spec/log.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from uuid import UUID

from rilon.errors import ProofError

HASH_BYTES = 32

Peaks = tuple[bytes, ...]
"""Hashes of the complete subtrees of a tree, largest first."""

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, 2.1.1)."""


def leaf(data: bytes) -> bytes:
    """Hash of a leaf (RFC 9162, 2.1.1): the prefix keeps leaves and inner nodes apart."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def event_leaf(stream: UUID, version: int, topic: str, state: bytes) -> bytes:
    """Leaf of an event, over the bytes as stored (docs/spec/log.md, Leaf).

    Everything before ``state`` has a fixed or a stated length, so that no two different events share their bytes.

    Args:
        stream: id of the stream.
        version: the event's version in it, ``0 <= version < 2**63``.
        topic: at most 65,535 bytes of UTF-8.
        state: the stored bytes.
    """
    name = topic.encode()
    return leaf(b"".join((stream.bytes, version.to_bytes(8, "big"), len(name).to_bytes(2, "big"), name, state)))


def grow(size: int, peaks: Sequence[bytes], leaves: Iterable[bytes]) -> tuple[int, Peaks]:
    """Append leaf hashes to a tree of which only the peaks are known.

    Args:
        size: leaves so far.
        peaks: 32-byte hashes, ``size.bit_count()`` of them.
        leaves: 32-byte leaf hashes to append.

    Returns:
        The new size and peaks.

    Raises:
        ValueError: the number of peaks does not fit the size.
    """
    if len(peaks) != size.bit_count():
        raise ValueError("as many peaks as the size has bits set")
    stack = list(peaks)
    for new in leaves:
        size, top, rest = size + 1, new, size + 1
        while not rest & 1:
            top, rest = node(stack.pop(), top), rest >> 1
        stack.append(top)
    return size, tuple(stack)


def root(peaks: Sequence[bytes]) -> bytes:
    """The tree's root: the peaks folded from the smallest to the largest."""
    if not peaks:
        return EMPTY
    *larger, top = peaks
    for peak in reversed(larger):
        top = node(peak, top)
    return top


class Tree:
    """All complete subtrees of a log in memory (64 bytes a leaf), to prove from; what it says needs no trust."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels = [bytearray()]
        for new in leaves:
            self.append(new)

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    def append(self, new: bytes) -> None:
        """Append a leaf hash and complete the subtrees that it fills."""
        self._levels[0] += new
        rest, height = len(self), 0
        while not rest & 1:
            pair = bytes(self._levels[height][-2 * HASH_BYTES :])
            rest, height = rest >> 1, height + 1
            if len(self._levels) == height:
                self._levels.append(bytearray())
            self._levels[height] += node(pair[:HASH_BYTES], pair[HASH_BYTES:])

    def root(self, size: int | None = None) -> bytes:
        """Root over the first ``size`` leaves, all by default; ``size <= len(tree)``."""
        return self._hash(0, len(self) if size is None else size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[0:size]) of RFC 9162, 2.1.3.1; ``0 <= index < size <= len(tree)``."""
        low, high, path = 0, size, list[bytes]()
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._hash(middle, high))
                high = middle
            else:
                path.append(self._hash(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, old: int, size: int) -> list[bytes]:
        """PROOF(old, D[0:size]) of RFC 9162, 2.1.4.1; ``0 < old <= size <= len(tree)``."""
        low, high, path = 0, size, list[bytes]()
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self._hash(middle, high))
                high = middle
            else:
                path.append(self._hash(low, middle))
                low = middle
        known = low == 0  # the verifier has this subtree: it is the old root itself
        return [*([] if known else [self._hash(low, high)]), *reversed(path)]

    def _hash(self, low: int, high: int) -> bytes:
        width = high - low
        if not width:
            return EMPTY
        if width & (width - 1) == 0:  # a complete subtree: the recursion only ever asks for aligned ones
            height = width.bit_length() - 1
            at = (low >> height) * HASH_BYTES
            return bytes(self._levels[height][at : at + HASH_BYTES])
        middle = low + _split(width)
        return node(self._hash(low, middle), self._hash(middle, high))


def verify_inclusion(leaf_hash: bytes, index: int, size: int, root_hash: bytes, path: Sequence[bytes]) -> None:
    """Check that a leaf is in the tree at ``index`` (RFC 9162, 2.1.3.2).

    Raises:
        ProofError: ``merkle.inclusion``: it is not, or the path proves nothing.
    """
    at, last, top = index, size - 1, leaf_hash
    valid = 0 <= index < size and _whole(path)
    for sibling in path if valid else ():
        if not last:
            valid = False  # longer than the tree is high
            break
        if at & 1 or at == last:
            top = node(sibling, top)
            at, last = _climb(at, last)
        else:
            top = node(top, sibling)
        at, last = at >> 1, last >> 1
    if not valid or last or top != root_hash:
        raise ProofError("merkle.inclusion", "The proof does not show that the log holds this event.")


def verify_consistency(old: int, size: int, old_root: bytes, root_hash: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree of ``size`` leaves continues the one of ``old`` leaves (RFC 9162, 2.1.4.2).

    Every tree continues the empty one; that proof is empty.

    Raises:
        ProofError: ``merkle.consistency``: the older tree was rewritten, or the path proves nothing.
    """
    if not _continues(old, size, old_root, root_hash, path):
        raise ProofError("merkle.consistency", "The proof does not show that the log only grew.")


def _continues(old: int, size: int, old_root: bytes, root_hash: bytes, path: Sequence[bytes]) -> bool:
    if old in {0, size}:
        return 0 <= old <= size and not path and old_root == (root_hash if old else EMPTY)
    if not 0 < old < size or not _whole(path):
        return False
    seed, *rest = (old_root, *path) if old & (old - 1) == 0 else path or (b"",)
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = seed
    for sibling in rest:
        if not last:
            return False
        if at & 1 or at == last:
            before, after = node(sibling, before), node(sibling, after)
            at, last = _climb(at, last)
        else:
            after = node(after, sibling)
        at, last = at >> 1, last >> 1
    return not last and before == old_root and after == root_hash


def _whole(path: Sequence[bytes]) -> bool:
    return all(len(sibling) == HASH_BYTES for sibling in path)


def _climb(at: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the right-most node has no sibling."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _split(width: int) -> int:
    """The largest power of two smaller than ``width`` (RFC 9162, 2.1.1)."""
    return 1 << ((width - 1).bit_length() - 1)
