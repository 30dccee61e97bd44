"""The doctor's eye: what it sees in a log, in links, on a disk, in credentials."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from rilon.app.link_facts import Facts
from rilon.crypto import merkle
from rilon.node import doctor
from rilon.node.doctor import Grade, Sign
from rilon.store.recorder import RawEvent
from rilon.store.snapshot import Tip
from tests.nodes import MemoryNode, SetClock, introduce, memory_node

DAY = timedelta(days=1)


@dataclass
class Seen:
    """A snapshot of a node in memory."""

    raw: list[RawEvent]
    facts: dict[str, Facts] = field(default_factory=dict)
    waiting: RawEvent | None = None

    async def tip(self) -> Tip:
        return Tip(len(self.raw), merkle.EMPTY, (), bytes(16))

    async def row(self, position: int) -> RawEvent | None:
        return self.raw[position - 1]

    async def stream(self, stream: UUID) -> list[StoredEvent]:
        return [StoredEvent(r.stream, r.version, r.topic, r.state) for r in self.raw if r.stream == stream]

    async def links(self) -> dict[str, Facts]:
        return self.facts

    async def entry(self, _peer: str, _n: int) -> RawEvent | None:
        return self.waiting


async def seen(node: MemoryNode) -> Any:
    return Seen([row async for row in node.log.raw()])


def clock(node: MemoryNode, ahead: timedelta) -> SetClock:
    return SetClock(node.clock.at + ahead)


def grades(signs: list[Sign]) -> dict[str, Grade]:
    return {sign.part: sign.grade for sign in signs}


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (DAY, {"log": "ok", "KEM key": "ok"}),
        (-timedelta(seconds=5), {"log": "ok", "KEM key": "ok"}),
        (-timedelta(seconds=6), {"clock": "wrong"}),
        (35 * DAY, {"log": "ok", "KEM key": "ok"}),
        (35 * DAY + timedelta(seconds=1), {"log": "ok", "KEM key": "note"}),
    ],
)
async def test_clock_and_key_are_judged_by_the_log(ahead: timedelta, expected: dict[str, str]) -> None:
    node = await memory_node("th")
    assert grades(await doctor.log(await seen(node), clock(node, ahead))) == expected


async def test_a_renewed_key_is_young() -> None:
    node = await memory_node("th")
    node.clock.forward(days=40)
    async with node.blobs.keyring.exclusive() as draft:
        key = draft.new_kem()
        await node.blobs.keyring.save(draft)
    await node.desks.directory.publish_kem(key.public)
    node.clock.forward(days=1)
    await node.approver()  # a roster with the same key
    signs = await doctor.log(await seen(node), clock(node, DAY))
    assert [s.sentence for s in signs if s.part == "KEM key"] == ["It is 2 days old."]


async def test_an_empty_log_is_wrong() -> None:
    snapshot: Any = Seen([])
    assert grades(await doctor.log(snapshot, SetClock())) == {"log": "wrong"}


async def test_links_that_lag_are_frozen_or_unverified_are_named() -> None:
    th, my, bd, iom = [await memory_node(m) for m in ("th", "my", "bd", "iom")]
    await introduce(th, my)
    await introduce(th, bd)
    await introduce(th, iom, verify=False)
    snapshot = await seen(th)
    snapshot.waiting = snapshot.raw[-1]
    snapshot.facts = {"my": Facts(known=5, acked=3), "bd": Facts(frozen="link.fork")}
    now = await doctor.links(snapshot, clock(th, timedelta(minutes=59)))
    assert grades(now) == {"link MY": "ok", "link BD": "wrong", "link IOM": "note"}
    late = {s.part: s for s in await doctor.links(snapshot, clock(th, timedelta(hours=5)))}
    assert late["link MY"].grade == "note"
    assert late["link MY"].sentence == "2 entries wait for a receipt, the oldest for 5 hours."
    assert all(s.fix for s in late.values())


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("free", "grade"),
    [(doctor.LOW_BYTES, "ok"), (doctor.LOW_BYTES - 1, "note"), (doctor.SCARCE_BYTES - 1, "wrong")],
)
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, free: int, grade: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10 * free, 9 * free, free))
    assert doctor.disk(Path()).grade == grade


def credentials(path: Path, expires: datetime | None) -> Path:
    claims = json.dumps({"exp": int(expires.timestamp())} if expires else {}).encode()
    body = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    path.write_text(f"-----BEGIN NATS USER JWT-----\neyJ0eXAi.{body}.c2ln\n------END NATS USER JWT------\n")
    return path


@pytest.mark.parametrize(("left", "told"), [(15 * DAY, 0), (13 * DAY, 1), (-DAY, 1), (None, 0)])
def test_credentials_that_end_soon(tmp_path: Path, left: timedelta | None, told: int) -> None:
    now = datetime(2026, 5, 3, tzinfo=UTC)
    path = credentials(tmp_path / "hub.creds", None if left is None else now + left)
    assert len(list(doctor._expiry(path, SetClock(now)))) == told


@pytest.mark.parametrize("text", ["", "eyJ", "eyJ.!!!.x", "ey.bnVsbA.x"])
def test_credentials_that_cannot_be_read_are_the_hubs_to_refuse(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hub.creds"
    path.write_text(text)
    assert list(doctor._expiry(path, SetClock())) == []


def test_signs_are_plain_values() -> None:
    sign = Sign("disk", Grade.WELL, "Fine.")
    assert replace(sign, fix="x") != sign
