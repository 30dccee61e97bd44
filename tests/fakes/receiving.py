"""Malaysia, who takes in whatever Thailand, whose keys a test holds, may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rilon.app.post import Arrived
from rilon.crypto.keys import SigningKey
from rilon.domain.entry import Entry
from rilon.domain.values import Line, Role
from tests.fakes.forgery import Forgery
from tests.fakes.items import ITEM, approve
from tests.nodes import MemoryNode, Person, acquaint, memory_node

LOG = b"L" * 16
HELD = UUID(bytes=ITEM)


@dataclass
class World:
    th: MemoryNode
    my: MemoryNode
    focal: Person
    second: Person

    @property
    def signing(self) -> SigningKey:
        return self.th.desks.keys.ring().signing

    def forge(self, **changes: Any) -> Forgery:
        return Forgery(self.signing).but(**changes)

    def signed(self, forgery: Forgery, *people: Person) -> Forgery:
        """The same, approved by these people's true keys."""
        body = forgery.leaving.body
        given = [approve(body, p.caller.ref, p.key._key) for p in people if p.key]
        return forgery.but(approvals=given)

    async def take(self, *coming: tuple[Line, dict[str, bytes]]) -> tuple[list[str], MemoryNode]:
        """What a fresh Malaysia says to these lines, and Malaysia afterwards."""
        my = self.my.copy()
        arrived = [Arrived(n, *each) for n, each in enumerate(coming, 1)]
        return await my.desks.incoming.accept("th", LOG, arrived), my

    async def code(self, forgery: Forgery) -> str:
        """How a forged release is refused; that it left an entry and nothing else."""
        (code,), my = await self.take(forgery.arrives())
        (event,) = await my.events((await self.my.log.head()).size)
        assert (await my.stored())[1:] == (await self.my.stored())[1:]
        assert isinstance(event, Entry.Refused | Entry.Accepted), event
        assert code == (event.code if isinstance(event, Entry.Refused) else "")
        return code


async def receiving() -> World:
    """Two nodes that have verified each other; Thailand has a focal point and a protection officer who sign."""
    th, my = await memory_node("th"), await memory_node("my")
    focal, second = await th.approver(), await th.approver(Role.PROTECTION)
    await acquaint(th, my)
    return World(th, my, focal, second)
