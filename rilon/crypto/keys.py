"""Keys in memory: seeds in, parsed keys cached inside, raw public bytes out. No key shows in a repr or an error.

Signing keys are hybrid: Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204), used as a pair that must hold as a pair. KEM keys
are X-Wing: ML-KEM-768 with X25519. Link keys are Ed25519 alone: they sign frames whose content is protected anyway.
"""

from __future__ import annotations

import secrets
from hashlib import shake_256
from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from rilon.crypto import labels
from rilon.errors import MalformedError, ProofError

ED25519: Final = -19
"""COSE algorithm number, RFC 9864 (fully specified Ed25519)."""
ML_DSA_65: Final = -49
"""COSE algorithm number, RFC 9964."""
ALGORITHMS: Final = (ED25519, ML_DSA_65)
"""The pair, in the order in which signatures are written and checked."""

SEED_BYTES: Final = 64
VERIFY_KEY_BYTES: Final = 32 + 1952
SIGNATURE_BYTES: Final = {ED25519: 64, ML_DSA_65: 3309}
PAIR_BYTES: Final = 64 + 3309
KEM_SEED_BYTES: Final = 32
KEM_PUBLIC_BYTES: Final = 1184 + 32
LINK_KEY_BYTES: Final = 32


def key_id(public: bytes) -> bytes:
    """The 16-byte id of any raw public key: how headers, wraps and the directory name it."""
    return labels.digest(labels.KEY_ID, public)[:16]


class VerifyKey:
    """The public half of a :class:`SigningKey`: 1,984 raw bytes, Ed25519 then ML-DSA-65.

    Attributes:
        raw: the bytes.
        kid: 16-byte id.
    """

    __slots__ = ("_keys", "kid", "raw")

    def __init__(self, raw: bytes) -> None:
        _length(raw, VERIFY_KEY_BYTES)
        self.raw, self.kid = raw, key_id(raw)
        self._keys: dict[int, Ed25519PublicKey | MLDSA65PublicKey] = {
            ED25519: ed25519_public(raw[:32]),
            ML_DSA_65: MLDSA65PublicKey.from_public_bytes(raw[32:]),
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"VerifyKey({self.kid.hex()})"

    def verify(self, algorithm: int, signature: bytes, message: bytes) -> None:
        """Check one signature of the pair.

        Raises:
            ProofError: ``signature.invalid``.
        """
        try:
            self._keys[algorithm].verify(signature, message)
        except InvalidSignature:
            raise ProofError("signature.invalid", "A signature does not hold.") from None

    def verify_pair(self, pair: bytes, message: bytes) -> None:
        """Check both signatures over one message, as :meth:`SigningKey.sign_pair` made them.

        Raises:
            ProofError: ``signature.invalid``.
        """
        if len(pair) != PAIR_BYTES:
            raise ProofError("signature.invalid", "A pair of signatures has the wrong length.")
        self.verify(ED25519, pair[:64], message)
        self.verify(ML_DSA_65, pair[64:], message)


class _Seeded:
    """A secret key that is stored as its seed and named by the digest of its public half."""

    __slots__ = ("seed",)
    LENGTH: ClassVar[int]

    def __init__(self, seed: bytes) -> None:
        _length(seed, self.LENGTH)
        self.seed = seed

    @classmethod
    def generate(cls) -> Self:
        """A new key from the system's randomness."""
        return cls(secrets.token_bytes(cls.LENGTH))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key of a seed.

        Raises:
            MalformedError: ``key.length``.
        """
        return cls(seed)


class SigningKey(_Seeded):
    """A hybrid signing key from a 64-byte seed: 32 bytes for Ed25519, 32 for ML-DSA-65.

    Attributes:
        seed: the secret; store it only sealed.
        public: its :class:`VerifyKey`.
    """

    __slots__ = ("_keys", "public")
    LENGTH = SEED_BYTES

    def __init__(self, seed: bytes) -> None:
        super().__init__(seed)
        ed25519, ml_dsa = Ed25519PrivateKey.from_private_bytes(seed[:32]), MLDSA65PrivateKey.from_seed_bytes(seed[32:])
        self._keys: dict[int, Ed25519PrivateKey | MLDSA65PrivateKey] = {ED25519: ed25519, ML_DSA_65: ml_dsa}
        self.public = VerifyKey(ed25519.public_key().public_bytes_raw() + ml_dsa.public_key().public_bytes_raw())

    @property
    def kid(self) -> bytes:
        """16-byte id of the public key."""
        return self.public.kid

    def __repr__(self) -> str:
        return f"SigningKey({self.kid.hex()})"

    def sign(self, algorithm: int, message: bytes) -> bytes:
        """One signature of the pair: 64 or 3,309 bytes. ML-DSA is hedged: two signatures of one message differ."""
        return self._keys[algorithm].sign(message)

    def sign_pair(self, message: bytes) -> bytes:
        """Both signatures over one message, Ed25519 first: 3,373 bytes."""
        return b"".join(self.sign(algorithm, message) for algorithm in ALGORITHMS)


class KemKey(_Seeded):
    """A KEM key from its 32-byte X-Wing seed (draft-connolly-cfrg-xwing-kem): ML-KEM-768 with X25519.

    The library's composite key cannot be written out, so the seed is the key's only stored form.

    Attributes:
        seed: the secret; store it only sealed.
        private: what HPKE opens with.
        public: 1,216 raw bytes, ML-KEM-768 then X25519.
        kid: 16-byte id.
    """

    __slots__ = ("kid", "private", "public")
    LENGTH = KEM_SEED_BYTES

    def __init__(self, seed: bytes) -> None:
        super().__init__(seed)
        expanded = shake_256(seed).digest(96)
        ml_kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.private = MLKEM768X25519PrivateKey(ml_kem, x25519)
        self.public = ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        self.kid = key_id(self.public)

    def __repr__(self) -> str:
        return f"KemKey({self.kid.hex()})"


def kem_public(raw: bytes) -> MLKEM768X25519PublicKey:
    """The parsed form of 1,216 raw public bytes: what HPKE seals to.

    Raises:
        MalformedError: ``key.length``; or ``key.invalid``: ML-KEM's own check fails (FIPS 203 §7.2), or the X25519
            point has a small order, so that its shared secret would be known to all (RFC 7748 §6.1).
    """
    _length(raw, KEM_PUBLIC_BYTES)
    try:
        ml_kem = MLKEM768PublicKey.from_public_bytes(raw[:1184])
        x25519 = X25519PublicKey.from_public_bytes(raw[1184:])
        _PROBE.exchange(x25519)
    except ValueError:
        raise MalformedError("key.invalid", "These bytes are no KEM key.") from None
    return MLKEM768X25519PublicKey(ml_kem, x25519)


class LinkKey(_Seeded):
    """A node's link key: Ed25519 alone, signs frames.

    Attributes:
        seed: the secret, 32 bytes.
        public: 32 raw bytes.
        kid: 16-byte id.
    """

    __slots__ = ("_key", "kid", "public")
    LENGTH = LINK_KEY_BYTES

    def __init__(self, seed: bytes) -> None:
        super().__init__(seed)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.kid = key_id(self.public)

    def __repr__(self) -> str:
        return f"LinkKey({self.kid.hex()})"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of a message."""
        return self._key.sign(message)


def verify_link(public: bytes, signature: bytes, message: bytes) -> None:
    """Check a link key's signature.

    Raises:
        MalformedError: ``key.length`` or ``key.invalid``.
        ProofError: ``signature.invalid``.
    """
    try:
        ed25519_public(public).verify(signature, message)
    except InvalidSignature:
        raise ProofError("signature.invalid", "A signature does not hold.") from None


def ed25519_public(raw: bytes) -> Ed25519PublicKey:
    """The parsed form of 32 raw bytes.

    A point of small order is refused: OpenSSL would accept one fixed signature under it for any message.

    Raises:
        MalformedError: ``key.length`` or ``key.invalid``.
    """
    _length(raw, LINK_KEY_BYTES)
    if raw[:31] + bytes([raw[31] & 0x7F]) in _SMALL_ORDER:
        raise MalformedError("key.invalid", "These bytes are no usable Ed25519 key.")
    return Ed25519PublicKey.from_public_bytes(raw)


def _length(raw: bytes, expected: int) -> None:
    if len(raw) != expected:
        raise MalformedError("key.length", f"A key of {len(raw)} bytes where {expected} are needed.")


_PROBE: Final = X25519PrivateKey.from_private_bytes(bytes(range(32)))
"""Any key at all: the library refuses an exchange whose result is all zero."""

_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Encodings of the eight points of small order, sign bit cleared, non-canonical forms included."""
