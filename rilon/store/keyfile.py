"""The keyring's file: replaced as a whole, one writer at a time, read anew by whoever holds an older one.

A keyring names keys that the database then relies on, and forgets keys that must be gone. So the order is fixed:

1. the new content is written beside the file and synced;
2. it takes the file's name in one step (the commit point), and the directory is synced;
3. the old content is overwritten where it lies. No copy of it is kept. On a disk that writes elsewhere (SSD, copy on
   write) remnants may outlive this, under the passphrase: keep the file on an encrypted volume.

A crash leaves either the old file or the new one, never half of one. Keep the file on a local disk: locks and link
counts of network file systems do not carry these promises.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

from rilon.crypto.keyring import Keyring
from rilon.crypto.strongbox import FLOOR, Cost
from rilon.errors import FatalError, MalformedError, RefusedError, UnavailableError

PATIENCE_S: Final = 30.0
"""How long a writer waits for another process: a batch of erasures over full buckets takes seconds."""

POLL_S: Final = 0.02


class KeyFile:
    """The port ``Keys`` over a file. Holds the unlocked keyring, so it shows nothing of itself."""

    def __init__(self, path: Path, unlock: Callable[[bytes], Keyring], *, patience_s: float = PATIENCE_S) -> None:
        self._path, self._patience_s = path, patience_s
        self._mutex = asyncio.Lock()
        self._file, data = _read(path)
        self._ring = unlock(data)

    @classmethod
    def create(cls, path: Path, ring: Keyring) -> Self:
        """Put a new keyring where none is.

        Raises:
            RefusedError: ``keyring.exists``: overwriting a keyring would destroy everything it opens.
            UnavailableError: ``keyring.unwritable``.
        """
        beside = _write_beside(path, ring.sealed())
        try:
            os.link(beside, path)
        except FileExistsError:
            raise RefusedError("keyring.exists", f"There is a keyring at {path} already.") from None
        finally:
            beside.unlink()
        _sync_dir(path.parent)
        return cls(path, ring.reopened)

    @classmethod
    def unlock(cls, path: Path, passphrase: str, *, floor: Cost = FLOOR) -> Self:
        """Open the node's keyring: once a process, a second of work, not on an event loop.

        Raises:
            FatalError: ``keyring.missing``. MalformedError: ``keyring.damaged``.
            RefusedError: as for ``Keyring.unlock``.
        """
        try:
            return cls(path, lambda data: Keyring.unlock(data, passphrase, floor=floor))
        except MalformedError as error:
            fix = "Put back the newest copy: an older one would lack keys, or hold some that are to be gone."
            raise MalformedError("keyring.damaged", f"{path} is no whole keyring ({error.code}).", fix=fix) from error

    def ring(self) -> Keyring:
        """The newest keyring: two system calls when it is the one held, 2 ms when another process replaced it."""
        if not _is_at(self._file, self._path):
            file, data = _read(self._path)
            self._file, old = file, self._file
            os.close(old)
            self._ring = self._ring.reopened(data)
        return self._ring

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[Keyring]:
        """A draft of the newest keyring, alone among all tasks and processes of the node.

        Raises:
            UnavailableError: ``keyring.busy``.
        """
        async with self._mutex, _locked(self._path.with_name(f"{self._path.name}.lock"), self._patience_s):
            ring = self.ring()
            yield ring.reopened(ring.sealed())

    async def save(self, draft: Keyring) -> None:
        """Replace the file by a draft of ``exclusive``, durably.

        It happens on the event loop: some milliseconds, rarely. In a thread, a caller cancelled meanwhile would let go
        of the lock while its file is still being written.

        Raises:
            UnavailableError: ``keyring.unwritable``: the file is as it was.
            FatalError: ``keyring.unknown``: replaced, but perhaps not durably.
        """
        if not self._mutex.locked():
            raise RuntimeError("a keyring is saved inside exclusive() only")
        beside = _write_beside(self._path, draft.sealed())
        old = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            beside.replace(self._path)
            _sync_dir(self._path.parent)
            _overwrite(old)
        finally:
            os.close(old)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _read(path: Path) -> tuple[int, bytes]:
    """The file, open, and its content.

    A writer overwrites a file only after it has lost its name, so content read from a file that still has it is whole.
    The open file keeps its inode from being used again: who compares inodes is never misled.
    """
    while True:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise FatalError("keyring.missing", f"There is no keyring at {path}.", fix="Put it back.") from None
        data = os.pread(file, os.fstat(file).st_size, 0)
        if _is_at(file, path):
            # Another process may have replaced it a moment ago, and power may fail: what is seen is made to stay.
            _sync_dir(path.parent)
            return file, data
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _write_beside(path: Path, data: bytes) -> Path:
    beside = path.with_name(f"{path.name}.new")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise UnavailableError("keyring.unwritable", f"The keyring cannot be written: {error.strerror}.") from error
    return beside


def _sync_dir(path: Path) -> None:
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise FatalError("keyring.unknown", "The disk does not say whether the keyring was kept.") from error


def _overwrite(file: int) -> None:
    os.pwrite(file, bytes(os.fstat(file).st_size), 0)
    os.fsync(file)


@asynccontextmanager
async def _locked(path: Path, patience_s: float) -> AsyncIterator[None]:
    """Hold a file's lock; the system lets go of it when the process dies."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _lock(file, patience_s)
        yield
    finally:
        os.close(file)


async def _lock(file: int, patience_s: float) -> None:
    """Try until it is ours: a blocking call in a thread could not be cancelled, and would get the lock for nobody."""
    for _ in range(max(1, round(patience_s / POLL_S))):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(POLL_S)
    raise UnavailableError("keyring.busy", "Another process of this node holds the keyring.")
