"""Stored bytes: one event, one reading; nothing kept that cannot be read; nothing run that is not in the catalogue."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from rilon.domain.base import Event, Root, Unknown
from rilon.errors import InvalidError, MalformedError, UnavailableError
from rilon.store.codec import HEADER_BYTES, MAX_STATE_BYTES, Codec
from tests.fakes.entropy import SeededEntropy
from tests.fakes.ledger import CATALOGUE, START, Ledger, noted, opened

STREAM = UUID(int=9)
pack = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes").encode


def codec() -> Codec:
    return Codec(CATALOGUE, SeededEntropy())


def stored(event: Any) -> StoredEvent:
    return codec().encode(event)


def fold(event: Any, onto: Any = None) -> Any:
    return event.mutate(onto)


def with_state(row: StoredEvent, packed: bytes, header: bytes = b"") -> StoredEvent:
    return dataclasses.replace(row, state=(header or row.state[:HEADER_BYTES]) + packed)


@pytest.mark.parametrize("event", [opened(STREAM), noted(STREAM), noted(STREAM, due=None, to={}, amount=-1)])
def test_what_is_stored_is_read_back(event: Event) -> None:
    row = stored(event)
    back = codec().decode(row, 1)
    assert back == event
    assert type(back) is type(event)
    assert vars(back) == vars(event)
    assert row == StoredEvent(STREAM, event.originator_version, row.topic, row.state)


INSTANTS = st.datetimes(
    datetime.fromisoformat("1900-01-01T00:00"), datetime.fromisoformat("2900-01-01T00:00"), timezones=st.timezones()
)


@given(st.integers(-(2**63), 2**63), st.booleans(), INSTANTS, st.binary(max_size=32))
def test_any_values_are_read_back(amount: int, final: bool, due: datetime, digest: bytes) -> None:
    event = noted(STREAM, amount=amount, final=final, due=due, digests=(digest.ljust(32),))
    assert codec().decode(stored(event), 1) == noted(
        STREAM, amount=amount, final=final, due=due.astimezone(UTC), digests=(digest.ljust(32),)
    )


def test_the_state_is_format_salt_and_a_sorted_map() -> None:
    row = Codec(CATALOGUE, SeededEntropy(1)).encode(opened(STREAM))
    assert row.state[:HEADER_BYTES] == b"\x01" + SeededEntropy(1).bytes(16)
    assert list(msgspec.msgpack.decode(row.state[HEADER_BYTES:])) == ["owner", "sealed", "timestamp", "urgency"]
    line = noted(STREAM).to["th"]
    first, second = (stored(noted(STREAM, to=to)) for to in ({"th": line, "id": line}, {"id": line, "th": line}))
    assert first.state == second.state


def test_two_equal_events_never_have_equal_bytes() -> None:
    one = codec()
    assert one.encode(opened(STREAM)).state != one.encode(opened(STREAM)).state


def test_time_is_kept_as_an_instant() -> None:
    bangkok = START.astimezone(timezone(timedelta(hours=7)))
    back = codec().decode(stored(noted(STREAM, timestamp=bangkok)), 1)
    assert back.timestamp == START
    assert back.timestamp.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp", START.replace(tzinfo=None)),
        ("amount", "1"),
        ("amount", 1 << 70),
        ("final", 1),
        ("code", "a secret"),
        ("code", "\ud800"),
        ("digests", (b"short",)),
        ("digests", object()),
        ("to", {1: "x"}),
        ("to", None),
    ],
)
def test_a_field_of_another_type_is_never_stored(field: str, value: Any) -> None:
    with pytest.raises(InvalidError, match=r"log\.event-invalid") as caught:
        stored(noted(STREAM, **{field: value}))
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_opening_of_another_aggregate_is_never_stored() -> None:
    with pytest.raises(InvalidError, match=r"log\.event-invalid"):
        stored(dataclasses.replace(opened(STREAM), originator_topic="os.system"))


def test_a_class_outside_the_catalogue_is_never_stored() -> None:
    class Foreign(Root.Event):
        TOPIC = "rilon.ledger.noted.1"

    for event in (Foreign(STREAM, 1, START), Root.Event(STREAM, 1, START)):
        with pytest.raises(InvalidError, match=r"log\.event-unknown"):
            stored(event)


def test_a_too_large_event_is_never_stored() -> None:
    with pytest.raises(InvalidError, match=r"log\.event-too-large"):
        stored(noted(STREAM, digests=(b"f" * 32,) * (MAX_STATE_BYTES // 34 + 1)))


def test_events_of_a_newer_program_are_kept_whole() -> None:
    row = stored(noted(STREAM))
    for newer in (dataclasses.replace(row, topic="rilon.ledger.noted.2"), with_state(row, b"\xc1", bytes([2]) * 17)):
        event = codec().decode(newer, 7)
        assert isinstance(event, Unknown)
        assert (event.position, event.topic, event.state) == (7, newer.topic, newer.state)
        assert (event.originator_id, event.originator_version) == (STREAM, 2)
        with pytest.raises(InvalidError, match=r"log\.event-unknown"):
            codec().encode(event)


def test_nothing_is_decided_on_a_stream_half_understood() -> None:
    ledger = fold(codec().decode(stored(opened(STREAM)), 1))
    unknown = codec().decode(dataclasses.replace(stored(noted(STREAM)), topic="rilon.ledger.closed.1"), 2)
    with pytest.raises(UnavailableError, match=r"log\.newer-than-this-node"):
        fold(unknown, ledger)


def test_an_opening_builds_the_aggregate_its_topic_names() -> None:
    ledger = fold(codec().decode(stored(opened(STREAM)), 1))
    assert type(ledger) is Ledger
    assert fold(codec().decode(stored(noted(STREAM, amount=3)), 2), ledger).amounts == [3]


def fields_of(row: StoredEvent) -> dict[str, Any]:
    return msgspec.msgpack.decode(row.state[HEADER_BYTES:], type=dict[str, Any])


def test_bytes_that_this_codec_would_not_write_are_refused() -> None:
    row = stored(noted(STREAM))
    values = fields_of(row)
    packed = row.state[HEADER_BYTES:]
    unsorted = msgspec.msgpack.encode(dict(reversed(values.items())))
    longer = packed.replace(b"\xa6amount\x01", b"\xa6amount\xd1\x00\x01")
    iso = pack(values | {"timestamp": "2026-01-02T03:04:05.678901Z"})
    bad = [b"", packed[:-1], packed + b"\x00", b"\x90", b"\xff", b"\x81\xa1a" + b"\x91" * 9000]
    bad += [pack(values | {"code": "with space"}), pack({k: v for k, v in values.items() if k != "to"})]
    bad += [packed.replace(b"a.b", b"a.\xff")]
    twice = b"\x8b\xa6amount\x01" + packed[1:]
    other = [unsorted, longer, iso, pack(values | {"extra": 1}), twice]
    for one in bad:
        with pytest.raises(MalformedError, match=r"log\.state-malformed"):
            codec().decode(with_state(row, one), 1)
    for one in bad + other:
        assert one != packed
        with pytest.raises(MalformedError, match=r"log\.state-malformed"):
            codec().decode(with_state(row, one), 1, canonical=True)
    for header in (b"", b"\x01", b"\x01" * 16, b"\x00" * 17):
        with pytest.raises(MalformedError, match=r"log\.state-malformed"):
            codec().decode(dataclasses.replace(row, state=header), 1)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_do_more_than_be_refused(junk: bytes, framed: bool) -> None:
    state = b"\x01" * HEADER_BYTES + junk if framed else junk
    row = StoredEvent(STREAM, 2, "rilon.ledger.noted.1", state)
    if state[:1] > b"\x01":
        assert isinstance(codec().decode(row, 1), Unknown)
    else:
        with pytest.raises(MalformedError, match=r"log\.state-malformed"):
            codec().decode(row, 1)


def rename(values: dict[str, Any]) -> dict[str, Any]:
    return {"amount" if name == "sum" else name: value for name, value in values.items()}


def default(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"final": False}


def test_old_formats_are_read_as_todays() -> None:
    topic = "rilon.ledger.noted.1"
    grown = Codec(CATALOGUE, SeededEntropy(), {(topic, 1): rename, (topic, 2): default})
    event = noted(STREAM, amount=8)
    values = fields_of(stored(event))
    del values["final"]
    third = values.pop("amount")
    first, second = values | {"sum": third}, values | {"amount": third}
    row = grown.encode(event)
    assert row.state[0] == 3
    for fmt, old in ((1, first), (2, second)):
        salted = bytes([fmt]) * HEADER_BYTES
        assert grown.decode(with_state(row, pack(old), salted), 1) == event
        with pytest.raises(MalformedError):
            grown.decode(with_state(row, pack(old) + b"\x00", salted), 1)
        assert grown.decode(with_state(row, pack(old), salted), 1, canonical=True) == event
        unsorted = msgspec.msgpack.encode(dict(reversed(old.items())))
        with pytest.raises(MalformedError):
            grown.decode(with_state(row, unsorted, salted), 1, canonical=True)
    with pytest.raises(MalformedError):
        grown.decode(with_state(row, pack(first), b"\x02" * HEADER_BYTES), 1)
    assert isinstance(codec().decode(row, 1), Unknown)


def test_a_catalogue_that_contradicts_itself_is_refused() -> None:
    step = {("rilon.ledger.noted.1", 2): rename}
    for catalogue, steps in (
        ({"rilon.x.y.1": Ledger.Noted}, {}),
        (CATALOGUE, step),
        ({}, {("rilon.x.y.1", 1): rename}),
    ):
        with pytest.raises(ValueError, match=r"topic|format"):
            Codec(catalogue, SeededEntropy(), steps)
