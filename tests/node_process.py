"""One node as a process of its own: ``python -m tests.node_process HOME [POINT:COUNT]``; passphrase by environment.

With ``courier.after-send:3`` it says so and kills itself when it passes that failpoint for the third time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from rilon.app.failpoints import Failpoint, passing
from rilon.node.config import Home, passphrase
from rilon.node.core import World
from rilon.node.serve import serve
from tests.fakes.keys import CHEAP


class Death:
    def __init__(self, plan: str) -> None:
        point, _, count = plan.partition(":")
        self.plan, self.point, self.left = plan, Failpoint(point), int(count)

    async def __call__(self, passed: Failpoint) -> None:
        self.left -= passed is self.point
        if self.left == 0:
            os.write(2, f"died at {self.plan}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    death = Death(sys.argv[2]) if len(sys.argv) > 2 else passing
    world = World(failpoint=death, floor=CHEAP, fsync=False)
    asyncio.run(serve(Home(Path(sys.argv[1])), passphrase(), world))
