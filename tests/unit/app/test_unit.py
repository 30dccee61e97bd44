"""What a refused command leaves: nothing changed, nothing dropped, nothing refused on what is no longer so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from rilon.app.unit import Unit, Work
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.errors import ConflictError, NotFoundError
from tests.nodes import MemoryNode, draft_of, memory_node


@dataclass
class Counting:
    """A log that counts who reads which stream, and how many events that cost."""

    log: Any
    reads: list[tuple[UUID, int]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    async def stream(self, stream: UUID, **some: int) -> list[Event]:
        found: list[Event] = await self.log.stream(stream, **some)
        self.reads.append((stream, len(found)))
        return found


async def asking(work: Work, item: UUID) -> None:
    async def do(unit: Unit) -> bytes:
        await unit.find(Alert, item)
        raise NotFoundError

    with pytest.raises(NotFoundError):
        await work.run(do)


async def node_with_item() -> tuple[MemoryNode, UUID]:
    th = await memory_node("th")
    return th, await th.post(await th.officer(), draft_of("GOOD-PRACTICE"))


async def test_what_is_not_for_one_costs_as_much_as_what_is_not_there() -> None:
    th, item = await node_with_item()
    log = Counting(th.log)
    work = Work(log, th.clock, th.desks.entropy)
    await asking(work, item)  # from here on it is in the cache
    log.reads.clear()
    for _ in range(3):
        await asking(work, item)
        await asking(work, UUID(int=7))
    assert [read for _, read in log.reads] == [0] * 6


async def test_a_refusal_on_what_another_process_changed_is_decided_again() -> None:
    th, item = await node_with_item()
    other = Work(th.log, th.clock, th.desks.entropy)
    await other.read(Alert, item)
    await th.desks.alerts.withdraw((await th.officer()).caller, item, "Untrue.")
    seen = []

    async def do(unit: Unit) -> bytes:
        alert = await unit.get(Alert, item)
        seen.append(alert.state)
        if alert.state == "live":
            raise ConflictError("test.live", "It is live.")
        return b"over"

    assert (await other.run(do)).answer == b"over"
    assert seen == ["live", "withdrawn"]


async def test_what_a_refused_command_had_changed_is_not_given_back() -> None:
    th, item = await node_with_item()

    async def do(unit: Unit) -> bytes:
        alert = await unit.get(Alert, item)
        alert.close("0" * 32, "resolved", (), th.clock.now())
        raise NotFoundError

    with pytest.raises(NotFoundError):
        await th.desks.work.run(do)
    assert (await th.desks.work.read(Alert, item)).state == "live"
