"""Verifying the log of a database: in one snapshot, beside a running node or without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rilon.audit.verify import Report, Verifier
from rilon.domain.catalogue import CATALOGUE
from rilon.node.system import SystemEntropy
from rilon.store.codec import Codec
from rilon.store.snapshot import snapshot


async def examine(dsn: str, shown: Callable[[int], Any] = lambda _: None) -> Report:
    """Verify the log of a database as it is now.

    Args:
        shown: told how many events more were checked.

    Raises:
        UnavailableError: ``database.unavailable``. FatalError: ``migration.*``, ``log.no-head``.
    """
    async with snapshot(dsn) as seen:
        tip = await seen.tip()
        verifier = Verifier(tip, Codec(CATALOGUE, SystemEntropy()))
        async for row in seen.rows():
            verifier.take(row)
            shown(1)
        async for selected in seen.selected(tip.log_id):
            verifier.take_selected(selected)
        async for slot, digest in seen.texts():
            verifier.take_text(slot, digest)
    return verifier.report()
