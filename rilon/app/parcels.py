"""Parcels: ciphertexts that were granted to us and come in pieces after their line (docs/spec/links.md).

Each piece is durable before the next is asked for. The whole is believed when its digest is the one that the signed
manifest commits to and it opens to what it is called; then it takes its place beside the other ciphertexts, and the
originator is told. A crash between any two steps is repaired by doing them again. A whole is some 16 MiB in memory:
the caller takes one at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from uuid import UUID

from rilon.app.ports import Blobs, Parcel
from rilon.app.received import check_content
from rilon.app.unit import Unit, Work
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.crypto.section import LIMIT_CIPHERTEXT_BYTES
from rilon.domain.holding import Holding, holding_id
from rilon.errors import InvalidError, MalformedError, NotFoundError, ProofError

_UNSOUND = (InvalidError, MalformedError, ProofError)


class Parcels:
    """What is on its way to us."""

    def __init__(self, work: Work, vault: Vault, blobs: Blobs) -> None:
        self._work, self._vault, self._blobs = work, vault, blobs

    async def next(self, peer: str, but: Collection[bytes] = ()) -> Parcel | None:
        """The most urgent one of a peer that is not whole, without these digests; None: nothing is missing."""
        while found := await self._blobs.awaited(peer, but):
            whole = [p for p in found if p.total and p.have == p.total]  # a crash came between the last piece and this
            if not whole:
                return found[0]
            for parcel in whole:
                await self._finish(parcel)
        return None

    async def take(self, peer: str, digest: bytes, offset: int, total: int, piece: bytes) -> str | None:
        """Store a piece. One that is not the next of something awaited from this peer changes nothing.

        Returns:
            "" for one more piece, a code when the peer is to be suspected; None: nothing changed.
        """
        parcel = next((p for p in await self._blobs.awaited(peer) if p.digest == digest), None)
        if parcel is None:
            return None  # erased meanwhile
        if total > LIMIT_CIPHERTEXT_BYTES:
            return "blob.too-large"
        if not await self._blobs.add(parcel.slot, offset, total, piece):
            return None
        return await self._finish(parcel) if offset + len(piece) == total else ""

    async def _finish(self, parcel: Parcel) -> str:
        ciphertext = await self._blobs.pieces(parcel.slot)
        if sha256(ciphertext).digest() != parcel.digest:
            await self._blobs.settle(parcel.slot, anew=True)
            return "blob.digest"
        try:
            await self._check(parcel, ciphertext)
        except _UNSOUND:
            await self._vault.erase([parcel.slot])  # the digest was signed: it will never be anything else
            return "blob.unsound"
        except NotFoundError:
            return ""  # erased meanwhile
        await self._blobs.put({parcel.slot: ciphertext})
        await self._work.run(lambda unit: self._arrive(unit, parcel))
        await self._blobs.settle(parcel.slot)
        return ""

    async def _check(self, parcel: Parcel, ciphertext: bytes) -> None:
        """Open it once before it is kept, or this node would vouch for what it cannot show."""
        holding = await self._work.read(Holding, _holding(parcel))
        edition, ref = holding.grants.place(parcel.manifest, parcel.place)
        key = (await self._vault.keys([parcel.slot]))[parcel.slot]
        if not isinstance(key, bytes):
            raise key
        context = section.item_context(parcel.peer, parcel.item, edition.version, parcel.place, ref.sensitivity)
        plaintext = section.open_(ciphertext, key, ref.sealed.commitment, context)
        check_content(edition.kind, ref.sensitivity, plaintext)

    async def _arrive(self, unit: Unit, parcel: Parcel) -> bytes:
        holding = await unit.get(Holding, _holding(parcel))
        holding.arrive(parcel.manifest, parcel.place, self._work.clock.now())
        return b""


def _holding(parcel: Parcel) -> UUID:
    return holding_id(parcel.peer, UUID(bytes=parcel.item))
