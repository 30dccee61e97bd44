"""The projector: keeps every view at the log's head, each batch's rows and its position in one transaction.

It may die at any point, since a batch is there as a whole or not at all; and several processes may run one, since the
position's row is locked while a batch is applied and what another has applied already is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from rilon.app.ports import Recorded
from rilon.errors import FatalError
from rilon.projections.progress import Held, Progress, held, hold, move
from rilon.projections.rebuild import FORMAT, check_format
from rilon.projections.rows import Rows
from rilon.projections.views import changes
from rilon.store.database import Connection, Pool, reaching


class Projector:
    """The ``Follower`` that keeps the views; ``rebuild.prepare`` runs before it.

    Args:
        pool: as the owner of schema ``views``.
        progress: whom to tell; readers of this process wait there.
    """

    name = "views"

    def __init__(self, pool: Pool, progress: Progress) -> None:
        self._pool, self._progress = pool, progress

    async def position(self) -> int:
        """The position all views hold."""
        position = await self._progress.position()
        self._progress.moved(position)
        return position

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Bring the views past a batch, or past that part of it which they do not hold yet.

        Raises:
            FatalError: ``views.gap``: an event before the batch is missing; ``views.other-program``.
            UnavailableError: ``views.unavailable``; nothing was stored.
        """
        reached = batch[-1].position
        with reaching("views"):
            async with self._pool.acquire() as connection, connection.transaction():
                if not await move(connection, Held(batch[0].position - 1, FORMAT), reached):
                    batch, reached = await _rest(connection, batch)
                await Rows(connection).store(list(changes(batch)))
        self._progress.moved(reached)


async def _rest(connection: Connection, batch: Sequence[Recorded]) -> tuple[Sequence[Recorded], int]:
    """What views that are not just before a batch do not hold of it yet, and the position they hold with it."""
    before = await held(connection, lock=True)
    check_format(before.format)
    fresh = [recorded for recorded in batch if recorded.position > before.position]
    if not fresh:
        return [], before.position
    if fresh[0].position != before.position + 1:
        raise FatalError("views.gap", f"The views end at {before.position}, the batch begins later.")
    reached = fresh[-1].position
    await hold(connection, Held(reached, FORMAT))
    return fresh, reached
