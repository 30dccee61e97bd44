r"""The courier bag: frames in a file, for a node that no hub reaches. Specification: ``docs/spec/courier.md``.

    "RILON bag 1\n"  ‖  SHA-256 of what follows  ‖  {frames: [frame, …]}

The digest is no proof of anything: it tells a damaged medium from a whole one before a single frame is taken. Authority
is each frame's own signature, as on the bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta

from rilon.crypto import frame, strict
from rilon.crypto.frame import MAX_FRAME_BYTES, Frame
from rilon.crypto.strict import Record
from rilon.errors import MalformedError, ProofError

MAGIC: Final = b"RILON bag 1\n"
MAX_FRAMES: Final = 64
"""Most frames in a bag: more than the largest attachment takes in pieces."""
MAX_BAG_BYTES: Final = 20 * 1024 * 1024
"""Largest bag that is read or written."""
_HEAD_BYTES: Final = len(MAGIC) + 32
_FRAME_COST: Final = 5
"""What a frame's own length takes in the list."""
_ROOM: Final = MAX_BAG_BYTES - _HEAD_BYTES - 64


class _Frames(Record, frozen=True):
    frames: Annotated[
        tuple[Annotated[bytes, Meta(max_length=MAX_FRAME_BYTES)], ...], Meta(min_length=1, max_length=MAX_FRAMES)
    ]


@dataclass(frozen=True, slots=True)
class Bag:
    """A whole bag, strictly read and not yet believed.

    Attributes:
        sender: who all its frames claim to be from.
        frames: their outsides, in order.
    """

    sender: str
    frames: tuple[Frame, ...] = field(repr=False)


class Filling:
    """Frames on their way into a bag, as long as there is room."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self._left = _ROOM

    @property
    def full(self) -> bool:
        """Whether the largest frame would not fit any more."""
        return len(self.frames) == MAX_FRAMES or self._left < MAX_FRAME_BYTES + _FRAME_COST

    def add(self, raw: bytes) -> None:
        """Put a frame in; look at ``full`` before."""
        self.frames.append(raw)
        self._left -= len(raw) + _FRAME_COST

    def close(self) -> bytes:
        """The bag."""
        return write(self.frames)


def write(frames: Sequence[bytes]) -> bytes:
    """The only encoding of these frames as a bag."""
    inside = strict.encode(_Frames(tuple(frames)))
    return MAGIC + sha256(inside).digest() + inside


def read(raw: bytes, me: str) -> Bag:
    """Read a bag for this Member, or refuse it as a whole.

    Raises:
        MalformedError: ``bag.too-large``; ``bag.form``: no bag; ``bag.damaged``: cut or altered on its way; ``cbor.*``,
            ``frame.version``, ``frame.form``: not made by this format.
        ProofError: ``bag.mixed``: frames of several Members, or for several; ``bag.elsewhere``: for another Member.
    """
    frames = tuple(map(frame.parse, _inside(raw)))
    ends = {(each.sender, each.to) for each in frames}
    if len(ends) != 1:
        raise ProofError("bag.mixed", "A bag holds frames of one Member for one Member.", field="bag")
    (sender, to), *_ = ends
    if to != me:
        raise ProofError("bag.elsewhere", f"This bag is for {to.upper()}, not for this node.", field="bag")
    return Bag(sender, frames)


def _inside(raw: bytes) -> tuple[bytes, ...]:
    if len(raw) > MAX_BAG_BYTES:
        raise MalformedError("bag.too-large", f"A bag has at most {MAX_BAG_BYTES >> 20} MiB.", field="bag")
    if not raw.startswith(MAGIC):
        raise MalformedError("bag.form", "This is no courier bag that this node can read.", field="bag")
    digest, inside = raw[len(MAGIC) : _HEAD_BYTES], raw[_HEAD_BYTES:]
    if sha256(inside).digest() != digest:
        fix = "Copy it again, or export a new one."
        raise MalformedError("bag.damaged", "This bag was cut or altered on its way.", field="bag", fix=fix)
    return strict.decode(inside, _Frames, limit=MAX_BAG_BYTES).frames
