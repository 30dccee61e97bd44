"""Ciphertexts and wrapped keys in memory. ``erase`` turns keys as the real one does: late writers fail alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rilon.app.ports import Keys, Wrap
from rilon.crypto.keyring import Keyring
from rilon.errors import ConflictError
from tests.fakes.keys import MemoryKeys


class MemoryBlobs:
    """Implements ``Blobs``. A fake log shares its state: ``MemoryEventLog(codec, blobs.keywraps, blobs.keks)``."""

    def __init__(self, keys: Keys | None = None) -> None:
        self.keyring: Keys = keys or MemoryKeys()
        self.ciphertexts: dict[bytes, bytes] = {}
        self.keywraps: dict[bytes, Wrap] = {}
        self.keks: set[bytes] = {kek for _, kek in self.keyring.ring().keks()}

    async def put(self, blobs: Mapping[bytes, bytes]) -> None:
        if any(self.ciphertexts.get(slot, ciphertext) != ciphertext for slot, ciphertext in blobs.items()):
            raise ConflictError("blobs.slot-taken", "This slot holds something else.")
        self.ciphertexts |= blobs

    async def get(self, slots: Sequence[bytes]) -> dict[bytes, bytes]:
        return {slot: self.ciphertexts[slot] for slot in slots if slot in self.ciphertexts}

    async def wraps(self, slots: Sequence[bytes]) -> dict[bytes, Wrap]:
        return {slot: self.keywraps[slot] for slot in slots if slot in self.keywraps}

    async def erase(self, slots: Sequence[bytes]) -> None:
        async with self.keyring.exclusive() as draft:
            live = {slot for slot in slots if slot in self.keywraps}
            for bucket in {slot[0] for slot in live}:
                self.keks.add(draft.rotate(bucket)[1])
            await self.keyring.save(draft)
            for slot in live:
                self.ciphertexts.pop(slot, None)
                del self.keywraps[slot]
            for _, old in draft.turning():
                self._turn(draft, old)
            await self.keyring.save(draft)

    def _turn(self, draft: Keyring, old: bytes) -> None:
        for slot, wrap in self.keywraps.items():
            if wrap.kek == old:
                self.keywraps[slot] = Wrap(slot, *draft.wrap(slot, draft.unwrap(slot, old, wrap.wrapped)))
        self.keks.discard(old)
        draft.destroy(old)
