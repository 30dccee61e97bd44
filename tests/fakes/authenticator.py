"""An authenticator in software, after WebAuthn §6, with every part open to be made wrong."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rilon.crypto import passkey, strict
from rilon.crypto.release import Approval, ReleaseBody, approval_challenge, body_digest

ORIGIN = "https://th.example"
USED = 0x05
"""Flags: present and verified."""
ATTESTED, SYNCED = 0x40, 0x18


@dataclass
class Authenticator:
    """One passkey.

    Attributes:
        seed: of its key; one seed, one key.
        ed25519: the other algorithm.
    """

    seed: int = 1
    ed25519: bool = False
    origin: str = ORIGIN
    credential: bytes = field(default=b"credential-000001", repr=False)

    @property
    def private(self) -> EllipticCurvePrivateKey | Ed25519PrivateKey:
        if self.ed25519:
            return Ed25519PrivateKey.from_private_bytes(self.seed.to_bytes(32, "big"))
        return derive_private_key(self.seed, SECP256R1())

    @property
    def cose(self) -> bytes:
        public = self.private.public_key()
        if self.ed25519:
            return bytes.fromhex("a4010103272006215820") + public.public_bytes_raw()
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
        message, key = data + sha256(said).digest(), self.private
        ed = isinstance(key, Ed25519PrivateKey)
        signature = key.sign(message) if ed else key.sign(message, ECDSA(SHA256(), deterministic_signing=True))
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
