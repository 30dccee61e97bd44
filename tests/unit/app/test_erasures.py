"""Own alerts at their end: keys go by themselves, by a correction, and by order; holders are told by a recall."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from msgspec import structs

from rilon.app.erasures import Erasures
from rilon.app.follower import catch_up
from rilon.app.onward_desk import OnwardAsk
from rilon.app.recall_desk import ErasureOrder, RecallOrder
from rilon.app.unit import Work
from rilon.domain.alert import Alert, Edition
from rilon.domain.base import Root
from rilon.domain.holding import holding_id
from rilon.domain.values import Purpose, Role, Sealed, Sensitivity
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from tests.nodes import MemoryNode, Person, draft_of, pump
from tests.unit.app.test_recalls import erase, posted, receipts, settle, two

SUMMARY, NOMINAL, VICTIM = Sensitivity.SUMMARY, Sensitivity.NOMINAL, Sensitivity.VICTIM
WHY = Purpose.INVESTIGATE_TRAFFICKING


def order(sensitivity: Sensitivity | None = None) -> ErasureOrder:
    return ErasureOrder("She asked for it.", "consent-withdrawn", sensitivity)


async def keys_of(node: MemoryNode, edition: Edition) -> set[Sensitivity]:
    slots = {s.sealed.slot: s.sensitivity for s in edition.sections}
    return {slots[slot] for slot in await node.desks.vault.has([*slots])}


async def reads(node: MemoryNode, person: Person, item: UUID, sensitivity: Sensitivity) -> bool:
    try:
        await node.desks.reading.open_(person.caller, node.member, item, sensitivity, WHY)
    except NotFoundError:
        return False
    return True


async def test_at_its_end_the_keys_go_by_themselves_and_what_it_was_stays() -> None:
    th, _ = await two()
    author, item = await posted(th)
    alert = await th.desks.work.read(Alert, item)
    await erase(th)
    assert await keys_of(th, alert.edition) == {SUMMARY, NOMINAL}
    th.clock.at = alert.edition.expires_at
    await erase(th)
    assert await keys_of(th, alert.edition) == set()
    assert await th.desks.vault.has([alert.edition.marks.slot])  # its marks stay, for auditors
    assert not await reads(th, author, item, SUMMARY)
    ended = [e for e in await th.log.stream(item) if isinstance(e, Alert.SectionsErased)]
    assert [{(s.version, s.sensitivity) for s in e.sections} for e in ended] == [{(1, SUMMARY), (1, NOMINAL)}]
    await erase(th)
    assert len([e for e in await th.log.stream(item) if isinstance(e, Alert.SectionsErased)]) == 1


A = TypeVar("A", bound=Root)


class Reads(Work):
    """Notes which streams it reads."""

    def __init__(self, node: MemoryNode) -> None:
        super().__init__(node.desks.log, node.desks.clock, node.desks.entropy)
        self.streams: list[UUID] = []

    async def read(self, cls: type[A], stream: UUID, *, fresh: bool = True) -> A:
        self.streams.append(stream)
        return await super().read(cls, stream, fresh=fresh)


async def looked_at(node: MemoryNode) -> list[UUID]:
    """The streams that the eraser of a process that starts now reads."""
    desks = node.desks
    work = Reads(node)
    fresh = Erasures(work, desks.vault, desks.keys, desks.epochs)
    await catch_up(desks.log, fresh)
    await fresh.tend()
    return work.streams


async def test_what_has_lost_all_its_keys_is_looked_at_no_more_by_the_next_process() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    await pump(th, my)
    await erase(th)
    await erase(my)
    for node, stream in ((th, item), (my, holding_id("th", item))):
        node.clock.forward(days=400)
        assert stream in await looked_at(node)
        assert stream not in await looked_at(node)


async def words(node: MemoryNode) -> dict[str, bool]:
    """What people of this node, or peers, wrote: by event, whether it can be read still."""
    found: dict[str, bool] = {}
    for event in await node.events():
        kind: Any = type(event)
        for name in ("reason", "comment", "text"):
            if isinstance(sealed := getattr(event, name, None), Sealed):
                found[kind.TOPIC.split(".", 1)[1]] = bool(await node.desks.vault.has([sealed.slot]))
    return found


async def talked_about() -> tuple[MemoryNode, MemoryNode, UUID]:
    """An alert that was replied to, asked about, given back and recalled in part."""
    th, my = await two()
    _, item = await posted(th)
    await settle(th, my)
    reader, focal = await my.officer(), await th.approver()
    await my.desks.reading.reply(reader.caller, "th", item, "reply.hit", "She is known here.")
    await my.desks.onward.ask(reader.caller, "th", item, OnwardAsk("For the trial.", frozenset({NOMINAL}), court=True))
    await settle(th, my)
    (asked,) = await th.desks.onward.questions(focal.caller, item)
    await th.desks.onward.grant(focal.caller, item, bytes.fromhex(asked.id))
    await th.desks.disclosures.return_(focal.caller, item, "Her name is too much.")
    await th.desks.recalls.recall(focal.caller, "th", item, RecallOrder("A mistake.", "mistake", sensitivity=NOMINAL))
    await settle(th, my)
    return th, my, item


WRITTEN = {"entry.accepted.1", "onward.received.1", "disclosure.returned.1"}


async def test_what_was_written_about_an_item_ends_with_it_at_both_ends() -> None:
    th, my, item = await talked_about()
    before = await words(th), await words(my)
    assert before == (
        dict.fromkeys({*WRITTEN, "recall.ordered.1"}, True),
        {"holding.replied.1": True, "onward.asked.1": True},
    )
    for node in (th, my):
        node.clock.at = (await th.desks.work.read(Alert, item)).edition.expires_at
        await erase(node)
    assert (await words(th), await words(my)) == tuple(dict.fromkeys(found, False) for found in before)


async def test_an_order_takes_the_words_at_once_and_why_it_was_given_at_the_end() -> None:
    th, my, item = await talked_about()
    focal = await th.officer(Role.FOCAL_POINT)
    await th.desks.recalls.erase(focal.caller, "th", item, order())
    await erase(th)
    why = {"recall.ordered.1", "alert.erase-ordered.1"}
    assert await words(th) == dict.fromkeys(WRITTEN, False) | dict.fromkeys(why, True)
    await settle(th, my)
    assert not any((await words(my)).values())
    th.clock.at = (await th.desks.work.read(Alert, item)).edition.expires_at
    await erase(th)
    assert not any((await words(th)).values())


async def test_a_correction_takes_the_old_versions_keys_and_leaves_the_new_ones() -> None:
    th, _ = await two()
    author, item = await posted(th)
    await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    await erase(th)
    old, new = (await th.desks.work.read(Alert, item)).editions
    assert (await keys_of(th, old), await keys_of(th, new)) == (set(), {SUMMARY, NOMINAL})
    assert await reads(th, author, item, NOMINAL)


async def test_an_order_erases_here_and_at_every_holder() -> None:
    th, my = await two()
    _, item = await posted(th)
    await pump(th, my)
    focal, reader = await th.officer(Role.FOCAL_POINT), await my.officer()
    edition = (await th.desks.work.read(Alert, item)).edition
    await th.desks.recalls.erase(focal.caller, "th", item, order(NOMINAL))
    assert not await reads(th, focal, item, NOMINAL)
    await erase(th)
    assert await keys_of(th, edition) == {SUMMARY}
    await settle(th, my)
    assert [r.receipt.openings for r in await receipts(th, item)] == [((NOMINAL, 0),)] * 2
    await th.desks.recalls.erase(focal.caller, "th", item, order())
    await erase(th)
    await settle(th, my)
    assert await keys_of(th, edition) == set()
    assert {s for s, _ in (await receipts(th, item))[-1].receipt.openings} == {SUMMARY, NOMINAL}
    with pytest.raises(NotFoundError):
        await my.desks.reading.open_(reader.caller, "th", item, SUMMARY, WHY)
    with pytest.raises(ConflictError, match=r"alert\.nothing-to-erase"):
        await th.desks.recalls.erase(focal.caller, "th", item, order())
    with pytest.raises(ConflictError, match=r"alert\.erased"):
        await th.desks.alerts.correct(focal.caller, item, draft_of("TIP-RECRUIT", "my"))


async def test_who_may_order_it() -> None:
    th, my = await two()
    author, item = await posted(th)
    await pump(th, my)
    protection, abroad = await th.officer(Role.PROTECTION), await my.officer(Role.FOCAL_POINT)
    for person, code in ((author, "permission.denied"), (protection, "erase.focal-point")):
        with pytest.raises(RefusedError, match=code):
            await th.desks.recalls.erase(person.caller, "th", item, order())
    with pytest.raises(RefusedError, match=r"recall\.not-originator"):
        await my.desks.recalls.erase(abroad.caller, "th", item, order())
    with pytest.raises(ConflictError, match=r"alert\.nothing-to-erase"):
        await th.desks.recalls.erase(protection.caller, "th", item, order(VICTIM))


async def test_an_order_while_keys_go_is_not_forgotten() -> None:
    """A restart, or another process, reads the log again: what was ordered is due, whatever went before."""
    th, _ = await two()
    author, item = await posted(th)
    await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    await catch_up(th.log, th.desks.erasures)
    focal = await th.officer(Role.FOCAL_POINT)
    await th.desks.recalls.erase(focal.caller, "th", item, order(NOMINAL))
    await th.desks.erasures.tend()  # it has read the correction only, and finds the order all the same
    alert = await th.desks.work.read(Alert, item)
    assert [await keys_of(th, e) for e in alert.editions] == [set(), {SUMMARY}]
    await erase(th)
    assert len([e for e in await th.log.stream(item) if isinstance(e, Alert.SectionsErased)]) == 1


async def test_a_correction_lasts_no_longer_than_what_it_corrects_unless_somebody_says_why() -> None:
    th, _ = await two()
    author, item = await posted(th)
    first = (await th.desks.work.read(Alert, item)).edition
    th.clock.forward(days=10)
    await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    later = first.expires_at + timedelta(days=30)
    longer = draft_of("TIP-RECRUIT", "my", handling={"expires_at": later.isoformat()})
    with pytest.raises(InvalidError, match=r"handling\.extension"):
        await th.desks.alerts.correct(author.caller, item, longer)
    said = structs.replace(longer, extension="The trial has been put off.")
    await th.desks.alerts.correct(author.caller, item, said)
    editions = (await th.desks.work.read(Alert, item)).editions
    assert [e.expires_at for e in editions] == [first.expires_at, first.expires_at, later]
    why = [e.extended for e in await th.log.stream(item) if isinstance(e, Alert.Corrected)]
    assert why[0] is None
    assert why[1] is not None
    assert await th.desks.vault.open_text(why[1], "alert.extension", item.hex) == said.extension
