"""The log against fixed bytes: what was once readable stays so, what was once refused stays refused, by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vectors.holding import hold, vectors
from tests.vectors.log_operations import OPERATIONS

VECTORS = vectors("log")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['op']}: {v['name']}")
def test_vector(vector: dict[str, Any]) -> None:
    hold(OPERATIONS, vector)


def test_every_operation_has_vectors_and_every_reader_must_fail_ones() -> None:
    assert {vector["op"] for vector in VECTORS if "out" in vector} == set(OPERATIONS)
    assert {vector["op"] for vector in VECTORS if "code" in vector} == set(OPERATIONS) - {"leaf", "grow"}
