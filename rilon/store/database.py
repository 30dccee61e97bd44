"""Postgres, reached in one way and missed in one way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from rilon.errors import MalformedError, RefusedError, UnavailableError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_TIMEOUT_S: Final = 10.0
COMMAND_TIMEOUT_S: Final = 30.0

DOWN: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,  # the connection or the pool is closed
    asyncpg.InternalClientError,  # asyncpg resets a connection that was lost in the middle of a statement
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, terminated by an administrator
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.TransactionRollbackError,  # deadlock
    asyncpg.ReadOnlySQLTransactionError,  # a standby
    asyncpg.InvalidAuthorizationSpecificationError,  # its passwords are being changed
    asyncpg.InvalidCatalogNameError,  # it is being restored
)
"""What a database that is away, or may not answer now, is known by."""

_SETTINGS: Final = {
    "application_name": "rilon",
    "default_transaction_isolation": "read committed",  # the log's compare-and-swap is built on it
    "jit": "off",
    "timezone": "UTC",
}


def open_pool(dsn: str, *, role: str | None = None, size: int = 8, durable: bool = True) -> Pool:
    """A pool of at most ``size`` connections, to be entered with ``async with``. What a session sets stays set.

    Args:
        dsn: where the database is; may hold a password, so it is never shown.
        role: act as this role, of which the login must be a member.
        size: a log takes at most one connection at a time to write and holds one to listen.
        durable: False for what is made from the log again if a crash takes its last moment: commits do not wait for the
            disk. It never outlives what it is made of, for the database writes both to one sequence on disk.
    """
    settings = _SETTINGS if durable else _SETTINGS | {"synchronous_commit": "off"}
    return asyncpg.create_pool(
        dsn,
        min_size=0,  # no floor: asyncpg would fill the log with its attempts to restore one while the database is away
        max_size=size,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        reset=_keep,
        server_settings=settings | ({"role": role} if role else {}),
    )


async def connect(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of one's own, or what is wrong with the url: the first thing that a start does.

    Raises:
        MalformedError: ``database.url``. RefusedError: ``database.login``, ``database.absent``.
        UnavailableError: ``database.unavailable``.
    """
    with reaching("database"):
        try:
            return await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
        except ValueError:
            fix = "For example: postgresql://rilon:PASSWORD@db.example/rilon"
            raise MalformedError("database.url", "This is no url of a database.", fix=fix) from None
        except asyncpg.InvalidAuthorizationSpecificationError:
            fix = "Check name and password in the url."
            raise RefusedError("database.login", "The database refuses this login.", fix=fix) from None
        except asyncpg.InvalidCatalogNameError:
            fix = "Create it, owned by this login, or correct the url."
            raise RefusedError("database.absent", "There is no database of this name.", fix=fix) from None


async def _keep(_: asyncpg.Connection[asyncpg.Record]) -> None:
    """Spare a round trip each time: open transactions are ended all the same, and nothing else is left behind."""


@contextmanager
def reaching(part: str) -> Iterator[None]:
    """Say ``<part>.unavailable`` when the database is away: around reads, and writes that may be repeated.

    Raises:
        UnavailableError: the same call may work later.
    """
    try:
        yield
    except DOWN as error:
        raise away(part) from error


def away(part: str) -> UnavailableError:
    """The database cannot be reached, and nothing was stored."""
    return UnavailableError(f"{part}.unavailable", "The database cannot be reached.", fix="Try again in a moment.")
