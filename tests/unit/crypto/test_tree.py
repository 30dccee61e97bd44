"""Blind trees: one leaf is proved, and nothing else is shown."""

from __future__ import annotations

import pytest

from rilon.crypto import labels, tree
from rilon.crypto.tree import Shape
from tests.fakes.items import flips, refusal

SHAPE = Shape(b"test tree", 4)
SEED = bytes(range(32))
LEAVES = {place: b"leaf %d" % n for n, place in enumerate(tree.scatter(SHAPE, 5, SEED))}
TREE = tree.build(SHAPE, LEAVES, SEED)
PLACE, LEAF = next(iter(LEAVES.items()))


def check(leaf: bytes = LEAF, place: int = PLACE, path: bytes = TREE.paths[PLACE], shape: Shape = SHAPE) -> None:
    tree.verify(shape, leaf, place, path, TREE.root)


@pytest.mark.parametrize("count", [0, 1, 7, 16])
@pytest.mark.parametrize("depth", [4, 7])
def test_every_leaf_is_proved(count: int, depth: int) -> None:
    shape = Shape(b"test tree", depth)
    leaves = {place: b"leaf %d" % n for n, place in enumerate(tree.scatter(shape, count, SEED))}
    grown = tree.build(shape, leaves, SEED)
    assert set(grown.paths) == set(leaves)
    for place, leaf in leaves.items():
        tree.verify(shape, leaf, place, grown.paths[place], grown.root)
    tree.verify_whole(shape, leaves, SEED, grown.root)


def test_no_other_leaf_place_path_or_root() -> None:
    check()
    others = [other for other in range(-1, 17) if other != PLACE]
    assert {refusal(check, place=place) for place in others} == {"tree.path"}
    assert {refusal(check, path=path) for path in flips(TREE.paths[PLACE])} == {"tree.path"}
    assert {refusal(check, leaf=leaf) for leaf in flips(LEAF)} == {"tree.path"}
    for path in (b"", TREE.paths[PLACE][:-1], TREE.paths[PLACE] + bytes(32), TREE.paths[PLACE][32:]):
        assert refusal(check, path=path) == "tree.path"
    for root in flips(TREE.root)[::9]:
        assert refusal(tree.verify, SHAPE, LEAF, PLACE, TREE.paths[PLACE], root) == "tree.path"


def test_trees_for_other_uses_share_nothing() -> None:
    assert refusal(check, shape=Shape(b"other", 4)) == "tree.path"
    assert tree.build(Shape(b"other", 4), LEAVES, SEED).root != TREE.root


def test_a_node_is_no_leaf() -> None:
    """Second preimage: the hashes under a node, offered as a leaf one level up."""
    shallow = Shape(SHAPE.label, 3)
    low = labels.digest(SHAPE.label, b"\0", LEAF)
    pair = (TREE.paths[PLACE][:32], low) if PLACE & 1 else (low, TREE.paths[PLACE][:32])
    for forged in (b"".join(pair), labels.framed(b"\1", *pair), b"\1" + b"".join(pair)):
        path = TREE.paths[PLACE][32:]
        assert refusal(tree.verify, shallow, forged, PLACE >> 1, path, TREE.root) == "tree.path"


def test_whoever_holds_the_seed_sees_that_there_is_no_further_leaf() -> None:
    for taken in LEAVES:
        fewer = {place: leaf for place, leaf in LEAVES.items() if place != taken}
        assert refusal(tree.verify_whole, SHAPE, fewer, SEED, TREE.root) == "tree.whole"
    free = next(place for place in range(16) if place not in LEAVES)
    for leaves in (LEAVES | {free: b""}, LEAVES | {16: b""}, LEAVES | {-1: b""}, {}):
        assert refusal(tree.verify_whole, SHAPE, leaves, SEED, TREE.root) == "tree.whole"
    assert refusal(tree.verify_whole, SHAPE, LEAVES, bytes(32), TREE.root) == "tree.whole"


def test_places_and_salts_are_drawn_from_the_seed_alone() -> None:
    shape = Shape(b"test tree", 7)
    assert sorted(tree.scatter(shape, 128, SEED)) == list(range(128))
    assert tree.scatter(shape, 3, SEED) == tree.scatter(shape, 128, SEED)[:3]
    assert tree.scatter(shape, 128, SEED) != tree.scatter(shape, 128, bytes(32))
    salts = {tree.salt(shape, seed, place) for seed in (SEED, bytes(32)) for place in range(128)}
    assert len(salts) == 256
    assert {len(salt) for salt in salts} == {16}


def test_a_salt_tells_nothing_of_what_else_the_seed_gave() -> None:
    """A recipient knows its salt. As a piece of a blank or of the order of places it would tell empty from taken."""
    place = tree.scatter(SHAPE, 1, SEED)[0]
    blank = tree.build(SHAPE, {place: b"leaf"}, SEED).paths[place][:32]
    assert not blank.startswith(tree.salt(SHAPE, SEED, place ^ 1))
    by_salt = sorted(range(16), key=lambda each: tree.salt(SHAPE, SEED, each))
    assert tuple(by_salt) != tree.scatter(SHAPE, 16, SEED)


def test_places_are_evenly_used() -> None:
    first = [tree.scatter(SHAPE, 1, n.to_bytes(32, "big"))[0] for n in range(1600)]
    assert min(first.count(place) for place in range(16)) > 50
