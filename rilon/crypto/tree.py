"""Trees of fixed depth that show one leaf and nothing about the others: not what, not where, not how many.

All randomness of a tree is one secret 32-byte seed. From it come the scattered positions, the salts of the leaves and
the hashes of the positions that stay empty. To a recipient an empty sibling looks like any other; whoever is shown
the seed (the approver, the auditor) can rebuild the root and so be certain that there is no further leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rilon.crypto import labels
from rilon.errors import ProofError

HASH_BYTES: Final = 32
SALT_BYTES: Final = 16
SEED_BYTES: Final = 32

# First part of every hash. A leaf can therefore never pass for a node (second preimage), nor a blank for either.
_LEAF, _NODE, _BLANK, _PLACE, _SALT = (bytes([n]) for n in range(5))


@dataclass(frozen=True, slots=True)
class Shape:
    """Which tree: its domain-separation label and its depth. Trees of another shape share no hash."""

    label: bytes
    depth: int

    @property
    def size(self) -> int:
        """How many positions there are."""
        return 1 << self.depth


@dataclass(frozen=True, slots=True)
class Tree:
    """A built tree.

    Attributes:
        root: 32 bytes, public.
        paths: per taken position, the sibling hashes from the leaf up, joined: 32 bytes for each level.
    """

    root: bytes
    paths: Mapping[int, bytes] = field(repr=False)


def scatter(shape: Shape, count: int, seed: bytes) -> tuple[int, ...]:
    """Distinct positions for ``count`` leaves, in an order that says nothing about theirs."""
    ranked = sorted(range(shape.size), key=lambda position: _drawn(shape, _PLACE, seed, position))
    return tuple(ranked[:count])


def salt(shape: Shape, seed: bytes, position: int) -> bytes:
    """The 16-byte salt of the leaf at a position: without it, a sibling hash would confirm a guess of its leaf."""
    return _drawn(shape, _SALT, seed, position)[:SALT_BYTES]


def build(shape: Shape, leaves: Mapping[int, bytes], seed: bytes) -> Tree:
    """Hash the leaves (by position) and blanks up to the root.

    Every leaf must hold something unguessable, as its :func:`salt`.
    """
    level = [
        labels.digest(shape.label, _LEAF, leaves[n]) if n in leaves else _drawn(shape, _BLANK, seed, n)
        for n in range(shape.size)
    ]
    paths: dict[int, list[bytes]] = {position: [] for position in leaves}
    for height in range(shape.depth):
        for position, path in paths.items():
            path.append(level[(position >> height) ^ 1])
        level = [_node(shape, level[n], level[n + 1]) for n in range(0, len(level), 2)]
    return Tree(level[0], {position: b"".join(path) for position, path in paths.items()})


def verify(shape: Shape, leaf: bytes, position: int, path: bytes, root: bytes) -> None:
    """Check that a leaf stands at a position under a root.

    Raises:
        ProofError: ``tree.path``.
    """
    if len(path) != HASH_BYTES * shape.depth or not 0 <= position < shape.size:
        raise _mismatch()
    found = labels.digest(shape.label, _LEAF, leaf)
    for height in range(shape.depth):
        sibling = path[HASH_BYTES * height : HASH_BYTES * (height + 1)]
        pair = (sibling, found) if position >> height & 1 else (found, sibling)
        found = _node(shape, *pair)
    if found != root:
        raise _mismatch()


def verify_whole(shape: Shape, leaves: Mapping[int, bytes], seed: bytes, root: bytes) -> None:
    """Check that these leaves, and no others, stand under a root.

    Raises:
        ProofError: ``tree.whole``.
    """
    if not all(0 <= position < shape.size for position in leaves) or build(shape, leaves, seed).root != root:
        raise ProofError("tree.whole", "These are not exactly the leaves of that tree.")


def _node(shape: Shape, left: bytes, right: bytes) -> bytes:
    return labels.digest(shape.label, _NODE, left, right)


def _drawn(shape: Shape, use: bytes, seed: bytes, position: int) -> bytes:
    return labels.digest(shape.label, use, seed, bytes([position]))


def _mismatch() -> ProofError:
    return ProofError("tree.path", "A path does not lead from its leaf to the signed root.")
