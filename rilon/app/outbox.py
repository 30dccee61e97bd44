"""What leaves the node for people: notices on their way out, the messages they become, and the ports that carry them.

Each port has one abstract contract suite under ``tests/contract`` that its fake and its real adapters pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rilon.domain.reach import Way
from rilon.domain.values import Urgency


@dataclass(frozen=True, slots=True)
class Queued:
    """A notice that is to go out to somebody; it names an officer, a place in the log and codes, and no content.

    Attributes:
        position: of the event it is about.
        due: not before.
        message: the message it is part of; None: of none yet. tries: how often that failed.
    """

    officer: UUID
    position: int
    way: Way
    about: str
    urgency: Urgency | None
    due: datetime
    message: UUID | None = None
    tries: int = 0


class Outbox(Protocol):
    """Notices on their way out of the node. How far the log was read for them is stored with them, so none is lost."""

    async def load(self) -> int | None:
        """Up to where the log has been read for notices; None: it never was.

        Raises:
            UnavailableError: ``outbox.unavailable``, as every method.
        """
        ...

    async def add(self, after: int | None, upto: int, queued: Sequence[Queued]) -> None:
        """Store what the events with ``after < position <= upto`` are for whom, together with having read them.

        Raises:
            ConflictError: ``outbox.moved``: another process has read on; nothing was stored.
        """
        ...

    async def due(self, way: Way, now: datetime) -> list[Queued]:
        """What is due by one way, oldest first; some of it, if it is much. A message is never torn apart."""
        ...

    async def bind(self, queued: Sequence[Queued], message: UUID) -> None:
        """Make these one message, before it is sent: a repetition after a crash is the same message again."""
        ...

    async def postpone(self, message: UUID, until: datetime) -> None:
        """Send a message later; one more try has failed."""
        ...

    async def settle(self, message: UUID) -> None:
        """Forget a message: it was sent, or is to be sent no more."""
        ...

    async def drop(self, officer: UUID) -> None:
        """Forget all that waits for an officer."""
        ...

    async def waiting(self, since: datetime) -> int:
        """How many notices were due before a moment, or have failed, and have not gone out."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Where messages come from: the node's Member and world, and the address of its inbox or ""."""

    member: str
    world: str
    link: str


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves the node for one person: that something came, how urgent it is at most, and where to look.

    Attributes:
        id: the same for a repetition, so that whoever carries it can drop that.
        to: address of the person; personal data, never shown.
        sender: the node it comes from.
        count: how many notices; 0: it only tries the way out.
        about: what happened, codes. urgency: the most urgent; None: of no item.
    """

    id: UUID
    to: str = field(repr=False)
    sender: Sender
    at: datetime
    count: int = 0
    about: tuple[str, ...] = ()
    urgency: Urgency | None = None

    @property
    def subject(self) -> str:
        """One line that every screen may show."""
        exercise = "EXERCISE: " if self.sender.world != "real" else ""
        if not self.count:
            return f"{exercise}RILON {self.sender.member.upper()}: this is a test"
        things = "1 notice" if self.count == 1 else f"{self.count} notices"
        urgent = f", the most urgent: {self.urgency.replace('_', ' ')}" if self.urgency else ""
        return f"{exercise}RILON {self.sender.member.upper()}: {things}{urgent}"

    @property
    def text(self) -> str:
        """All there is to say."""
        about = "".join(f"\n- {each.replace('.', ', ').replace('-', ' ')}" for each in self.about)
        where = f"\n\nSign in to read it: {self.sender.link}" if self.sender.link else ""
        return f"{self.subject}.{about}{where}\n\nNo content ever leaves the node by this way. Do not answer.\n"


class Pager(Protocol):
    """One way out of the node to a person: mail, or whatever rings a telephone."""

    async def send(self, message: Message) -> None:
        """Hand a message over; return when whoever carries it has taken it on. Sent again, it has the same id.

        Raises:
            UnavailableError: ``pager.*``: nothing can be sent by this way now.
            RefusedError: ``pager.refused``: not to this address.
        """
        ...
