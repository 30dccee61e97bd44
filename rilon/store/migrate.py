"""The schema and how a database comes to have it: forward only, numbered, checksummed, everything in one transaction.

What is pending is applied whole or not at all, so a start that dies in the middle leaves the database as the old
program knew it. What such a transaction cannot have left behind (a gap, objects without their record, an edited file,
a newer schema) is somebody else's work and is refused, never repaired by guessing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

import asyncpg
from asyncpg import DuplicateObjectError, DuplicateSchemaError, DuplicateTableError, InsufficientPrivilegeError

from rilon.app.ports import Entropy
from rilon.errors import FatalError
from rilon.store import queries
from rilon.store.database import DOWN, Connection, reaching

LOG_ID_BYTES: Final = 16
Role = Literal["app", "projector", "auditor"]
NO_PASSWORDS: Mapping[Role, str] = MappingProxyType({})

_SCHEMA = files(__package__) / "schema"
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of the schema; its text never changes once it was released."""

    number: int
    name: str
    sql: str = field(repr=False)

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the text."""
        return sha256(self.sql.encode()).digest()


def migrations() -> tuple[Migration, ...]:
    """All migrations of this program, in order."""
    found = sorted(file.name for file in _SCHEMA.iterdir() if file.name[:4].isdecimal())
    return tuple(Migration(int(name[:4]), name[5:].removesuffix(".sql"), _text(name)) for name in found)


async def migrate(
    connection: Connection,
    entropy: Entropy,
    *,
    prefix: str = "rilon",
    passwords: Mapping[Role, str] = NO_PASSWORDS,
    steps: Sequence[Migration] | None = None,
) -> int:
    """Bring a database to this program's schema, found the log if there is none, and set the roles.

    Args:
        connection: as the database's owner, who may also create roles.
        entropy: draws the new log's id.
        prefix: of the roles' names; nodes that share a cluster take different ones.
        passwords: for the roles; without one a role keeps what it has, at first none.
        steps: the migrations; this program's by default.

    Returns:
        How many migrations were applied.

    Raises:
        FatalError: ``migration.newer``, ``migration.edited``, ``migration.half-finished``, ``migration.not-owner``,
            ``migration.failed``; the database is as it was.
        UnavailableError: ``database.unavailable``.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("a role prefix is at most 40 of a-z, 0-9 and _, and starts with a letter")
    try:
        with reaching("database"):
            async with connection.transaction():
                await connection.execute(queries.MIGRATION_LOCK)  # a second start waits, and then finds nothing to do
                pending = _pending(await _recorded(connection), migrations() if steps is None else steps)
                for step in pending:
                    await _apply(connection, step)
                await connection.execute(queries.FOUND_LOG, entropy.bytes(LOG_ID_BYTES))
                await _set_roles(connection, prefix, passwords)
    except InsufficientPrivilegeError as error:
        raise FatalError("migration.not-owner", "This login may not change schema and roles.") from error
    return len(pending)


async def check(connection: Connection) -> None:
    """Make sure that a database has exactly this program's schema; for processes that may not change it.

    Raises:
        FatalError: as ``migrate``, and ``migration.pending``.
        UnavailableError: ``database.unavailable``.
    """
    with reaching("database"):
        pending = _pending(await _recorded(connection), migrations())
    if pending:
        raise FatalError(
            "migration.pending",
            f"The database lacks {len(pending)} migrations of this program.",
            fix="Start the node once as the database's owner.",
        )


async def renew_log_id(connection: Connection, old: bytes, new: bytes) -> None:
    """Give a restored log another id; a second process that came with the same old one changes nothing.

    Args:
        connection: as the database's owner: no process of a running node may do this.

    Raises:
        UnavailableError: ``database.unavailable``.
    """
    with reaching("database"):
        await connection.execute(queries.RENEW_LOG, old, new)


async def _recorded(connection: Connection) -> list[tuple[int, bytes]] | None:
    if await connection.fetchval(queries.HAS_MIGRATION_TABLE):
        return [(row["number"], row["checksum"]) for row in await connection.fetch(queries.MIGRATIONS)]
    if await connection.fetchval(queries.HAS_SCHEMA):
        raise _half_finished("There is a schema rilon, but no record of what made it.")
    return None


def _pending(recorded: list[tuple[int, bytes]] | None, steps: Sequence[Migration]) -> Sequence[Migration]:
    done = [] if recorded is None else recorded
    if done and done[-1][0] > len(steps):
        raise FatalError(
            "migration.newer",
            f"The database has migration {done[-1][0]}; this program knows {len(steps)}.",
            fix="Start the newer program that wrote it.",
        )
    for at, (number, checksum) in enumerate(done):
        step = steps[at]
        if number != step.number:
            raise _half_finished(f"Migration {step.number} ({step.name}) is missing, though later ones are recorded.")
        if checksum != step.checksum:
            raise FatalError("migration.edited", f"Migration {number} ({step.name}) is not the one that was applied.")
    return steps[len(done) :]


async def _apply(connection: Connection, step: Migration) -> None:
    try:
        if step.number == 1:
            await connection.execute(_text("migration.sql"))
        await connection.execute(step.sql)
        await connection.execute(queries.RECORD_MIGRATION, step.number, step.name, step.checksum)
    except (DuplicateSchemaError, DuplicateTableError, DuplicateObjectError) as error:
        raise _half_finished(f"What migration {step.number} ({step.name}) makes exists already.") from error
    except (*DOWN, InsufficientPrivilegeError):
        raise
    except asyncpg.PostgresError as error:
        raise FatalError("migration.failed", f"Migration {step.number} ({step.name}) failed.") from error


async def _set_roles(connection: Connection, prefix: str, passwords: Mapping[Role, str]) -> None:
    await connection.execute(queries.SET, "rilon.role_prefix", prefix)
    for role, password in passwords.items():
        await connection.execute(queries.SET, f"rilon.password_{role}", password)
    await connection.execute(_text("roles.sql"))


def _text(name: str) -> str:
    return (_SCHEMA / name).read_text(encoding="utf-8")


def _half_finished(what: str) -> FatalError:
    return FatalError(
        "migration.half-finished",
        f"{what} It was begun by hand, or restored in part.",
        fix="Restore the whole database, or give this node an empty one.",
    )
