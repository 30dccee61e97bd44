"""Events to stored bytes and back: closed catalogue, canonical bytes, upcasting (docs/spec/log.md, State).

    state = format (1 byte) ‖ salt (16 random bytes) ‖ MessagePack map of the event's own fields

The salt keeps a sibling hash in a proof from confirming a guess about another event. Leaf hashes cover these bytes, so
one event has one reading: what could not be read back is never stored, and ``rilon verify`` refuses what is not
canonical. Reads in daily use check every type but spare themselves that comparison: it costs a quarter of a replay, and
who can rewrite rows can as well write canonical ones, which only the tree's root finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, TypedDict, cast, get_type_hints

import msgspec
from eventsourcing.domain import AggregateCreated
from eventsourcing.persistence import StoredEvent

from rilon.app.ports import Entropy
from rilon.domain.base import Event, Unknown
from rilon.errors import InvalidError, MalformedError
from rilon.store.queries import Row

SALT_BYTES = 16
HEADER_BYTES = 1 + SALT_BYTES
MAX_STATE_BYTES = 1 << 20
"""Ciphertext lies outside the log; an event with a signed manifest and its approvals takes some 20 KiB."""

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the plain fields of one format into those of the next; pure, never refuses."""

NO_UPCASTS: Mapping[tuple[str, int], Upcast] = MappingProxyType({})

# Kept outside the state: the row's own columns, and the aggregate, which the topic names.
_ELSEWHERE = {"originator_id", "originator_version", "originator_topic"}
_INSTANT = Annotated[datetime, msgspec.Meta(tz=True)]
_EPOCH = datetime.fromtimestamp(0, UTC)
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
_UNWRITABLE = (TypeError, OverflowError, UnicodeError, RecursionError)

_packer = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")
_plain = msgspec.msgpack.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the events of one topic are written and read."""

    topic: str
    cls: type[Any]
    names: tuple[str, ...]
    decoder: msgspec.msgpack.Decoder[dict[str, Any]]
    steps: tuple[Upcast, ...]

    format: int
    """The one written today: one more than the steps that lead to it."""

    always: Mapping[str, str]
    """Fields that follow from the topic alone."""

    def read(self, fmt: int, packed: bytes) -> dict[str, Any]:
        """Fields from bytes of any format up to today's."""
        for step in self.steps[fmt - 1 :]:
            packed = _packer.encode(step(_plain.decode(packed)))
        return self.decoder.decode(packed)

    def canonical(self, fmt: int, packed: bytes) -> dict[str, Any]:
        """As ``read``, of the only bytes that say so."""
        decoder = self.decoder if fmt == self.format else _plain
        values = decoder.decode(packed)
        if _packer.encode(values) != packed:
            raise msgspec.DecodeError("not canonical")
        return values if fmt == self.format else self.read(fmt, packed)


class Codec:
    """Writes and reads the events of a closed catalogue; a name that is not in it runs no code.

    Args:
        catalogue: topic to event class, the whole of what this node understands.
        entropy: draws the salts.
        upcasts: ``(topic, n)`` to the step that turns format n into n + 1.

    Raises:
        ValueError: a class is filed under another topic than its own, or the steps have a gap.
    """

    def __init__(
        self,
        catalogue: Mapping[str, type[Any]],
        entropy: Entropy,
        upcasts: Mapping[tuple[str, int], Upcast] = NO_UPCASTS,
    ) -> None:
        self._kinds = {topic: _kind(topic, cls, upcasts) for topic, cls in catalogue.items()}
        if len(upcasts) != sum(len(kind.steps) for kind in self._kinds.values()):
            raise ValueError("upcasting steps must lead from format 1 without a gap, for topics of the catalogue")
        self._entropy = entropy

    def encode(self, event: Event) -> StoredEvent:
        """The row of an event.

        Raises:
            InvalidError: ``log.event-unknown``: not of the catalogue. ``log.event-invalid``: a field does not have its
                type. ``log.event-too-large``: more than ``MAX_STATE_BYTES``.
        """
        kind = self._kinds.get(getattr(type(event), "TOPIC", ""))
        if kind is None or kind.cls is not type(event):
            raise InvalidError("log.event-unknown", f"{type(event).__qualname__} is not an event of the catalogue.")
        state = bytes([kind.format]) + self._entropy.bytes(SALT_BYTES) + _pack(kind, event)
        if len(state) > MAX_STATE_BYTES:
            raise InvalidError("log.event-too-large", f"An event of {kind.topic} exceeds {MAX_STATE_BYTES} bytes.")
        return StoredEvent(event.originator_id, event.originator_version, kind.topic, state)

    def decode(self, row: StoredEvent | Row, position: int, *, canonical: bool = False) -> Event:
        """The event of a row; an ``Unknown`` where a newer program wrote it.

        Args:
            row: as it is stored.
            position: where in the log.
            canonical: refuse bytes that this codec would not write, as whoever checks a log must.

        Raises:
            MalformedError: ``log.state-malformed``: not an event of its topic, or not canonical.
        """
        kind, state = self._kinds.get(row.topic), row.state
        if kind is None or (state and state[0] > kind.format):
            return _unknown(row, position)
        if len(state) < HEADER_BYTES or not state[0]:
            raise MalformedError("log.state-malformed", f"An event of {row.topic} has no header.")
        try:
            values = (kind.canonical if canonical else kind.read)(state[0], state[HEADER_BYTES:])
        except _UNREADABLE:  # their words quote values
            raise MalformedError("log.state-malformed", f"An event of {row.topic} cannot be read.") from None
        values["originator_id"], values["originator_version"] = row.originator_id, row.originator_version
        values.update(kind.always)
        event = object.__new__(kind.cls)
        object.__setattr__(event, "__dict__", values)  # frozen, and nothing to initialise
        return cast("Event", event)


def _kind(topic: str, cls: type[Any], upcasts: Mapping[tuple[str, int], Upcast]) -> _Kind:
    if getattr(cls, "TOPIC", None) != topic:
        raise ValueError(f"{cls.__qualname__} is filed under another topic than its own")
    hints = get_type_hints(cls, include_extras=True)
    # A dict, not the class itself: msgspec cannot see through the library's generic dataclasses.
    own = {f.name: hints[f.name] for f in fields(cls) if f.name not in _ELSEWHERE}
    types = {name: _INSTANT if hint is datetime else hint for name, hint in own.items()}
    shape = TypedDict("shape", types)  # type: ignore[misc] # made from the annotations, at run time
    steps: list[Upcast] = []
    while step := upcasts.get((topic, len(steps) + 1)):
        steps.append(step)
    always = {"originator_topic": _aggregate_topic(topic)} if issubclass(cls, AggregateCreated) else {}
    decoder = msgspec.msgpack.Decoder(cast("type[dict[str, Any]]", shape))
    return _Kind(topic, cls, tuple(types), decoder, tuple(steps), len(steps) + 1, always)


def _pack(kind: _Kind, event: Event) -> bytes:
    aggregate = getattr(event, "originator_topic", None)
    try:
        packed = _packer.encode({name: getattr(event, name) for name in kind.names})
        kind.canonical(kind.format, packed)
    except (*_UNREADABLE, *_UNWRITABLE):  # their words quote values
        raise InvalidError("log.event-invalid", f"A field of an event of {kind.topic} lacks its type.") from None
    if aggregate not in {None, _aggregate_topic(kind.topic)}:
        raise InvalidError("log.event-invalid", f"An event of {kind.topic} opens an aggregate of another name.")
    return packed


def _aggregate_topic(topic: str) -> str:
    """``rilon.alert`` of ``rilon.alert.posted.1``: derived, so that no stored word chooses which class is built."""
    return topic.rsplit(".", 2)[0]


def _unknown(row: StoredEvent | Row, position: int) -> Unknown:
    return Unknown(
        originator_id=cast("Any", row.originator_id),
        originator_version=row.originator_version,
        timestamp=_EPOCH,
        position=position,
        topic=row.topic,
        state=row.state,
    )
