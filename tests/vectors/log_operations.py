"""What the vectors of the log ask of an implementation: JSON in and out, bytes as hex."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import StoredEvent

from rilon.crypto import merkle
from rilon.domain.base import Unknown
from rilon.domain.catalogue import CATALOGUE
from rilon.store.codec import HEADER_BYTES, Codec
from tests.fakes.entropy import SeededEntropy

Json = Any
raw = bytes.fromhex
codec = Codec(CATALOGUE, SeededEntropy())
STREAM = UUID("019b7c3e-0000-7000-8000-000000000001")


def read_state(*, topic: str, state: str) -> Json:
    """The fields of a stored state, bytes as hex and instants as RFC 3339; None for what is newer than this node."""
    event = codec.decode(StoredEvent(STREAM, 1, topic, raw(state)), 1, canonical=True)
    if isinstance(event, Unknown):
        return None
    plain = msgspec.msgpack.decode(raw(state)[HEADER_BYTES:])
    return msgspec.to_builtins(plain, enc_hook=bytes.hex, builtin_types=())


def leaf(*, stream: str, version: int, topic: str, state: str) -> Json:
    """The Merkle leaf of an event."""
    return merkle.event_leaf(UUID(stream), version, topic, raw(state)).hex()


def grow(*, size: int, peaks: Sequence[str], leaves: Sequence[str]) -> Json:
    """The head after an append, from the head before it."""
    grown, after = merkle.grow(size, list(map(raw, peaks)), list(map(raw, leaves)))
    return {"size": grown, "peaks": [peak.hex() for peak in after], "root": merkle.root(after).hex()}


def inclusion(*, leaf: str, index: int, size: int, root: str, path: Sequence[str]) -> Json:
    """Whether an inclusion proof holds."""
    merkle.verify_inclusion(raw(leaf), index, size, raw(root), list(map(raw, path)))
    return True


def consistency(*, old: int, size: int, old_root: str, root: str, path: Sequence[str]) -> Json:
    """Whether a consistency proof holds."""
    merkle.verify_consistency(old, size, raw(old_root), raw(root), list(map(raw, path)))
    return True


OPERATIONS: dict[str, Callable[..., Json]] = {
    "read_state": read_state,
    "leaf": leaf,
    "grow": grow,
    "inclusion": inclusion,
    "consistency": consistency,
}
