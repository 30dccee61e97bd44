"""The fake keeps the contract of the real thing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rilon.app.ports import Wrap
from rilon.errors import ConflictError
from tests.contract.blobs import BlobsContract, Store
from tests.fakes.memory_blobs import MemoryBlobs


class TestMemoryBlobs(BlobsContract):
    @pytest.fixture
    def store(self) -> Store:
        blobs = MemoryBlobs()

        async def append(wraps: Sequence[Wrap]) -> None:
            if any(wrap.kek not in blobs.keks for wrap in wraps):
                raise ConflictError("log.key-turned", "The key-encryption key was replaced.")
            blobs.keywraps.update({wrap.slot: wrap for wrap in wraps})

        return Store(blobs, blobs.keyring, append)
