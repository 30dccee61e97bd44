"""Golden files: what the product promises in a table that a reader who writes no code can check.

``check`` compares; ``python -m tests.golden.update`` writes them anew, by running the tests whose names say *golden*.
"""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

HERE = Path(__file__).parent


class _Mode:
    updating = False


def check(name: str, text: str) -> None:
    """Compare a text with its golden file beside this module, or write it when updating."""
    path = HERE / name
    if _Mode.updating:
        path.write_text(text, "utf-8")
        return
    golden = path.read_text("utf-8") if path.exists() else ""
    if golden != text:
        changes = "\n".join(unified_diff(golden.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=1))
        pytest.fail(
            f"{name} has changed. If that is meant, run: python -m tests.golden.update\n{changes}", pytrace=False
        )
