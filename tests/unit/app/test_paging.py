"""Notices outside the pages: nothing lost at any crash, nothing told twice under another id, no content, no storm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from rilon.app.follower import catch_up
from rilon.app.outbox import Message, Outbox, Sender
from rilon.app.paging import MOST_TRIES, Paging
from rilon.domain.base import Event
from rilon.domain.reach import Digest, Plan, Quiet, Reach, Way
from rilon.domain.values import Role, Urgency
from rilon.errors import InvalidError, NotFoundError, UnavailableError
from tests.fakes.memory_outbox import MemoryOutbox, MemoryPager
from tests.nodes import MemoryNode, Person, draft_of, introduce, memory_node

MAIL, PHONE = "night@example.org", "+6620000000"
SENDER = Sender("th", "real", "https://th.example/inbox")


async def knowing() -> MemoryNode:
    """A node that may send to another."""
    node = await memory_node()
    await introduce(node, await memory_node("id", seed=1))
    return node


@dataclass
class Scene:
    """A node whose notices go out by two ways."""

    node: MemoryNode
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    mail: MemoryPager = field(default_factory=MemoryPager)
    phone: MemoryPager = field(default_factory=MemoryPager)

    def __post_init__(self) -> None:
        self.restart()
        self.node.desks.reach.pagers = {Way.MAIL: self.mail, Way.PHONE: self.phone}
        self.node.desks.reach.sender = SENDER

    def restart(self, outbox: Outbox | None = None) -> None:
        """A new process over what lies at rest."""
        desks = self.node.desks
        pagers = {Way.MAIL: self.mail, Way.PHONE: self.phone}
        self.paging = Paging(desks.work, desks.vault, outbox or self.outbox, pagers, SENDER)

    async def read(self) -> None:
        await catch_up(self.node.log, self.paging)

    async def run(self) -> None:
        await self.read()
        for way in Way:
            await self.paging.tend(way)

    async def reader(self, desk: str = "night", **plan: Any) -> Person:
        person = await self.node.officer(desk=desk)
        await self.node.desks.reach.choose(person.caller, Plan(**{"mail": MAIL} | plan))
        return person

    async def post(self, urgency: Urgency = Urgency.IMMEDIATE) -> UUID:
        author = await self.node.officer()
        return await self.node.post(author, draft_of("TIP-RECRUIT", "id", urgency=urgency))


@pytest.fixture
async def scene() -> Scene:
    found = Scene(await knowing())
    await found.run()
    return found


async def test_an_officer_hears_that_something_came_and_nothing_else(scene: Scene) -> None:
    await scene.reader(phone=PHONE)
    await scene.post()
    await scene.run()
    (mail,), (ring,) = scene.mail.sent, scene.phone.sent
    assert (mail.to, ring.to) == (MAIL, PHONE)
    assert (mail.count, mail.about, mail.urgency) == (1, ("item.posted",), Urgency.IMMEDIATE)
    assert mail.text.splitlines()[0] == "RILON TH: 1 notice, the most urgent: immediate."
    for secret in ("recruit", "TIP", "id", "job", "Fictional"):
        assert secret not in mail.text.replace("outside", "").split()
    await scene.run()
    assert len(scene.mail.sent) == 1


async def test_who_may_not_see_an_item_hears_nothing_of_it(scene: Scene) -> None:
    auditor = await scene.node.officer(Role.AUDITOR)
    await scene.node.desks.reach.choose(auditor.caller, Plan(mail=MAIL))
    author = await scene.reader(mail="author@example.org")
    await scene.node.post(author, draft_of("TIP-RECRUIT", "id", urgency=Urgency.IMMEDIATE))
    await scene.run()
    assert scene.mail.sent == []


async def test_a_storm_is_a_few_messages_and_a_life_at_risk_does_not_wait(scene: Scene) -> None:
    await scene.reader()
    for _ in range(3):
        await scene.post()
    await scene.run()
    await scene.post()
    await scene.run()
    assert [m.count for m in scene.mail.sent] == [3]
    await scene.post(Urgency.LIFE_AT_RISK)
    await scene.run()
    assert [m.count for m in scene.mail.sent] == [3, 2]
    assert scene.mail.sent[1].urgency is Urgency.LIFE_AT_RISK


async def test_what_can_wait_comes_in_one_digest(scene: Scene) -> None:
    await scene.reader(digest=Digest.HOURLY)
    for _ in range(3):
        await scene.post(Urgency.NORMAL)
    await scene.run()
    assert scene.mail.sent == []
    scene.restart()
    scene.node.clock.forward(hours=1)
    await scene.run()
    assert [m.count for m in scene.mail.sent] == [3]


async def test_the_duty_phone_rings_in_the_quiet_hours(scene: Scene) -> None:
    quiet = Quiet("00:00", "23:59")
    await scene.reader("night", phone="+6621111111", mail="", quiet=quiet)
    await scene.reader("duty", phone=PHONE, mail="", quiet=quiet, at_once=(), digest=Digest.NONE)
    await scene.post(Urgency.LIFE_AT_RISK)
    await scene.run()
    assert [m.to for m in scene.phone.sent] == [PHONE]


class CrashError(Exception):
    pass


class Failing(MemoryOutbox):
    """Dies at the n-th change of what lies at rest, before or after it was made."""

    def __init__(self, inner: MemoryOutbox, at: int, *, after: bool) -> None:
        self.__dict__ = inner.__dict__
        self.inner, self.left, self.late = inner, at, after

    async def _step(self, name: str, *args: Any) -> None:
        self.left -= 1
        if self.left == 0 and not self.late:
            raise CrashError
        await getattr(MemoryOutbox, name)(self.inner, *args)
        if self.left == 0:
            raise CrashError

    async def add(self, *args: Any) -> None:
        await self._step("add", *args)

    async def bind(self, *args: Any) -> None:
        await self._step("bind", *args)

    async def settle(self, *args: Any) -> None:
        await self._step("settle", *args)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
async def test_a_crash_anywhere_loses_nothing_and_repeats_only_under_the_same_id(
    scene: Scene, at: int, after: bool
) -> None:
    await scene.reader()
    await scene.reader(mail="other@example.org")
    await scene.post()
    scene.restart(Failing(scene.outbox, at, after=after))
    crashed = False
    for _ in range(2):
        try:
            await scene.run()
        except CrashError:
            crashed = True
            scene.restart()
    await scene.run()
    assert crashed == (at <= 5)
    told: dict[tuple[UUID, str], set[Message]] = {}
    for message in scene.mail.sent:
        told.setdefault((message.id, message.to), set()).add(message)
    assert {to for _, to in told} == {MAIL, "other@example.org"}
    assert len(told) == 2
    assert scene.outbox.rows == {}


async def test_a_server_that_is_away_is_tried_again_ever_more_rarely_and_said(scene: Scene) -> None:
    await scene.reader(phone=PHONE)
    scene.mail.broken = UnavailableError("pager.mail-away", "Away.")
    await scene.post()
    await scene.run()
    assert len(scene.phone.sent) == 1
    assert "mail (pager.mail-away)" in await scene.paging.check()
    (row,) = scene.outbox.rows.values()
    scene.node.clock.forward(seconds=14)
    await scene.run()
    assert [r.tries for r in scene.outbox.rows.values()] == [1]
    scene.node.clock.forward(seconds=1)
    await scene.run()
    assert [r.tries for r in scene.outbox.rows.values()] == [2]
    scene.node.clock.forward(days=2)
    scene.mail.broken = None
    await scene.run()
    assert [m.id for m in scene.mail.sent] == [row.message]
    assert "mail" not in await scene.paging.check()


async def test_a_refused_address_holds_up_nobody_and_is_given_up(scene: Scene) -> None:
    await scene.reader(mail="nobody@example.org")
    await scene.reader()
    await scene.post()
    for _ in range(MOST_TRIES + 2):
        await scene.run()
        scene.node.clock.forward(minutes=11)
    assert [m.to for m in scene.mail.sent] == [MAIL]
    assert scene.outbox.rows == {}


async def test_addresses_are_sealed_erased_and_stand_in_no_event(scene: Scene) -> None:
    person = await scene.reader(phone=PHONE)
    desk = scene.node.desks.reach
    (first,) = [e for e in await scene.node.events() if isinstance(e, Reach.Chosen)]
    assert MAIL not in repr(await scene.node.events())
    await desk.choose(person.caller, Plan(mail="new@example.org"))
    await scene.post()
    await scene.run()
    assert await scene.node.desks.vault.has([first.plan.slot]) == set()
    assert [m.to for m in scene.mail.sent] == ["new@example.org"]
    await scene.post(Urgency.NORMAL)
    await scene.read()
    await desk.forget(person.caller)
    await scene.run()
    assert await desk.plan(person.caller) is None
    assert scene.outbox.rows == {}
    assert {k for k in scene.node.blobs.keywraps if await scene.node.desks.vault.has([k])} >= set()
    with pytest.raises(NotFoundError):
        await desk.forget(person.caller)
    with pytest.raises(InvalidError, match=r"reach\.none"):
        await desk.try_out(person.caller)


async def test_a_suspended_officer_hears_no_more_and_comes_back_unreached(scene: Scene) -> None:
    focal, person = await scene.node.officer(Role.FOCAL_POINT), await scene.reader(digest=Digest.HOURLY)
    await scene.post(Urgency.NORMAL)
    await scene.read()
    await scene.node.desks.members.suspend(focal.caller, person.id)
    await scene.run()
    scene.node.clock.forward(hours=2)
    await scene.run()
    assert (scene.mail.sent, scene.outbox.rows) == ([], {})
    await scene.node.desks.members.reinstate(focal.caller, person.id)
    assert await scene.node.desks.reach.plan(person.caller) is None


async def test_an_erasure_that_a_crash_interrupted_is_done_by_the_next_start(scene: Scene) -> None:
    person = await scene.reader()
    (chosen,) = [e for e in await scene.node.events() if isinstance(e, Reach.Chosen)]
    await scene.node.desks.reach.forget(person.caller)
    scene.restart(Failing(scene.outbox, 1, after=False))
    with pytest.raises(CrashError):
        await scene.run()
    scene.restart()
    await scene.run()
    assert await scene.node.desks.vault.has([chosen.plan.slot]) == set()


async def test_the_operator_is_told_when_the_duty_desk_cannot_be_reached(scene: Scene) -> None:
    officer = await scene.node.officer(desk="duty")
    await scene.run()
    assert "duty desk" in await scene.paging.check()
    await scene.node.desks.reach.choose(officer.caller, Plan(phone=PHONE))
    await scene.run()
    assert await scene.paging.check() == ""


async def test_a_test_goes_out_at_once_by_every_way(scene: Scene) -> None:
    person = await scene.reader(phone=PHONE)
    assert await scene.node.desks.reach.try_out(person.caller) == (Way.MAIL, Way.PHONE)
    assert [m.subject for m in scene.mail.sent] == ["RILON TH: this is a test"]
    scene.node.desks.reach.pagers = {}
    with pytest.raises(InvalidError, match=r"reach\.no-way"):
        await scene.node.desks.reach.choose(person.caller, Plan(mail=MAIL))


async def test_nobody_hears_of_what_was_before_the_first_start() -> None:
    node = await knowing()
    scene = Scene(node)
    await scene.reader()
    await scene.post()
    await scene.run()
    assert scene.mail.sent == []
    assert isinstance((await node.events())[0], Event)
