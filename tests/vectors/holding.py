"""One operation against fixed bytes: what was once readable stays so, what was once refused stays refused, by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rilon.errors import RilonError


def vectors(*names: str) -> list[dict[str, Any]]:
    """What stands in these files beside this one."""
    return [v for name in names for v in json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))]


def hold(operations: Mapping[str, Callable[..., Any]], vector: Mapping[str, Any]) -> None:
    """Expect what the vector says: this value, or the refusal of this name."""
    operation = operations[vector["op"]]
    if "out" in vector:
        assert operation(**vector["in"]) == vector["out"]
        return
    with pytest.raises(RilonError) as refused:
        operation(**vector["in"])
    assert refused.value.code == vector["code"]
