"""Passkeys (W3C Web Authentication): what an authenticator signed in a browser, checked without a browser.

One verification serves sign-in and approvals: an assertion over a challenge, made for one origin, by a person whom the
authenticator verified. An approval's challenge is the digest of what was approved, so that its assertion is evidence
anybody can check later, with the key and origin that the directory lists (docs/spec/releases.md, Passkeys).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta

from rilon.crypto import strict
from rilon.crypto.keys import ed25519_public, key_id
from rilon.errors import MalformedError, ProofError

ES256: Final = -7
"""COSE algorithm number: ECDSA over P-256 with SHA-256, what nearly all authenticators have."""
EDDSA: Final = -8
"""COSE algorithm number: Ed25519, as authenticators still name it."""
RS256: Final = -257
"""COSE algorithm number: RSA PKCS #1 v1.5 with SHA-256, all that many a TPM (Windows Hello) has; 2048 bits, e 65537."""
Algorithm = Literal[-7, -8, -257]

LIMIT_BYTES: Final = 4096
_ORIGIN: Final = r"\Ahttps?://[a-z0-9.-]{1,200}(:[0-9]{1,5})?\Z"
_RSA_BYTES: Final = 256
_FORMS: Final[tuple[tuple[Algorithm, bytes, tuple[int, ...], bytes], ...]] = (
    (ES256, bytes.fromhex("a5010203262001215820"), (32, 32), bytes.fromhex("225820")),
    (EDDSA, bytes.fromhex("a4010103272006215820"), (32,), b""),
    (RS256, bytes.fromhex("a401030339010020590100"), (_RSA_BYTES,), bytes.fromhex("2143010001")),
)
"""COSE keys come in one encoding (CTAP2 canonical CBOR): what stands before, between and behind their numbers, and the
lengths of these, are always the same."""
_PRESENT, _VERIFIED, _SYNCED, _ATTESTED, _EXTENDED = 0x01, 0x04, 0x08, 0x40, 0x80
_HEAD: Final = 37
_AAGUID: Final = 16

Origin = Annotated[str, Meta(pattern=_ORIGIN)]


class Listed(strict.Record, frozen=True):
    """A passkey's public half as the directory lists it.

    Attributes:
        algorithm: COSE number. key: uncompressed P-256 point, 65 bytes; Ed25519, 32; or an RSA modulus, 256.
        origin: of the pages it was made for; its host is the relying party.
    """

    algorithm: Algorithm
    key: Annotated[bytes, Meta(min_length=32, max_length=256)]
    origin: Origin


class Assertion(strict.Record, frozen=True):
    """What a browser gives back: the signed bytes and the signature over them."""

    client_data: Annotated[bytes, Meta(min_length=1, max_length=2048)]
    authenticator_data: Annotated[bytes, Meta(min_length=_HEAD, max_length=1024)]
    signature: Annotated[bytes, Meta(min_length=8, max_length=256)]


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that was just made.

    Attributes:
        credential: the authenticator's id for it. raw: its public half, an encoded :class:`Listed`.
        synced: it may leave its device (a cloud account): good for signing in, not for approving.
    """

    credential: bytes
    raw: bytes
    synced: bool


class Passkey:
    """The public half of a passkey.

    Attributes:
        raw: the bytes, an encoded :class:`Listed`.
        kid: 16-byte id. origin: where it may be used.
    """

    __slots__ = ("_key", "kid", "origin", "raw")

    def __init__(self, raw: bytes) -> None:
        """Parse it.

        Raises:
            MalformedError: ``cbor.*``, ``key.length`` or ``key.invalid``.
        """
        listed = strict.decode(raw, Listed, limit=LIMIT_BYTES)
        self.raw, self.kid, self.origin = raw, key_id(raw), listed.origin
        self._key = _KEYS[listed.algorithm](listed.key)

    def __repr__(self) -> str:
        return f"Passkey({self.kid.hex()})"

    def verify(self, assertion: bytes, challenge: bytes) -> None:
        """Check that its owner, present and verified, signed this challenge on its origin.

        Args:
            assertion: an encoded :class:`Assertion`.

        Raises:
            MalformedError: ``cbor.*`` or ``passkey.form``.
            ProofError: ``passkey.type``, ``passkey.challenge``, ``passkey.origin``, ``passkey.user`` or
                ``signature.invalid``.
        """
        given = strict.decode(assertion, Assertion, limit=LIMIT_BYTES)
        _check_client(given.client_data, "webauthn.get", challenge, self.origin)
        _check_authenticator(given.authenticator_data, self.origin)
        message = given.authenticator_data + sha256(given.client_data).digest()
        try:
            if isinstance(self._key, Ed25519PublicKey):
                self._key.verify(given.signature, message)
            elif isinstance(self._key, RSAPublicKey):
                self._key.verify(given.signature, message, PKCS1v15(), SHA256())
            else:
                self._key.verify(given.signature, message, ECDSA(SHA256()))
        except InvalidSignature:
            raise ProofError("signature.invalid", "A signature does not hold.") from None


def register(client_data: bytes, attestation: bytes, challenge: bytes, origin: str) -> Registered:
    """Take in a passkey that a browser made. Where it comes from is not asked: attestation is ``none``.

    Args:
        client_data, attestation: ``clientDataJSON`` and ``attestationObject``.
        challenge, origin: what it was asked with, and where.

    Raises:
        MalformedError: ``cbor.*``, ``passkey.form``, ``passkey.algorithm`` or ``key.invalid``.
        ProofError: ``passkey.*``.
    """
    _check_client(client_data, "webauthn.create", challenge, origin)
    found = strict.loads(attestation, limit=LIMIT_BYTES)
    data = found.get("authData") if isinstance(found, dict) else None
    if not isinstance(data, bytes):
        raise _no_form()
    flags = _check_authenticator(data, origin)
    start = _HEAD + _AAGUID + 2
    length = int.from_bytes(data[start - 2 : start], "big")
    credential, cose = data[start : start + length], data[start + length :]
    if not flags & _ATTESTED or not credential or len(credential) != length:
        raise _no_form()
    algorithm, key = _cose(cose, extended=bool(flags & _EXTENDED))
    raw = strict.encode(Listed(algorithm, key, origin))
    return Registered(credential, Passkey(raw).raw, bool(flags & _SYNCED))


def host(origin: str) -> str:
    """The relying party of an origin: its host."""
    return urlsplit(origin).hostname or ""


def _check_client(data: bytes, kind: str, challenge: bytes, origin: str) -> None:
    """What the browser says of where and what for. Field order and additions differ between browsers."""
    try:
        said = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _no_form() from None
    if not isinstance(said, dict):
        raise _no_form()
    if said.get("type") != kind:
        raise ProofError("passkey.type", "A passkey was used for something else.")
    if said.get("challenge") != urlsafe_b64encode(challenge).decode().rstrip("="):
        raise ProofError("passkey.challenge", "A passkey signed something else.")
    if said.get("origin") != origin or said.get("crossOrigin", False) is not False:
        raise ProofError("passkey.origin", "A passkey was used on another page.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: two readers would read two things."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("repeated")
    return dict(pairs)


def _check_authenticator(data: bytes, origin: str) -> int:
    """The flags, when the authenticator was asked for this host and verified its user (WebAuthn §6.1)."""
    if len(data) < _HEAD:
        raise _no_form()
    flags = data[32]
    if len(data) > _HEAD and not flags & (_ATTESTED | _EXTENDED):
        raise _no_form()
    if data[:32] != sha256(host(origin).encode()).digest():
        raise ProofError("passkey.origin", "A passkey was used for another host.")
    if flags & (_PRESENT | _VERIFIED) != _PRESENT | _VERIFIED:
        raise ProofError("passkey.user", "The authenticator did not verify who used it.")
    return flags


def _cose(data: bytes, *, extended: bool) -> tuple[Algorithm, bytes]:
    for algorithm, prefix, lengths, between in _FORMS:
        first = len(prefix) + lengths[0]
        second = first + len(between)
        if data.startswith(prefix) and data[first:second] == between:
            end = second + sum(lengths[1:])
            if data[end:] and not extended:
                raise _no_form()
            point = b"\x04" if algorithm == ES256 else b""
            return algorithm, point + data[len(prefix) : first] + data[second:end]
    raise MalformedError("passkey.algorithm", "This passkey's algorithm is not used here.", fix="Use another one.")


def _point(raw: bytes) -> EllipticCurvePublicKey:
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)
    except ValueError:
        raise MalformedError("key.invalid", "These bytes are no P-256 key.") from None


def _modulus(raw: bytes) -> RSAPublicKey:
    """One length only, odd and not shorter than it looks: nothing else comes out of an authenticator."""
    if len(raw) != _RSA_BYTES or raw[0] < 0x80 or not raw[-1] & 1:  # noqa: PLR2004
        raise MalformedError("key.invalid", "These bytes are no RSA key of 2048 bits.")
    return RSAPublicNumbers(65537, int.from_bytes(raw, "big")).public_key()


_KEYS: Final[Mapping[int, Callable[[bytes], EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey]]] = {
    ES256: _point,
    EDDSA: ed25519_public,
    RS256: _modulus,
}


def _no_form() -> MalformedError:
    return MalformedError("passkey.form", "This is no answer of an authenticator.")
