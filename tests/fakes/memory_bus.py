"""The bus without a network, and with every misbehaviour a bus is allowed, at will and repeatable by seed."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rilon.errors import InvalidError
from rilon.network.ports import MAX_FRAME_BYTES, BusHealth, Incoming, Posted


def account_of(member: str) -> str:
    """What this hub calls a Member."""
    return "A" + member.upper().ljust(55, "A")


@dataclass
class Faults:
    """Probabilities, each of [0, 1]; all 0: a bus on its best behaviour."""

    loss: float = 0.0
    """The frame is taken and vanishes."""
    lost_answer: float = 0.0
    """The frame is stored and the sender hears nothing."""
    duplicate: float = 0.0
    reorder: float = 0.0
    """The frame jumps to a random place of the queue."""


@dataclass(eq=False)
class Letter:
    sender: str
    frame: bytes = field(repr=False)


class MemoryHub:
    """All inboxes. ``down`` cuts everybody off; ``cut`` holds Members who are cut off alone."""

    def __init__(self, *members: str, seed: int = 0, faults: Faults | None = None, inbox_frames: int = 256) -> None:
        self.faults = faults or Faults()
        self.down = False
        self.cut: set[str] = set()
        self.inbox_frames = inbox_frames
        self.seen: list[tuple[str, str, bytes]] = []
        """All a curious hub could write down: sender, recipient, bytes."""
        self._random = random.Random(seed)
        self._inboxes: dict[str, list[Letter]] = {member: [] for member in members}
        self._out: defaultdict[str, list[Letter]] = defaultdict(list)
        self._ids: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()

    def bus(self, member: str) -> MemoryBus:
        """A new connection of ``member``; what an older one held without acknowledging comes again."""
        self.redeliver(member)
        return MemoryBus(self, member)

    def add_member(self, member: str) -> None:
        self._inboxes.setdefault(member, [])

    def revoke(self, member: str) -> None:
        self._inboxes.pop(member, None)

    def wipe(self) -> None:
        """The hub loses its whole store."""
        for inbox in (*self._inboxes.values(), *self._out.values()):
            inbox.clear()
        self._ids.clear()

    def waiting(self, member: str) -> int:
        """Frames stored for a Member, handed out or not."""
        return len(self._inboxes[member]) + len(self._out[member])

    def redeliver(self, member: str) -> None:
        """As when the hub's patience with unacknowledged frames ends."""
        if member in self._inboxes:
            self._inboxes[member][:0] = self._out.pop(member, [])
        self.wake()

    def reachable(self, member: str) -> bool:
        return not self.down and member not in self.cut

    def wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        await self._changed.wait()

    def store(self, sender: str, recipient: str, frame: bytes, message_id: str) -> Posted:
        if not self.reachable(sender):
            return Posted.AWAY
        inbox = self._inboxes.get(recipient)
        if inbox is None or sender not in self._inboxes:
            return Posted.NOBODY
        self.seen.append((sender, recipient, frame))
        if (recipient, message_id) in self._ids or self._chance(self.faults.loss):
            return Posted.TAKEN
        if sum(letter.sender == sender for letter in inbox + self._out[recipient]) >= self.inbox_frames:
            return Posted.FULL
        self._ids.add((recipient, message_id))
        for _ in range(2 if self._chance(self.faults.duplicate) else 1):
            place = self._random.randint(0, len(inbox)) if self._chance(self.faults.reorder) else len(inbox)
            inbox.insert(place, Letter(sender, frame))
        self.wake()
        return Posted.AWAY if self._chance(self.faults.lost_answer) else Posted.TAKEN

    def take(self, member: str) -> Letter | None:
        if not self.reachable(member) or not self._inboxes.get(member):
            return None
        letter = self._inboxes[member].pop(0)
        self._out[member].append(letter)
        return letter

    def forget(self, member: str, letter: Letter) -> None:
        if self.reachable(member) and letter in self._out[member]:
            self._out[member].remove(letter)

    def _chance(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability


class MemoryBus:
    """``Bus`` of one Member on a ``MemoryHub``."""

    def __init__(self, hub: MemoryHub, member: str) -> None:
        self._hub, self._member = hub, member
        self._closed = False
        self._published = self._received = 0

    async def publish(self, recipient: str, frame: bytes, message_id: str) -> Posted:
        if len(frame) > MAX_FRAME_BYTES:
            raise InvalidError("bus.frame-too-large", f"A frame has at most {MAX_FRAME_BYTES} bytes.")
        await asyncio.sleep(0)
        posted = Posted.AWAY if self._closed else self._hub.store(self._member, recipient, frame, message_id)
        self._published += posted is Posted.TAKEN
        return posted

    async def frames(self) -> AsyncIterator[Incoming]:
        while not self._closed:
            letter = self._hub.take(self._member)
            if letter is None:
                await self._hub.changed()
                continue
            self._received += 1
            yield self._incoming(letter)

    def health(self) -> BusHealth:
        connected = not self._closed and self._hub.reachable(self._member)
        return BusHealth(connected, "" if connected else "The hub is away.", self._published, self._received)

    async def close(self) -> None:
        self._closed = True
        self._hub.redeliver(self._member)

    def _incoming(self, letter: Letter) -> Incoming:
        async def ack() -> None:
            self._hub.forget(self._member, letter)

        return Incoming(letter.frame, account_of(letter.sender), ack)
