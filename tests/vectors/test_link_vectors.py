"""Frames and links against fixed bytes: what was once readable stays so, what was once refused stays refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rilon.errors import RilonError
from tests.vectors.link_operations import OPERATIONS

VECTORS = [
    vector
    for name in ("bag", "frame", "link")
    for vector in json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['op']}: {v['name']}")
def test_vector(vector: dict[str, Any]) -> None:
    operation = OPERATIONS[vector["op"]]
    if "out" in vector:
        assert operation(**vector["in"]) == vector["out"]
        return
    with pytest.raises(RilonError) as refused:
        operation(**vector["in"])
    assert refused.value.code == vector["code"]


def test_every_operation_has_vectors_and_every_reader_must_fail_ones() -> None:
    assert {vector["op"] for vector in VECTORS if "out" in vector} == set(OPERATIONS)
    assert {vector["op"] for vector in VECTORS if "code" in vector} == set(OPERATIONS) - {"chain", "play"}
