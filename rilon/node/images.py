"""Images are read in a process of their own, which has little memory, little time, no files and nothing of ours.

Decoders of images are large programs in C that strangers feed. Here one decodes one image and dies; whatever the image
does to it, the node sees a process that failed. What comes back is new: encoded from pixels, nothing else.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from rilon.domain.attachments import MAX_FILE_BYTES, sniff, too_large
from rilon.errors import InvalidError, UnavailableError

WALL_S: Final = 30.0
"""How long one image may take; the process itself stops after ``images_exec.CPU_S`` of computing."""
AT_ONCE: Final = 2
WAITING: Final = 8
"""More images than this are asked to come again: each of them is 10 MiB in memory."""
_SCRIPT: Final = Path(__file__).with_name("images_exec.py")
_ANSWER_BYTES: Final = MAX_FILE_BYTES + 1


class ImageProcess:
    """The port ``Cleaner``."""

    def __init__(self) -> None:
        self._slots, self._waiting = asyncio.Semaphore(AT_ONCE), 0

    async def image(self, form: str, data: bytes) -> tuple[str, bytes]:
        """See ``Cleaner.image``."""
        if self._waiting >= WAITING:
            raise UnavailableError("attachment.busy", "Too many images come at once.", fix="Try again in a moment.")
        self._waiting += 1
        try:
            async with self._slots:
                made = await _remake(form, data)
        finally:
            self._waiting -= 1
        if len(made) > MAX_FILE_BYTES:
            raise too_large()
        found = sniff(made)
        if found not in {"JPEG", "PNG"}:
            raise _unsound()
        return f"image/{found.lower()}", made


async def _remake(form: str, data: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_SCRIPT), form,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(WALL_S):
            _, made = await asyncio.gather(_feed(process, data), _drain(process))
            if len(made) < _ANSWER_BYTES and await process.wait() != 0:
                raise _unsound()
            return made
    except TimeoutError:
        raise _unsound() from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):  # it may have died of what it read
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _drain(process: asyncio.subprocess.Process) -> bytes:
    """Its answer, and no more of it than an image may have: who took it over may write for ever."""
    assert process.stdout is not None
    made = bytearray()
    while len(made) < _ANSWER_BYTES and (some := await process.stdout.read(1 << 16)):
        made += some
    return bytes(made)


def _unsound() -> InvalidError:
    fix = "Open it in an image program, save it as JPEG or PNG with at most 64 megapixels, and send that."
    return InvalidError("attachment.image", "This image cannot be read safely.", field="file", fix=fix)
