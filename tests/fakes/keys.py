"""The node's keys without a file: the port ``Keys`` in memory, at a price that tests can pay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rilon.crypto.keyring import Keyring
from rilon.crypto.strongbox import Cost

CHEAP = Cost(memory_kib=8, passes=1, lanes=1)


def cheap_keyring(passphrase: str = "a passphrase of tests") -> Keyring:
    return Keyring.create(passphrase, cost=CHEAP)


class MemoryKeys:
    """``Keys``, kept in memory: drafts are copies, and ``save`` publishes one, as with the file."""

    def __init__(self, ring: Keyring | None = None) -> None:
        self._ring = ring or cheap_keyring()
        self._lock = asyncio.Lock()

    def ring(self) -> Keyring:
        return self._ring

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[Keyring]:
        async with self._lock:
            yield self._ring.reopened(self._ring.sealed())

    async def save(self, draft: Keyring) -> None:
        assert self._lock.locked()
        self._ring = draft.reopened(draft.sealed())
