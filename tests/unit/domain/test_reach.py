"""When a notice goes out: at once, after the quiet hours, in a digest, or never; by the officer's own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rilon.domain.permissions import Caller
from rilon.domain.reach import Digest, Occasion, Plan, Quiet, Way, check_plan, when
from rilon.domain.values import Role, Urgency
from rilon.errors import InvalidError

BANGKOK = {"mail": "a@example.org", "phone": "+6620000000", "zone": "Asia/Bangkok", "quiet": Quiet("22:00", "07:00")}
NIGHT, DAY = datetime(2026, 5, 2, 20, 0, tzinfo=UTC), datetime(2026, 5, 3, 5, 20, tzinfo=UTC)
WAYS, OCCASIONS = frozenset(Way), frozenset({"item.received"})


def caller(desk: str = "night") -> Caller:
    return Caller("a" * 32, frozenset({Role.OFFICER}), "police", desk)


def told(urgency: Urgency | None, at: datetime, desk: str = "night", **plan: Any) -> list[tuple[str, str]]:
    occasion = Occasion("item.received", "TIP-RECRUIT", urgency)
    found = when(Plan(**BANGKOK | plan), occasion, caller(desk), at)
    return [(d.way, f"{d.at:%d %H:%M}") for d in found]


@pytest.mark.parametrize(
    ("urgency", "at", "plan", "expected"),
    [
        (Urgency.IMMEDIATE, DAY, {}, [("mail", "03 05:20"), ("phone", "03 05:20")]),
        (Urgency.IMMEDIATE, NIGHT, {}, [("mail", "03 00:00"), ("phone", "03 00:00")]),
        (Urgency.LIFE_AT_RISK, NIGHT, {"quiet": None}, [("mail", "02 20:00"), ("phone", "02 20:00")]),
        (None, DAY, {"phone": ""}, [("mail", "04 00:00")]),
        (Urgency.NORMAL, DAY, {}, [("mail", "04 00:00")]),
        (Urgency.NORMAL, DAY, {"daily_at": "18:30"}, [("mail", "03 11:30")]),
        (Urgency.NORMAL, DAY, {"digest": Digest.HOURLY}, [("mail", "03 06:00")]),
        (Urgency.NORMAL, NIGHT, {"digest": Digest.HOURLY}, [("mail", "03 00:00")]),
        (Urgency.NORMAL, DAY, {"digest": Digest.HOURLY, "mail": ""}, [("phone", "03 06:00")]),
        (Urgency.NORMAL, DAY, {"digest": Digest.NONE}, []),
        (Urgency.IMMEDIATE, DAY, {"kinds": frozenset({"INFO-REQ"})}, []),
        (Urgency.IMMEDIATE, DAY, {"about": frozenset({"approval.waiting"})}, []),
        (Urgency.IMMEDIATE, DAY, {"mail": "", "phone": ""}, []),
    ],
)
def test_when(urgency: Urgency | None, at: datetime, plan: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(urgency, at, **plan) == expected


def test_the_duty_desk_does_not_silence_a_life_at_risk() -> None:
    deaf: dict[str, Any] = {
        "at_once": (), "digest": Digest.NONE, "about": frozenset({"link.frozen"}),
        "kinds": frozenset({"INFO-REQ"}), "quiet": Quiet("00:00", "23:59"),
    }  # fmt: skip
    assert told(Urgency.LIFE_AT_RISK, NIGHT, "duty", **deaf) == [("mail", "02 20:00"), ("phone", "02 20:00")]
    assert told(Urgency.LIFE_AT_RISK, NIGHT, "night", **deaf) == []
    assert told(Urgency.IMMEDIATE, NIGHT, "duty", **deaf) == []


@given(
    st.integers(0, 2 * 365 * 24 * 60),
    st.sampled_from(["UTC", "Asia/Kathmandu", "Australia/Sydney"]),
    st.sampled_from([("22:00", "07:00"), ("01:30", "02:30"), ("00:00", "23:59")]),
    st.sampled_from([Digest.HOURLY, Digest.DAILY]),
)
def test_nothing_is_told_in_the_quiet_hours_or_a_day_too_late(
    minute: int, zone: str, hours: tuple[str, str], digest: Digest
) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    plan = Plan(mail="a@example.org", zone=zone, quiet=Quiet(*hours), digest=digest, at_once=())
    for due in when(plan, Occasion("item.received", "INFO-REQ", Urgency.HIGH), caller(), now):
        local = f"{due.at.astimezone(ZoneInfo(zone)):%H:%M}"
        start, end = hours
        assert not (start <= local < end if start < end else local >= start or local < end)
        assert now < due.at <= now + timedelta(days=2, hours=1)


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ({"mail": "a@example.org\r\nBcc: b@example.org"}, "reach.mail"),
        ({"mail": "a@example.org, b@example.org"}, "reach.mail"),
        ({"mail": "Zoë <a@example.org>"}, "reach.mail"),
        ({"mail": "a@exämple.org"}, "reach.mail"),
        ({"phone": "0812345678"}, "reach.phone"),
        ({"phone": "+66 81; reboot"}, "reach.phone"),
        ({"zone": "../../etc/passwd"}, "reach.zone"),
        ({"zone": "Mars/Olympus"}, "reach.zone"),
        ({"about": frozenset({"item.eaten"})}, "reach.about"),
        ({"kinds": frozenset({"NO-SUCH"})}, "reach.kinds"),
        ({"quiet": Quiet("07:00", "07:00")}, "reach.quiet"),
    ],
)
def test_what_could_not_be_kept_is_refused(plan: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidError) as told:
        check_plan(Plan(**plan), caller(), WAYS, OCCASIONS)
    assert [p.code for p in told.value.problems] == [code]


def test_everything_wrong_is_told_at_once_and_the_duty_desk_needs_a_way() -> None:
    with pytest.raises(InvalidError) as told:
        check_plan(Plan(mail="a@b.org", phone="x"), caller(), frozenset(), OCCASIONS)
    assert {p.code for p in told.value.problems} == {"reach.phone", "reach.no-way"}
    with pytest.raises(InvalidError, match=r"reach\.duty"):
        check_plan(Plan(), caller("duty"), WAYS, OCCASIONS)
    check_plan(Plan(), caller("duty"), frozenset(), OCCASIONS)
    check_plan(Plan(**BANGKOK), caller("duty"), WAYS, OCCASIONS)
