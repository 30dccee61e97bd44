"""What a view is made of: rows with a key, and two kinds of change: a row, which is put, and the edit of one.

A view is a pure function from events to changes (``board.changes`` and its siblings). Live projecting, rebuilding and
replay as of any position apply the very same changes to the very same ``Tables``; a database only stores what came out.
Nothing is ever dropped: what is over is edited, what has expired is told by its ``until``, because time is no event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Protocol, TypeAlias, TypeVar, cast
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from rilon.domain.values import Sensitivity

OrNone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:+-]{0,64}$")]
"""A closed code, or "" for none: no row holds any other kind of ``str``."""

Key: TypeAlias = tuple[UUID, int]
"""The stream a row tells about, and which row of that stream's it is: 0 where there is but one."""


class Row(Struct, frozen=True, array_like=True, gc=False):
    """A row of a table: codes, digests, ids and times only (a test looks at every field).

    As a change it says that it stands there now, whatever stood in its place.

    Rows hold no rows, so the cycle collector need not walk a million of them (``gc=False``).

    Attributes:
        TABLE: the table's name; its columns are the fields, in this order.
        stream, n: the key.
    """

    TABLE: ClassVar[str]

    stream: UUID
    n: int

    @property
    def table(self) -> type[Row]:
        """Where it belongs."""
        return type(self)

    @property
    def key(self) -> Key:
        """Its place in its table."""
        return self.stream, self.n


R = TypeVar("R", bound=Row)


class Edit(Struct, frozen=True, gc=False):
    """The row at that key, if there is one, becomes what a pure function makes of it; its key stays."""

    table: type[Row]
    key: Key
    edit: Callable[[Any], Row]


Change: TypeAlias = Row | Edit


class Changes(Protocol):
    """A view: an event and its position to the changes that follow. Pure and total; most events change nothing.

    Made by ``functools.singledispatch``, whose default is for the events that change nothing.
    """

    def __call__(self, event: Any, position: int, /) -> Iterable[Change]:
        """The changes that follow."""
        ...

    def dispatch(self, cls: type[Any], /) -> Callable[[Any, int], Iterable[Change]]:
        """What is called for an event of a class."""
        ...


def edit(table: type[R], stream: UUID, change: Callable[[R], R], n: int = 0) -> Edit:
    """An ``Edit`` whose function fits its table."""
    return Edit(table, (stream, n), change)


def including(values: tuple[Any, ...], new: Any) -> tuple[Any, ...]:
    """A set kept as a tuple in the order things came, so that equal histories make equal bytes."""
    return values if new in values else (*values, new)


_SENSITIVITIES = tuple(Sensitivity)


def in_order(some: Container[Sensitivity]) -> tuple[Sensitivity, ...]:
    """A set of sensitivities as a tuple, less revealing first."""
    return tuple([s for s in _SENSITIVITIES if s in some])


class Tables:
    """All rows of some views, in memory."""

    def __init__(self) -> None:
        self._rows: defaultdict[type[Row], dict[Key, Row]] = defaultdict(dict)

    def rows(self, table: type[R]) -> Mapping[Key, R]:
        """The rows of a table by key."""
        return cast("dict[Key, R]", self._rows.get(table, {}))

    def find(self, table: type[R], stream: UUID, n: int = 0) -> R | None:
        """One row, or None."""
        return self.rows(table).get((stream, n))

    def apply(self, change: Change) -> None:
        """Make one change."""
        if isinstance(change, Row):
            self._rows[type(change)][change.stream, change.n] = change
        elif (old := (rows := self._rows[change.table]).get(change.key)) is not None:
            rows[change.key] = change.edit(old)

    def dump(self) -> bytes:
        """All rows as canonical bytes: equal tables give equal bytes, whatever order they were filled in."""
        named = sorted((table.TABLE, sorted(rows.values(), key=_by_key)) for table, rows in self._rows.items() if rows)
        return msgspec.msgpack.encode(named)


def _by_key(row: Row) -> Key:
    return row.key
