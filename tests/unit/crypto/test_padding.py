from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rilon.crypto.padding import pad, size_class, unpad
from rilon.errors import MalformedError

FLOOR = 64


@given(st.binary(max_size=5000))
def test_what_is_padded_comes_back(data: bytes) -> None:
    assert unpad(pad(data, FLOOR), FLOOR) == data


@given(st.integers(0, 1 << 24))
def test_a_class_holds_its_length_and_wastes_little(length: int) -> None:
    size = size_class(length, FLOOR)
    assert max(length, FLOOR) <= size <= max(FLOOR, length * 1.12)
    assert size_class(size, FLOOR) == size


def test_few_sizes_are_ever_seen() -> None:
    assert len({size_class(n, 4096) for n in range(1, 1 << 16)}) <= 65


@given(st.binary(max_size=300), st.data())
def test_every_other_padding_is_refused(data: bytes, draw: st.DataObject) -> None:
    padded = bytearray(pad(data, FLOOR))
    outside = [i for i in range(len(padded)) if not 4 <= i < 4 + len(data)]
    at, bit = draw.draw(st.sampled_from(outside)), draw.draw(st.integers(0, 7))
    padded[at] ^= 1 << bit
    with suppress(MalformedError):  # a flip in the length may give another valid padding: of other data, never the same
        assert unpad(bytes(padded), FLOOR) != data


@pytest.mark.parametrize(
    "padded", [b"", b"\0\0\0", b"\0" * (FLOOR + 1), b"\xff" * FLOOR, b"\0\0\0\0" + b"\1" * (FLOOR - 4)]
)
def test_junk_is_refused(padded: bytes) -> None:
    with pytest.raises(MalformedError, match=r"padding\.form"):
        unpad(padded, FLOOR)
