"""Commands that share a commit: what each wants stored, which may go together, and what is told to whom. Pure."""

from __future__ import annotations

from asyncio import Future
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from rilon.app.ports import Wrap
from rilon.crypto.merkle import event_leaf
from rilon.errors import ConflictError, InvalidError, RilonError

MAX_EVENTS: Final = 512
"""Events of one batch, unless one command has more. Larger ones gain little and delay everybody in them."""

MIN_COMMANDS: Final = 32
"""So many commands always share a commit; of more that wait, half: while the database stores these, those who have
their answer make the next. All at once would let program and database wait for each other by turns."""

MAX_COMMAND_EVENTS: Final = 10_000
MAX_VERSION: Final = 2**63 - 1

_WHY: Final = {
    "log.version-taken": "Somebody else was faster: the version of this stream is taken.",
    "log.guard-moved": "What this decision rests on has changed meanwhile.",
    "log.slot-taken": "There is a key in this slot already.",
    "log.key-turned": "The key-encryption key was replaced meanwhile; wrap again under the current one.",
}


@dataclass(eq=False, slots=True)
class Command:
    """What one caller wants stored, whole or not at all.

    Attributes:
        answer: the positions of its events, or why nothing was stored.
    """

    rows: Sequence[StoredEvent]
    wraps: Sequence[Wrap]
    unchanged: Mapping[UUID, int]
    answer: Future[range]
    leaves: list[bytes] = field(init=False)
    claims: set[tuple[UUID, int]] = field(init=False)
    slots: set[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Refuse here, and for this caller alone, whatever would make the database refuse the whole batch.

        Raises:
            InvalidError: ``log.command-invalid``.
            ConflictError: ``log.version-taken`` or ``log.slot-taken``: the command contradicts itself.
        """
        self.claims = {(_stream(row), row.originator_version) for row in self.rows}
        self.slots = {wrap.slot for wrap in self.wraps}
        if not self._storable():
            raise InvalidError("log.command-invalid", "This is nothing that the log could store.")
        if len(self.claims) < len(self.rows):
            raise conflict("log.version-taken")
        if len(self.slots) < len(self.wraps):
            raise conflict("log.slot-taken")
        self.leaves = [event_leaf(_stream(row), row.originator_version, row.topic, row.state) for row in self.rows]

    def _storable(self) -> bool:
        versions = [*self.unchanged.values(), *(row.originator_version for row in self.rows)]
        return (
            0 < len(self.rows) <= MAX_COMMAND_EVENTS
            and min(versions) >= 0
            and max(versions) <= MAX_VERSION
            and all(len(wrap.slot) == 32 and len(wrap.kek) == 16 for wrap in self.wraps)  # noqa: PLR2004 - as the schema
        )

    def succeed(self, positions: range) -> None:
        """Tell the caller, if it still waits: a cancelled request does not undo a commit."""
        if not self.answer.done():
            self.answer.set_result(positions)

    def fail(self, error: RilonError) -> None:
        """Tell the caller, if it still waits and was told nothing yet."""
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True)
class Stored:
    """What a commit has changed, for those who waited for it."""

    versions: dict[UUID, set[int]] = field(default_factory=dict)
    slots: set[bytes] = field(default_factory=set)

    def add(self, command: Command) -> None:
        """Add what a command has written."""
        self.slots |= command.slots
        for stream, version in command.claims:
            self.versions.setdefault(stream, set()).add(version)

    def refuses(self, command: Command) -> ConflictError | None:
        """Why the command can no longer be stored; None when only the database can tell."""
        if any(version in self.versions.get(stream, ()) for stream, version in command.claims):
            return conflict("log.version-taken")
        if any(max(self.versions.get(stream, {seen})) != seen for stream, seen in command.unchanged.items()):
            return conflict("log.guard-moved")
        return None if self.slots.isdisjoint(command.slots) else conflict("log.slot-taken")


class Queue:
    """Commands in the order they came. What depends on the outcome of an earlier one waits for it and no longer."""

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, command: Command) -> None:
        """Append a command."""
        self._waiting.append(command)

    def take(self) -> tuple[list[Command], list[Command]]:
        """The next commands that may share a statement, and those between them that must see its outcome first."""
        batch, held, streams, slots, events = list[Command](), list[Command](), set[UUID](), set[bytes](), 0
        for _ in range(min(len(self._waiting), max(MIN_COMMANDS, len(self._waiting) // 2))):
            if events and events + len(self._waiting[0].rows) > MAX_EVENTS:
                break
            command = self._waiting.popleft()
            writes = {stream for stream, _ in command.claims}
            free = (
                streams.isdisjoint(writes) and streams.isdisjoint(command.unchanged) and slots.isdisjoint(command.slots)
            )
            (batch if free else held).append(command)
            streams |= writes
            slots |= command.slots
            events += len(command.rows)
        return batch, held

    def put_back(self, held: Sequence[Command], stored: Iterable[Command]) -> None:
        """Let the held ones that are still waiting go first; those that what was stored has outrun are refused at once.

        Without that, n copies of one command would cost n statements: a way to slow the node down.
        """
        if not held:
            return
        changed = Stored()
        for command in stored:
            changed.add(command)
        for command in reversed(held):
            if (refusal := changed.refuses(command)) is not None:
                command.fail(refusal)
            if not command.answer.done():
                self._waiting.appendleft(command)

    def drain(self) -> list[Command]:
        """Take everything out."""
        left, self._waiting = list(self._waiting), deque()
        return left


def conflict(code: str) -> ConflictError:
    """The refusal of a command that came too late."""
    return ConflictError(code, _WHY[code], fix="Read again and decide again.")


def columns(batch: Sequence[Command]) -> tuple[list[Any], ...]:
    """A batch as the arrays $5 to $14 of ``queries.APPEND``."""
    rows = [row for command in batch for row in command.rows]
    wraps = [wrap for command in batch for wrap in command.wraps]
    guards = [guard for command in batch for guard in command.unchanged.items()]
    return (
        [row.originator_id for row in rows],
        [row.originator_version for row in rows],
        [row.topic for row in rows],
        [leaf for command in batch for leaf in command.leaves],
        [row.state for row in rows],
        [wrap.slot for wrap in wraps],
        [wrap.kek for wrap in wraps],
        [wrap.wrapped for wrap in wraps],
        [stream for stream, _ in guards],
        [seen for _, seen in guards],
    )


def suspects(batch: Sequence[Command], held: Sequence[Command]) -> tuple[list[Any], ...]:
    """Two parts of a batch as the arrays of ``queries.REFUSED``, each claim with its command's number.

    What a held one guards is not asked for yet: the command it waits for may make it true.
    """
    everyone = [*batch, *held]
    claims = [(n, *claim) for n, command in enumerate(everyone) for claim in command.claims]
    guards = [(n, *guard) for n, command in enumerate(batch) for guard in command.unchanged.items()]
    wraps = [(n, wrap) for n, command in enumerate(everyone) for wrap in command.wraps]
    numbers = [n for n, _ in wraps]
    return (
        *([claim[at] for claim in claims] for at in range(3)),
        *([guard[at] for guard in guards] for at in range(3)),
        numbers,
        [wrap.slot for _, wrap in wraps],
        numbers,
        [wrap.kek for _, wrap in wraps],
    )


def _stream(row: StoredEvent) -> UUID:
    return cast("UUID", row.originator_id)
