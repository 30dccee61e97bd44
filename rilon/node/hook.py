"""Notices by a program of the administrator's own: it rings a telephone, sends a text message, or lights a lamp.

The program gets one JSON object on its standard input and says by its exit code whether it took it on. It is started
without a shell and without this process's environment, and it has little time.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import Final

from rilon.app.outbox import Message
from rilon.errors import RefusedError, UnavailableError
from rilon.node.config import Hook

ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""Nothing of ours: our own may hold the keyring's passphrase."""
NO_SUCH_ADDRESS: Final = 64
"""The exit code that says: never to this address. Any other but 0 says: not now."""


class HookPager:
    """The port ``Pager``, over a command."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    async def send(self, message: Message) -> None:
        """See ``Pager.send``."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._hook.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            raise _away("pager.hook-missing") from None
        try:
            async with asyncio.timeout(self._hook.seconds):
                with suppress(BrokenPipeError, ConnectionResetError):  # it need not read what it does not use
                    await process.communicate(told(message))
                code = await process.wait()
        except TimeoutError:
            raise _away("pager.hook-late") from None
        finally:
            _end(process.pid)
            await process.wait()
        if code == NO_SUCH_ADDRESS:
            raise RefusedError("pager.refused", "The command refuses this address.")
        if code:
            raise _away("pager.hook-failed")


def told(message: Message) -> bytes:
    """What a command is told: see docs/operate.md."""
    facts = {
        "id": str(message.id),
        "to": message.to,
        "member": message.sender.member,
        "world": message.sender.world,
        "at": message.at.isoformat(),
        "test": not message.count,
        "count": message.count,
        "about": list(message.about),
        "urgency": message.urgency,
        "link": message.sender.link,
        "text": message.subject,
    }
    return json.dumps(facts).encode() + b"\n"


def _end(group: int) -> None:
    """End the command and whatever it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _away(code: str) -> UnavailableError:
    return UnavailableError(code, "The command that rings could not be run.", fix="See the node's health page.")
