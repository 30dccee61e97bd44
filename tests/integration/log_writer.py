"""A process that appends until it dies. Prints ``position stream`` for whatever it was told is stored.

Arguments: database URL, number of the writer, tasks, failpoint to die at (or "never"), which time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from rilon.app.failpoints import Failpoint
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import opened
from tests.postgres_log import real_log


async def main(dsn: str, number: int, tasks: int, die_at: str, time: int) -> None:
    seen = 0

    async def die(point: Failpoint) -> None:
        nonlocal seen
        seen += point == die_at
        if seen == time:
            os.kill(os.getpid(), signal.SIGKILL)

    streams = SeededEntropy(number)
    async with real_log(dsn, failpoint=die, seed=number) as world:

        async def write() -> None:
            while True:
                stream = streams.uuid()
                position = await world.log.append([opened(stream)])
                print(position, stream, flush=True)

        await asyncio.gather(*(write() for _ in range(tasks)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])))
