"""A passphrase file: Argon2id (RFC 9106) makes a key of the passphrase, AES-256-GCM seals the content under it.

Never PKCS#8: the library writes it with 2,048 rounds of PBKDF2 only. The parameters stand in the file and are part of
what is authenticated. A floor refuses a file that somebody made cheap to guess; a ceiling refuses one that would eat
the machine before it can be known to be forged. The derived key is kept while the process lives, so that writing back
costs microseconds instead of a second; every writing draws a fresh nonce.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from typing import Annotated, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta

from rilon.crypto.strict import Bytes16, Code, Record, decode, encode
from rilon.errors import MalformedError, RefusedError

Count = Annotated[int, Meta(ge=1, le=1 << 31)]
Nonce = Annotated[bytes, Meta(min_length=12, max_length=12)]


class Cost(Record, frozen=True):
    """What one guess at the passphrase costs.

    Attributes:
        memory_kib: memory, in KiB.
        passes: iterations over that memory.
        lanes: independent lanes; the memory is at least 8 KiB for each.
    """

    memory_kib: Count
    passes: Count
    lanes: Count

    def __post_init__(self) -> None:
        if self.memory_kib < 8 * self.lanes:
            raise ValueError("Argon2 needs 8 KiB a lane")

    def reaches(self, floor: Cost) -> bool:
        """Whether every parameter is at least that of ``floor``."""
        return self.memory_kib >= floor.memory_kib and self.passes >= floor.passes and self.lanes >= floor.lanes


COST: Final = Cost(memory_kib=256 * 1024, passes=3, lanes=4)
"""What new files cost: 1.2 s on the machine of research/security.md §4.3."""

FLOOR: Final = Cost(memory_kib=64 * 1024, passes=3, lanes=4)
"""The least that is opened: the second recommended option of RFC 9106 §4."""

CEILING: Final = Cost(memory_kib=2 * 1024 * 1024, passes=16, lanes=16)
"""The most that is tried."""

LIMIT_BYTES: Final = 1 << 20
"""Most bytes a file may have."""


class _Header(Record, frozen=True):
    """Everything that is authenticated but not secret."""

    format: Code
    cost: Cost
    salt: Bytes16


class _File(Record, frozen=True):
    header: _Header
    nonce: Nonce
    sealed: bytes


class Strongbox:
    """An unlocked passphrase file. It holds the derived key, so it shows nothing of itself."""

    __slots__ = ("_aead", "_header")

    def __init__(self, header: _Header, passphrase: str) -> None:
        self._header = header
        self._aead = AESGCM(_derive(header, passphrase))

    @classmethod
    def create(cls, kind: str, passphrase: str, *, cost: Cost = COST) -> Self:
        """A new box with a salt of its own.

        Args:
            kind: what the file holds, with the number of its format: ``keyring.1``. Binds the file to its use.
            passphrase: any text; compared in Unicode NFC, because keyboards differ.
            cost: of one guess.
        """
        return cls(_Header(format=f"rilon.{kind}", cost=cost, salt=secrets.token_bytes(16)), passphrase)

    @classmethod
    def unlock(cls, kind: str, data: bytes, passphrase: str, *, floor: Cost = FLOOR) -> tuple[Self, bytes]:
        """Open a file; takes about a second and the file's memory.

        Returns:
            The box, to write back with, and the content.

        Raises:
            MalformedError: ``cbor.*``, or ``strongbox.format``: not such a file.
            RefusedError: ``strongbox.cost`` (below the floor or above the ceiling; nothing was derived) or
                ``<kind>.passphrase`` without the format's number, as ``keyring.passphrase``: the passphrase is wrong,
                or the file was changed; the two cannot be told apart.
        """
        file = _read(kind, data)
        _affordable(file.header.cost, floor)
        box = cls(file.header, passphrase)
        return box, box._open(file)

    def seal(self, content: bytes) -> bytes:
        """The file's bytes, with a fresh nonce: 2**32 writings are safe under one passphrase (SP 800-38D §8.3)."""
        nonce = secrets.token_bytes(12)
        sealed = self._aead.encrypt(nonce, content, encode(self._header))
        return encode(_File(header=self._header, nonce=nonce, sealed=sealed))

    def reopen(self, data: bytes) -> bytes:
        """Content of a file that another process wrote back under the same passphrase and salt.

        Raises:
            MalformedError: as for :meth:`unlock`.
            RefusedError: ``<kind>.passphrase``: it was locked anew since, or changed.
        """
        return self._open(_read(self._header.format.removeprefix("rilon."), data))

    def _open(self, file: _File) -> bytes:
        try:
            return self._aead.decrypt(file.nonce, file.sealed, encode(file.header))
        except InvalidTag:
            kind = self._header.format.split(".")[1]
            raise RefusedError(
                f"{kind}.passphrase",
                f"The passphrase does not open this {kind} file, or the file was changed.",
                fix="Give the passphrase the file was made with, or put back an untouched copy.",
            ) from None


def _read(kind: str, data: bytes) -> _File:
    file = decode(data, _File, limit=LIMIT_BYTES)
    if file.header.format != f"rilon.{kind}":
        raise MalformedError("strongbox.format", f"This is no rilon.{kind} file.")
    return file


def _affordable(cost: Cost, floor: Cost) -> None:
    if not (cost.reaches(floor) and CEILING.reaches(cost)):
        raise RefusedError(
            "strongbox.cost",
            f"This file asks for {cost.memory_kib} KiB, {cost.passes} passes and {cost.lanes} lanes of Argon2id, which "
            "is either too cheap to protect it or too dear to try.",
        )


_ONE_AT_A_TIME: Final = threading.Lock()
"""OpenSSL 4.0 lends lanes from one pool of threads: two derivations at once each took a part and waited for ever."""


def _derive(header: _Header, passphrase: str) -> bytes:
    """The 32-byte file key. Python cannot wipe it for certain: it lives as long as the process, and may be copied."""
    deriving = Argon2id(
        salt=header.salt,
        length=32,
        iterations=header.cost.passes,
        lanes=header.cost.lanes,
        memory_cost=header.cost.memory_kib,
    )
    with _ONE_AT_A_TIME:
        return deriving.derive(unicodedata.normalize("NFC", passphrase).encode(errors="surrogatepass"))
