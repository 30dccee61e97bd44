"""One plainly fictional draft per kind of alert: ``tests/data/drafts.json``."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 5, 3, 10, tzinfo=UTC)
"""The day the drafts are written on."""

DRAFTS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "drafts.json").read_text("utf-8"))


def example(kind: str) -> dict[str, Any]:
    """Fields, and grade and handling where the kind needs them, of one fictional alert."""
    return deepcopy(DRAFTS[kind])
