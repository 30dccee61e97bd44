"""Clocks at both ends of a delivery; and a month of them, simulated."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from rilon.app.deadlines import Deadlines
from rilon.app.follower import catch_up
from rilon.app.notices import About, Notices
from rilon.app.recall_desk import RecallOrder
from rilon.domain.alert import Alert
from rilon.domain.clocks import ALLOWED, Due, Pause, Running
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.holding import Holding, holding_id
from rilon.domain.values import Role, Sensitivity, Urgency
from rilon.errors import ConflictError, InvalidError, NotFoundError
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, Person, SetClock, acquaint, draft_of, memory_node, pump

REQUEST, ALERT = "INFO-REQ", "GOOD-PRACTICE"


@dataclass
class Ends:
    """Thailand asks, Malaysia owes; one clock for both."""

    th: MemoryNode
    my: MemoryNode
    clock: SetClock
    author: Person
    focal: Person
    reader: Person
    at: dict[str, Deadlines] = field(default_factory=dict)

    async def post(self, kind: str, urgency: Urgency) -> UUID:
        item = await self.th.post(self.author, draft_of(kind, "my", urgency=urgency, handling=lasting(self.clock.at)))
        if (await self.th.disclosure(item)).state == "waiting":
            await self.th.approve(item, self.focal)
        return item

    async def carry(self) -> None:
        assert set(await pump(self.th, self.my)) <= {""}
        assert set(await pump(self.my, self.th)) <= {""}

    async def tick(self) -> None:
        for node in (self.th, self.my):
            await catch_up(node.log, self.at[node.member])
            await self.at[node.member].tick()
            await catch_up(node.log, self.at[node.member])

    def owed(self, item: UUID) -> tuple[tuple[Running, ...], tuple[Running, ...]]:
        """As the originator sees it, and as the holder."""
        return (
            self.at["th"].running(disclosure_id(item), "my"),
            self.at["my"].running(holding_id("th", item)),
        )

    async def told(self) -> list[tuple[datetime, str, str, str]]:
        found: list[tuple[datetime, str, str, str]] = []
        for node in (self.th, self.my):
            events = [e for e in await node.events() if isinstance(e, Disclosure.Escalated | Holding.Escalated)]
            found += [(e.timestamp, node.member, e.due, e.told) for e in events]
        return found


def lasting(at: datetime) -> dict[str, Any]:
    return {"expires_at": at + timedelta(days=90), "review_by": None}


async def both_ends() -> Ends:
    clock = SetClock()
    th, my = await memory_node("th", clock=clock), await memory_node("my", clock=clock)
    await acquaint(th, my)
    ends = Ends(th, my, clock, await th.officer(), await th.approver(), await my.officer())
    ends.at = {node.member: Deadlines(node.desks.work) for node in (th, my)}
    return ends


async def test_an_alert_that_nobody_acknowledges_is_told_at_both_ends_to_the_desk_then_the_focal_point() -> None:
    ends = await both_ends()
    item = await ends.post(ALERT, Urgency.HIGH)
    await ends.carry()
    await ends.tick()
    assert [r.due for end in ends.owed(item) for r in end] == [Due.ACKNOWLEDGEMENT] * 2
    assert await ends.told() == []
    for hours, told in ((8, "duty_desk"), (16, "focal_point")):
        ends.clock.at = NOW + timedelta(hours=hours)
        for _ in range(2):
            await ends.tick()
        assert [r.told for end in ends.owed(item) for r in end] == [told] * 2
    assert [(who, told) for _, who, _, told in await ends.told()] == [
        ("th", "duty_desk"), ("th", "focal_point"), ("my", "duty_desk"), ("my", "focal_point"),
    ]  # fmt: skip


async def test_an_acknowledgement_stops_both_clocks_and_a_restart_tells_nobody_twice() -> None:
    ends = await both_ends()
    item, late = await ends.post(ALERT, Urgency.HIGH), await ends.post(ALERT, Urgency.HIGH)
    await ends.carry()
    await ends.my.desks.reading.acknowledge(ends.reader.caller, "th", item)
    await ends.carry()
    ends.clock.forward(hours=9)
    await ends.tick()
    assert ends.owed(item) == ((), ())
    assert [r.told for end in ends.owed(late) for r in end] == ["duty_desk"] * 2
    ends.at = {node.member: Deadlines(node.desks.work) for node in (ends.th, ends.my)}
    await ends.tick()
    assert len(await ends.told()) == 2


async def test_what_is_over_tells_nobody() -> None:
    ends = await both_ends()
    withdrawn, corrected = await ends.post(ALERT, Urgency.HIGH), await ends.post(ALERT, Urgency.HIGH)
    await ends.carry()
    await ends.th.desks.alerts.withdraw(ends.author.caller, withdrawn, "Untrue.")
    ends.clock.forward(hours=7)
    again = draft_of(ALERT, "my", urgency=Urgency.HIGH, handling=lasting(NOW))
    await ends.th.desks.alerts.correct(ends.author.caller, corrected, again)
    await ends.carry()
    ends.clock.forward(hours=2)
    await ends.tick()
    assert ends.owed(withdrawn) == ((), ())
    assert [r.since for end in ends.owed(corrected) for r in end] == [NOW + timedelta(hours=7)] * 2
    assert await ends.told() == []
    ends.clock.forward(days=100)
    await ends.tick()
    assert (ends.owed(corrected), await ends.told()) == (((), ()), [])


async def waiting_since_now(ends: Ends) -> UUID:
    draft = draft_of("TIP-RECRUIT", "my", urgency=Urgency.HIGH, handling=lasting(ends.clock.at))
    return await ends.th.post(ends.author, draft)


def decisions(ends: Ends, item: UUID) -> list[tuple[str, str]]:
    return [(r.due, r.told) for r in ends.at["th"].running(disclosure_id(item))]


async def test_what_nobody_decides_is_told_grows_old_and_lapses_with_its_alert() -> None:
    ends = await both_ends()
    item, decided = await waiting_since_now(ends), await waiting_since_now(ends)
    await ends.th.approve(decided, ends.focal)
    for hours, told in ((7, ""), (8, "duty_desk"), (16, "focal_point")):
        ends.clock.at = NOW + timedelta(hours=hours)
        for _ in range(2):
            await ends.tick()
        assert decisions(ends, item) == [(Due.APPROVAL, told)]
    assert decisions(ends, decided) == []
    assert len([t for t in await ends.told() if t[2] == Due.APPROVAL]) == 2
    ends.clock.forward(days=90)
    await ends.tick()
    assert ((await ends.th.disclosure(item)).state, decisions(ends, item)) == ("lapsed", [])
    await ends.tick()


async def test_a_missing_review_is_told_even_when_the_alert_is_long_over() -> None:
    ends = await both_ends()
    glass = draft_of("MAR-DISTRESS", "my", handling={"tlp": "TLP:AMBER"})
    item = await ends.th.post(ends.author, glass)
    await ends.tick()
    assert (Due.REVIEW, "") in decisions(ends, item)
    expiry = max(e.edition.expires_at for e in await ends.th.events() if isinstance(e, Alert.Posted))
    for at, told in ((timedelta(hours=24), "duty_desk"), (timedelta(hours=48), "focal_point"), (expiry - NOW, None)):
        ends.clock.at = NOW + at
        await ends.tick()
        reviews = [t for t in await ends.told() if t[2] == Due.REVIEW]
        assert told is None or reviews[-1][3] == told
    assert [who for _, who, due, _ in await ends.told() if due == Due.REVIEW] == ["th", "th"]
    await ends.th.desks.disclosures.review(ends.focal.caller, item, sound=True)
    await ends.tick()
    assert (Due.REVIEW, "focal_point") not in decisions(ends, item)


async def test_a_request_stands_still_for_an_honest_reason_that_both_ends_show() -> None:
    ends = await both_ends()
    item = await ends.post(REQUEST, Urgency.IMMEDIATE)
    await ends.carry()
    desk, who = ends.my.desks.reading, ends.reader.caller
    with pytest.raises(InvalidError, match="no clock stands still"):
        await desk.pause(who, "th", item, "lunch")
    with pytest.raises(ConflictError, match="does not stand still"):
        await desk.resume(who, "th", item)
    await desk.acknowledge(who, "th", item)
    await desk.pause(who, "th", item, Pause.COURT)
    await ends.carry()
    ends.clock.forward(days=5)
    await ends.tick()
    assert [(r.due, r.due_at, r.why) for end in ends.owed(item) for r in end] == [(Due.ANSWER, None, "court")] * 2
    await desk.resume(who, "th", item)
    await ends.carry()
    await ends.tick()
    assert [r.due_at for end in ends.owed(item) for r in end] == [NOW + timedelta(days=5, hours=8)] * 2
    await desk.reply(who, "th", item, "reply.hit", "Yes.")
    await ends.carry()
    await ends.tick()
    assert [(r.due, r.due_at) for end in ends.owed(item) for r in end] == [
        (Due.DETAILS, NOW + timedelta(days=5, hours=48))
    ] * 2
    await desk.reply(who, "th", item, "reply.sighting", "These are the details.")
    await ends.carry()
    await ends.tick()
    assert ends.owed(item) == ((), ())
    assert await ends.told() == []


async def test_only_a_request_can_stand_still_and_only_for_who_may_read_it() -> None:
    ends = await both_ends()
    item = await ends.post(ALERT, Urgency.HIGH)
    await ends.carry()
    with pytest.raises(ConflictError, match="asks for no answer"):
        await ends.my.desks.reading.pause(ends.reader.caller, "th", item, Pause.COURT)
    auditor = await ends.my.officer(Role.AUDITOR)
    with pytest.raises(NotFoundError):
        await ends.my.desks.reading.pause(auditor.caller, "th", item, Pause.COURT)


async def test_the_desk_and_then_the_focal_point_hear_of_it_and_nobody_else() -> None:
    ends = await both_ends()
    await ends.post(ALERT, Urgency.HIGH)
    await ends.carry()
    for _ in range(2):
        ends.clock.forward(hours=8)
        await ends.tick()
    people = {
        "desk": (await ends.my.officer(desk="duty")).caller,
        "other": (await ends.my.officer(desk="archive")).caller,
        "focal": (await ends.my.officer(Role.FOCAL_POINT, desk="unit")).caller,
    }
    heard = []
    for node in (ends.th, ends.my):
        notices = Notices(node.desks.work)
        told = [t for r in await node.log.page(0, 10**6) if (t := await notices.of(r)) is not None]
        heard.append([{n for n, c in people.items() if t.concerns(c)} for t in told if t.notice.about is About.OVERDUE])
    assert heard == [[{"desk"}, {"focal"}]] * 2


# -- a month


@dataclass
class Month:
    """What happened, from a seed; and what must have been told, worked out without the code that is tried."""

    told: list[tuple[datetime, str, str, str]]
    expected: set[tuple[str, str, str, datetime]]


async def month(seed: int, items: int = 24) -> Month:
    """Alerts of all urgencies come; Malaysia acknowledges some in time, some late, some never; people tick hourly."""
    ends, random = await both_ends(), Random(seed)
    plan: list[tuple[datetime, str, int]] = []
    posted: dict[int, tuple[UUID, Urgency, datetime]] = {}
    for n in range(items):
        at = NOW + timedelta(minutes=15 * random.randrange(14 * 96))
        urgency = random.choice(list(Urgency))
        plan.append((at, f"post:{urgency}", n))
        if random.random() < 0.7:
            wait = ALLOWED[Due.ACKNOWLEDGEMENT][urgency] * random.choice([0.4, 1.6, 2.7])
            plan.append((at + wait, "acknowledge", n))
    expected: set[tuple[str, str, str, datetime]] = set()
    minutes = {at for at, _, _ in plan} | {NOW + timedelta(minutes=15 * n) for n in range(30 * 96)}
    for at in sorted(minutes):
        ends.clock.at = at
        for _, what, n in sorted(p for p in plan if p[0] == at):
            if what == "acknowledge":
                await ends.my.desks.reading.acknowledge(ends.reader.caller, "th", posted[n][0])
            else:
                urgency = Urgency(what.partition(":")[2])
                posted[n] = await ends.post(ALERT, urgency), urgency, at
            await ends.carry()
        await ends.tick()
    answered = {n: at for at, what, n in plan if what == "acknowledge"}
    for n, (_, urgency, since) in posted.items():
        allowed = ALLOWED[Due.ACKNOWLEDGEMENT][urgency]
        for told, when in (("duty_desk", since + allowed), ("focal_point", since + 2 * allowed)):
            if n not in answered or answered[n] > when:
                expected |= {(who, told, str(n), when) for who in ("th", "my")}
    return Month(await ends.told(), expected)


async def test_a_month_tells_whom_it_must_to_the_minute_and_the_same_month_the_same() -> None:
    first, again = await month(7), await month(7)
    assert first.told == again.told
    assert sorted((at, who, told) for at, who, _, told in first.told) == sorted(
        (when, who, told) for who, told, _, when in first.expected
    )
    assert {told for _, _, _, told in first.told} == {"duty_desk", "focal_point"}
    assert len(first.told) > 20


async def test_a_recall_ends_the_clocks_at_both_ends_and_one_section_of_several_does_not() -> None:
    ends = await both_ends()
    item = await ends.post("TIP-RECRUIT", Urgency.HIGH)
    await ends.carry()
    await ends.tick()
    for section, runs in ((Sensitivity.NOMINAL, True), (None, False)):
        order = RecallOrder("It was fictional.", "mistake", None, section)
        await ends.th.desks.recalls.recall(ends.author.caller, "th", item, order)
        await ends.carry()
        await ends.tick()
        assert [bool(clocks) for clocks in ends.owed(item)] == [runs, runs]
    ends.clock.forward(days=5)
    await ends.tick()
    assert await ends.told() == []
