"""Frames are filled as far as they go, and never further."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from rilon.app.link_facts import Selected
from rilon.app.ports import Recorded
from rilon.crypto import chain
from rilon.crypto.frame import MAX_CONTENT_BYTES
from rilon.domain.directory import Directory
from rilon.domain.values import Line
from rilon.network import packing, wire
from rilon.network.link_state import SendEntries
from rilon.network.packing import FRAME_ENTRIES, Packer
from tests.fakes.memory_links import MemoryLinks

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Log:
    """A log in which every ``step``-th event addresses a line."""

    def __init__(self, step: int) -> None:
        self.step, self.reads = step, 0

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        self.reads += 1
        return [self.event(position) for position in range(after + 1, after + 1 + limit)]

    def event(self, position: int) -> Recorded:
        to = {"my": Line("release", (position.to_bytes(32, "big"),))} if position % self.step == 0 else {}
        event = Directory.Verified(
            originator_id=UUID(int=1), originator_version=position, timestamp=AT, member="x", by="", to=to
        )
        return Recorded(position, event)


class Outgoing:
    def __init__(self, size: int) -> None:
        self.size = size

    async def attach(self, *_: object) -> dict[str, bytes]:
        return {f"ciphertext.{n}": bytes(min(self.size, 60_000)) for n in range(self.size // 60_000 + 1)}


async def packer(step: int = 1, size: int = 10, lines: int = 200) -> tuple[Packer, Log]:
    store, log = MemoryLinks(), Log(step)
    await store.save(0, 1, [Selected("my", n, n * step, n.to_bytes(32, "big")) for n in range(1, lines + 1)], {})
    outgoing: Any = Outgoing(size)
    any_log: Any = log
    return Packer(any_log, store, outgoing), log


async def test_small_entries_fill_a_frame() -> None:
    made, log = await packer()
    packed = await made.pack("my", SendEntries(5, 200))
    assert (packed.first, packed.last, packed.prev) == (5, 4 + FRAME_ENTRIES, (4).to_bytes(32, "big"))
    assert packed.lines[0].digests == ((5).to_bytes(32, "big"),)
    assert log.reads == 1


async def test_the_first_frame_begins_the_chain() -> None:
    made, _ = await packer()
    assert (await made.pack("my", SendEntries(1, 3))).prev == chain.START


async def test_nothing_is_sent_beyond_what_was_asked() -> None:
    made, _ = await packer()
    assert (await made.pack("my", SendEntries(7, 9))).last == 9


@pytest.mark.parametrize("size", [30_000, 100_000, 250_000])
async def test_large_entries_fill_a_frame_by_size(size: int) -> None:
    made, _ = await packer(size=size)
    packed = await made.pack("my", SendEntries(1, 200))
    assert len(packed.lines) == pytest.approx(MAX_CONTENT_BYTES / size, abs=1.2)
    assert len(packed.attached) < MAX_CONTENT_BYTES - 1000
    entries = wire.Entries(bytes(16), bytes(16), 0, 1, bytes(32), packed.lines)
    assert len(wire.encode(entries)) + len(packed.attached) <= MAX_CONTENT_BYTES


async def test_what_fits_no_frame_is_withheld_and_says_why() -> None:
    made, _ = await packer(size=600_000)
    packed = await made.pack("my", SendEntries(1, 1))
    entries = wire.Entries(bytes(16), bytes(16), 0, 1, bytes(32), packed.lines)
    assert wire.attached(packed.attached, entries) == ({"withheld": b"too-large"},)


async def test_lines_that_lie_far_apart_are_read_with_one_query_each_frame() -> None:
    made, log = await packer(step=300)
    packed = await made.pack("my", SendEntries(1, 200))
    assert len(packed.lines) == packing.SPAN // 300 + 1
    assert log.reads == 1


async def test_our_head_is_known_as_far_as_our_log_goes() -> None:
    made, _ = await packer(lines=3)
    assert [await made.head("my", n) for n in (0, 3, 4)] == [chain.START, (3).to_bytes(32, "big"), None]
