"""Rows in Postgres: loaded by key, folded in memory by the views' own code, and put back whole.

The database computes nothing that a fold in memory would not: it stores what came out. So a table can only ever hold
what ``Tables`` would hold, and a batch costs the same few statements whether it has one event or a thousand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Final, LiteralString, TypeAlias, TypeVar

import asyncpg
import msgspec

from rilon.projections.changes import Change, Edit, Key, Row, Tables
from rilon.store.database import Connection

R = TypeVar("R", bound=Row)
_Touched: TypeAlias = "defaultdict[type[Row], dict[Key, None]]"

MANY: Final = 64
"""From so many new rows of a table on they are copied, which costs a third; of fewer the round trips cost more."""

_LOAD: Final[LiteralString] = """
SELECT * FROM views.{} WHERE (stream, n) IN (SELECT * FROM unnest($1::uuid[], $2::bigint[]))
"""
_PUT: Final[LiteralString] = """
INSERT INTO views.{} ({columns}) VALUES ({values}) ON CONFLICT (stream, n) DO UPDATE SET ({columns}) = ({new})
"""


def read_row(table: type[R], columns: Sequence[object]) -> R:
    """A row from its columns; what does not have its type ends the reader loudly."""
    return msgspec.convert(columns, table)


class Rows:
    """The tables of the views, or those being built beside them, on one connection.

    Args:
        prefix: of the tables' names: "" for those in use, ``next_`` for those being built.
    """

    def __init__(self, connection: Connection, prefix: LiteralString = "") -> None:
        self._connection, self._prefix = connection, prefix

    async def store(self, changes: Collection[Change]) -> None:
        """Make changes to the tables, in order. To be called in the transaction that moves the position."""
        needed, touched = _keys(changes)
        tables = Tables()
        for table, keys in needed.items():
            for row in await self._load(table, keys):
                tables.apply(row)
        stood = {table: {*tables.rows(table)} for table in touched}
        for change in changes:
            tables.apply(change)
        new = {
            table: [row for key, row in tables.rows(table).items() if key not in old] for table, old in stood.items()
        }
        copied = await self._copied({table: rows for table, rows in new.items() if len(rows) >= MANY})
        for table, keys in touched.items():
            found, left = tables.rows(table), stood[table] if table in copied else keys
            await self._put(table, [found[key] for key in left if key in found])

    async def _copied(self, new: Mapping[type[Row], Iterable[Row]]) -> Collection[type[Row]]:
        """Copy rows that were put without a look at what stood there: nothing, but for the rarest; the tables done.

        Where something stood in the place of one, no table is.
        """
        if new:
            with suppress(asyncpg.UniqueViolationError):
                async with self._connection.transaction():  # a savepoint: the batch goes on without what failed
                    for table, rows in new.items():
                        await self.copy(table, rows)
                return new.keys()
        return ()

    async def copy(self, table: type[Row], rows: Iterable[Row]) -> None:
        """Add rows whose keys are free."""
        records = map(msgspec.structs.astuple, rows)
        await self._connection.copy_records_to_table(self._name(table), records=records, schema_name="views")

    async def _load(self, table: type[Row], keys: Iterable[Key]) -> list[Row]:
        records = await self._connection.fetch(_LOAD.format(self._name(table)), *zip(*keys, strict=True))
        return [read_row(table, tuple(record)) for record in records]

    async def _put(self, table: type[Row], rows: Sequence[Row]) -> None:
        if rows:
            statement = _put(table).format(self._name(table))
            await self._connection.executemany(statement, map(msgspec.structs.astuple, rows))

    def _name(self, table: type[Row]) -> str:
        return self._prefix + table.TABLE


@cache
def _put(table: type[Row]) -> str:
    names = table.__struct_fields__
    columns, new = ", ".join(names), ", ".join(f"excluded.{name}" for name in names)
    values = ", ".join(f"${n}" for n, _ in enumerate(names, 1))
    return _PUT.format("{}", columns=columns, new=new, values=values)


def _keys(changes: Iterable[Change]) -> tuple[_Touched, _Touched]:
    """The rows to know beforehand (edited, and not put before), and all that are touched."""
    needed: _Touched = defaultdict(dict)
    touched: _Touched = defaultdict(dict)
    for change in changes:
        if isinstance(change, Edit) and change.key not in touched[change.table]:
            needed[change.table][change.key] = None
        touched[change.table][change.key] = None
    return needed, touched
