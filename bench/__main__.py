"""``make bench``: every figure as a ratio to a baseline of the same run, with the machine it was taken on.

Trust ratios, not absolutes, and run it on a machine that does nothing else.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from bench import append, fan_out, latency, memory, projection

TARGETS = {
    "append": "ours with 64 writers: >= 4 x raw one-row transactions, >= 15 x the library's recorder, >= 0.25 x COPY",
    "projection": "replay >= 3 x the library's path; folded >= 40 x one at a time; rebuild >= 5 x live",
    "latency": "p50 < 60 ms and p99 < 300 ms over five nodes on 2 cores, at 10 alerts a second",
    "fan_out": "one alert to 44 recipients: < 40 ms of CPU",
    "memory": "a node at rest and with 100,000 alerts; size and start time of its index of summaries",
}
MODULES = {"append": append, "projection": projection, "latency": latency, "fan_out": fan_out, "memory": memory}


def main() -> None:
    """Run all benchmarks, or those named on the command line."""
    print(f"{os.cpu_count()} cores, {_model()}, Python {platform.python_version()}, {platform.system()}")
    wanted = sys.argv[1:] or list(TARGETS)
    for name, module in MODULES.items():
        if name in wanted:
            print(f"\n{name}: {TARGETS[name]}")
            for row in module.run():
                print("  " + "  ".join(f"{key}={value}" for key, value in row.items()))


def _model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as facts:
            return next(line.partition(":")[2].strip() for line in facts if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


if __name__ == "__main__":
    main()
