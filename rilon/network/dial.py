"""One attempt to reach the hub. Whoever wants to stay connected tries again, with patience of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError

from rilon.errors import RefusedError, UnavailableError
from rilon.network.cancelling import heed_cancellation

CONNECT_S = 5.0
CLOSE_S = 1.0
PING_S = 5
"""A dead line is noticed after two of these."""


async def _ignore() -> None:
    return None


async def dial(
    url: str,
    credentials: Path,
    tls: ssl.SSLContext | None,
    *,
    on_trouble: Callable[[str], None] = lambda _: None,
    on_closed: Callable[[], Awaitable[None]] = _ignore,
) -> Client:
    """A connection that ends for good when it breaks.

    nats-py's own reconnecting is off: it reads credentials once, gives up for ever after a refusal, and buffers what is
    published meanwhile, which would make "away" look like "sent".

    Raises:
        UnavailableError: ``bus.away``, ``bus.credentials`` or ``bus.tls``.
    """
    client, troubles = Client(), []

    async def note(error: Exception) -> None:
        troubles.append(error)
        on_trouble(explain(error).message)

    try:
        async with asyncio.timeout(CONNECT_S):
            await client.connect(
                url,
                user_credentials=str(credentials),
                tls=tls,
                tls_handshake_first=tls is not None,
                error_cb=note,
                closed_cb=on_closed,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                ping_interval=PING_S,
                max_outstanding_pings=2,
            )
            await client.flush()  # a refusal may come after nats-py thinks that it is connected
        heed_cancellation()
    except asyncio.CancelledError:
        await hang_up(client)
        raise
    except (TimeoutError, OSError, NatsError, ValueError) as error:
        await hang_up(client)  # a refused sign-in leaves the socket open
        heed_cancellation()
        raise explain(troubles[0] if troubles else client.last_error or error) from error  # the first is the cause
    return client


async def hang_up(client: Client) -> None:
    """Close, flushing what was published; not for long, for nats-py waits for ever on a TLS handshake that failed.

    Then the socket goes: a hub that has gone silent never takes what is still to be written, and would keep it open.
    """
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await client.close()
    finally:  # also for whoever is cancelled meanwhile: a bus may be closed while its line is being cleared up
        writer = getattr(client._transport, "_bare_io_writer", None)  # noqa: SLF001 - nats-py has no way to abort
        if writer is not None:
            writer.transport.abort()  # under TLS too: aborting that fails on Python 3.11.2 where it was closed
    await asyncio.sleep(0)  # the loop closes it with its next turn


def client_tls(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Mutual TLS 1.3, as the hub demands it off loopback.

    Raises:
        RefusedError: ``bus.tls-files``: a file is absent, or holds something else.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python 3.13 does of itself; a node on any takes the same hubs
        context.load_cert_chain(certificate, key)
    except OSError as error:
        fix = "See authority, certificate and key under [hub] in node.toml."
        raise RefusedError("bus.tls-files", "A certificate file for the hub cannot be read.", fix=fix) from error
    return context


def explain(error: Exception) -> UnavailableError:
    """A sentence without secrets for what NATS, TLS or the network said."""
    words = str(error).lower()
    if isinstance(error, (FileNotFoundError, ValueError)) or "auth" in words or "account" in words:
        return UnavailableError(
            "bus.credentials",
            "The hub does not accept our credentials: absent, expired or revoked.",
            fix="Ask the secretariat for new ones.",
        )
    if isinstance(error, ssl.SSLError) or "ssl" in words or "tls" in words:
        return UnavailableError("bus.tls", "TLS with the hub failed: check the certificates of both sides.")
    if "permissions violation" in words:
        return UnavailableError("bus.permissions", "The hub forbade what we tried.")
    return UnavailableError("bus.away", "The hub does not answer.")
