"""Statements: what a Member says for ever, as COSE_Sign (RFC 9052 §4.1) with Ed25519 *and* ML-DSA-65 (RFC 9964).

Both signatures must hold, in that order: a forger needs to break both, and nobody can strip one. The digest that
names a statement covers its kind and payload only. ML-DSA signatures are randomised, and after a key was revoked the
same words are signed again with the next one: the name stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from msgspec import Meta

from rilon.crypto import labels, strict
from rilon.crypto.keys import ALGORITHMS, SigningKey, VerifyKey
from rilon.errors import InvalidError, MalformedError, ProofError

LIMIT_BYTES: Final = 64 * 1024
"""Most bytes a statement may have, signatures included."""

_TAG: Final = bytes.fromhex("d862")  # CBOR tag 98, COSE_Sign; the strict reader itself knows no tags
_ALGORITHM, _CONTENT_TYPE, _KID = 1, 3, 4
_KIND: Final = re.compile(rb"application/vnd\.rilon\.([a-z][a-z-]{0,31})\+cbor")
_Empty = Annotated[dict[str, Any], Meta(max_length=0)]


class _Signature(strict.Record, frozen=True, array_like=True):
    protected: bytes
    unprotected: _Empty
    signature: bytes


class _CoseSign(strict.Record, frozen=True, array_like=True):
    protected: bytes
    unprotected: _Empty
    payload: bytes
    signatures: tuple[_Signature, _Signature]


@dataclass(frozen=True, slots=True)
class Statement:
    """What was said, and by which key.

    Attributes:
        kind: what the body is: ``manifest``, ``release``, ``directory`` …
        body: deterministic CBOR, still unread.
        kid: 16-byte id of the signing key.
        digest: names the statement: 32 bytes over kind and body, never over signatures.
    """

    kind: str
    body: bytes = field(repr=False)
    kid: bytes
    digest: bytes


def statement_digest(kind: str, body: bytes) -> bytes:
    """The name of a statement: SHA-256 over label, kind and body. Known before anything is signed."""
    return labels.digest(labels.STATEMENT, kind.encode(), body)


def sign(kind: str, body: bytes, key: SigningKey) -> bytes:
    """Make a statement, or make it again with another key: its digest stays.

    Raises:
        InvalidError: ``statement.size``: larger than a reader accepts.
    """
    protected = _protected(kind)
    signatures = []
    for algorithm in ALGORITHMS:
        header = _signer(algorithm, key.kid)
        signatures.append([header, {}, key.sign(algorithm, _to_be_signed(protected, header, body))])
    data = _TAG + strict.dumps([protected, {}, body, signatures])
    if len(data) > LIMIT_BYTES:
        raise InvalidError("statement.size", f"A statement may have {LIMIT_BYTES} bytes; this one has {len(data)}.")
    return data


def parse(data: bytes) -> Statement:
    """Read a statement without verifying it: to learn its kind, its key id and its digest.

    Raises:
        MalformedError: ``cbor.*``, ``statement.tag`` or ``statement.header``.
    """
    return _read(data)[0]


def verify(data: bytes, key: VerifyKey, kind: str) -> Statement:
    """Read a statement and check both signatures, before anybody reads its body.

    Raises:
        MalformedError: as for :func:`parse`.
        ProofError: ``statement.kind``, ``statement.kid`` or ``signature.invalid``.
    """
    statement, cose = _read(data)
    if statement.kind != kind:
        raise ProofError("statement.kind", f"A statement of another kind than {kind}.")
    if statement.kid != key.kid:
        raise ProofError("statement.kid", "A statement names another key than the one that should have signed it.")
    for algorithm, signed in zip(ALGORITHMS, cose.signatures, strict=True):
        message = _to_be_signed(cose.protected, signed.protected, cose.payload)
        key.verify(algorithm, signed.signature, message)
    return statement


def _read(data: bytes) -> tuple[Statement, _CoseSign]:
    if len(data) > LIMIT_BYTES:
        raise MalformedError("cbor.size", f"A statement may have {LIMIT_BYTES} bytes.")
    if not data.startswith(_TAG):
        raise MalformedError("statement.tag", "No COSE_Sign structure.")
    cose = strict.decode(data[len(_TAG) :], _CoseSign, limit=LIMIT_BYTES, items=32)
    kind, kid = _kind(cose.protected), cose.signatures[0].protected[-16:]
    for algorithm, signed in zip(ALGORITHMS, cose.signatures, strict=True):
        if signed.protected != _signer(algorithm, kid):
            raise MalformedError("statement.header", "Not one Ed25519 and then one ML-DSA-65 signature of one key.")
    return Statement(kind, cose.payload, kid, statement_digest(kind, cose.payload)), cose


def _kind(protected: bytes) -> str:
    """The kind in a body header. Rebuilding the header is the whole check: it has one form."""
    found = _KIND.search(protected)
    kind = found[1].decode() if found else ""
    if protected != _protected(kind):
        raise MalformedError("statement.header", "A statement's header has another form.")
    return kind


def _protected(kind: str) -> bytes:
    return strict.dumps({_CONTENT_TYPE: f"application/vnd.rilon.{kind}+cbor"})


def _signer(algorithm: int, kid: bytes) -> bytes:
    return strict.dumps({_ALGORITHM: algorithm, _KID: kid})


def _to_be_signed(protected: bytes, signer: bytes, payload: bytes) -> bytes:
    """Sig_structure of RFC 9052 §4.4; our label is the external data, so no other COSE user's signature fits."""
    return strict.dumps(["Signature", protected, signer, labels.STATEMENT, payload])
