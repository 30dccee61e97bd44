"""Ciphertexts and wrapped keys in memory. ``erase`` turns keys as the real one does: late writers fail alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from rilon.app.ports import ANY_SIZE, Keys, Parcel, Wrap
from rilon.crypto.keyring import Keyring
from rilon.errors import ConflictError
from tests.fakes.keys import MemoryKeys


class MemoryBlobs:
    """Implements ``Blobs``. A fake log shares its state: ``MemoryEventLog(codec, blobs.keywraps, blobs.keks)``."""

    def __init__(self, keys: Keys | None = None) -> None:
        self.keyring: Keys = keys or MemoryKeys()
        self.ciphertexts: dict[bytes, bytes] = {}
        self.keywraps: dict[bytes, Wrap] = {}
        self.parcels: dict[bytes, Parcel] = {}
        self.come: dict[bytes, bytes] = {}
        self.keks: set[bytes] = {kek for _, kek in self.keyring.ring().keks()}

    async def put(self, blobs: Mapping[bytes, bytes]) -> None:
        if any(self.ciphertexts.get(slot, ciphertext) != ciphertext for slot, ciphertext in blobs.items()):
            raise ConflictError("blobs.slot-taken", "This slot holds something else.")
        self.ciphertexts |= blobs

    async def get(self, slots: Sequence[bytes], most: int = ANY_SIZE) -> dict[bytes, bytes]:
        found = {slot: self.ciphertexts[slot] for slot in slots if slot in self.ciphertexts}
        return {slot: ciphertext for slot, ciphertext in found.items() if len(ciphertext) <= most}

    async def part(self, slot: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        whole = self.ciphertexts.get(slot)
        return None if whole is None else (len(whole), whole[offset : offset + length])

    async def expect(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            self.parcels.setdefault(parcel.slot, parcel)

    async def awaited(self, peer: str, but: Collection[bytes] = ()) -> list[Parcel]:
        live = [p for slot, p in self.parcels.items() if slot in self.keywraps]
        return sorted((p for p in live if p.peer == peer and p.digest not in but), key=lambda p: p.rank)

    async def add(self, slot: bytes, offset: int, total: int, piece: bytes) -> bool:
        parcel = self.parcels.get(slot)
        if parcel is None or parcel.have != offset or parcel.total not in (0, total):
            return False
        self.come[slot] = self.come.get(slot, b"") + piece
        self.parcels[slot] = replace(parcel, have=offset + len(piece), total=total)
        return True

    async def pieces(self, slot: bytes) -> bytes:
        return self.come.get(slot, b"")

    async def settle(self, slot: bytes, *, anew: bool = False) -> None:
        self.come.pop(slot, None)
        if parcel := self.parcels.pop(slot, None):
            self.parcels |= {slot: replace(parcel, have=0, total=0)} if anew else {}

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
                self.parcels.pop(slot, None)
                self.come.pop(slot, None)
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
