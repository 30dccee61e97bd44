"""The log as an auditor reads it: what happened when, in codes, ids and digests; never what anybody wrote.

Nothing here could show content if it wanted to: events hold none (a catalogue test says so). What is left out are the
seeds and salts in them, from which an insider could prove guesses about others: bytes that are no digest are shown
as the digest of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, Final, get_args, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Struct

from rilon.app.ports import EventLog, Recorded
from rilon.domain.base import Event, Unknown
from rilon.domain.values import Code, Digest, LogId, Sealed, Value

_ENVELOPE: Final = frozenset({"originator_id", "originator_version", "originator_topic", "timestamp"})
_NAMED: Final = (Digest, LogId)


class HistoryLine(Value, frozen=True):
    """One event.

    Attributes:
        topic: what happened. stream, version: to what, and as its how manieth change.
        at: when, for people; order is by position.
        facts: the event's fields: codes, numbers, ids, times and digests as they are.
    """

    position: int
    topic: Code
    stream: UUID
    version: int
    at: datetime
    facts: dict[str, Any]


async def history(log: EventLog, after: int, limit: int) -> list[HistoryLine]:
    """A page of the log.

    Raises:
        UnavailableError: the log is away.
    """
    return [line(recorded) for recorded in await log.page(after, limit)]


def line(recorded: Recorded) -> HistoryLine:
    """One event, told without content."""
    event = recorded.event
    return HistoryLine(
        position=recorded.position,
        topic=event.topic if isinstance(event, Unknown) else str(getattr(type(event), "TOPIC", "")),
        stream=event.originator_id,
        version=event.originator_version,
        at=event.timestamp,
        facts={"newer_than_this_node": True} if isinstance(event, Unknown) else _facts(event),
    )


def _facts(event: Event) -> dict[str, Any]:
    return {name: _told(getattr(event, name), hint) for name, hint in _hints(type(event)).items()}


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    """The annotations of an event's own fields."""
    hints = get_type_hints(cls, include_extras=True)
    return {f.name: hints[f.name] for f in fields(cls) if f.name not in _ENVELOPE}


def _told(value: Any, hint: Any) -> Any:
    if isinstance(value, bytes):
        return value if _names(hint) else {"sha256": sha256(value).digest()}
    if isinstance(value, Sealed):
        return {"sealed": value.digest}
    if isinstance(value, Struct):
        return {f.name: _told(getattr(value, f.name), f.type) for f in msgspec.structs.fields(value)}
    if isinstance(value, dict):
        return {str(key): _told(inner, hint) for key, inner in value.items()}
    if isinstance(value, frozenset | tuple | list):
        told = [_told(inner, hint) for inner in value]
        return sorted(told) if isinstance(value, frozenset) else told
    return value


def _names(hint: Any) -> bool:
    """Whether bytes under this annotation are a digest or a log's id, and so meant to be compared."""
    return hint in _NAMED or any(map(_names, get_args(hint)))
