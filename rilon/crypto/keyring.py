"""The node's keys at rest: one small file outside the database, replaced as a whole and never versioned.

It holds what the node signs, opens and names things with, and 256 buckets of key-encryption keys (KEKs). A section's
key lies in the database only as a *keywrap* under a KEK of its slot's bucket, so forgetting that one KEK makes every
copy of the wrap worthless at once: in the live table, the WAL, replicas and old backups (protocol.md, "Keys, erasure,
backup"; docs/spec/keys.md).

A keyring is a plain value with no file and no lock of its own. Who changes one does so on a draft, makes the draft
durable, and only then uses what is new in it (``rilon.store.keyfile``).

Forgetting is honest, not perfect: KEKs lie in bytearrays that are overwritten when destroyed, but Python, the
cryptographic library and the allocator may have copied them, so a key is out of memory for certain when the process
has ended. What counts is that it is no longer in the file.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Sized
from typing import Annotated, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta

from rilon.crypto import labels
from rilon.crypto.keys import KemKey, LinkKey, SigningKey
from rilon.crypto.outbox import OutboxKey
from rilon.crypto.strict import Bytes32, Record, decode, encode
from rilon.crypto.strongbox import COST, FLOOR, LIMIT_BYTES, Cost, Strongbox
from rilon.errors import FatalError, MalformedError, NotFoundError, ProofError, RefusedError

BUCKETS: Final = 256
KEK_ID_BYTES: Final = 16
MOST: Final = 64
"""Most KEM keys, and most KEKs of one bucket, that a file holds. A turning that is finished leaves one KEK."""

WRAPPED_BYTES: Final = 12 + 32 + 16
"""A wrapped key: nonce, sealed key, tag."""

_KIND: Final = "keyring.1"
_KEK_BYTES: Final = KEK_ID_BYTES + 32

Seed64 = Annotated[bytes, Meta(min_length=64, max_length=64)]
Chain = Annotated[bytes, Meta(min_length=_KEK_BYTES, max_length=MOST * _KEK_BYTES)]
"""The KEKs of one bucket, oldest first and the current one last: 16-byte id and 32-byte key each."""
Dated = Annotated[bytes, Meta(min_length=8 + 32, max_length=8 + 32)]
"""An outbox key: since when it is in force, in seconds of 8 bytes, and its seed."""


class _Content(Record, frozen=True):
    """What the file holds, all of it secret."""

    signing: Seed64
    link: Bytes32
    hmac: Bytes32
    kems: Annotated[tuple[Bytes32, ...], Meta(min_length=1, max_length=MOST)]
    keks: Annotated[tuple[Chain, ...], Meta(min_length=BUCKETS, max_length=BUCKETS)]
    outbox: Annotated[tuple[Dated, ...], Meta(min_length=1, max_length=MOST)]

    def __post_init__(self) -> None:
        if any(len(chain) % _KEK_BYTES for chain in self.keks):
            raise ValueError("a chain of KEKs is cut")


class Keyring:
    """An unlocked keyring. Its repr shows nothing, and no error quotes a key.

    Attributes:
        signing: the node's hybrid signing key (statements).
        link: the node's link key (frames).
    """

    __slots__ = ("_box", "_buckets", "_hmac", "_keks", "_kems", "_outbox", "link", "signing")

    def __init__(self, box: Strongbox, content: _Content) -> None:
        self._box, self._hmac = box, content.hmac
        self.signing, self.link = SigningKey(content.signing), LinkKey(content.link)
        self._kems = {key.kid: key for key in map(KemKey, content.kems)}
        self._buckets = [list(_split(chain)) for chain in content.keks]
        self._outbox = [OutboxKey(dated[8:], int.from_bytes(dated[:8], "big")) for dated in content.outbox]
        self._keks = {kek: key for bucket in self._buckets for kek, key in bucket}
        if len(self._keks) != sum(map(len, self._buckets)):
            raise MalformedError("keyring.repeats", "Two key-encryption keys have the same id.")

    @classmethod
    def create(cls, passphrase: str, *, cost: Cost = COST) -> Self:
        """A node's first keyring: new keys throughout, one KEK a bucket, one KEM key.

        Args:
            passphrase: what the file will be locked with.
            cost: of one guess at it; only tests choose it.
        """
        content = _Content(
            signing=secrets.token_bytes(64),
            link=secrets.token_bytes(32),
            hmac=secrets.token_bytes(32),
            kems=(secrets.token_bytes(32),),
            keks=tuple(secrets.token_bytes(_KEK_BYTES) for _ in range(BUCKETS)),
            outbox=(bytes(8) + secrets.token_bytes(32),),  # of no age that is known: replaced before it is used
        )
        return cls(Strongbox.create(_KIND, passphrase, cost=cost), content)

    @classmethod
    def unlock(cls, data: bytes, passphrase: str, *, floor: Cost = FLOOR) -> Self:
        """Open a keyring file; takes about a second, once a process.

        Raises:
            MalformedError: ``cbor.*``, ``strongbox.format`` or ``keyring.repeats``: no keyring file.
            RefusedError: ``keyring.passphrase`` (wrong, or the file was changed) or ``strongbox.cost``.
        """
        box, content = Strongbox.unlock(_KIND, data, passphrase, floor=floor)
        return cls(box, _read(content))

    def reopened(self, data: bytes) -> Self:
        """The keyring another process wrote back, without deriving the file's key again (under 2 ms).

        Raises:
            MalformedError: as for :meth:`unlock`.
            RefusedError: ``keyring.passphrase``: it was locked with another passphrase since; the process must restart.
        """
        return type(self)(self._box, _read(self._box.reopen(data)))

    def sealed(self) -> bytes:
        """The file's bytes: the same content never gives the same bytes twice."""
        content = _Content(
            signing=self.signing.seed,
            link=self.link.seed,
            hmac=self._hmac,
            kems=tuple(key.seed for key in self._kems.values()),
            keks=tuple(b"".join(kek + bytes(key) for kek, key in bucket) for bucket in self._buckets),
            outbox=tuple(key.since.to_bytes(8, "big") + key.seed for key in self._outbox),
        )
        return self._box.seal(encode(content))

    def wrap(self, slot: bytes, key: bytes) -> tuple[bytes, bytes]:
        """Seal a section key under the current KEK of its slot's bucket.

        Args:
            slot: 32 bytes; bound, so that a wrap moved to another slot opens nothing.
            key: the 32-byte section key.

        Returns:
            The KEK's 16-byte id and the 60-byte wrap.
        """
        kek, secret = self._buckets[slot[0]][-1]
        nonce = secrets.token_bytes(12)
        return kek, nonce + AESGCM(secret).encrypt(nonce, key, labels.framed(labels.WRAP, slot, kek))

    def unwrap(self, slot: bytes, kek: bytes, wrapped: bytes) -> bytes:
        """Open a wrap. Use the key and let it go: nothing keeps an unwrapped section key.

        Raises:
            NotFoundError: ``keyring.kek-gone``: the KEK was destroyed, or this copy of the keyring is too old.
            ProofError: ``keyring.wrap``: the wrap was changed, or belongs to another slot or KEK.
        """
        secret = self._keks.get(kek)
        if secret is None:
            raise NotFoundError("keyring.kek-gone", "The key of this content was destroyed.")
        try:
            return AESGCM(secret).decrypt(wrapped[:12], wrapped[12:], labels.framed(labels.WRAP, slot, kek))
        except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
            raise ProofError("keyring.wrap", "A wrapped key was changed, or is not of this slot.") from None

    def knows(self, kek: bytes) -> bool:
        """Whether wraps under this KEK can be opened."""
        return kek in self._keks

    def keks(self) -> Iterator[tuple[int, bytes]]:
        """Bucket and id of every KEK; within a bucket oldest first."""
        return ((at, kek) for at, bucket in enumerate(self._buckets) for kek, _ in bucket)

    def turning(self) -> list[tuple[int, bytes]]:
        """Bucket and id of the KEKs that are no longer current and not yet destroyed: the turnings to be finished."""
        return [(at, kek) for at, bucket in enumerate(self._buckets) for kek, _ in bucket[:-1]]

    def rotate(self, bucket: int) -> tuple[bytes, bytes]:
        """Give a bucket a new current KEK; the old one still opens until it is destroyed.

        Returns:
            The ids of the old and the new KEK.

        Raises:
            RefusedError: ``keyring.full``: too many of the bucket's KEKs await destruction; finish those turnings.
        """
        keys = self._buckets[bucket]
        _room(keys)
        old, new = keys[-1][0], secrets.token_bytes(KEK_ID_BYTES)
        self._keks[new] = bytearray(secrets.token_bytes(32))
        keys.append((new, self._keks[new]))
        return old, new

    def destroy(self, kek: bytes) -> None:
        """Forget a KEK that is no longer current. Nothing wrapped under it opens ever again, anywhere.

        Raises:
            FatalError: ``keyring.current``: it is the current KEK of its bucket.
        """
        for bucket in self._buckets:
            if bucket[-1][0] == kek:
                raise FatalError("keyring.current", "A key-encryption key in use was about to be destroyed.")
            bucket[:] = [entry for entry in bucket if entry[0] != kek]
        if (secret := self._keks.pop(kek, None)) is not None:
            secret[:] = bytes(len(secret))

    def kem(self, kid: bytes | None = None) -> KemKey:
        """The KEM key of an epoch, or the newest.

        Raises:
            NotFoundError: ``keyring.kem-gone``: never ours, or destroyed.
        """
        if kid is None:
            return next(reversed(self._kems.values()))
        if kid not in self._kems:
            raise NotFoundError("keyring.kem-gone", "This was sealed to a key that was destroyed, or that never was.")
        return self._kems[kid]

    def kems(self) -> tuple[KemKey, ...]:
        """All KEM keys that still open frames, oldest first."""
        return tuple(self._kems.values())

    def new_kem(self) -> KemKey:
        """Add the KEM key of a new epoch. Publish it only after the draft is durable.

        Raises:
            RefusedError: ``keyring.full``: too many older ones are still kept.
        """
        _room(self._kems)
        key = KemKey.generate()
        self._kems[key.kid] = key
        return key

    def destroy_kem(self, kid: bytes) -> None:
        """Forget an older epoch's KEM key: the frames sealed to it never open again, wherever they were recorded.

        Raises:
            FatalError: ``keyring.current``: it is the newest one.
        """
        if kid == self.kem().kid:
            raise FatalError("keyring.current", "The KEM key in use was about to be destroyed.")
        self._kems.pop(kid, None)

    def outbox(self) -> tuple[OutboxKey, ...]:
        """The keys that open what waited in officers' browsers, oldest first; browsers seal to the last."""
        return tuple(self._outbox)

    def new_outbox(self, at: int) -> None:
        """Add an outbox key, in force from this second on. Tell it only after the draft is durable.

        Raises:
            RefusedError: ``keyring.full``.
        """
        _room(self._outbox)
        self._outbox.append(OutboxKey(secrets.token_bytes(32), at))

    def destroy_outbox(self, before: int) -> None:
        """Forget the outbox keys from before a second, but never the newest: what is sealed to them opens no more."""
        self._outbox = [*(key for key in self._outbox[:-1] if key.since >= before), self._outbox[-1]]

    def hmac(self, label: bytes, *parts: bytes) -> bytes:
        """HMAC-SHA256 under the node's own key: names guessable things so that the name confirms no guess. 32 bytes."""
        return hmac.digest(self._hmac, labels.framed(label, *parts), "sha256")


def _read(content: bytes) -> _Content:
    return decode(content, _Content, limit=LIMIT_BYTES)


def _room(kept: Sized) -> None:
    """A file with one key more could not be read again, so it must not come to be written."""
    if len(kept) >= MOST:
        raise RefusedError("keyring.full", f"{MOST} keys of one kind are kept already.", fix="Destroy the older ones.")


def _split(chain: bytes) -> Iterator[tuple[bytes, bytearray]]:
    for at in range(0, len(chain), _KEK_BYTES):
        yield chain[at : at + KEK_ID_BYTES], bytearray(chain[at + KEK_ID_BYTES : at + _KEK_BYTES])
