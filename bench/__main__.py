"""``make bench``: every figure as a ratio to a baseline of the same run, with the machine it was taken on.

How to read it: docs/bench.md. ``python -m bench NAME ...`` runs some of it only.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import append, fan_out, latency, memory, pages, projection, rules
from rilon.node.system import collect_seldom

Rows = list[dict[str, Any]]

BENCHES: dict[str, tuple[Callable[[], Rows], str]] = {
    "append": (
        append.run,
        "ours with 64 writers: >= 4 x raw one-row transactions, >= 15 x the library's recorder, >= 0.25 x COPY",
    ),
    "projection": (
        projection.run,
        "replay >= 3 x the library's path; folded live >= 40 x one at a time; rebuild >= 5 x folded live",
    ),
    "latency": (latency.run, "five nodes, 10 alerts a second: p50 < 60 ms, p99 < 300 ms on 2 cores"),
    "fan_out": (fan_out.run, "one alert to 44 recipients: < 40 ms of CPU"),
    "memory": (memory.run, "a node at rest and with 100,000 alerts; its index of summaries: size and start"),
    "pages": (
        pages.run,
        "10,000 alerts: p50 of a page < 15 ms; 300 streams hear within 1 s; on 2G sign-in < 3 s, inbox < 2 s",
    ),
    "rules": (rules.run, "44 recipients x 5 sections by 200 rules: >= 1,000 matrices/s on one core"),
}


def main() -> None:
    """Run all benchmarks, or those named on the command line."""
    collect_seldom()  # as every process of the program does
    begun = time.monotonic()
    print(machine())
    for name in sys.argv[1:] or BENCHES:
        run, target = BENCHES[name]
        print(f"\n{name}: {target}", flush=True)
        for line in table(run()):
            print(f"  {line}")
    busy = f"load {os.getloadavg()[0]:.1f} at the end"
    print(f"\n{time.monotonic() - begun:.0f} s; {busy}. Only what was measured on a machine at rest is a figure.")


def machine() -> str:
    """The machine, in one line."""
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return (
        f"{os.cpu_count()} cores, {_model()}, {memory_gb:.0f} GB, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f} at the start"
    )


def table(rows: Rows) -> list[str]:
    """Rows as lines of a table; one head for each run of rows with the same columns."""
    lines: list[str] = []
    columns: Sequence[str] = ()
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        if tuple(row) != columns:
            columns = tuple(row)
            lines.append(" " * width + "".join(f"{name:>14}" for name in columns[1:]))
        lines.append(f"{row['name']:<{width}}" + "".join(f"{row[name]:>14}" for name in columns[1:]))
    return lines


def _model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as facts:
            return next(line.partition(":")[2].strip() for line in facts if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


if __name__ == "__main__":
    main()
