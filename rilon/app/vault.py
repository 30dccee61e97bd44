"""The one place that seals what a person wrote before it lies at rest, and opens it again (protocol.md, Keys).

A ciphertext goes to ``Blobs`` at once, under a lease; its key leaves as a ``Wrap``, to be stored by the same append as
the event that names it. Who seals and never appends leaves a ciphertext that is swept and that nothing opens. When an
append answers ``log.key-turned``, the command is decided, and sealed, again.

Nothing here keeps an unwrapped key longer than the call needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rilon.app.ports import ANY_SIZE, Blobs, Entropy, Keys, Parcel, Wrap
from rilon.crypto import labels, section
from rilon.crypto.keyring import Keyring
from rilon.crypto.section import SealedSection
from rilon.domain.values import Sealed
from rilon.errors import MalformedError, NotFoundError, ProofError, RilonError

TICKET_BYTES = 96

Outcome = bytes | NotFoundError | ProofError
"""What opening one of many gave. A row that was erased, or that somebody changed, must not close all the others."""


def received_slot(origin: str, manifest: bytes, position: int, again: int = 0) -> bytes:
    """Slot of a section that came from another Member (protocol.md, Keys). 32 bytes.

    Never the ciphertext's digest: else one Member could choose the slot of another's section, and have it destroyed.

    Args:
        origin: Member whose item it is.
        manifest: digest of the manifest's statement.
        position: of the section in the manifest's tree.
        again: how often it was granted anew after its key had to go: an erased slot is never used again.
    """
    anew = (again.to_bytes(8, "big"),) if again else ()
    return labels.digest(labels.SLOT, origin.encode(), manifest, position.to_bytes(8, "big"), *anew)


class Vault:
    """Seals, stores, opens and erases sections and local texts."""

    def __init__(self, blobs: Blobs, keys: Keys, entropy: Entropy) -> None:
        self._blobs, self._keys, self._entropy = blobs, keys, entropy

    async def seal_text(self, purpose: str, owner: str, text: str) -> tuple[Sealed, Wrap]:
        """Seal a text that stays at this node: see :meth:`seal`."""
        return await self.seal(purpose, owner, text.encode())

    async def seal(self, purpose: str, owner: str, data: bytes) -> tuple[Sealed, Wrap]:
        """Seal something that stays at this node, and store its ciphertext under a random slot.

        Args:
            purpose: what it is, a code such as ``officer.name``; bound, so that it opens as nothing else.
            owner: id of what it belongs to; bound likewise.
            data: at most ``section.LIMIT_BYTES``.

        Returns:
            What the event holds, and the key to be stored with it.

        Raises:
            InvalidError: ``section.size``.
            UnavailableError: ``blobs.unavailable``.
        """
        context = section.local_context(purpose, owner.encode())
        (kept,) = await self.keep([section.seal(data, context, self._entropy.bytes(section.KEY_BYTES))])
        return kept

    async def deposit(self, purpose: str, owner: str, data: bytes) -> bytes:
        """Seal something for an hour, and give its key away: this node keeps no key, and sweeps what nobody comes for.

        Returns:
            The ticket, ``TICKET_BYTES``: slot, key and commitment. Who has it and is the owner may ``redeem`` it.

        Raises:
            InvalidError: ``section.size``. UnavailableError: ``blobs.unavailable``.
        """
        sealed = section.seal(data, section.local_context(purpose, owner.encode()), self._entropy.bytes(32))
        slot = self._entropy.bytes(32)
        await self._blobs.put({slot: sealed.ciphertext})
        return slot + sealed.key + sealed.commitment

    async def redeem(self, purpose: str, owner: str, ticket: bytes) -> bytes:
        """What was deposited. Raises NotFoundError: swept, never there, or somebody else's; told alike."""
        slot, key, commitment = ticket[:32], ticket[32:64], ticket[64:]
        ciphertext = (await self._blobs.get([slot])).get(slot, b"")
        try:
            return section.open_(ciphertext, key, commitment, section.local_context(purpose, owner.encode()))
        except (MalformedError, ProofError):
            raise NotFoundError from None

    async def coming(self, slot: bytes) -> bool:
        """Whether a section's key is here and its ciphertext still on its way."""
        return bool(await self.has([slot])) and await self._blobs.part(slot, 0, 0) is None

    async def keep(self, sections: Sequence[SealedSection]) -> list[tuple[Sealed, Wrap]]:
        """Store sections that were sealed here, each under a random slot; in their order.

        Raises:
            UnavailableError: ``blobs.unavailable``.
        """
        slots = [self._entropy.bytes(32) for _ in sections]
        kept = await self.adopt(dict(zip(slots, sections, strict=True)))
        return [kept[slot] for slot in slots]

    async def adopt(self, sections: Mapping[bytes, SealedSection]) -> dict[bytes, tuple[Sealed, Wrap]]:
        """Store sections by given slots: received ones, by :func:`received_slot`, under a key of this node.

        Each MUST have been opened once before, or this node would vouch for what it cannot show.

        Raises:
            ConflictError: ``blobs.slot-taken``.
            UnavailableError: ``blobs.unavailable``.
        """
        await self._blobs.put({slot: sealed.ciphertext for slot, sealed in sections.items()})
        wraps = self.wrap({slot: sealed.key for slot, sealed in sections.items()})
        return {slot: (Sealed(slot, it.digest, it.commitment), wraps[slot]) for slot, it in sections.items()}

    async def expect(self, parcels: Mapping[bytes, tuple[SealedSection, Parcel]]) -> dict[bytes, tuple[Sealed, Wrap]]:
        """Await sections by given slots, whose keys are here and were checked against their commitments.

        Raises:
            UnavailableError: ``blobs.unavailable``.
        """
        if not parcels:
            return {}
        await self._blobs.expect([parcel for _, parcel in parcels.values()])
        wraps = self.wrap({slot: sealed.key for slot, (sealed, _) in parcels.items()})
        return {slot: (Sealed(slot, it.digest, it.commitment), wraps[slot]) for slot, (it, _) in parcels.items()}

    def wrap(self, keys: Mapping[bytes, bytes]) -> dict[bytes, Wrap]:
        """Seal section keys, by slot, under this node's current keys; their ciphertexts may come later."""
        ring = self._keys.ring()
        return {slot: Wrap(slot, *ring.wrap(slot, key)) for slot, key in keys.items()}

    async def open_text(self, sealed: Sealed, purpose: str, owner: str) -> str:
        """Open what :meth:`seal_text` sealed: see :meth:`open`."""
        return (await self.open(sealed, section.local_context(purpose, owner.encode()))).decode()

    async def open(self, sealed: Sealed, context: bytes) -> bytes:
        """Open one section or text.

        Args:
            sealed: as the event holds it.
            context: from ``section.item_context`` or ``section.local_context``.

        Raises:
            NotFoundError: ``vault.erased``: its key is gone.
            ProofError: ``keyring.wrap`` or ``section.*``: what lies at rest was changed, or is of another context.
            UnavailableError: ``blobs.unavailable``.
        """
        (outcome,) = await self.open_many([(sealed, context)])
        if not isinstance(outcome, bytes):
            raise outcome
        return outcome

    async def open_many(self, wanted: Sequence[tuple[Sealed, bytes]]) -> list[Outcome]:
        """Open many, in one round trip for the keys and one for the ciphertexts.

        Returns:
            For each, in order, its bytes or the error :meth:`open` would raise.

        Raises:
            UnavailableError: ``blobs.unavailable``.
        """
        if not wanted:
            return []
        slots = [sealed.slot for sealed, _ in wanted]
        keys, ciphertexts = await self.keys(slots), await self._blobs.get(slots)
        return [_open(sealed, context, keys[sealed.slot], ciphertexts) for sealed, context in wanted]

    async def keys(self, slots: Sequence[bytes]) -> dict[bytes, Outcome]:
        """The section keys of these slots, for who sends them on. Use them and let them go.

        Raises:
            UnavailableError: ``blobs.unavailable``.
        """
        wraps = await self._blobs.wraps(slots)
        ring = self._keys.ring()
        turned = [slot for slot, wrap in wraps.items() if not ring.knows(wrap.kek)]
        if turned:  # a bucket's key was turned between the two lines above: its wraps have been written anew
            wraps |= await self._blobs.wraps(turned)
            ring = self._keys.ring()
        return {slot: _unwrap(ring, wraps.get(slot)) for slot in slots}

    async def ciphertexts(self, slots: Sequence[bytes], most: int = ANY_SIZE) -> dict[bytes, bytes]:
        """The ciphertexts that are there and have at most so many bytes, by slot, for who sends them on."""
        return await self._blobs.get(slots, most)

    async def part(self, slot: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """Size and a part of a ciphertext whose key is live; None when either is not there."""
        return await self._blobs.part(slot, offset, length) if await self.has([slot]) else None

    async def has(self, slots: Sequence[bytes]) -> set[bytes]:
        """Those of the slots whose key is live."""
        wraps, ring = await self._blobs.wraps(slots), self._keys.ring()
        return {slot for slot, wrap in wraps.items() if ring.knows(wrap.kek)}

    async def erase(self, slots: Iterable[bytes]) -> None:
        """Destroy for good, everywhere this node's data went: see ``Blobs.erase``. May be repeated."""
        await self._blobs.erase(list(slots))


def _unwrap(ring: Keyring, wrap: Wrap | None) -> Outcome:
    if wrap is None:
        return _erased()
    try:
        return ring.unwrap(wrap.slot, wrap.kek, wrap.wrapped)
    except NotFoundError:
        return _erased()
    except ProofError as error:
        return error


def _open(sealed: Sealed, context: bytes, key: Outcome, ciphertexts: Mapping[bytes, bytes]) -> Outcome:
    if not isinstance(key, bytes):
        return key
    if sealed.slot not in ciphertexts:
        return _erased()
    try:
        return section.open_(ciphertexts[sealed.slot], key, sealed.commitment, context)
    except RilonError as error:
        return error if isinstance(error, ProofError) else ProofError("section.seal", "This does not open.")


def _erased() -> NotFoundError:
    return NotFoundError("vault.erased", "This content was erased here, or has not come yet.")
