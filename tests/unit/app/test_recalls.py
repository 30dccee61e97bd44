"""Recalls: reading stops, keys go, receipts come back; the undelivered is withheld; nobody recalls another."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import structs

from rilon.app.erasures import Erasures
from rilon.app.follower import catch_up
from rilon.app.link_desk import ReceiptFacts
from rilon.app.post import Arrived
from rilon.app.recall_desk import RecallOrder
from rilon.crypto import recall
from rilon.crypto.keys import VerifyKey
from rilon.domain.holding import Holding, holding_id
from rilon.domain.peer_link import Signed
from rilon.domain.recall import Recall, recall_id
from rilon.domain.values import Line, Purpose, Role, Sensitivity
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from tests.nodes import MemoryNode, Person, acquaint, draft_of, lines, memory_node, pump

WHY = Purpose.INVESTIGATE_TRAFFICKING
SUMMARY, NOMINAL = Sensitivity.SUMMARY, Sensitivity.NOMINAL


async def two() -> tuple[MemoryNode, MemoryNode]:
    th, my = await memory_node("th"), await memory_node("my", seed=1)
    await acquaint(th, my)
    await pump(th, my)
    await pump(my, th)
    return th, my


async def posted(th: MemoryNode, kind: str = "TIP-RECRUIT") -> tuple[Person, UUID]:
    author = await th.officer()
    item = await th.post(author, draft_of(kind, "my"))
    if (await th.disclosure(item)).draft is not None:
        focal, other = await th.approver(), await th.approver(Role.PROTECTION)
        if await th.approve(item, focal) == b"waiting":
            await th.approve(item, other)
    return author, item


def order(*members: str, sensitivity: Sensitivity | None = None) -> RecallOrder:
    return RecallOrder("It was fictional.", "mistake", frozenset(members) or None, sensitivity)


async def erase(node: MemoryNode) -> None:
    """What a running node does every second."""
    await catch_up(node.log, node.desks.erasures)
    await node.desks.erasures.tend()
    await catch_up(node.log, node.desks.erasures)
    await node.desks.erasures.tend()


async def slots(node: MemoryNode, item: UUID) -> set[bytes]:
    holding = await node.desks.work.read(Holding, holding_id("th", item))
    return {s.sealed.slot for e in holding.grants.editions for s in e.sections}


async def receipts(th: MemoryNode, item: UUID) -> list[Recall.Confirmed]:
    return [e for e in await th.log.stream(recall_id(item)) if isinstance(e, Recall.Confirmed)]


async def settle(th: MemoryNode, my: MemoryNode) -> None:
    """Carry lines both ways until nobody has any more to say, as running nodes do; every line is receipted."""
    for _ in range(4):
        assert set(await pump(th, my)) <= {""}
        await erase(my)
        assert set(await pump(my, th)) <= {""}
        through, sent = my.sent["th"]
        await my.desks.links.receipted("th", ReceiptFacts(th.log_id, sent, through, bytes(32), (), Signed(b"", b"")))


async def test_a_recall_stops_reading_at_once_destroys_the_keys_and_is_receipted() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    reader = await my.officer()
    for _ in range(2):
        await my.desks.reading.open_(reader.caller, "th", item, NOMINAL, WHY)
    await th.desks.recalls.recall(author.caller, "th", item, order())
    await pump(th, my)
    with pytest.raises(NotFoundError):
        await my.desks.reading.open_(reader.caller, "th", item, SUMMARY, WHY)
    held = await slots(my, item)
    assert await my.desks.vault.has([*held]) == held
    await erase(my)
    assert await my.desks.vault.has([*held]) == set()
    assert not held & my.blobs.ciphertexts.keys()
    await settle(th, my)
    closed, destroyed = await receipts(th, item)
    for said in (closed.receipt, destroyed.receipt):
        assert said.openings == ((SUMMARY, 0), (NOMINAL, 2))
        signed, _ = recall.verify(said.statement, VerifyKey(my.desks.keys.ring().signing.public.raw), "my")
        assert {s.sensitivity: s.openings for s in signed.sections} == dict(said.openings)
    assert closed.receipt.destroyed_at is None
    assert destroyed.receipt.destroyed_at is not None
    assert len(my.desks.keys.ring().kems()) == 1


async def test_destroyed_is_said_only_when_the_kem_keys_of_its_frames_are_gone() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    before = my.desks.keys.ring().kem().kid
    await th.desks.recalls.recall(author.caller, "th", item, order())
    await pump(th, my)
    await erase(my)
    await pump(my, th)
    assert {k.kid for k in my.desks.keys.ring().kems()} > {before}  # Thailand has not receipted the new one
    assert [r.receipt.destroyed_at for r in await receipts(th, item)] == [None]
    my.clock.forward(days=14)
    await erase(my)
    await pump(my, th)
    assert before not in {k.kid for k in my.desks.keys.ring().kems()}
    assert [r.receipt.destroyed_at is None for r in await receipts(th, item)] == [True, False]


async def test_one_section_is_taken_back_and_the_rest_stays() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    reader = await my.officer()
    await th.desks.recalls.recall(author.caller, "th", item, order("my", sensitivity=NOMINAL))
    await settle(th, my)
    assert (await my.desks.reading.open_(reader.caller, "th", item, SUMMARY, WHY)).fields
    with pytest.raises(NotFoundError):
        await my.desks.reading.open_(reader.caller, "th", item, NOMINAL, WHY)
    assert [r.receipt.openings for r in await receipts(th, item)] == [((NOMINAL, 0),)] * 2


async def test_what_was_not_delivered_is_withheld_and_the_recall_is_answered_all_the_same() -> None:
    th, my = await two()
    author, item = await posted(th)
    await th.desks.recalls.recall(author.caller, "th", item, order())
    waiting = await lines(th, my)
    assert [a.attachment.get("withheld") for a in waiting if a.line.kind == "release"] == [b"recalled"]
    assert await my.desks.incoming.accept("th", th.log_id, waiting) == ["", "", "withheld.recalled", ""]
    await settle(th, my)
    said = [r.receipt for r in await receipts(th, item)]
    assert [(r.openings, r.destroyed_at is not None) for r in said] == [((), False), ((), True)]


async def test_a_section_taken_back_before_delivery_leaves_the_rest_of_its_grant() -> None:
    th, my = await two()
    author, item = await posted(th)
    await th.desks.recalls.recall(author.caller, "th", item, order(sensitivity=NOMINAL))
    assert set(await pump(th, my)) <= {""}
    held = await my.desks.work.read(Holding, holding_id("th", item))
    assert {s.sensitivity for e in held.grants.editions for s in e.sections} == {SUMMARY}


async def test_a_release_after_a_recall_comes_to_fresh_slots() -> None:
    """The erasure may still be under way when the originator grants it anew."""
    th, my = await two()
    author, item = await posted(th)
    first = await lines(th, my)
    await my.desks.incoming.accept("th", th.log_id, first)
    old = await slots(my, item)
    await th.desks.recalls.recall(author.caller, "th", item, order())
    await pump(th, my)
    again = [Arrived(th.sent["my"][1] + 1, a.line, a.attachment) for a in first if "manifest" in a.attachment][:1]
    assert await my.desks.incoming.accept("th", th.log_id, again) == [""]
    new = await slots(my, item) - old
    await erase(my)
    assert await my.desks.vault.has([*old, *new]) == new
    reader = await my.officer()
    assert (await my.desks.reading.open_(reader.caller, "th", item, SUMMARY, WHY)).fields


async def test_only_the_originators_author_or_focal_point_recalls() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    stranger, theirs = await th.officer(), await my.officer(Role.FOCAL_POINT)
    with pytest.raises(RefusedError, match=r"recall\.not-yours"):
        await th.desks.recalls.recall(stranger.caller, "th", item, order())
    with pytest.raises(RefusedError, match=r"recall\.not-originator"):
        await my.desks.recalls.recall(theirs.caller, "th", item, order())
    for nowhere in (("my", item), ("th", UUID(int=7)), ("id", item)):
        with pytest.raises(NotFoundError):
            await my.desks.recalls.recall(theirs.caller, *nowhere, order())
    with pytest.raises(InvalidError, match=r"recall\.ground"):
        await th.desks.recalls.recall(author.caller, "th", item, RecallOrder("Fictional.", "whim"))
    with pytest.raises(ConflictError, match=r"recall\.nothing-granted"):
        await th.desks.recalls.recall(author.caller, "th", item, order("id"))
    await th.desks.recalls.recall(author.caller, "th", item, order())
    with pytest.raises(ConflictError, match=r"recall\.nothing-granted"):
        await th.desks.recalls.recall(author.caller, "th", item, order())


async def test_another_members_recall_of_it_and_a_forged_receipt_are_refused() -> None:
    th, my, bd = await memory_node("th"), await memory_node("my", seed=1), await memory_node("bd", seed=2)
    await acquaint(th, my, bd)
    for here in (th, my, bd):
        for there in {"th": (my, bd), "my": (th, bd), "bd": (th, my)}[here.member]:
            await pump(here, there)
    _, item = await posted(th)
    await pump(th, my)
    held = await my.desks.work.read(Holding, holding_id("th", item))
    digest, seq = held.edition.digest, bd.sent["my"][1] + 1
    line = Arrived(seq, Line("recall", (digest,)), {"item": item.bytes})
    assert await my.desks.incoming.accept("bd", bd.log_id, [line]) == [""]  # about an item of Bangladesh's own
    assert (await my.desks.work.read(Holding, holding_id("th", item))).grants.taken == set()
    said = recall.Receipt("my", "th", item.bytes, digest, (), 1, None)
    for signer, receipt, code in (
        (bd, said, "statement.kid"),
        (my, structs.replace(said, origin="bd"), "entry.recalled"),
        (my, structs.replace(said, holder="bd"), "recalled.holder"),
    ):
        raw, name = recall.sign(receipt, signer.desks.keys.ring().signing)
        seq = my.sent["th"][1] + 1
        my.sent["th"] = my.sent["th"][0], seq
        line = Arrived(seq, Line("recalled", (digest, name)), {"item": item.bytes, "statement": raw})
        assert await th.desks.incoming.accept("my", my.log_id, [line]) == [code]


async def test_a_grant_past_its_end_and_a_replaced_version_close_by_themselves() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    old = await slots(my, item)
    await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    await th.approve(item, await th.approver())
    await settle(th, my)
    fresh = await slots(my, item) - old
    assert await my.desks.vault.has([*old, *fresh]) == fresh
    holding = await my.desks.work.read(Holding, holding_id("th", item))
    my.clock.at = holding.edition.until - timedelta(seconds=1)
    await erase(my)
    assert await my.desks.vault.has([*fresh]) == fresh
    my.clock.forward(seconds=1)  # nobody told it: it is cut off
    await erase(my)
    assert await my.desks.vault.has([*fresh]) == set()
    assert not [s for s in fresh if s in my.blobs.ciphertexts]
    started = Erasures(my.desks.work, my.desks.vault, my.desks.keys, my.desks.epochs)
    size = (await my.log.head()).size
    await catch_up(my.log, started)  # the next start finds nothing more to do
    await started.tend()
    assert (await my.log.head()).size == size
