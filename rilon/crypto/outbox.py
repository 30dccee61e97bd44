"""What waits in an officer's browser until there is a network: sealed there, opened here, by nobody else.

A phone that is lost at the border holds ciphertext only. The browser seals with HPKE (RFC 9180, base mode, HKDF-SHA256,
AES-256-GCM) to the node's outbox key: ML-KEM-768 + X25519 (X-Wing) where WebCrypto has ML-KEM, X25519 alone where it
has not. The ``info`` binds node, world, officer and the item's id, so what A wrote opens in no session of B's, and an
id, which is the idempotency key, cannot be exchanged to have a thing done twice.

Vectors: ``tests/vectors/outbox.json``. Specification: ``docs/spec/outbox.md``. The browser's half: ``web/seal.js``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from rilon.crypto import labels, padding, strict
from rilon.crypto.keys import KemKey, key_id
from rilon.crypto.strict import Bytes16, Record
from rilon.errors import MalformedError, ProofError, RefusedError

VERSION: Final = 1
FLOOR_BYTES: Final = 1024
LIMIT_BYTES: Final = 160 * 1024
"""Largest envelope: what a form of the pages may hold, padded."""
_HYBRID: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_CLASSICAL: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class OutboxKey:
    """A key of the node's that browsers seal to, in both its forms, from one 32-byte seed.

    Attributes:
        seed: the secret; store it only sealed.
        since: when it came into force, seconds since 1970.
        hybrid: 1,216 raw public bytes, X-Wing. classical: 32 raw public bytes, X25519.
    """

    __slots__ = ("_private", "classical", "hybrid", "seed", "since")

    def __init__(self, seed: bytes, since: int) -> None:
        kem = KemKey(seed)
        x25519 = X25519PrivateKey.from_private_bytes(labels.digest(labels.OUTBOX_X25519, seed))
        self.seed, self.since = seed, since
        self.hybrid, self.classical = kem.public, x25519.public_key().public_bytes_raw()
        self._private: dict[bytes, tuple[Suite, Any]] = {
            kem.kid: (_HYBRID, kem.private),
            key_id(self.classical): (_CLASSICAL, x25519),
        }

    def __repr__(self) -> str:
        return f"OutboxKey({key_id(self.hybrid).hex()})"

    def has(self, kid: bytes) -> bool:
        """Whether one of its two forms has this id."""
        return kid in self._private

    def decrypt(self, kid: bytes, payload: bytes, info: bytes) -> bytes:
        """Open. Raises ProofError: ``outbox.seal``."""
        suite, private = self._private[kid]
        try:
            return suite.decrypt(payload, private, info=info)
        except (InvalidTag, ValueError):
            raise ProofError(
                "outbox.seal", "This was altered, or written by somebody else or for another node."
            ) from None


@dataclass(frozen=True, slots=True)
class Bound:
    """Whose a sealed item is: the node, its world (``real`` or ``exercise``), and the officer's opaque id."""

    member: str
    world: str
    officer: str


class Envelope(Record, frozen=True):
    """A sealed item as it lies in the browser and comes to the node.

    Attributes:
        v: format version. id: of the item, drawn by the browser; the idempotency key.
        kid: which key opens it, and so in which of its two forms. payload: encapsulated key, then ciphertext.
    """

    v: int
    id: Bytes16
    kid: Bytes16
    payload: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """What a browser had sealed."""

    id: bytes
    content: bytes = field(repr=False)


def open_(data: bytes, keys: Iterable[OutboxKey], bound: Bound) -> Opened:
    """Open an envelope.

    Args:
        keys: those that the node still holds.
        bound: as whom the session says it is.

    Raises:
        MalformedError: ``cbor.*``, ``outbox.version`` or ``padding.form``.
        RefusedError: ``outbox.key-gone``: it waited too long, and its key was destroyed.
        ProofError: ``outbox.seal``: altered, or another officer's, node's, world's or item's.
    """
    found = strict.decode(data, Envelope, limit=LIMIT_BYTES)
    if found.v != VERSION:
        raise MalformedError("outbox.version", "This was sealed by a page of another version.")
    key = next((key for key in keys if key.has(found.kid)), None)
    if key is None:
        raise RefusedError("outbox.key-gone", "This waited too long: the key that opened it was destroyed.")
    return Opened(found.id, padding.unpad(key.decrypt(found.kid, found.payload, info(found, bound)), FLOOR_BYTES))


def info(envelope: Envelope, bound: Bound) -> bytes:
    """All that a sealed item is bound to."""
    ends = (bound.member.encode(), bound.world.encode(), bytes.fromhex(bound.officer))
    return labels.framed(labels.OUTBOX, bytes([envelope.v]), envelope.kid, *ends, envelope.id)
