"""The API on a socket: loopback or a Unix socket, never the network itself; TLS is the proxy's before it.

An open stream of notices would hold up a shutdown until uvicorn's patience ends, so streams are ended first.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

import uvicorn
from litestar.types import ASGIApp

from rilon.errors import RefusedError, UnavailableError

BACKLOG: Final = 512
MOST_CONNECTIONS: Final = 4096
"""At once, streams of notices included; more are answered 503 before anything is read."""
IDLE_S: Final = 10
"""A connection that asks nothing for so long is closed."""
GRACE_S: Final = 10
"""For requests in work when the server stops."""
HEAD_BYTES: Final = 32 * 1024
"""Largest head of a request."""
SOCKET_MODE: Final = 0o660


def listen_tcp(host: str, port: int) -> socket.socket:
    """Bind a loopback address; port 0: any free one.

    Raises:
        RefusedError: ``http.not-loopback``. UnavailableError: ``http.port-taken``.
    """
    address = _loopback(host)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    # TCP by name: asyncio asks for it before it sends at once; else an answer's body waits 40 ms for its head's ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((str(address), port))
    except OSError:
        sock.close()
        fix = "Stop what listens there, or choose another port."
        raise UnavailableError("http.port-taken", f"Port {port} of {host} is in use.", fix=fix) from None
    return sock


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    with suppress(ValueError):
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        if address.is_loopback:
            return address
    fix = "Let it listen on 127.0.0.1 or a Unix socket, and put a TLS proxy before it."
    raise RefusedError("http.not-loopback", f"The API never listens on {host or 'every address'} itself.", fix=fix)


def listen_unix(path: Path) -> socket.socket:
    """Bind a Unix socket for this user and group; one that a dead process left behind is replaced.

    Raises:
        UnavailableError: ``http.socket-taken``: somebody listens there, or it is no socket.
    """
    sock = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket() and not _answers(path):
            path.unlink()
        sock.bind(str(path))
        path.chmod(SOCKET_MODE)
    except OSError:
        sock.close()
        fix = "Stop what listens there, or choose another path."
        raise UnavailableError("http.socket-taken", f"{path} cannot be listened on.", fix=fix) from None
    return sock


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(path))
        return True
    return False


class ApiServer(uvicorn.Server):
    """Serves the API until it is told to stop.

    Args:
        app: from ``create_app``.
        end_streams: ends every open stream of notices: ``Notifier.close``.
        signals: stop on SIGINT and SIGTERM by itself; else whoever runs it calls ``stop``.
    """

    def __init__(self, app: ASGIApp, end_streams: Callable[[], None], *, signals: bool = True) -> None:
        super().__init__(_config(app))
        self._end_streams, self._signals = end_streams, signals

    async def run_on(self, *sockets: socket.socket) -> None:
        """Serve on bound sockets; they are closed when it returns."""
        await self.serve(list(sockets))

    def stop(self) -> None:
        """Take no more requests, end the streams, let the others finish."""
        self._end_streams()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: end the streams first, for uvicorn waits for them."""
        self._end_streams()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own handling of signals, if it is wanted."""
        with super().capture_signals() if self._signals else nullcontext():
            yield


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),
        http="h11",
        ws="none",
        lifespan="off",
        proxy_headers=False,  # who asks is who connects; a header is anybody's word
        server_header=False,
        access_log=False,  # ours has neither query nor ids
        log_config=None,
        backlog=BACKLOG,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
