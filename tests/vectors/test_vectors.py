"""The code against fixed bytes: what was once readable stays so, what was once refused stays refused, by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vectors.holding import hold, vectors
from tests.vectors.operations import OPERATIONS

FILES = (
    "approval",
    "circle",
    "directory",
    "encoding",
    "manifest",
    "onward",
    "outbox",
    "passkey",
    "recall",
    "release",
    "reminder",
    "reset",
    "rules",
    "section",
    "statement",
)
VECTORS = {f"{name}: {vector['name']} {at}": vector for name in FILES for at, vector in enumerate(vectors(name))}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_vector(vector: dict[str, Any]) -> None:
    hold(OPERATIONS, vector)


def test_every_operation_has_good_and_must_fail_vectors() -> None:
    good = {vector["op"] for vector in VECTORS.values() if "out" in vector}
    refused = {vector["op"] for vector in VECTORS.values() if "code" in vector}
    assert good == set(OPERATIONS)
    assert refused == set(OPERATIONS)
