"""Rows in Postgres: loaded by key, folded in memory by the views' own code, and put back whole.

The database computes nothing that a fold in memory would not: it stores what came out. So a table can only ever hold
what ``Tables`` would hold, and a batch costs the same few statements whether it has one event or a thousand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Final, LiteralString, TypeAlias, TypeVar

import msgspec

from rilon.projections.changes import Change, Edit, Key, Put, Row, Tables
from rilon.store.database import Connection

R = TypeVar("R", bound=Row)
_Touched: TypeAlias = "defaultdict[type[Row], dict[Key, None]]"

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
                tables.apply(Put(row))
        for change in changes:
            tables.apply(change)
        for table, keys in touched.items():
            found = tables.rows(table)
            await self._put(table, [found[key] for key in keys if key in found])

    async def copy(self, table: type[Row], rows: Iterable[Row]) -> None:
        """Add rows whose keys are free."""
        records = map(msgspec.structs.astuple, rows)
        await self._connection.copy_records_to_table(self._name(table), records=records, schema_name="views")

    async def _load(self, table: type[Row], keys: Iterable[Key]) -> list[Row]:
        records = await self._connection.fetch(_LOAD.format(self._name(table)), *zip(*keys, strict=True))
        return [read_row(table, tuple(record)) for record in records]

    async def _put(self, table: type[Row], rows: Iterable[Row]) -> None:
        await self._connection.executemany(_put(table).format(self._name(table)), map(msgspec.structs.astuple, rows))

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
