"""Frames: what one node hands to the courier for another. One signature, one seal, one broker message.

A frame says outside only who it is from, for whom, and with which key it opens. Inside lie the sender's signature, the
body and what is attached to it, padded, and sealed *whole* by HPKE (RFC 9180) with ML-KEM-768 + X25519 (X-Wing),
HKDF-SHA256 and AES-256-GCM. The HPKE ``info`` binds the outside, both logs and the world, so a frame opens only on the
one link it was made for. The signature stands inside the seal: nobody can take it off and sign the same words again,
and the courier cannot tell who signed. It covers the attachments by digest, so that it proves what was said, to a third
party, without showing a single key. ``hello`` frames are signed and not sealed: two nodes that have missed each other's
keys must be able to find each other again.

Vectors: ``tests/vectors/frame.json``. Specification: ``docs/spec/links.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from msgspec import Meta

from rilon.crypto import labels, padding, strict
from rilon.crypto.keys import KemKey, LinkKey, kem_public, key_id, verify_link
from rilon.crypto.strict import Bytes16, Bytes32, MemberCode, Record
from rilon.errors import MalformedError, ProofError

VERSION: Final = 1
SEALED: Final = "sealed"
HELLO: Final = "hello"
FLOOR_BYTES: Final = 4096
"""Smallest sealed content, receipts too: an acknowledgement looks like a short alert."""
MAX_FRAME_BYTES: Final = 512 * 1024
"""Largest frame that is read or written."""
MAX_CONTENT_BYTES: Final = 515_900
"""Most bytes of body and attachments together; with them the frame stays within its largest size class."""
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class Route:
    """One direction of a link: who speaks to whom, from which log to which, in which world.

    Attributes:
        sender: Member that signs.
        to: Member that opens.
        log: the sender's log id, 16 bytes.
        to_log: the recipient's log id, 16 bytes, as the sender has confirmed it.
        world: ``real`` or ``exercise``.
    """

    sender: str
    to: str
    log: bytes
    to_log: bytes
    world: str


class Frame(Record, frozen=True, rename={"sender": "from"}):
    """The outside of a frame, strictly read and not yet believed.

    Attributes:
        v: format version.
        form: ``sealed`` or ``hello``.
        sender: who it claims to be from; on the wire ``from``.
        to: for whom.
        kid: 16-byte id of the KEM key that opens it, or in a hello of the link key that signed it.
        payload: the sealed content, or a hello's signed content.
    """

    v: int
    form: str
    sender: MemberCode
    to: MemberCode
    kid: Bytes16
    payload: bytes


class Recipient:
    """A node's KEM key to seal to, parsed once.

    Attributes:
        kid: 16-byte id of the key.
    """

    __slots__ = ("_key", "kid")

    def __init__(self, raw: bytes) -> None:
        """Parse 1,216 raw public bytes. Raises MalformedError: ``key.length`` or ``key.invalid``."""
        self._key, self.kid = kem_public(raw), key_id(raw)

    def seal(self, content: bytes, info: bytes) -> bytes:
        """HPKE base mode, single shot: encapsulated key, then ciphertext."""
        return _SUITE.encrypt(content, self._key, info=info)


@dataclass(frozen=True, slots=True)
class Opened:
    """What an authentic frame said.

    Attributes:
        body: the words, signed.
        attached: bytes the words are about, signed by digest; may hold section keys.
        proof: with it :func:`verify_proof` shows anybody that the sender signed ``body``. Holds no secret but the body.
    """

    body: bytes
    attached: bytes = field(repr=False)
    proof: bytes = field(repr=False)


Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
"""An Ed25519 signature."""


class _Content(Record, frozen=True):
    signature: Signature
    body: bytes
    attached: bytes


class _Hello(Record, frozen=True):
    signature: Signature
    body: bytes


class _Proof(Record, frozen=True):
    info: bytes
    attached: Bytes32
    signature: Signature


def seal(body: bytes, attached: bytes, route: Route, recipient: Recipient, key: LinkKey) -> bytes:
    """Sign, then pad, then seal.

    Args:
        body: the words.
        attached: what they are about; b"" for nothing.
        route: this direction of the link; bound in ``info``, only its ends are seen outside.
        recipient: the KEM key in force.
        key: the sender's link key.

    Returns:
        The frame, at most ``MAX_FRAME_BYTES``.

    Raises:
        MalformedError: ``frame.too-large``: more than ``MAX_CONTENT_BYTES``.
    """
    if len(body) + len(attached) > MAX_CONTENT_BYTES:
        raise MalformedError("frame.too-large", "More than one frame can carry.")
    info = _info(SEALED, route, recipient.kid)
    signature = key.sign(_signed(info, body, sha256(attached).digest()))
    content = padding.pad(strict.encode(_Content(signature, body, attached)), FLOOR_BYTES)
    payload = recipient.seal(content, info)
    return strict.encode(Frame(VERSION, SEALED, route.sender, route.to, recipient.kid, payload))


def sign_hello(body: bytes, route: Route, key: LinkKey) -> bytes:
    """A hello: signed, readable by the courier. Logs are not bound outside: the hello is where they are told.

    Raises:
        MalformedError: ``frame.too-large``.
    """
    if len(body) > MAX_CONTENT_BYTES:
        raise MalformedError("frame.too-large", "More than one frame can carry.")
    signature = key.sign(_signed(_info(HELLO, route, key.kid), body, sha256(b"").digest()))
    payload = strict.encode(_Hello(signature, body))
    return strict.encode(Frame(VERSION, HELLO, route.sender, route.to, key.kid, payload))


def parse(raw: bytes) -> Frame:
    """Read the outside of a frame. Nothing in it is believed before :func:`open_` or :func:`verify_hello`.

    Raises:
        MalformedError: ``cbor.*``; ``frame.version``: newer than this node; ``frame.form``: no form of this version.
    """
    frame = strict.decode(raw, Frame, limit=MAX_FRAME_BYTES)
    if frame.v != VERSION:
        raise MalformedError("frame.version", "This frame is of a version that this node cannot read.")
    if frame.form not in {SEALED, HELLO}:
        raise MalformedError("frame.form", "This frame is of a form that this node cannot read.")
    return frame


def open_(frame: Frame, route: Route, kem: KemKey, sender_key: bytes) -> Opened:
    """Open a sealed frame on the link it was made for.

    Args:
        frame: its outside.
        route: the direction we expect, with both log ids as we hold them.
        kem: our key of the frame's ``kid``.
        sender_key: the sender's link key in force, 32 bytes.

    Raises:
        ProofError: ``frame.misdirected``: other ends or another form; ``frame.key``: another KEM key; ``frame.seal``:
            altered, or made for another key, log or world; ``frame.signature``: not signed by ``sender_key``.
        MalformedError: ``padding.form`` or ``cbor.*``: sealed, but by nobody honest.
    """
    _check_ends(frame, route, SEALED)
    if frame.kid != kem.kid:
        raise ProofError("frame.key", "This frame is sealed to a key that this node does not hold.")
    info = _info(SEALED, route, frame.kid)
    try:
        padded = _SUITE.decrypt(frame.payload, kem.private, info=info)
    except InvalidTag:
        raise ProofError("frame.seal", "This frame is altered, or made for another key, log or world.") from None
    content = strict.decode(padding.unpad(padded, FLOOR_BYTES), _Content, limit=MAX_FRAME_BYTES)
    return _verified(info, content.body, content.attached, content.signature, sender_key)


def claimed_hello(frame: Frame) -> bytes:
    """The body of a hello *before* its signature is checked: for the statements in it, which prove themselves.

    They name the link key with which :func:`verify_hello` then checks the whole.

    Raises:
        MalformedError: ``cbor.*``. ProofError: ``frame.misdirected``: no hello.
    """
    if frame.form != HELLO:
        raise ProofError("frame.misdirected", "This frame is no hello.")
    return strict.decode(frame.payload, _Hello, limit=MAX_FRAME_BYTES).body


def verify_hello(frame: Frame, route: Route, sender_key: bytes) -> Opened:
    """Check a hello's signature.

    Raises:
        ProofError: ``frame.misdirected``, ``frame.key``: signed with another key; ``frame.signature``.
        MalformedError: ``cbor.*``.
    """
    _check_ends(frame, route, HELLO)
    if frame.kid != key_id(sender_key):
        raise ProofError("frame.key", "This hello is signed with a key that is not the sender's link key.")
    hello = strict.decode(frame.payload, _Hello, limit=MAX_FRAME_BYTES)
    return _verified(_info(HELLO, route, frame.kid), hello.body, b"", hello.signature, sender_key)


def verify_proof(proof: bytes, body: bytes, sender_key: bytes) -> None:
    """Show, with public keys only and long afterwards, that the holder of ``sender_key`` signed ``body`` in a frame.

    Raises:
        ProofError: ``frame.signature``. MalformedError: ``cbor.*``.
    """
    found = strict.decode(proof, _Proof, limit=1024)
    _check_signature(found.info, body, found.attached, found.signature, sender_key)


def _check_ends(frame: Frame, route: Route, form: str) -> None:
    if (frame.form, frame.sender, frame.to) != (form, route.sender, route.to):
        raise ProofError("frame.misdirected", "This frame is not of this form, or not between these two Members.")


def _verified(info: bytes, body: bytes, attached: bytes, signature: bytes, sender_key: bytes) -> Opened:
    digest = sha256(attached).digest()
    _check_signature(info, body, digest, signature, sender_key)
    return Opened(body, attached, strict.encode(_Proof(info, digest, signature)))


def _check_signature(info: bytes, body: bytes, attached: bytes, signature: bytes, sender_key: bytes) -> None:
    try:
        verify_link(sender_key, signature, _signed(info, body, attached))
    except ProofError:
        raise ProofError("frame.signature", "This frame is not signed by the Member it names.") from None


def _signed(info: bytes, body: bytes, attached_digest: bytes) -> bytes:
    return labels.framed(info, body, attached_digest)


def _info(form: str, route: Route, kid: bytes) -> bytes:
    """Everything a frame is bound to. A hello binds no logs, because its reader may not know them yet."""
    logs = (route.log, route.to_log) if form == SEALED else (b"", b"")
    ends = (route.sender.encode(), route.to.encode())
    return labels.framed(labels.FRAME, bytes([VERSION]), form.encode(), *ends, kid, *logs, route.world.encode())
