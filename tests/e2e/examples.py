"""Which operations of the API the scripts call. A script says so itself, in lines ``# calls: …``, and is held to it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden" / "openapi.json"


def declared(script: str) -> frozenset[str]:
    """The operations that a script says it calls."""
    return frozenset(re.findall(r"\w+", " ".join(re.findall(r"^# calls: (.*)$", script, re.MULTILINE))))


@cache
def operations() -> dict[str, tuple[str, str]]:
    """Every operation: its method and its path."""
    paths = json.loads(GOLDEN.read_text("utf-8"))["paths"]
    return {o["operationId"]: (method.upper(), path) for path, found in paths.items() for method, o in found.items()}


def operation(method: str, path: str) -> str:
    """The operation that a request asks for, the most literal of several; "" for none."""
    found = [name for name, (m, p) in operations().items() if m == method and _pattern(p).fullmatch(path)]
    return min(found, key=lambda name: operations()[name][1].count("{"), default="")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
