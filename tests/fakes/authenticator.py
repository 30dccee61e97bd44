"""An authenticator in software, after WebAuthn §6, with every part open to be made wrong."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicKey,
    RSAPublicNumbers,
    rsa_crt_iqmp,
    rsa_recover_private_exponent,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rilon.crypto import passkey, strict
from rilon.crypto.release import Approval, ReleaseBody, approval_challenge, body_digest

ORIGIN = "https://th.example"
USED = 0x05
"""Flags: present and verified."""
ATTESTED, SYNCED = 0x40, 0x18
P = int(
    "dcae13bb3a5b9cc0b02bdfbc14d564d91f7c31d3ead7d2f96b97c5369c00e4206c1fa58d04c9e4f0da9c476f0c0250b2"
    "93e1a61efdf1e330ca345ba59979a4151e2aab7c46ff1702eb6775d6a70a8e3181d7612f1714614380124b69403e3cb3"
    "5fd146eb8720a9b65a0043f6c5e8760119bb7a27a6e6ec6b3b7e5d8f9693d279",
    16,
)
Q = int(
    "c0dabafb3a22a1449241c678c33da81d1b80b0ae6789dccf0bcf0231f4f89bf07723fd34e34af86dea03d623e7f6b2f1"
    "0ffba281e670d02b9427bd6113a928166332fd492a03f9989bfaa17b3dd04556f6c465313c3a57e2dac1b224a796ae20"
    "8dcbce194d156ce9b37016b7c9f80e1511b76f73073a8880b5bed143f1970111",
    16,
)
"""Primes of the one RSA key there is here."""
Private = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey


def rsa_key() -> RSAPrivateKey:
    """An RSA key that nobody else has a use for."""
    d = rsa_recover_private_exponent(65537, P, Q)
    public = RSAPublicNumbers(65537, P * Q)
    return RSAPrivateNumbers(P, Q, d, d % (P - 1), d % (Q - 1), rsa_crt_iqmp(P, Q), public).private_key()


def sign(key: Private, message: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, RSAPrivateKey):
        return key.sign(message, PKCS1v15(), SHA256())
    return key.sign(message, ECDSA(SHA256(), deterministic_signing=True))


@dataclass
class Authenticator:
    """One passkey.

    Attributes:
        seed: of its key; one seed, one key.
        algorithm: ``ES256``, ``Ed25519`` or ``RS256``, of which there is one key only.
    """

    seed: int = 1
    algorithm: str = "ES256"
    origin: str = ORIGIN
    credential: bytes = field(default=b"credential-000001", repr=False)

    @property
    def private(self) -> Private:
        if self.algorithm == "RS256":
            return rsa_key()
        if self.algorithm == "Ed25519":
            return Ed25519PrivateKey.from_private_bytes(self.seed.to_bytes(32, "big"))
        return derive_private_key(self.seed, SECP256R1())

    @property
    def cose(self) -> bytes:
        public = self.private.public_key()
        if isinstance(public, Ed25519PublicKey):
            return bytes.fromhex("a4010103272006215820") + public.public_bytes_raw()
        if isinstance(public, RSAPublicKey):
            return bytes.fromhex("a401030339010020590100") + (P * Q).to_bytes(256, "big") + bytes.fromhex("2143010001")
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return bytes.fromhex("a5010203262001215820") + point[1:33] + bytes.fromhex("225820") + point[33:]

    @property
    def raw(self) -> bytes:
        challenge = bytes(32)
        return passkey.register(*self.create(challenge), challenge, self.origin).raw

    def create(self, challenge: bytes, /, *, flags: int = USED | ATTESTED, **client: Any) -> tuple[bytes, bytes]:
        """Client data and attestation object of a new passkey."""
        said = self.client("webauthn.create", challenge, **client)
        data = self.data(flags) + bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + self.cose
        return said, strict.dumps({"fmt": "none", "attStmt": {}, "authData": data})

    def sign(self, challenge: bytes, /, *, flags: int = USED, host: str = "", **client: Any) -> bytes:
        """An encoded assertion."""
        said, data = self.client("webauthn.get", challenge, **client), self.data(flags, host)
        signature = sign(self.private, data + sha256(said).digest())
        return strict.encode(passkey.Assertion(said, data, signature))

    def approve(self, body: ReleaseBody, officer: str, nonce: bytes = b"n" * 32, **wrong: Any) -> Approval:
        """A person's consent to a release body."""
        kid = passkey.Passkey(self.raw).kid
        challenge = approval_challenge(body_digest(body), nonce)
        return Approval(officer, kid, "passkey", nonce, self.sign(challenge, **wrong))

    def client(self, kind: str, challenge: bytes, /, **changes: Any) -> bytes:
        """What a browser says; changes replace or add to it."""
        text = urlsafe_b64encode(challenge).decode().rstrip("=")
        said = {"type": kind, "challenge": text, "origin": self.origin, "crossOrigin": False} | changes
        return json.dumps(said, separators=(",", ":")).encode()

    def data(self, flags: int, host: str = "") -> bytes:
        """The fixed part of authenticator data."""
        return sha256((host or passkey.host(self.origin)).encode()).digest() + bytes([flags]) + bytes(4)
