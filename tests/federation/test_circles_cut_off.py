"""Circles under partitions: whatever is cut off when, in the end every member holds the chair's charter, others none.

The links' own faults (loss, repetition, reordering, crashes) are the simulator's; here lines are cut off, wait in
flight, and come late, over the real desks and the real cryptography.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest

from rilon.app.circle_desk import CharterDraft, CircleShown
from rilon.app.post import Arrived
from rilon.domain.values import Purpose, Role
from rilon.errors import NotFoundError
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, Person, acquaint, lines, memory_node

MEMBERS = ("id", "my", "sg", "vn")
STEPS = 14


class Federation:
    """A chair, Members who come and go, and what is on its way to each of them."""

    def __init__(self, chair: MemoryNode, focal: Person, others: dict[str, tuple[MemoryNode, Person]]) -> None:
        self.chair, self.focal, self.others = chair, focal, others
        self.flying: dict[str, deque[Arrived]] = {m: deque() for m in others}
        self.ref, self.written, self.late = "", [frozenset[str]()], 0

    async def write(self, members: Sequence[str]) -> None:
        """The chair writes a version: the first, or the next."""
        draft, circles = drafted(len(self.written), members), self.chair.desks.circles
        if self.ref:
            await circles.change(self.focal.caller, self.ref, len(self.written) - 1, draft)
        else:
            self.ref = (await circles.convene(self.focal.caller, draft)).answer.decode()
        self.written.append(frozenset(members))

    async def send(self, member: str) -> None:
        """Seal what waits for a Member, as it is now; it arrives some time later.

        Of all versions that wait, only the one in force shows its papers, and only to who is in it: somebody who is out
        by now learns nothing of what was written while they were not.
        """
        new = await lines(self.chair, self.others[member][0])
        assert sum("charter" in found.attachment for found in new) <= (member in self.written[-1])
        self.late += any(found.attachment.get("withheld") == b"superseded" for found in new)
        self.flying[member].extend(new)

    async def deliver(self, member: str, most: int) -> None:
        """Let some of what is on its way arrive, in the link's order."""
        flying = self.flying[member]
        some = [flying.popleft() for _ in range(min(most, len(flying)))]
        if some:
            node = self.others[member][0]
            codes = await node.desks.incoming.accept(self.chair.member, self.chair.log_id, some)
            assert set(codes) <= {"", "withheld.superseded"}

    async def seen(self, member: str) -> CircleShown | None:
        """What a Member sees of the circle."""
        node, person = self.others[member]
        try:
            return await node.desks.circles.read(person.caller, self.ref)
        except NotFoundError:
            return None

    async def check(self) -> None:
        """Nobody ever sees a version that it is not in."""
        for member in self.others:
            if shown := await self.seen(member):
                assert member in self.written[shown.version]
                assert frozenset(shown.members) == self.written[shown.version] | {"th"}
                assert shown.name == f"Version {shown.version}"


def drafted(version: int, members: Sequence[str]) -> CharterDraft:
    return CharterDraft(
        kind="operation",
        name=f"Version {version}",
        charter="Fictional words.",
        purpose=Purpose.BORDER_DECISION,
        themes=("maritime",),
        members=tuple(members),
        ends=NOW + timedelta(days=30),
    )


async def federation() -> Federation:
    chair, *nodes = [await memory_node(m) for m in ("th", *MEMBERS)]
    await acquaint(chair, *nodes)
    others = {node.member: (node, await node.officer()) for node in nodes}
    return Federation(chair, await chair.officer(Role.FOCAL_POINT), others)


@pytest.mark.parametrize("seed", range(8))
async def test_membership_converges_whatever_is_cut_off(seed: int) -> None:
    random, world = Random(seed), await federation()
    for _ in range(STEPS):
        await world.write(random.sample(MEMBERS, random.randint(1, len(MEMBERS))))
        for member in random.sample(MEMBERS, 2):
            await world.send(member)
        for member in random.sample(MEMBERS, 2):
            await world.deliver(member, random.randint(1, 3))
        await world.check()
    for member in MEMBERS:
        await world.send(member)
        await world.deliver(member, 1000)
        shown = await world.seen(member)
        assert (shown.version if shown else 0) == (STEPS if member in world.written[-1] else 0)
    assert world.late, "no version was superseded before it left"
    await world.check()
