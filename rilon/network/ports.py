"""The bus as the courier sees it: bytes to a Member, bytes from somebody, and no promise worth relying on.

A bus may lose, repeat, reorder, keep or delete anything (protocol.md, Courier). So nothing it says counts as delivery:
only a peer's signed receipt does. What it does promise is to refuse in words instead of raising, to come back by
itself, and to hand out a frame again until it was acknowledged or lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rilon.crypto import frame
from rilon.domain.values import MemberId

MAX_FRAME_BYTES = frame.MAX_FRAME_BYTES


class Posted(StrEnum):
    """What became of one attempt to publish. None of these is a delivery."""

    TAKEN = "taken"
    """The bus says that it stored the frame."""
    FULL = "full"
    """Our frames fill the recipient's inbox: it has been away for long. Wait for it, do not hammer."""
    NOBODY = "nobody"
    """There is no inbox: not a Member, revoked, or the hub lost its store and has not made it again yet."""
    AWAY = "away"
    """Not connected, or no answer in time: the frame may or may not have been stored."""
    REFUSED = "refused"
    """The bus said no for another reason, told in ``health``."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A frame that lay in our inbox.

    Attributes:
        frame: the bytes, of at most ``MAX_FRAME_BYTES``; anybody may have made them.
        sender: what the bus calls the sender (an account key). It says whose inbox and counts a frame belongs to;
            authority is the frame's own signature.
        ack: tell the bus to forget this frame. Call it only after the frame's effect is durable; it never raises, and
            if the word is lost the frame simply comes again.
    """

    frame: bytes = field(repr=False)
    sender: str
    ack: Callable[[], Awaitable[None]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BusHealth:
    """For people who ask how a link does.

    Attributes:
        connected: whether the hub answers just now.
        trouble: the last thing that went wrong, one sentence without secrets, or ""; "" again once connected.
        published: frames taken by the hub since the start.
        received: frames handed out since the start, repeated ones counted again.
    """

    connected: bool
    trouble: str = ""
    published: int = 0
    received: int = 0


class Bus(Protocol):
    """A node's connection to the others through the hub."""

    async def publish(self, recipient: MemberId, frame: bytes, message_id: str) -> Posted:
        """Try once to put a frame into a Member's inbox. Many calls may be in flight; a bounded number really is.

        Args:
            recipient: the Member.
            frame: at most ``MAX_FRAME_BYTES``.
            message_id: unguessable and new for each attempt (digest of the frame and attempt number); two attempts
                under one id within minutes are stored once.

        Raises:
            InvalidError: ``bus.frame-too-large``, before anything is sent.
        """
        ...

    def frames(self) -> AsyncIterator[Incoming]:
        """Every frame that comes, oldest first as a rule, until the bus is closed. One reader at a time."""
        ...

    def health(self) -> BusHealth:
        """How the connection does."""
        ...

    async def close(self) -> None:
        """Stop; frames handed out and not acknowledged will come again. Harmless when repeated."""
        ...
