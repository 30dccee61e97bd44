"""Attachments between nodes: over a bus that misbehaves, through deaths, recalls of standing, and lies."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from rilon.app.failpoints import Failpoint
from rilon.crypto.section import LIMIT_CIPHERTEXT_BYTES
from rilon.domain.alert import Alert
from rilon.domain.holding import Holding, holding_id
from rilon.domain.peer_link import PeerLink
from rilon.domain.values import Purpose, Role, Sensitivity
from rilon.errors import InvalidError, NotFoundError, UnavailableError
from rilon.network import carrier, wire
from rilon.network.carrier import Carrier
from rilon.network.link import Link
from tests.fakes.memory_bus import Faults, MemoryHub
from tests.fakes.pictures import photo
from tests.federation.couriers import Executioner, delivered, hurry, pair, posts, until
from tests.nodes import MemoryNode, Person, draft_of, pump

PURPOSE = Purpose.IDENTIFY_VICTIM
PICTURE = photo(400, 300)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr(carrier, "PIECE_BYTES", 20_000)


async def post(node: MemoryNode, author: Person, *to: str, urgency: str = "normal", data: bytes = PICTURE) -> UUID:
    """Post an alert with a picture, and have it approved."""
    tickets = await node.attach(author, ("face.jpg", data))
    draft = draft_of("TIP-RECRUIT", *to, attachments=tickets, urgency=urgency)
    item = await node.post(author, draft)
    if (await node.disclosure(item)).state != "released":
        await node.approve(item, await node.approver())
    return item


async def arrived(node: MemoryNode) -> list[Holding.Arrived]:
    return [e for e in await node.events() if isinstance(e, Holding.Arrived)]


async def opened(node: MemoryNode, reader: Person, origin: str, item: UUID) -> bytes:
    file, _ = await node.desks.reading.attachment(reader.caller, origin, item, 1, PURPOSE)
    return file.data


async def test_a_picture_comes_after_its_alert_and_is_the_same_at_both_ends() -> None:
    th, my = await pair()
    author, reader = await th.officer(), await my.officer()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        item = await post(th, author, "my")
        await delivered(made)
        await until(lambda: not my.blobs.parcels)
    assert [e.place for e in await arrived(my)]
    data = await opened(my, reader, "th", item)
    assert data == await opened(th, author, "th", item)
    assert data[:3] == b"\xff\xd8\xff"
    listed = await my.desks.reading.open_(reader.caller, "th", item, Sensitivity.ATTACHMENT, PURPOSE)
    assert listed.fields == {"files": [{"name": "face.jpg", "type": "image/jpeg", "bytes": len(data)}]}
    assert not my.blobs.come


async def test_until_it_has_come_readers_are_told_so_and_nothing_is_recorded() -> None:
    th, my = await pair()
    item, reader = await post(th, await th.officer(), "my"), await my.officer()
    assert set(await pump(th, my)) == {""}
    before = (await my.log.head()).size
    with pytest.raises(UnavailableError, match="on its way"):
        await my.desks.reading.open_(reader.caller, "th", item, Sensitivity.ATTACHMENT, PURPOSE)
    auditor = await my.officer(Role.AUDITOR)
    with pytest.raises(NotFoundError):
        await my.desks.reading.open_(auditor.caller, "th", item, Sensitivity.ATTACHMENT, PURPOSE)
    assert (await my.log.head()).size == before + 1  # the auditor


@pytest.mark.parametrize("seed", range(3))
async def test_loss_repetition_and_disorder_do_it_no_harm(seed: int) -> None:
    th, my = await pair()
    author, reader = await th.officer(), await my.officer()
    hub = MemoryHub("th", "my", seed=seed, faults=Faults(loss=0.2, lost_answer=0.1, duplicate=0.2, reorder=0.2))
    async with posts(hub, th, my) as made:
        items = [await post(th, author, "my", data=photo(300, 200, seed=n)) for n in range(3)]
        await delivered(made)
        await until(lambda: not my.blobs.parcels)
    assert len(await arrived(my)) == 3
    assert len({await opened(my, reader, "th", item) for item in items}) == 3


@pytest.mark.parametrize("victim", ["th", "my"])
async def test_a_death_after_any_piece_costs_one_piece(victim: str) -> None:
    th, my = await pair()
    author, reader = await th.officer(), await my.officer()
    point = Failpoint.COURIER_AFTER_PIECE if victim == "my" else Failpoint.COURIER_AFTER_SEND
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await delivered(made)
        made[victim].hook = Executioner(point, 2)
        item = await post(th, author, "my")
        await until(lambda: made[victim].deaths == 1)
        await delivered(made)
        await until(lambda: not my.blobs.parcels)
    assert len(await arrived(my)) == 1
    assert await opened(my, reader, "th", item)


async def wanted(th: MemoryNode, my: MemoryNode) -> list[bytes | None]:
    """What ``th`` would serve now of what ``my`` misses."""
    missing = await my.blobs.awaited("th")
    piece = th.desks.outgoing.piece
    return [await piece("my", p.item, p.manifest, p.place, p.digest) for p in missing]


async def test_only_a_live_grant_is_served() -> None:
    th, my = await pair()
    author = await th.officer()
    item = await post(th, author, "my")
    await pump(th, my)
    (slot,) = await wanted(th, my)
    (parcel,) = await my.blobs.awaited("th")
    assert slot in th.blobs.ciphertexts
    piece = th.desks.outgoing.piece
    exact = {"item": parcel.item, "manifest": parcel.manifest, "place": parcel.place, "digest": parcel.digest}
    for change in (
        {"item": bytes(16)}, {"manifest": bytes(32)}, {"place": (parcel.place + 1) % 16}, {"digest": bytes(32)},
    ):  # fmt: skip
        assert await piece("my", **(exact | change)) is None
    assert await piece("id", **exact) is None
    edition = (await th.desks.work.read(Alert, item)).edition
    for section in edition.sections:  # granted or not, by its own place and digest: only to whom it was granted
        assert await piece("id", edition.digest[:16], edition.digest, section.position, section.sealed.digest) is None


async def test_what_was_granted_once_is_not_served_for_ever() -> None:
    th, my = await pair()
    author = await th.officer()
    endings = {}
    for ending in ("withdrawn", "expired", "erased"):
        endings[ending] = await post(th, author, "my")
    await pump(th, my)
    assert all(await wanted(th, my))
    await th.desks.alerts.withdraw(author.caller, endings["withdrawn"], "A fictional mistake.")
    assert (await wanted(th, my)).count(None) == 1
    erased = (await th.desks.work.read(Alert, endings["erased"])).edition.section(Sensitivity.ATTACHMENT)
    assert erased
    await th.blobs.erase([erased.sealed.slot])
    parts = [await th.desks.vault.part(slot, 0, 10) for slot in await wanted(th, my) if slot]
    assert parts.count(None) == 1
    th.clock.forward(days=4000)
    assert set(await wanted(th, my)) == {None}


async def test_what_is_refused_is_asked_for_once_and_the_alert_stands() -> None:
    th, my = await pair()
    author, reader = await th.officer(), await my.officer()
    item = await post(th, author, "my")
    await pump(th, my)
    await th.desks.alerts.withdraw(author.caller, item, "A fictional mistake.")
    th.sent.clear()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await until(made["my"].courier.health)
        await delivered(made)
        gone = made["my"].courier._life.peers["th"].link.fetching.gone  # type: ignore[union-attr]
        await until(lambda: gone)
    assert not await arrived(my)
    summary = await my.desks.reading.open_(reader.caller, "th", item, Sensitivity.SUMMARY, PURPOSE)
    assert summary.fields


async def test_the_most_urgent_is_asked_for_first() -> None:
    th, my = await pair()
    author = await th.officer()
    for urgency in ("normal", "immediate", "high"):
        await post(th, author, "my", urgency=urgency)
    await pump(th, my)
    assert [p.rank for p in await my.blobs.awaited("th")] == [1, 2, 3]


async def test_alerts_pass_a_picture_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines go before pieces, whichever came first."""
    monkeypatch.setattr(carrier, "PIECE_BYTES", 500)
    th, my = await pair()
    author = await th.officer()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await post(th, author, "my")
        await until(lambda: my.blobs.come)
        await post(th, author, "my", urgency="immediate", data=b"just words")
        await delivered(made)
        assert my.blobs.parcels, "the picture was not even on its way"
    found = [e for e in await my.events() if isinstance(e, Holding.Granted)]
    assert [e.edition.urgency for e in found] == ["normal", "immediate"]


async def lied_to(
    monkeypatch: pytest.MonkeyPatch, th: MemoryNode, my: MemoryNode, total: int, piece: bytes
) -> list[str]:
    """Let ``th`` answer every want with this; the codes ``my`` rejected it with."""

    async def lie(_: object, __: object, link: Link, want: wire.Want) -> wire.Blob:
        return link.say_blob(want, total, piece)

    monkeypatch.setattr(Carrier, "answer", lie)
    await post(th, await th.officer(), "my")
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await until(lambda: made["my"].link("th") and made["my"].link("th").rejected)
        await delivered(made)
    return [e.code for e in await my.events() if isinstance(e, PeerLink.FrameRejected)]


async def test_other_bytes_than_were_promised_are_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    th, my = await pair()
    assert await lied_to(monkeypatch, th, my, 3, b"lie") == ["blob.digest"]
    assert not await arrived(my)
    assert not my.blobs.come
    (parcel,) = my.blobs.parcels.values()
    assert (parcel.have, parcel.total) == (0, 0)


async def test_no_peer_fills_our_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    th, my = await pair()
    assert await lied_to(monkeypatch, th, my, LIMIT_CIPHERTEXT_BYTES + 1, b"x" * 1000) == ["blob.too-large"]
    assert not my.blobs.come


async def test_a_picture_that_no_honest_node_seals_is_destroyed_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile node seals something else under a sound signature; its digest was promised, so it never gets better."""
    th, my = await pair()
    monkeypatch.setattr("rilon.app.drafts.encode_files", lambda files: b"\x01" + bytes(60_000))
    item = await post(th, await th.officer(), "my")
    monkeypatch.undo()
    hurry(monkeypatch)
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await delivered(made)
        await until(lambda: not my.blobs.parcels)
    assert not await arrived(my)
    holding = await my.desks.work.read(Holding, holding_id("th", item))
    ref = next(s for s in holding.edition.sections if s.sensitivity is Sensitivity.ATTACHMENT)
    assert not await my.desks.vault.has([ref.sealed.slot])


async def test_small_ones_come_with_their_alert() -> None:
    th, my = await pair()
    item = await post(th, await th.officer(), "my", data=b"a page of words")
    await pump(th, my)
    assert not my.blobs.parcels
    reader = await my.officer()
    assert await opened(my, reader, "th", item) == b"a page of words"


async def test_a_correction_drops_the_files_or_keeps_them() -> None:
    th, my = await pair()
    author, reader = await th.officer(), await my.officer()
    item = await post(th, author, "my", data=b"a page of words")
    kept = draft_of("TIP-RECRUIT", "my", keep_attachments=True)
    await th.desks.alerts.correct(author.caller, item, kept)
    await th.approve(item, await th.approver())
    await pump(th, my)
    assert await opened(my, reader, "th", item) == b"a page of words"
    await th.desks.alerts.correct(author.caller, item, msgspec.structs.replace(kept, keep_attachments=False))
    with pytest.raises(NotFoundError):
        await opened(th, author, "th", item)


async def test_a_ticket_is_its_uploaders_and_no_forged_one_is_any() -> None:
    th, _ = await pair()
    author, other = await th.officer(), await th.officer()
    (ticket,) = await th.attach(author, ("a.txt", b"words"))
    desk = th.desks.attachments
    assert [f.data for f in await desk.redeem(author.caller, [ticket])] == [b"words"]
    for who, bad in ((other, ticket), (author, "A" * 128), (author, ticket[:-1] + "AB"[ticket[-1] == "A"])):
        with pytest.raises(InvalidError) as refused:
            await desk.redeem(who.caller, [bad])
        assert refused.value.code == "attachment.unknown"


async def test_an_upload_leaves_no_event_and_no_key() -> None:
    th, _ = await pair()
    author = await th.officer()
    before = await th.stored()
    await th.attach(author, ("a.txt", b"words"))
    size, keys, _ciphertexts = await th.stored()
    assert (size, keys) == before[:2]


async def test_a_picture_of_another_member_is_made_anew_before_it_is_handed_out() -> None:
    th, _ = await pair()
    author = await th.officer()
    (file,) = await th.desks.attachments.redeem(author.caller, await th.attach(author, ("a.jpg", PICTURE)))
    armed = msgspec.structs.replace(file, data=file.data + b"<script>alert(1)</script>")
    assert b"script" not in (await th.desks.attachments.fresh(armed)).data
