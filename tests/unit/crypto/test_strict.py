"""The strict reader against the bad-input list: every line a clean refusal, named, quick, without growth."""

import time
from typing import Any

import pytest

from rilon.crypto import strict
from rilon.errors import MalformedError

REFUSED = {
    "self-referencing array": ("d81c81d81d00", "cbor.type"),
    "decimal with a huge exponent": ("c4821a3b9aca0001", "cbor.type"),
    "regex": ("d823622a2b", "cbor.type"),
    "set": ("d9010281 01", "cbor.type"),
    "address": ("d9010444 7f000001", "cbor.type"),
    "date": ("c074323031332d30332d32315432303a30343a30305a", "cbor.type"),
    "bignum": ("c249010000000000000000", "cbor.type"),
    "bignum of a megabyte": ("c25a000ff000" + "01" * 0xFF000, "cbor.type"),
    "half float": ("f93c00", "cbor.type"),
    "not a number": ("f97e00", "cbor.type"),
    "double": ("fb3ff199999999999a", "cbor.type"),
    "undefined": ("f7", "cbor.type"),
    "simple value": ("f8ff", "cbor.type"),
    "simple value 16": ("f0", "cbor.type"),
    "break alone": ("ff", "cbor.type"),
    "key is an array": ("a18001", "cbor.depth"),
    "key is bytes": ("a1410001", "cbor.type"),
    "key is true": ("a1f501", "cbor.type"),
    "key is 24": ("a1181801", "cbor.type"),
    "key is -1": ("a12001", "cbor.type"),
    "indefinite array": ("9f01ff", "cbor.not-deterministic"),
    "indefinite map": ("bfff", "cbor.not-deterministic"),
    "indefinite bytes": ("5f4101ff", "cbor.not-deterministic"),
    "reserved head": ("1c", "cbor.not-deterministic"),
    "23 in two bytes": ("1817", "cbor.not-deterministic"),
    "255 in three bytes": ("1900ff", "cbor.not-deterministic"),
    "65535 in five bytes": ("1a0000ffff", "cbor.not-deterministic"),
    "2^32-1 in nine bytes": ("1b00000000ffffffff", "cbor.not-deterministic"),
    "long length": ("5801 00", "cbor.not-deterministic"),
    "unsorted keys": ("a2616201616101", "cbor.not-deterministic"),
    "longer key first": ("a26261610161 6201", "cbor.not-deterministic"),
    "duplicate keys": ("a2616101616102", "cbor.duplicate-key"),
    "-2^63-1": ("3b8000000000000000", "cbor.range"),
    "bad utf-8": ("62c328", "cbor.utf8"),
    "surrogate": ("63eda080", "cbor.utf8"),
    "nothing": ("", "cbor.truncated"),
    "half a head": ("19ff", "cbor.truncated"),
    "bytes of 2^62": ("5b4000000000000000", "cbor.truncated"),
    "text of 2^62": ("7b4000000000000000", "cbor.truncated"),
    "array of 2^62": ("9b4000000000000000", "cbor.items"),
    "map of 2^62": ("bb4000000000000000", "cbor.items"),
    "array ends early": ("8201", "cbor.truncated"),
    "two values": ("0000", "cbor.trailing"),
    "nine deep": ("81" * 9 + "00", "cbor.depth"),
    "100,000 deep": ("81" * 100_000, "cbor.depth"),
    "4,096 members": ("990fff" + "00" * 4095 + "00", "cbor.trailing"),
    "4,097 items": ("991000" + "00" * 4096, "cbor.items"),
    "items shared by nested arrays": ("82" + ("990800" + "00" * 2048) * 2, "cbor.items"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_bytes_are_refused_by_name(name: str) -> None:
    data, code = REFUSED[name]
    started = time.perf_counter()
    with pytest.raises(MalformedError) as refused:
        strict.loads(bytes.fromhex(data), limit=1 << 20)
    assert refused.value.code == code
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1bffffffffffffffff", (1 << 64) - 1),
        ("3b7fffffffffffffff", -(1 << 63)),
        ("40", b""),
        ("60", ""),
        ("62c3bc", "ü"),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("81" * 8 + "00", [[[[[[[[0]]]]]]]]),
        ("a3016078026161f6", None),
        ("a301006001616102", {1: 0, "": 1, "a": 2}),
    ],
)
def test_good_bytes(data: str, value: Any) -> None:
    if value is None and data != "f6":
        with pytest.raises(MalformedError):
            strict.loads(bytes.fromhex(data), limit=64)
        return
    assert strict.loads(bytes.fromhex(data), limit=64) == value
    assert strict.dumps(value) == bytes.fromhex(data)


def test_the_limit_is_in_bytes_and_inclusive() -> None:
    assert strict.loads(b"\x41\x00", limit=2) == b"\0"
    with pytest.raises(MalformedError, match=r"cbor\.size"):
        strict.loads(b"\x41\x00", limit=1)


def test_budgets_can_be_set() -> None:
    data = strict.dumps([[1, 2], 3])
    assert strict.loads(data, limit=64, items=5, depth=2) == [[1, 2], 3]
    with pytest.raises(MalformedError, match=r"cbor\.items"):
        strict.loads(data, limit=64, items=4, depth=2)
    with pytest.raises(MalformedError, match=r"cbor\.depth"):
        strict.loads(data, limit=64, items=5, depth=1)


class Leg(strict.Record, frozen=True):
    port: strict.Code
    at: strict.Instant | None


class Route(strict.Record, frozen=True):
    id: strict.Bytes16
    legs: tuple[Leg, ...]
    marks: tuple[strict.Code, ...]

    def __post_init__(self) -> None:
        strict.ordered(self.marks)


ROUTE = Route(bytes(16), (Leg("a", None), Leg("b", 5)), ("x", "y"))


def form(**changes: object) -> bytes:
    return strict.dumps({"id": bytes(16), "legs": [], "marks": []} | changes)


def test_a_record_is_a_map_of_its_fields() -> None:
    data = strict.encode(ROUTE)
    assert strict.decode(data, Route, limit=200) == ROUTE
    assert strict.loads(data, limit=200)["legs"] == [{"port": "a", "at": None}, {"port": "b", "at": 5}]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (form(more=1), ""),
        (strict.dumps({"id": bytes(16), "legs": []}), ""),
        (strict.dumps([bytes(16), [], []]), ""),
        (form(id=bytes(15)), "id"),
        (form(id=bytes(17)), "id"),
        (form(id="AAAAAAAAAAAAAAAAAAAAAA=="), "id"),
        (form(legs=[{"port": "a", "at": True}]), "legs[0].at"),
        (form(legs=[{"port": "a", "at": -1}]), "legs[0].at"),
        (form(legs=[{"port": "a", "at": 253_402_300_800}]), "legs[0].at"),
        (form(legs=[{"port": "a"}]), "legs[0]"),
        (form(legs=[{"port": "a", "at": 1, "to": 1}]), "legs[0]"),
        (form(legs={"port": "a", "at": 1}), "legs"),
        (form(marks=["two words"]), "marks[0]"),
        (form(marks=["line\n"]), "marks[0]"),
        (form(marks=["a" * 65]), "marks[0]"),
        (form(marks=["y", "x"]), ""),
        (form(marks=["x", "x"]), ""),
    ],
)
def test_another_form_is_refused_with_its_field(data: bytes, field: str) -> None:
    with pytest.raises(MalformedError) as refused:
        strict.decode(data, Route, limit=400)
    assert (refused.value.code, refused.value.field) == ("cbor.shape", field)


def test_a_refusal_quotes_nothing_of_what_it_read() -> None:
    with pytest.raises(MalformedError) as refused:
        strict.decode(form(marks=["Persona One"]), Route, limit=400)
    assert "Persona" not in str(refused.value)
    assert refused.value.__cause__ is None
    with pytest.raises(MalformedError) as refused:
        strict.decode(form(Persona=1), Route, limit=400)
    assert "Persona" not in str(refused.value)
