"""Making views from nothing: beside those in use, which go on, until the new ones take their places.

The first start of a node, a program with other views, and a rebuild that somebody asked for are one thing. What is new
is folded in memory, copied, indexed, brought to the projector's position and renamed in one transaction that holds the
position's lock: no reader ever finds a table missing, half full, or ahead of the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from hashlib import sha256
from importlib.resources import files
from typing import Final, LiteralString

from rilon.app.ports import EventLog
from rilon.errors import FatalError
from rilon.projections.changes import Row, Tables
from rilon.projections.progress import Held, held, hold
from rilon.projections.rows import Rows
from rilon.projections.views import VIEWS, View, changes, fold
from rilon.store.database import Connection, Pool, reaching

VERSION: Final = 1
"""To be raised when a ``changes`` function says something else than before: every node then rebuilds at its start."""

_ALONE: Final[LiteralString] = "SELECT pg_advisory_lock(hashtext('rilon.views'))"
_NOT_ALONE: Final[LiteralString] = "SELECT pg_advisory_unlock(hashtext('rilon.views'))"
_DISCARD: Final[LiteralString] = "DROP TABLE IF EXISTS views.next_{}"
_ANALYZE: Final[LiteralString] = "ANALYZE views.next_{}"
_SWAP: Final[LiteralString] = "DROP TABLE IF EXISTS views.{0}; ALTER TABLE views.next_{0} RENAME TO {0}"

_SCHEMA = files(__package__) / "schema"


def _text(name: str) -> str:
    return (_SCHEMA / f"{name}.sql").read_text()


def _tables(views: Iterable[View]) -> list[type[Row]]:
    return [table for view in views for table in view.tables]


FORMAT: Final = sha256(repr((VERSION, [_text(table.TABLE) for table in _tables(VIEWS)])).encode()).digest()
"""Names the views as this program makes them."""


async def prepare(pool: Pool, log: EventLog) -> bool:
    """Make sure that the views are there as this program makes them; True when they had to be made.

    Args:
        pool: as the owner of schema ``views``, which the migrations have made.

    Raises:
        UnavailableError: ``views.unavailable``, or as the log says.
    """
    with reaching("views"):
        async with _alone(pool) as connection:
            await connection.execute(_text("progress"))
            if (await held(connection)).format == FORMAT:
                return False
            await _rebuild(connection, log, VIEWS)
            return True


async def rebuild(pool: Pool, log: EventLog, views: Sequence[View] = VIEWS) -> None:
    """Make views anew from the log while those in use go on; some of them, or all.

    Raises:
        FatalError: ``views.other-program``: the rest of the views are another program's, so some are not enough.
        UnavailableError: as ``prepare``; those in use are untouched.
    """
    with reaching("views"):
        async with _alone(pool) as connection:
            if set(views) < set(VIEWS):
                check_format((await held(connection)).format)
            await _rebuild(connection, log, views)


def check_format(found: bytes) -> None:
    """Make sure that views are this program's own. Raises FatalError."""
    if found != FORMAT:
        raise FatalError("views.other-program", "Another version of RILON made these views.", fix="Restart this node.")


@asynccontextmanager
async def _alone(pool: Pool) -> AsyncIterator[Connection]:
    """One rebuild at a time, whatever process runs it; a second waits, and a dead one's lock goes with it."""
    async with pool.acquire() as connection:
        await connection.execute(_ALONE, timeout=None)
        try:
            yield connection
        finally:
            await connection.execute(_NOT_ALONE)


async def _rebuild(connection: Connection, log: EventLog, views: Sequence[View]) -> None:
    tables, reached = Tables(), (await held(connection)).position
    async with aclosing(log.pages(upto=reached)) as pages:
        async for page in pages:
            fold(page, tables, views)
    await _copy(connection, tables, views)
    reached = await _catch_up(connection, log, views, reached, (await held(connection)).position)
    async with connection.transaction():
        live = (await held(connection, lock=True)).position  # the projector waits from here on
        await _catch_up(connection, log, views, reached, live)
        for table in _tables(views):
            await connection.execute(_SWAP.format(table.TABLE))
        await hold(connection, Held(live, FORMAT))


async def _copy(connection: Connection, tables: Tables, views: Sequence[View]) -> None:
    """Fill new tables; each is indexed when its rows are in, which is faster than keeping an index up."""
    async with connection.transaction():
        for table in _tables(views):
            create, indexes = _text(table.TABLE).split("\n\n", 1)
            await connection.execute(_DISCARD.format(table.TABLE))
            await connection.execute(create)
            await Rows(connection, "next_").copy(table, tables.rows(table).values())
            await connection.execute(indexes)
            await connection.execute(_ANALYZE.format(table.TABLE))  # or pages of the board are planned in the dark


async def _catch_up(connection: Connection, log: EventLog, views: Sequence[View], after: int, upto: int) -> int:
    async with aclosing(log.pages(after, upto=upto)) as pages:
        async for page in pages:
            async with connection.transaction():
                await Rows(connection, "next_").store(list(changes(page, views)))
            after = page[-1].position
    return after
