"""The keyring against fixed bytes: what was once readable stays so, what was once refused stays refused, by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vectors.holding import hold, vectors
from tests.vectors.keyring_operations import OPERATIONS

VECTORS = vectors("keyring")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['op']}: {v['name']}")
def test_vector(vector: dict[str, Any]) -> None:
    hold(OPERATIONS, vector)
