"""How far the views are, and waiting until they are far enough: a command's position makes one's own write readable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, LiteralString, NamedTuple

import asyncpg

from rilon.errors import FatalError, UnavailableError
from rilon.store.database import Connection, Pool, reaching

POLL_S: Final = 0.05
"""How often to look whether a projector of another process has moved on."""

_POSITION: Final[LiteralString] = "SELECT position FROM views.progress"
_HELD: Final[LiteralString] = "SELECT position, format FROM views.progress"
_LOCK: Final[LiteralString] = "SELECT position, format FROM views.progress FOR UPDATE"
_MOVE: Final[LiteralString] = """
UPDATE views.progress SET position = $3 WHERE position = $1 AND format = $2 RETURNING true
"""
_SET: Final[LiteralString] = "UPDATE views.progress SET position = $1, format = $2"


class Held(NamedTuple):
    """What the tables hold: the effect of every event up to a position, as one program makes it."""

    position: int
    format: bytes


async def held(connection: Connection, *, lock: bool = False) -> Held:
    """What the tables hold; with ``lock`` they hold it until the transaction ends, whoever else projects."""
    record = await connection.fetchrow(_LOCK if lock else _HELD)
    if record is None:
        raise FatalError("views.no-position", "The views have lost their position.", fix="Restart this node.")
    return Held(record["position"], record["format"])


async def hold(connection: Connection, now: Held) -> None:
    """Say what the tables hold now, in the transaction that made it true."""
    await connection.execute(_SET, now.position, now.format)


async def move(connection: Connection, now: Held, position: int) -> bool:
    """Say that the tables hold more, if they hold just what is said; it locks out others until the transaction ends."""
    return bool(await connection.fetchval(_MOVE, now.position, now.format, position))


@contextmanager
def viewing() -> Iterator[None]:
    """Say that the views are away, around everything that reads them.

    Raises:
        UnavailableError: ``views.unavailable``; ``views.not-built``: no projector has been started yet.
    """
    try:
        with reaching("views"):
            yield
    except asyncpg.UndefinedTableError:
        raise _not_built() from None


def _not_built() -> UnavailableError:
    return UnavailableError("views.not-built", "The views are not built yet.", fix="Try again in a moment.")


class Progress:
    """The position of the views. A projector of this process says when it moves; one of another is looked at."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._held: int | None = None  # None: no projector of this process has spoken yet
        self._next = asyncio.Event()

    async def position(self) -> int:
        """The position whose effect all views hold. Raises UnavailableError."""
        with viewing():
            position: int | None = await self._pool.fetchval(_POSITION)
        if position is None:
            raise _not_built()
        return position

    def moved(self, position: int) -> None:
        """Wake everybody who waits: the views hold everything up to ``position``."""
        self._held = position
        self._next.set()
        self._next = asyncio.Event()

    async def wait_for(self, position: int, timeout_s: float) -> None:
        """Return when the views hold everything up to ``position``.

        Raises:
            UnavailableError: ``views.behind``: not within ``timeout_s``; what was written is safe, only not shown yet.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while await self._behind(position):
                    pass
        except TimeoutError:
            raise UnavailableError("views.behind", "The views are behind.", fix="Try again in a moment.") from None

    async def _behind(self, position: int) -> bool:
        """Whether the views are behind; if so, only after they have moved or ``POLL_S`` has passed."""
        moved = self._next  # taken before looking, so that a move in between is not missed
        if (await self.position() if self._held is None else self._held) >= position:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(moved.wait(), POLL_S)
        return True
