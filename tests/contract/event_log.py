"""What every ``EventLog`` keeps: the fake and the real one pass the same tests.

A suite for one implementation inherits ``EventLogContract`` and defines the fixture ``world``.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import pytest

from rilon.app.ports import EventLog, Recorded, Wrap
from rilon.crypto import merkle
from rilon.domain.base import Event
from rilon.errors import ConflictError, InvalidError
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import amounts, noted, opened

KEK = b"k" * 16
_streams = SeededEntropy(7)


class World(Protocol):
    """A log, and the tables beside it."""

    @property
    def log(self) -> EventLog: ...

    async def add_kek(self, kek: bytes) -> None: ...

    async def slots(self) -> set[bytes]: ...

    async def leaves(self) -> list[bytes]:
        """Recomputed from the stored rows."""
        ...


def stream() -> UUID:
    return _streams.uuid()


def wrap(n: int, kek: bytes = KEK) -> Wrap:
    return Wrap(slot=bytes([n]) * 32, kek=kek, wrapped=b"w" * 60)


async def refusals(attempts: Sequence[Any]) -> list[str | int]:
    """Position or code of each attempt, all made at once."""
    done = await asyncio.gather(*attempts, return_exceptions=True)
    told = list[str | int]()
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, ConflictError | InvalidError):
            raise one
        told.append(one.code if isinstance(one, ConflictError | InvalidError) else one)
    return told


def refused(code: str) -> Any:
    return pytest.raises(ConflictError, match=code.replace(".", r"\."))


class EventLogContract:
    @pytest.fixture
    async def world(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    async def log(self, world: World) -> EventLog:
        return world.log

    async def test_an_empty_log(self, log: EventLog) -> None:
        head = await log.head()
        assert (head.size, head.root) == (0, merkle.EMPTY)
        assert await log.page(0, 10) == []
        assert await log.stream(stream()) == []

    async def test_what_is_appended_is_read_in_order(self, log: EventLog) -> None:
        one, two = stream(), stream()
        events: list[Event] = [opened(one), noted(one, 2), opened(two), noted(one, 3)]
        assert await log.append(events[:2]) == 2
        assert await log.append(events[2:]) == 4
        assert await log.page(0, 10) == [Recorded(n, event) for n, event in enumerate(events, 1)]
        assert await log.stream(one) == [events[0], events[1], events[3]]
        assert await log.stream(two) == [events[2]]
        assert await log.recorded(one) == [Recorded(n, events[n - 1]) for n in (1, 2, 4)]
        assert await log.recorded(stream()) == []

    async def test_pages_and_streams_are_cut_where_asked(self, log: EventLog) -> None:
        one = stream()
        await log.append([opened(one), *(noted(one, version, amount=version) for version in range(2, 10))])
        assert [r.position for r in await log.page(3, 2)] == [4, 5]
        assert [r.position for r in await log.page(3, 100, upto=5)] == [4, 5]
        assert await log.page(9, 5) == await log.page(3, 5, upto=3) == await log.page(3, 0) == []
        assert [[r.position for r in page] async for page in log.pages(3, upto=8)] == [[4, 5, 6, 7, 8]]
        assert [page async for page in log.pages(9)] == [page async for page in log.pages(3, upto=3)] == []
        assert amounts(await log.stream(one, after=7)) == [8, 9]
        assert amounts(await log.stream(one, after=3, upto=5)) == [4, 5]
        assert await log.stream(one, after=9) == await log.stream(one, upto=0) == []

    async def test_the_root_is_that_of_all_leaves(self, world: World, log: EventLog) -> None:
        for size in (1, 2, 3, 5):
            await log.append([opened(stream()) for _ in range(size)])
            leaves = await world.leaves()
            assert await log.head() == type(await log.head())(len(leaves), merkle.Tree(leaves).root())

    async def test_a_taken_version_is_refused_and_nothing_of_it_stored(self, log: EventLog) -> None:
        one, two = stream(), stream()
        await log.append([opened(one)])
        with refused("log.version-taken"):
            await log.append([opened(two), opened(one)])
        with refused("log.version-taken"):
            await log.append([opened(two), opened(two)])
        assert await log.stream(two) == []
        assert (await log.head()).size == 1
        assert await log.append([opened(two)]) == 2

    async def test_a_guard_holds_while_the_stream_stays(self, log: EventLog) -> None:
        read, other = stream(), stream()
        await log.append([opened(read), noted(read, 2)])
        await log.append([opened(other)], unchanged={read: 2, stream(): 0})
        for seen in (0, 1, 3):
            with refused("log.guard-moved"):
                await log.append([noted(other, 2)], unchanged={read: seen})
        with refused("log.guard-moved"):
            await log.append([noted(other, 2)], unchanged={read: 2, stream(): 1})
        assert len(await log.stream(other)) == 1

    async def test_a_stream_may_guard_itself(self, log: EventLog) -> None:
        one = stream()
        await log.append([opened(one)], unchanged={one: 0})
        with refused("log.guard-moved"):
            await log.append([noted(one, 3)], unchanged={one: 2})

    async def test_events_and_keys_are_stored_together_or_not_at_all(self, world: World, log: EventLog) -> None:
        await world.add_kek(KEK)
        one = stream()
        await log.append([opened(one)], wraps=[wrap(1), wrap(2)])
        assert await world.slots() == {wrap(1).slot, wrap(2).slot}
        for code, event, wraps, seen in (
            ("log.version-taken", opened(one), [wrap(3)], 1),
            ("log.guard-moved", noted(one), [wrap(3)], 0),
            ("log.slot-taken", noted(one), [wrap(3), wrap(2)], 1),
            ("log.slot-taken", noted(one), [wrap(3), wrap(3)], 1),
            ("log.key-turned", noted(one), [wrap(3), wrap(4, b"gone" * 4)], 1),
        ):
            with refused(code):
                await log.append([event], wraps=wraps, unchanged={one: seen} if seen != 1 else None)
        assert len(await log.stream(one)) == 1
        assert await world.slots() == {wrap(1).slot, wrap(2).slot}

    @pytest.mark.parametrize("bad", ["nothing", "slot", "kek", "version", "guard"])
    async def test_what_could_never_be_stored_fails_alone(self, log: EventLog, bad: str) -> None:
        one = stream()
        attempts: dict[str, dict[str, Any]] = {
            "nothing": {"events": []},
            "slot": {"events": [opened(one)], "wraps": [Wrap(b"short", KEK, b"")]},
            "kek": {"events": [opened(one)], "wraps": [Wrap(b"s" * 32, b"short", b"")]},
            "version": {"events": [opened(one, 2**63)]},
            "guard": {"events": [opened(one)], "unchanged": {one: -1}},
        }
        done = await refusals(
            [log.append([opened(stream())]), log.append(**attempts[bad]), log.append([opened(stream())])]
        )
        assert done == [1, "log.command-invalid", 2]
        assert len(await log.page(0, 10)) == 2

    async def test_an_event_that_cannot_be_read_back_is_refused(self, log: EventLog) -> None:
        with pytest.raises(InvalidError, match=r"log\.event-invalid"):
            await log.append([opened(stream()), noted(stream(), code="no code")])
        assert (await log.head()).size == 0

    async def test_one_refusal_does_not_touch_the_others(self, world: World, log: EventLog) -> None:
        """Commands that arrive together share a commit; each has its own fate."""
        await world.add_kek(KEK)
        taken = stream()
        await log.append([opened(taken)], wraps=[wrap(1)])
        good = [stream() for _ in range(5)]
        done = await refusals(
            [
                log.append([opened(good[0])]),
                log.append([opened(stream()), opened(taken)]),
                log.append([opened(good[1]), noted(good[1])]),
                log.append([opened(stream())], unchanged={taken: 7}),
                log.append([opened(good[2])], unchanged={taken: 1}),
                log.append([opened(stream())], wraps=[wrap(2), wrap(1)]),
                log.append([opened(good[3])], wraps=[wrap(3)]),
                log.append([opened(stream())], wraps=[wrap(4, b"gone" * 4)]),
                log.append([opened(good[4])]),
            ]
        )
        codes = ["log.version-taken", "log.guard-moved", "log.slot-taken", "log.key-turned"]
        assert [one for one in done if isinstance(one, str)] == codes
        assert sorted(one for one in done if isinstance(one, int)) == [2, 4, 5, 6, 7]
        stored = [r.event.originator_id for r in await log.page(1, 10)]
        assert sorted(stored) == sorted([good[0], good[1], *good[1:5]])
        assert await world.slots() == {wrap(1).slot, wrap(3).slot}

    async def test_of_those_who_claim_the_same_one_wins(self, world: World, log: EventLog) -> None:
        await world.add_kek(KEK)
        one = stream()
        done = await refusals([log.append([opened(one)]) for _ in range(20)])
        assert sorted(map(str, done)) == ["1", *["log.version-taken"] * 19]
        done = await refusals([log.append([opened(stream())], wraps=[wrap(5)]) for _ in range(20)])
        assert sorted(map(str, done)) == ["2", *["log.slot-taken"] * 19]

    async def test_who_waited_for_one_that_failed_is_not_refused_for_it(self, log: EventLog) -> None:
        one, two = stream(), stream()
        done = await refusals(
            [
                log.append([opened(one)], unchanged={two: 1}),
                log.append([opened(one)]),
                log.append([opened(stream())], unchanged={one: 1}),
            ]
        )
        assert done == ["log.guard-moved", 1, 2]
        assert len(await log.stream(one)) == 1

    async def test_a_guard_sees_what_shares_its_commit(self, log: EventLog) -> None:
        one = stream()
        done = await refusals([log.append([opened(one)]), log.append([opened(stream())], unchanged={one: 0})])
        assert done == [1, "log.guard-moved"]

    async def test_decisions_that_contradict_have_one_winner(self, log: EventLog) -> None:
        """Approve reads what withdraw writes and the other way round: without guards both would commit."""
        for _ in range(60):
            item, approval = stream(), stream()
            await log.append([opened(item), opened(approval)])
            done = await refusals(
                [
                    log.append([noted(approval)], unchanged={item: 1}),
                    log.append([noted(item)], unchanged={approval: 1}),
                ]
            )
            assert sorted(isinstance(one, int) for one in done) == [False, True]
            assert "log.guard-moved" in done

    async def test_many_writers_leave_no_gap(self, log: EventLog) -> None:
        """Positions are gapless, each writer finds its own events where it was told, and streams keep their order."""
        told: dict[int, tuple[UUID, int]] = {}

        async def write(own: UUID, contested: UUID) -> None:
            await log.append([opened(own)])
            for version in range(2, 8):
                told[await log.append([noted(own, version)])] = (own, version)
                await asyncio.gather(
                    *(log.append([noted(contested, version)]) for _ in range(2)), return_exceptions=True
                )

        shared = [stream() for _ in range(4)]
        await asyncio.gather(*(write(stream(), shared[n % 4]) for n in range(24)))
        rows = await log.page(0, 10_000)
        assert [r.position for r in rows] == list(range(1, len(rows) + 1))
        assert len(rows) == 24 * 7 + 4 * 6 == (await log.head()).size
        at = {r.position: (r.event.originator_id, r.event.originator_version) for r in rows}
        assert {position: at[position] for position in told} == told
        assert len(told) == 24 * 6
        for one, events in itertools.groupby(sorted(at.items(), key=lambda kv: (kv[1][0], kv[0])), lambda kv: kv[1][0]):
            assert [version for _, (_, version) in events] == [e.originator_version for e in await log.stream(one)]

    async def test_who_gives_up_waiting_undoes_nothing(self, log: EventLog) -> None:
        one = stream()
        for patience in range(4):
            task = asyncio.create_task(log.append([noted(one, patience + 1)]))
            for _ in range(patience):
                await asyncio.sleep(0)
            task.cancel()
            await log.append([opened(stream())])
        positions = [r.position for r in await log.page(0, 100)]
        assert positions == list(range(1, len(positions) + 1))
        assert len(positions) == 4 + len(await log.stream(one))

    async def test_waiting_ends_when_the_log_grows(self, log: EventLog) -> None:
        assert not await log.wait(0, 0.05)
        waiting = [asyncio.create_task(log.wait(after, 10)) for after in (0, 0, 1)]
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await log.append([opened(stream())])
        assert await waiting[0]
        assert await waiting[1]
        assert time.monotonic() - begun < 0.7  # told, not found out by polling
        assert not waiting[2].done()
        await log.append([opened(stream())])
        assert await waiting[2]
        assert await log.wait(0, 5)
        assert not await log.wait(2, 0.05)
