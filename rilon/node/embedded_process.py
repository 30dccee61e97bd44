"""What the embedded servers share: a user to run as, a lock on their directory, a life that ends with ours.

A server runs in a session of its own, so Ctrl-C in the terminal reaches us alone and we stop it in order. If we are
killed, Linux signals it (``embedded_exec``); elsewhere the next start finds the orphan and stops it first.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rilon.errors import FatalError, UnavailableError
from rilon.node import embedded_exec

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All a server sees of our environment: no ``PG*`` setting reaches it, and no secret of ours."""
POLL_S = 0.02
LOG_LIMIT_BYTES = 4 << 20
TAIL_BYTES = 4096
FAULTS = (
    ("No space left on device", "embedded.disk-full", "Free some space on that disk and start again."),
    ("Disk quota exceeded", "embedded.disk-full", "Free some space on that disk and start again."),
    ("address already in use", "embedded.port-in-use", "Choose another port, or stop the program that holds it."),
    ("Permission denied", "embedded.no-access", "Choose a directory that this user may enter, or run as its owner."),
    ("permission denied", "embedded.no-access", "Choose a directory that this user may enter, or run as its owner."),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """The user a server runs as."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls, user: str = "nobody") -> Identity:
        """Ourselves; as root, ``user`` instead, because Postgres refuses root and NATS does not need it."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(user)
        except KeyError as error:
            raise UnavailableError(
                "embedded.no-user",
                f"As root the embedded servers run as the user {user}, who does not exist here.",
                fix="Name another user, or run as an ordinary user.",
            ) from error
        return cls(entry.pw_uid, entry.pw_gid)

    def own(self, *paths: Path) -> None:
        """Hand over paths that we made; a no-op for an ordinary user."""
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def make_dir(self, path: Path) -> Path:
        """A private directory of this user; one that exists is used as it is, and must be theirs alone."""
        try:
            path.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid or found.st_mode & 0o077:
                raise UnavailableError(
                    "embedded.foreign-directory", f"{path} is not a private directory of the user with id {self.uid}."
                ) from None
        else:
            self.own(path)
        return path

    def command(self, argv: Sequence[str | Path], death_signal: signal.Signals) -> list[str]:
        """``argv``, to be run as this user and to die with us."""
        words = (self.uid, self.gid, os.getpid(), int(death_signal), *argv)
        return [sys.executable, "-I", "-S", embedded_exec.__file__, *map(str, words)]

    def run(self, argv: Sequence[str | Path], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool to its end as this user, both outputs in ``stdout``."""
        return subprocess.run(  # noqa: S603 - programs of the installed wheels, no shell
            self.command(argv, signal.SIGTERM),
            input=stdin,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            check=False,
        )


def publish_copy(source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy what is called so in ``source`` to ``target``, readable by all; whole or not at all, also when two do it."""
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    for name in names:
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, draft / name, symlinks=True, ignore=shutil.ignore_patterns("include"))
        elif (source / name).exists():
            shutil.copy2(source / name, draft / name)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(target)
    except OSError:  # somebody else was first
        shutil.rmtree(draft)


async def eventually(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether ``condition`` came true in time. Polls: the world outside has no event to wait for."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(POLL_S)
    return True


class DirectoryLock:
    """One launcher a directory. The kernel drops it when we die, however we die."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Hold the lock until ``release``.

        Raises:
            UnavailableError: ``embedded.in-use``: a living process holds it.
        """
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise UnavailableError(
                "embedded.in-use",
                f"Another process already runs the server in {self._path.parent}.",
                fix="Stop that one first, or use another directory.",
            ) from None
        self._file = file

    def release(self) -> None:
        """Let go; harmless when not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Daemon:
    """A server process: spawned, watched until ready, stopped in order or killed."""

    def __init__(self, name: str, log: Path, identity: Identity, *, stop_with: signal.Signals) -> None:
        self.name, self.log = name, log
        self._identity, self._stop_with = identity, stop_with
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def spawn(self, argv: Sequence[str | Path]) -> None:
        """Start the server.

        MUST be called from a thread that lives as long as the server may (the main thread): Linux sends the
        parent-death signal when the *thread* that forked ends.
        """
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.log.chmod(0o600)
            self._identity.own(self.log)  # nats-server opens it again by name, to turn it over when it grows
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - programs of the installed wheels, no shell
                self._identity.command(argv, self._stop_with),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
            )

    async def until(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until ``ready``; False when the server ended instead.

        Raises:
            UnavailableError: ``embedded.slow``: neither happened in time.
        """
        if not await eventually(lambda: self.pid is None or ready(), timeout_s):
            raise UnavailableError("embedded.slow", f"{self.name} is not ready after {timeout_s:.0f} s.")
        return self.pid is not None

    async def stop(self, grace_s: float = 20.0) -> None:
        """Ask it to stop, then insist."""
        for asked in (self._stop_with, signal.SIGQUIT, signal.SIGKILL):
            if self._process is None or self._process.poll() is not None:
                return
            self._process.send_signal(asked)
            await eventually(lambda: self.pid is None, grace_s)
        if self.pid is not None:
            raise FatalError("embedded.unkillable", f"{self.name} does not end.")

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def said(self) -> str:
        """The last it wrote since it was spawned."""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - TAIL_BYTES))
            return log.read().decode(errors="replace")

    def failure(self, said: str) -> UnavailableError:
        """What its words mean for the person at the keyboard."""
        return explain(self.name, said, self.log)


def explain(name: str, said: str, log: Path | None = None) -> UnavailableError:
    """The error for a server or tool that failed saying ``said``."""
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    for words, code, fix in FAULTS:
        if words in said:
            line = next(line for line in said.splitlines() if words in line)
            return UnavailableError(code, f"{name} cannot start: {line.strip()}", fix=fix)
    return UnavailableError("embedded.failed", f"{name} cannot start: {last.strip()}", fix=f"See {log}." if log else "")


def command_of(pid: int) -> str:
    """The command line of a living process, "" when there is none."""
    if Path("/proc/self/cmdline").exists():
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    ps = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed program


class Embedded(ABC):
    """A server of our own in a directory of its own: one at a time, and nothing of it stays behind."""

    def __init__(self, daemon: Daemon, lock: DirectoryLock) -> None:
        self._daemon, self._lock = daemon, lock

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return self._daemon.pid

    async def start(self) -> None:
        """Start the server and wait until it serves; what crashed is recovered.

        Raises:
            UnavailableError: ``embedded.*``: no wheel, in use, other version, port in use, disk full, no access, too
                slow.
        """
        self._lock.take()
        try:
            await self._start()
        except BaseException:  # also when we are cancelled: nothing may stay behind
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop it in order; harmless when it does not run."""
        await self._daemon.stop()
        self._lock.release()

    def kill(self) -> None:
        """End it as a crash would, for chaos tests; ``start`` recovers."""
        self._daemon.kill()
        self._lock.release()

    @abstractmethod
    async def _start(self) -> None: ...
