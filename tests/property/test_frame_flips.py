"""No frame with a single changed bit is ever read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rilon.crypto import frame
from rilon.crypto.frame import Recipient, Route
from rilon.crypto.keys import KemKey, LinkKey
from rilon.errors import MalformedError, ProofError

SENDER, KEM = LinkKey.from_seed(b"\1" * 32), KemKey.from_seed(b"\3" * 32)
ROUTE = Route("th", "my", b"T" * 16, b"M" * 16, "real")
SEALED = frame.seal(b"words", b"keys", ROUTE, Recipient(KEM.public), SENDER)
HELLO = frame.sign_hello(b"here I am", ROUTE, SENDER)
OUTSIDE = SEALED.index(b"payload") + 10


def is_refused(raw: bytes, at: int, bit: int) -> bool:
    flipped = raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
    try:
        outside = frame.parse(flipped)
        if raw is HELLO:
            frame.verify_hello(outside, ROUTE, SENDER.public)
        else:
            frame.open_(outside, ROUTE, KEM, SENDER.public)
    except (MalformedError, ProofError):
        return True
    return False


def test_every_bit_of_the_outside() -> None:
    assert all(is_refused(SEALED, at, bit) for at in range(OUTSIDE) for bit in range(8))


def test_every_bit_of_a_hello() -> None:
    assert all(is_refused(HELLO, at, bit) for at in range(len(HELLO)) for bit in range(8))


@settings(max_examples=400, deadline=None)
@given(at=st.integers(OUTSIDE, len(SEALED) - 1), bit=st.integers(0, 7))
def test_a_bit_of_the_payload(at: int, bit: int) -> None:
    assert is_refused(SEALED, at, bit)


@pytest.mark.long
def test_every_bit_of_the_payload() -> None:
    assert all(is_refused(SEALED, at, bit) for at in range(OUTSIDE, len(SEALED)) for bit in range(8))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_junk_is_refused(raw: bytes) -> None:
    with pytest.raises((MalformedError, ProofError)):
        frame.open_(frame.parse(raw), ROUTE, KEM, SENDER.public)


@settings(deadline=None)
@given(cut=st.integers(0, len(SEALED) - 1))
def test_every_truncation_is_refused(cut: int) -> None:
    with pytest.raises((MalformedError, ProofError)):
        frame.open_(frame.parse(SEALED[:cut]), ROUTE, KEM, SENDER.public)


@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=6000), attached=st.binary(max_size=6000))
def test_what_is_sealed_opens(body: bytes, attached: bytes) -> None:
    raw = frame.seal(body, attached, ROUTE, Recipient(KEM.public), SENDER)
    found = frame.open_(frame.parse(raw), ROUTE, KEM, SENDER.public)
    assert (found.body, found.attached) == (body, attached)
