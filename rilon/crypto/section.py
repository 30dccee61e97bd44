"""Sections: words sealed under a key of their own, so that access is a key and erasure is its loss.

A fresh 32-byte key is split by HKDF into an encryption key and a public commitment. AES-GCM alone lets a sender craft
one ciphertext that opens to different words under different keys; the commitment, which every recipient sees in the
signed manifest, ties the ciphertext to one key and so to one text. The context is authenticated with it: a section
moved to another item, version, position or sensitivity does not open.

The nonce is fixed because a key seals exactly one text: never pass a key to :func:`seal` twice.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rilon.crypto import labels
from rilon.crypto.padding import PREFIX_BYTES, pad, size_class, unpad
from rilon.errors import InvalidError, MalformedError, ProofError

LIMIT_BYTES: Final = 16 * 1024 * 1024
"""Most plaintext bytes of one section."""

FLOOR_BYTES: Final = 1024
"""The smallest padded section."""

LIMIT_CIPHERTEXT_BYTES: Final = size_class(PREFIX_BYTES + LIMIT_BYTES, FLOOR_BYTES) + 16
"""The largest ciphertext: padded, and AES-GCM's tag."""

KEY_BYTES: Final = 32
_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class SealedSection:
    """A sealed text. The key goes to those who may read, the rest may be seen.

    Attributes:
        key: 32 bytes, the secret.
        ciphertext: padded and sealed.
        digest: SHA-256 of the ciphertext.
        commitment: 32 bytes that fix the key.
    """

    key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    digest: bytes
    commitment: bytes


def item_context(origin: str, item: bytes, version: int, position: int, sensitivity: str) -> bytes:
    """Context of an item's section: where it belongs and how revealing it is called.

    Args:
        origin: Member whose item it is.
        item: 16-byte item id.
        version: of the item, from 1.
        position: leaf of the manifest's section tree.
        sensitivity: code of what the section holds.
    """
    numbers = version.to_bytes(8, "big"), position.to_bytes(8, "big")
    return labels.framed(labels.SECTION, origin.encode(), item, *numbers, sensitivity.encode())


def local_context(purpose: str, owner: bytes) -> bytes:
    """Context of text that never leaves the node: a comment, a reason, an officer's name.

    Args:
        purpose: what the text is, a code.
        owner: id of what it belongs to.
    """
    return labels.framed(labels.LOCAL, purpose.encode(), owner)


def seal(plaintext: bytes, context: bytes, key: bytes | None = None) -> SealedSection:
    """Pad and seal one text.

    Args:
        plaintext: at most ``LIMIT_BYTES``.
        context: from :func:`item_context` or :func:`local_context`.
        key: 32 fresh random bytes, used for nothing else before or after; drawn here when absent.

    Raises:
        InvalidError: ``section.size``.
    """
    if len(plaintext) > LIMIT_BYTES:
        raise InvalidError("section.size", f"A section may have {LIMIT_BYTES} bytes; this one has {len(plaintext)}.")
    key = secrets.token_bytes(KEY_BYTES) if key is None else key
    aead, commitment = _split(key)
    ciphertext = aead.encrypt(_NONCE, pad(plaintext, FLOOR_BYTES), context)
    return SealedSection(key, ciphertext, sha256(ciphertext).digest(), commitment)


def verify_key(key: bytes, commitment: bytes) -> None:
    """Check that this key is the one committed to, before its ciphertext has come.

    Raises:
        MalformedError: ``key.length``. ProofError: ``section.commitment``.
    """
    if not compare_digest(_split(key)[1], commitment):
        raise ProofError("section.commitment", "This is not the key that the section was committed to.")


def open_(ciphertext: bytes, key: bytes, commitment: bytes, context: bytes) -> bytes:
    """Open one text. Whoever holds the manifest calls ``manifest.open_section``, which checks the digest as well.

    Raises:
        MalformedError: ``key.length``, ``section.size`` or ``padding.form``.
        ProofError: ``section.commitment`` (another key than the one shown to all) or ``section.seal`` (changed, or
            moved to another context).
    """
    if len(ciphertext) > LIMIT_CIPHERTEXT_BYTES:
        raise MalformedError("section.size", f"A section may have {LIMIT_BYTES} bytes.")
    aead, committed = _split(key)
    if not compare_digest(committed, commitment):
        raise ProofError("section.commitment", "This is not the key that the section was committed to.")
    try:
        padded = aead.decrypt(_NONCE, ciphertext, context)
    except InvalidTag:
        raise ProofError("section.seal", "This section does not open: it was changed, or belongs elsewhere.") from None
    return unpad(padded, FLOOR_BYTES)


def _split(key: bytes) -> tuple[AESGCM, bytes]:
    """Encryption key and public commitment of a section key."""
    if len(key) != KEY_BYTES:
        raise MalformedError("key.length", f"A section key has {KEY_BYTES} bytes.")
    derived = HKDF(SHA256(), 2 * KEY_BYTES, salt=None, info=labels.SECTION_KEY).derive(key)
    return AESGCM(derived[:KEY_BYTES]), derived[KEY_BYTES:]
