"""Every benchmark runs, with tiny sizes: what nothing runs rots. Its figures mean nothing here."""

from __future__ import annotations

import pytest

from bench.__main__ import BENCHES, table

pytestmark = pytest.mark.real

TINY: dict[str, dict[str, float]] = {
    "append": {"rounds": 1, "seconds": 0.1},
    "projection": {"size": 300, "rounds": 1},
    "latency": {"seconds": 1.0},
    "fan_out": {"rounds": 1},
    "memory": {"alerts": 20},
    "pages": {"alerts": 20, "streams": 9, "rounds": 2},
    "rules": {"seconds": 0.1, "pasts": 50},
}


LONG = {"latency", "pages"}  # five nodes; memory starts one by the same means


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.long] * (n in LONG)) for n in BENCHES])
def test_a_benchmark_runs(name: str) -> None:
    rows = BENCHES[name][0](**TINY[name])  # type: ignore[call-arg]
    assert len(table(rows)) > len(rows)
    assert all(isinstance(row["name"], str) and len(row) > 1 for row in rows)
