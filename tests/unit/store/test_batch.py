"""Which commands go together: everybody once, in order, nobody beside what decides about it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from rilon.app.ports import Wrap
from rilon.errors import ConflictError, InvalidError
from rilon.store.batch import (
    MAX_COMMAND_EVENTS,
    MAX_EVENTS,
    MIN_COMMANDS,
    Command,
    Queue,
    Stored,
    columns,
    conflict,
    suspects,
)

_loop = asyncio.new_event_loop()
_loop.close()  # futures need one, nothing runs


def command(*claims: tuple[int, int], guards: dict[int, int] | None = None, slots: bytes = b"") -> Command:
    rows = [StoredEvent(UUID(int=stream), version, "t", b"state") for stream, version in claims]
    wraps = [Wrap(bytes([slot]) * 32, b"k" * 16, b"") for slot in slots]
    unchanged = {UUID(int=stream): seen for stream, seen in (guards or {}).items()}
    return Command(rows, wraps, unchanged, _loop.create_future())


def queue(*commands: Command) -> Queue:
    waiting = Queue()
    for one in commands:
        waiting.put(one)
    return waiting


def code(one: Command) -> str | None:
    if not one.answer.done():
        return None
    error = one.answer.exception()
    assert isinstance(error, ConflictError)
    return error.code


@pytest.mark.parametrize(
    ("claims", "slots", "expected"),
    [
        ([], b"", "log.command-invalid"),
        ([(1, -1)], b"", "log.command-invalid"),
        ([(1, 2**63)], b"", "log.command-invalid"),
        ([(1, 1), (1, 1)], b"", "log.version-taken"),
        ([(1, 1)], b"aa", "log.slot-taken"),
        ([(n, 1) for n in range(MAX_COMMAND_EVENTS + 1)], b"", "log.command-invalid"),
    ],
)
def test_a_command_that_could_spoil_a_batch_never_enters_one(claims: Any, slots: bytes, expected: str) -> None:
    with pytest.raises((InvalidError, ConflictError)) as caught:
        command(*claims, slots=slots)
    assert caught.value.code == expected


def test_independent_commands_go_together_in_order() -> None:
    commands = [command((n, 1), guards={100: 3}, slots=bytes([n])) for n in range(20)]
    waiting = queue(*commands)
    assert waiting.take() == (commands, [])
    assert not waiting


@pytest.mark.parametrize(
    "second", [command((1, 1)), command((1, 2)), command((2, 1), guards={1: 0}), command((2, 1), slots=b"a")]
)
def test_what_depends_on_an_earlier_one_waits_for_it(second: Command) -> None:
    first, third = command((1, 1), slots=b"a"), command((3, 1))
    assert queue(first, second, third).take() == ([first, third], [second])


def test_who_waits_for_one_that_waits_waits_too() -> None:
    first, second, third = command((1, 1)), command((1, 2), (2, 1)), command((2, 2))
    assert queue(first, second, third).take() == ([first], [second, third])


def test_what_was_stored_decides_about_those_who_waited() -> None:
    first = command((1, 1), (1, 2), slots=b"a")
    held = [
        command((1, 2)),
        command((1, 3)),
        command((2, 1), guards={1: 1}),
        command((2, 1), guards={1: 2}),
        command((3, 1), slots=b"a"),
    ]
    waiting = queue(other := command((9, 9)))
    waiting.put_back(held, [first])
    assert [code(one) for one in held] == ["log.version-taken", None, "log.guard-moved", None, "log.slot-taken"]
    assert waiting.take() == ([held[1], other], [held[3]])


def test_who_was_told_already_is_not_tried_again() -> None:
    refused, cancelled, other = command((1, 1)), command((2, 1)), command((3, 1))
    refused.fail(conflict("log.version-taken"))
    cancelled.answer.cancel()
    waiting = Queue()
    waiting.put_back([refused, cancelled, other], [])
    assert waiting.drain() == [other]


def test_a_caller_is_told_once() -> None:
    one = command((1, 1))
    one.succeed(range(3, 4))
    one.fail(conflict("log.guard-moved"))
    one.succeed(range(9, 10))
    assert one.answer.result() == range(3, 4)
    gone = command((1, 1))
    gone.answer.cancel()
    gone.succeed(range(1, 2))
    assert gone.answer.cancelled()


def test_large_commands_go_alone_and_are_never_cut() -> None:
    large = command(*((1, n) for n in range(MAX_EVENTS + 1)))
    small = [command((n, 1)) for n in (2, 3)]
    waiting = queue(large, *small)
    assert waiting.take() == ([large], [])
    assert waiting.take() == (small, [])


def test_a_batch_has_an_end() -> None:
    commands = [command((n, 1), (n, 2)) for n in range(MAX_EVENTS)]
    waiting = queue(*commands)
    assert waiting.take() == (commands[: MAX_EVENTS // 2], [])


def test_of_many_that_wait_half_go_and_few_go_together() -> None:
    commands = [command((n, 1)) for n in range(2 * MIN_COMMANDS + 20)]
    waiting, sizes = queue(*commands), list[int]()
    while waiting:
        sizes.append(len(waiting.take()[0]))
    assert sizes == [MIN_COMMANDS + 10, MIN_COMMANDS, 10]


claims = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=3, unique=True)
commands = st.lists(
    st.builds(lambda c, g: command(*c, guards=g), claims, st.dictionaries(st.integers(0, 6), st.just(1)))
)


@given(commands)
def test_everybody_gets_a_turn_once_and_beside_nobody_they_depend_on(many: list[Command]) -> None:
    waiting, served = queue(*many), list[Command]()
    while waiting:
        batch, held = waiting.take()
        assert batch
        for at, one in enumerate(batch):
            written = {stream for earlier in batch[:at] for stream, _ in earlier.claims}
            assert written.isdisjoint({stream for stream, _ in one.claims} | one.unchanged.keys())
        served += batch
        waiting.put_back(held, [])
    assert len(served) == len(many)
    assert {id(one) for one in served} == {id(one) for one in many}
    for stream in range(7):
        order = [id(one) for one in many if any(claim[0] == UUID(int=stream) for claim in one.claims)]
        assert order == [id(one) for one in served if id(one) in order]


def test_columns_keep_rows_leaves_and_guards_in_step() -> None:
    batch = [command((1, 1), (2, 1), guards={5: 0}), command((3, 1), guards={6: 4}, slots=b"ab")]
    ids, versions, _, leaves, _, slots, _, _, streams, seen = columns(batch)
    assert ids == [UUID(int=n) for n in (1, 2, 3)]
    assert (versions, len(set(leaves))) == ([1, 1, 1], 3)
    assert slots == [b"a" * 32, b"b" * 32]
    assert (streams, seen) == ([UUID(int=5), UUID(int=6)], [0, 4])


def test_suspects_carry_the_number_of_their_command() -> None:
    batch, held = [command((1, 1), guards={5: 0})], [command((2, 1), guards={6: 4}, slots=b"a")]
    numbers, ids, versions, guarding, streams, _, of_slots, slots, of_keks, keks = suspects(batch, held)
    assert (numbers, ids, versions) == ([0, 1], [UUID(int=1), UUID(int=2)], [1, 1])
    assert (guarding, streams) == ([0], [UUID(int=5)])
    assert (of_slots, slots, of_keks, keks) == ([1], [b"a" * 32], [1], [b"k" * 16])


def test_stored_versions_of_a_stream_add_up() -> None:
    stored = Stored()
    for version in (1, 2):
        stored.add(command((1, version)))
    assert stored.refuses(command((2, 1), guards={1: 2})) is None
    refusal = stored.refuses(command((2, 1), guards={1: 1}))
    assert refusal is not None
    assert refusal.code == "log.guard-moved"
