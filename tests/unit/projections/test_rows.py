"""What a view's row may hold: ids, codes, digests, numbers and times; nothing that anybody wrote."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest

from rilon.projections.changes import Row
from rilon.projections.rows import read_row
from rilon.projections.views import VIEWS
from tests.fakes.histories import busy
from tests.fakes.memory_views import MemoryViews

TABLES = [table for view in VIEWS for table in view.tables]
PLAIN = {UUID, int, bool, datetime, NoneType}


def says_nothing(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        base, *metas = get_args(hint)
        bounded = any(m.pattern if base is str else m.max_length for m in metas if isinstance(m, msgspec.Meta))
        return base in PLAIN or (base in {str, bytes} and bounded)
    if get_origin(hint) in {Union, UnionType, tuple}:
        return all(says_nothing(part) for part in get_args(hint) if part is not ...)
    return hint in PLAIN or issubclass(hint, StrEnum)


@pytest.mark.parametrize("table", TABLES)
def test_a_row_has_room_for_codes_only(table: type[Row]) -> None:
    hints = get_type_hints(table, include_extras=True)
    del hints["TABLE"]
    assert hints
    assert [name for name, hint in hints.items() if not says_nothing(hint)] == []


def test_the_check_knows_free_text() -> None:
    assert not says_nothing(str)
    assert not says_nothing(bytes)
    assert not says_nothing(tuple[str, ...] | None)


async def test_rows_are_what_they_say() -> None:
    """Every row of a rich history is read back from plain values as itself."""
    views = MemoryViews()
    await views.apply(busy(900).events)
    for table in TABLES:
        rows = views.tables.rows(table).values()
        assert rows
        for row in rows:
            plain = msgspec.to_builtins(row, builtin_types=(UUID, bytes, datetime))
            assert read_row(table, plain) == row
