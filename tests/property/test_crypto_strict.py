"""One value, one encoding: the strict reader against random values, random bytes and the library it does not trust."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rilon.crypto import strict
from rilon.crypto.labels import digest, framed
from rilon.errors import MalformedError

LIMIT = 1 << 16
ATOMS = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=300) | st.text(max_size=40)
)
KEYS = st.integers(0, 23) | st.text(max_size=30)
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)


def read(data: bytes) -> object:
    return strict.loads(data, limit=LIMIT, depth=32)


@given(VALUES)
def test_what_is_written_is_read(value: object) -> None:
    data = strict.dumps(value)
    assert read(data) == value == cbor2.loads(data)


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_or_the_only_encoding(data: bytes) -> None:
    try:
        value = read(data)
    except MalformedError:
        return
    assert strict.dumps(value) == data


@given(VALUES, st.data())
def test_a_flipped_bit_gives_another_value_or_a_refusal(value: object, data: st.DataObject) -> None:
    written = bytearray(strict.dumps(value))
    at = data.draw(st.integers(0, len(written) * 8 - 1))
    written[at // 8] ^= 1 << at % 8
    try:
        other = read(bytes(written))
    except MalformedError:
        return
    assert strict.dumps(other) == bytes(written) != strict.dumps(value)


@given(VALUES, st.data())
def test_no_proper_prefix_is_a_document(value: object, data: st.DataObject) -> None:
    written = strict.dumps(value)
    with pytest.raises(MalformedError):
        read(written[: data.draw(st.integers(0, len(written) - 1))])


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_framing_keeps_lists_of_parts_apart(one: list[bytes], other: list[bytes]) -> None:
    assert (framed(*one) == framed(*other)) == (one == other)
    assert (digest(b"label", *one) == digest(b"label", *other)) == (one == other)
