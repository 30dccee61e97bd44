"""The code against fixed bytes: what was once readable stays so, what was once refused stays refused, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rilon.errors import RilonError
from tests.vectors.operations import OPERATIONS

FILES = (
    "approval",
    "circle",
    "directory",
    "encoding",
    "manifest",
    "onward",
    "passkey",
    "recall",
    "release",
    "section",
    "statement",
)
VECTORS = {
    f"{name}: {vector['name']} {at}": vector
    for name in FILES
    for at, vector in enumerate(json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_vector(vector: dict[str, Any]) -> None:
    operation = OPERATIONS[vector["op"]]
    if "out" in vector:
        assert operation(**vector["in"]) == vector["out"]
        return
    with pytest.raises(RilonError) as refused:
        operation(**vector["in"])
    assert refused.value.code == vector["code"]


def test_every_operation_has_good_and_must_fail_vectors() -> None:
    good = {vector["op"] for vector in VECTORS.values() if "out" in vector}
    refused = {vector["op"] for vector in VECTORS.values() if "code" in vector}
    assert good == set(OPERATIONS)
    assert refused == set(OPERATIONS)
