"""Figures of times, exact: what half took and nine of ten, what still waits, and what was late while it was owed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rilon.app.unit import Unit
from rilon.domain.peer_link import PeerLink, Signed
from rilon.domain.values import Role
from rilon.front import contacts, figures
from rilon.front.contacts import Standing
from rilon.front.figures import Span, Took
from rilon.projections.contact import Contact
from rilon.projections.times import Decided, Sending
from tests.api import api_node
from tests.nodes import MemoryNode, draft_of

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def span(took_s: float | None, *, late: bool | None = None) -> Span:
    return Span(NOW, "high", "id", took_s, took_s is None, late)


def sending(stored: timedelta | None, answered: timedelta | None, over: timedelta = 90 * DAY) -> Span:
    """Of an alert posted two days ago, released an hour later, to be acknowledged within eight hours."""
    posted = NOW - 2 * DAY
    sent = posted + HOUR
    told = Sending(
        "high",
        "id",
        posted,
        sent,
        None if stored is None else posted + stored,
        None if answered is None else sent + answered,
        sent + over,
    )
    return figures._way(told, NOW)


def test_a_median_is_a_value_that_occurred() -> None:
    for values, half, high in (
        ([], None, None),
        ([5], 5, 5),
        ([5, 7], 5, 7),
        ([9, 5, 7], 7, 9),
        ([*range(1, 11)], 5, 9),
        ([*range(1, 12)], 6, 10),
        ([*range(1, 101)], 50, 90),
    ):
        found = figures.took("", [span(v) for v in values])
        assert (found.done, found.median_s, found.high_s) == (len(values), half, high)


def test_what_waits_is_counted_and_never_averaged() -> None:
    found = figures.took("", [span(60, late=False), span(None, late=True), span(None), span(300, late=True)])
    assert found == Took("", 2, 2, 60, 300, 3, 2)
    assert found.share == 67
    assert figures.took("", [span(None)]).share is None


def test_late_is_who_did_not_acknowledge_while_it_was_owed() -> None:
    assert sending(2 * HOUR, 8 * HOUR) == Span(NOW - 2 * DAY, "high", "id", 7200, False, False)
    assert sending(2 * HOUR, 8 * HOUR + MINUTE).late is True
    assert sending(2 * HOUR, None).late is True
    assert sending(None, None) == Span(NOW - 2 * DAY, "high", "id", None, True, True)
    assert sending(2 * HOUR, None, over=7 * HOUR).late is None, "withdrawn before it was due"
    assert sending(2 * HOUR, 9 * HOUR, over=7 * HOUR).late is None, "nobody owed that answer any more"
    assert sending(2 * HOUR, None, over=9 * HOUR).late is True
    assert sending(None, None, over=7 * HOUR).waits is False, "what is over waits no more"


def test_decisions_are_of_people() -> None:
    def decided(urgency: str, took: timedelta | None, how: str) -> Span:
        asked = NOW - 2 * HOUR
        return figures._decision(Decided(urgency, asked, asked + took if took else None, how), NOW)

    assert decided("immediate", HOUR, "released") == Span(NOW - 2 * HOUR, "immediate", "", 3600, False, False)
    assert decided("immediate", HOUR + MINUTE, "refused").late is True
    assert decided("immediate", None, "") == Span(NOW - 2 * HOUR, "immediate", "", None, True, True)
    assert decided("high", None, "").late is None
    assert decided("immediate", HOUR / 2, "lapsed")[3:] == (None, False, None)
    assert decided("immediate", 2 * HOUR, "corrected")[3:] == (None, False, True)


def test_parts_are_by_month_urgency_and_member() -> None:
    def made(month: int, urgency: str, member: str, took_s: float) -> Span:
        return Span(datetime(2026, month, 1, tzinfo=UTC), urgency, member, took_s, False, None)

    found = [made(4, "normal", "my", 10), made(5, "high", "id", 20), made(5, "normal", "id", 40)]
    taken = figures.taken(found)
    assert [(t.of, t.done, t.median_s) for t in taken.months] == [("2026-04", 1, 10), ("2026-05", 2, 20)]
    assert [(t.of, t.median_s) for t in taken.urgencies] == [("high", 20), ("normal", 10)]
    assert [(t.of, t.high_s) for t in taken.members] == [("id", 40), ("my", 10)]
    assert taken.whole == Took("", 3, 0, 20, 40, 0, 0)
    some = figures.times(figures.Spans(NOW, found, None), found[1].began, NOW, "high")
    assert (some.deliveries.whole.done, some.approvals) == (1, None)


def test_months_begin_on_their_first_day_in_utc() -> None:
    assert figures.months_back(NOW, 1) == datetime(2026, 5, 1, tzinfo=UTC)
    assert figures.months_back(NOW, 5) == datetime(2026, 1, 1, tzinfo=UTC)
    assert figures.months_back(NOW, 6) == datetime(2025, 12, 1, tzinfo=UTC)


async def test_times_are_told_of_what_one_may_know_and_name_nobody() -> None:
    async with api_node(knows=("id", "my")) as api:
        author, focal, auditor = await api.client(), await api.approver(), await api.client(Role.AUDITOR)
        elsewhere, admin = await api.client(agency="police"), await api.client(Role.ADMINISTRATOR)
        kept = draft_of("TIP-RECRUIT", "id", "my", handling={"tlp": "TLP:AMBER+STRICT"})
        item = await api.node.post(author.who, kept)
        api.node.clock.forward(minutes=90)
        await api.node.approve(item, focal.who)
        await api.settle()
        told = {}
        for who in (author, focal, auditor, elsewhere):
            answer = await who.get("/v1/pictures/times?months=1")
            assert answer.status_code == 200, answer.text
            assert author.who.caller.ref not in answer.text
            assert focal.who.caller.ref not in answer.text
            told[who.token] = answer.json()
        assert (await admin.get("/v1/pictures/times")).status_code == 403
        assert told[author.token]["approvals"] is None
        assert told[elsewhere.token]["approvals"] is None
        (approval,) = told[focal.token]["approvals"]["urgencies"]
        assert (approval["done"], approval["median_s"]) == (1, 5400)
        assert [m["of"] for m in told[author.token]["deliveries"]["members"]] == ["id", "my"]
        assert [t["deliveries"]["whole"]["waiting"] for t in told.values()] == [2, 2, 2, 0]
        for wrong in ("months=0", "months=25", "urgency=soon", "who=me"):
            assert (await author.get(f"/v1/pictures/times?{wrong}")).status_code in {400, 422}


def test_a_link_is_what_people_decided_and_else_what_its_oldest_line_waits() -> None:
    cases = [
        ("", None, Standing.UNKNOWN),
        ("verified", None, Standing.UP),
        ("verified", HOUR, Standing.UP),
        ("verified", HOUR + MINUTE, Standing.BEHIND),
        ("verified", DAY, Standing.BEHIND),
        ("verified", DAY + MINUTE, Standing.OUT_OF_REACH),
        ("frozen", None, Standing.FROZEN),
        ("revoked", 2 * DAY, Standing.REVOKED),
        ("unverified", None, Standing.UNVERIFIED),
    ]
    for state, waited, standing in cases:
        then = contacts._then(Contact("id", NOW, state, NOW - waited if waited else None, None))
        assert then.standing is standing
        assert then.waited_s == (int(waited.total_seconds()) if waited else None)


def test_days_end_at_their_last_instant_and_today_is_now() -> None:
    day = datetime(2026, 5, 10, tzinfo=UTC)
    assert contacts.moments(NOW, 3) == [
        day - DAY - timedelta(microseconds=1),
        day - timedelta(microseconds=1),
        NOW,
    ]
    assert contacts.moments(NOW, 1) == [NOW]


async def test_links_are_read_off_the_log_and_told_to_those_who_look_after_them() -> None:
    async with api_node(knows=("id",)) as api:
        node, clock = api.node, api.node.clock
        auditor, officer = await api.client(Role.AUDITOR), await api.client()
        began = clock.now()

        async def seen() -> list[tuple[str, int | None, bool]]:
            await api.settle()
            answer = await auditor.get("/v1/pictures/network?days=3")
            assert answer.status_code == 200, answer.text
            (link,) = answer.json()["links"]
            return [(t["standing"], t["waited_s"], t["heard_at"] is not None) for t in (*link["days"], link["now"])]

        assert [standing for standing, *_ in await seen()] == ["unknown", "unknown", "up"]
        await node.post(officer.who, draft_of("MAR-DISTRESS", "id"))
        position = (await node.log.head()).size
        clock.forward(minutes=61)
        assert (await seen())[-1] == ("behind", 3660, False)
        await receipt(node, through=position)
        assert (await seen())[-1] == ("up", None, True)
        await node.post(officer.who, draft_of("MAR-DISTRESS", "id"))
        clock.forward(minutes=25 * 60)
        assert [standing for standing, *_ in await seen()] == ["unknown", "behind", "out_of_reach"]
        assert clock.now() - began < 2 * DAY
        assert (await officer.get("/v1/pictures/network")).status_code == 403
        assert (await auditor.get("/v1/pictures/network?days=93")).status_code in {400, 422}


async def receipt(node: MemoryNode, through: int) -> None:
    """Indonesia signs for all lines up to a position."""

    async def do(unit: Unit) -> bytes:
        unit.add(link := PeerLink.begin("id", unit.at))
        link.receipt(b"O" * 16, 1, through, b"h" * 32, (), Signed(b"", b""), unit.at)
        return b""

    await node.desks.work.run(do)
