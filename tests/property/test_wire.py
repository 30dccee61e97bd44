"""Bodies: what is written is read, and whatever is read was written exactly so."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rilon.app.link_facts import WINDOW
from rilon.domain.values import Line
from rilon.errors import MalformedError
from rilon.network import wire

ids, digests = st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
codes = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}\Z")
counts = st.integers(0, wire.MAX_SEQ)
lines = st.builds(Line, codes, st.lists(digests, max_size=5).map(tuple))
entries = st.builds(
    wire.Entries, ids, ids, counts, st.integers(1, wire.MAX_SEQ - 300), digests,
    st.lists(lines, min_size=1, max_size=8).map(tuple),
)  # fmt: skip


@st.composite
def receipts(draw: st.DrawFn) -> wire.Receipt:
    upto = draw(st.integers(0, wire.MAX_SEQ - 10))
    want = draw(st.one_of(st.just(0), st.integers(upto + 2, wire.MAX_SEQ)))
    numbers = draw(st.sets(st.integers(1, upto), max_size=5)) if upto else set()
    refused = tuple((n, draw(codes)) for n in sorted(numbers))
    return wire.Receipt(draw(ids), draw(ids), draw(counts), upto, draw(digests), want, refused)


hellos = st.builds(
    wire.Hello, ids, st.none() | ids, st.lists(st.binary(max_size=50), max_size=3).map(tuple), ids, st.none() | ids,
    st.booleans(), st.none() | codes, counts, digests, counts,
)  # fmt: skip
names = st.from_regex(r"\A[a-z]{1,16}(\.[0-9a-z]{1,64})?\Z")
attachments = st.dictionaries(names, st.binary(max_size=80), max_size=5)


@given(st.one_of(entries, receipts()))
def test_what_is_written_is_read(body: Any) -> None:
    assert wire.parse(wire.encode(body)) == body


@given(hellos)
def test_a_hello_that_is_written_is_read(hello: wire.Hello) -> None:
    assert wire.parse_hello(wire.encode(hello)) == hello


@given(entries, st.data())
def test_attachments_that_are_written_are_read(body: wire.Entries, data: st.DataObject) -> None:
    count = len(body.lines)
    beside = data.draw(st.lists(attachments, min_size=count, max_size=count))
    assert list(wire.attached(wire.attach(beside), body)) == beside


@given(st.one_of(entries, receipts()), st.data())
def test_a_changed_byte_is_refused_or_reads_as_something_else(body: Any, data: st.DataObject) -> None:
    raw = wire.encode(body)
    at, byte = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 255))
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    try:
        assert (wire.parse(changed) == body) == (changed == raw)
    except MalformedError:
        assert changed != raw


@given(st.binary(max_size=200))
def test_junk_is_refused_cleanly(raw: bytes) -> None:
    for read in (wire.parse, wire.parse_hello):
        with contextlib.suppress(MalformedError):
            assert wire.encode(read(raw)) == raw


def test_a_full_window_of_refusals_fits_a_receipt() -> None:
    refused = tuple((n, "c" * 64) for n in range(1, WINDOW + 1))
    body = wire.Receipt(bytes(16), bytes(16), wire.MAX_SEQ, wire.MAX_SEQ, bytes(32), 0, refused)
    assert wire.parse(wire.encode(body)) == body
