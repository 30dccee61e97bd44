"""The doors of the application: what the desks ask of the world, and nothing of how the world does it.

Each port has one abstract contract suite under ``tests/contract`` that its fake and its real adapter both pass.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from rilon.app.link_facts import Facts, Selected
from rilon.crypto.keyring import Keyring
from rilon.crypto.provider_token import Farewell, Identity
from rilon.domain.base import Event


@dataclass(frozen=True, slots=True)
class Wrap:
    """A section key as it lies at rest: sealed under one of the node's bucketed key-encryption keys.

    Attributes:
        slot: 32 bytes; names the ciphertext and this key, random when posted here, derived when received.
        kek: 16 bytes; id of the key-encryption key, which stays outside the database.
        wrapped: the sealed key.
    """

    slot: bytes
    kek: bytes
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A ciphertext too large for a frame: granted to us, its key here, and on its way in pieces.

    Attributes:
        slot: 32 bytes, ours.
        peer: the Member it comes from. rank: urgent first, 0 the most.
        item, manifest, place, digest: what it is at its origin.
        have, total: bytes here, and bytes there are; total 0 until a first piece told it.
    """

    slot: bytes
    peer: str
    rank: int
    item: bytes
    manifest: bytes
    place: int
    digest: bytes
    have: int = 0
    total: int = 0


class Recorded(Struct, frozen=True, gc=False):
    """An event with its place in the log. ``position`` starts at 1, is gapless, and is its Merkle leaf index + 1."""

    position: int
    event: Event


@dataclass(frozen=True, slots=True)
class Head:
    """The log's head: how many events there are and the RFC 9162 root over them (32 bytes)."""

    size: int
    root: bytes


class EventLog(Protocol):
    """The only thing a command ever writes."""

    async def append(
        self, events: Sequence[Event], *, wraps: Sequence[Wrap] = (), unchanged: Mapping[UUID, int] | None = None
    ) -> int:
        """Store all events and wraps in one statement, or none of them.

        Args:
            events: pending events of one or more streams; each version is expected to be free.
            wraps: keys of the sections the events bring. Their ciphertexts MUST be in ``Blobs`` already.
            unchanged: guards: streams the decision has read, with the version it has seen (0: did not exist).

        Returns:
            Position of the last event.

        Raises:
            ConflictError: ``log.version-taken`` (a version is taken), ``log.guard-moved`` (a guarded stream moved),
                ``log.slot-taken`` (a wrap's slot has a key), ``log.key-turned`` (a wrap's key-encryption key is gone).
            InvalidError: ``log.event-*`` or ``log.command-invalid``: nothing that could be stored and read back.
            UnavailableError: ``log.outcome-unknown``: the connection was lost while committing; retry with the same
                idempotency key. ``log.unavailable``: nothing was stored.
            FatalError: ``log.*``: the database contradicts itself or refuses to store; the node stops.
        """
        ...

    async def stream(self, stream: UUID, *, after: int = 0, upto: int | None = None) -> list[Event]:
        """Events of one stream with ``after < version <= upto``, in order; empty when there is none."""
        ...

    async def recorded(self, stream: UUID) -> list[Recorded]:
        """All events of one stream with their places in the log, in order."""
        ...

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        """At most ``limit`` events with ``after < position <= upto``, in order."""
        ...

    def pages(self, after: int = 0, *, upto: int | None = None) -> AsyncGenerator[Sequence[Recorded]]:
        """All events with ``after < position <= upto``, in order and in pages that are not empty.

        The next page may be on its way already while one is worked on, so it is to be closed (``aclosing``).

        Raises:
            RilonError: as ``page``; what was read before it stands.
        """
        ...

    async def head(self) -> Head:
        """The current head."""
        ...

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the log is longer than ``after``; False when the time ran out. May wake early, never lies late."""
        ...


ANY_SIZE: Final = (1 << 31) - 1


class Blobs(Protocol):
    """Ciphertext and wrapped keys, detached from the log, by slot; erasable while the log still verifies."""

    async def put(self, blobs: Mapping[bytes, bytes]) -> None:
        """Store ciphertexts before the event that needs them; an unreferenced one is swept after its lease.

        Putting the same ciphertext again renews its lease.

        Raises:
            ConflictError: ``blobs.slot-taken``: a slot holds other bytes already, and keeps them.
            UnavailableError: ``blobs.unavailable``.
        """
        ...

    async def get(self, slots: Sequence[bytes], most: int = ANY_SIZE) -> dict[bytes, bytes]:
        """The ciphertexts that are there, and have at most so many bytes."""
        ...

    async def part(self, slot: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """The size of a ciphertext, and at most ``length`` bytes of it from an offset on; None where there is none."""
        ...

    async def expect(self, parcels: Sequence[Parcel]) -> None:
        """Await ciphertexts, before the append that brings their keys; without keys they are swept like ``put`` ones.

        One that is awaited already goes on as it is.
        """
        ...

    async def awaited(self, peer: str, but: Collection[bytes] = ()) -> list[Parcel]:
        """Some of what is awaited from a peer under live keys, most urgent first, without these digests."""
        ...

    async def add(self, slot: bytes, offset: int, total: int, piece: bytes) -> bool:
        """Store a piece durably if it is the one that is missing next; False if not, and nothing was stored."""
        ...

    async def pieces(self, slot: bytes) -> bytes:
        """All that has come of an awaited ciphertext."""
        ...

    async def settle(self, slot: bytes, *, anew: bool = False) -> None:
        """Await a ciphertext no more, and drop its pieces; ``anew``: await it from its beginning."""
        ...

    async def wraps(self, slots: Sequence[bytes]) -> dict[bytes, Wrap]:
        """The wrapped keys that are live; a slot whose key is erased is simply missing."""
        ...

    async def erase(self, slots: Sequence[bytes]) -> None:
        """Destroy keys and ciphertexts of these slots for good: see protocol.md, Keys, on turning the bucket's key.

        Slots that hold nothing are passed over, so an erasure can be repeated. Slots of one call share their turnings.

        Raises:
            UnavailableError: ``blobs.unavailable``: repeat it; what was begun is finished by the repetition or by the
                next start.
        """
        ...


class Keys(Protocol):
    """The node's keyring, shared by all its processes, outside the database; replaced, never versioned."""

    def ring(self) -> Keyring:
        """The keyring as any process of the node last saved it. Ask each time: it forgets what was destroyed."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[Keyring]:
        """A draft of the newest keyring, to be changed and saved, while nobody else can.

        Raises:
            UnavailableError: ``keyring.busy``: another process has held it for too long.
        """
        ...

    async def save(self, draft: Keyring) -> None:
        """Make a draft durable. Only then may a new key be used, and only then is a destroyed one gone.

        Raises:
            UnavailableError: ``keyring.unwritable``: the disk is full or away; the file is as it was.
        """
        ...


class Provider(Protocol):
    """The Member's identity provider (OpenID Connect). It says who somebody is; what they may do, the log says."""

    @property
    def name(self) -> str:
        """What people know it by."""
        ...

    async def begin(self, state: str, nonce: str, challenge: str) -> str:
        """Where to send a browser, to be sent back with the same ``state``.

        Args:
            challenge: of a PKCE verifier, by S256.

        Raises:
            UnavailableError: ``provider.*``: it does not answer, or not as it must.
        """
        ...

    async def redeem(self, code: str, issuer: str | None, verifier: str, nonce: str) -> Identity:
        """Who came back with a code.

        Args:
            issuer: what the answer said it is from (RFC 9207); None: nothing.

        Raises:
            ProofError: ``provider.*``: what it said does not hold. UnavailableError: see ``begin``.
            MalformedError: ``provider.*``: it cannot be read. NotFoundError: ``auth.provider``: the code is none.
        """
        ...

    async def farewell(self, token: str) -> Farewell:
        """Whom a logout token names.

        Raises:
            ProofError, MalformedError, UnavailableError: as for ``redeem``.
        """
        ...


class Follower(Protocol):
    """Whatever reads the log in order from a position of its own: a projection, the courier, the notifier."""

    name: str

    async def position(self) -> int:
        """The last position whose effect is durable; 0 at the beginning."""
        ...

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Make the effect of the batch and its last position durable together. MUST be idempotent."""
        ...


class LinkStore(Protocol):
    """What the courier has read out of the log so far; can be thrown away, for the log says it all again."""

    async def load(self) -> tuple[int, dict[str, Facts]]:
        """The position up to which the log was read, and every link as it was then; 0 and nothing for a new log.

        Raises:
            UnavailableError: ``links.unavailable``.
        """
        ...

    async def save(self, after: int, upto: int, selected: Sequence[Selected], links: Mapping[str, Facts]) -> None:
        """Store together what the events with ``after < position <= upto`` brought, and that they were read.

        Raises:
            ConflictError: ``links.moved``: another process has read on from ``after``; nothing was stored.
            UnavailableError: ``links.unavailable``: it may have been stored; load again.
        """
        ...

    async def selected(self, peer: str, first: int, last: int) -> list[Selected]:
        """The entries for a peer with ``first <= n <= last`` that there are, in order.

        Raises:
            UnavailableError: ``links.unavailable``.
        """
        ...


class Cleaner(Protocol):
    """Makes an image anew from its pixels, where a hostile one can do no harm."""

    async def image(self, form: str, data: bytes) -> tuple[str, bytes]:
        """Decode an image and encode it anew: nothing is left but pixels.

        Args:
            form: ``JPEG``, ``PNG``, ``GIF`` or ``WEBP``, as its bytes begin; nothing else is tried.
            data: anything.

        Returns:
            The media type it has now (``image/jpeg`` or ``image/png``), and its bytes.

        Raises:
            InvalidError: ``attachment.image``: it is no sound image, or took too much; ``attachment.too-large``.
            UnavailableError: ``attachment.busy``: images cannot be read here just now.
        """
        ...


class Clock(Protocol):
    """Time, for people; order is by position and link sequence."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...


class Entropy(Protocol):
    """Randomness."""

    def bytes(self, n: int) -> bytes:
        """``n`` unpredictable bytes."""
        ...

    def uuid(self) -> UUID:
        """A time-ordered UUIDv7 (RFC 9562), so that the log's index stays dense."""
        ...
