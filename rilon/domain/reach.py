"""How an officer is reached outside the pages: by which way, for what at once, what in a digest, and when not at all.

What they chose is personal data (an address, when they sleep), so the log holds it sealed, and it can be erased. When a
notice goes out is worked out here, purely; nobody at the duty desk silences a life at risk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Meta

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.clocks import DUTY_DESK
from rilon.domain.kinds import KINDS
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, OfficerId, Sealed, Urgency, Value
from rilon.errors import InvalidError, NotFoundError, RilonError, raise_all


class Way(StrEnum):
    """How somebody is reached."""

    MAIL = "mail"
    PHONE = "phone"


class Digest(StrEnum):
    """How often what need not be told at once is told together."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"


Clock = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""A time of day, ``22:30``."""
Address = Annotated[str, Meta(max_length=254)]
_MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
"""ASCII, one line, no comment, no display name: nothing of it can become another header or another recipient."""
_PHONE: Final = re.compile(r"\+[1-9][0-9]{5,14}")
"""E.164."""


class Quiet(Value, frozen=True):
    """Hours in which nothing is told, by the officer's own clock; over midnight when it ends before it starts."""

    start: Clock
    end: Clock


class Plan(Value, frozen=True, kw_only=True):
    """What an officer chose.

    Attributes:
        mail, phone: addresses; "" for none. What comes at once goes to both, a digest by mail if there is one.
        at_once: what is told without waiting for the digest.
        digest: of everything else; at ``daily_at`` if daily.
        about: only these occasions; kinds: only these kinds of item. Empty: all.
        zone: IANA name of the time zone that the times are in.
    """

    mail: Address = ""
    phone: Address = ""
    at_once: tuple[Urgency, ...] = (Urgency.LIFE_AT_RISK, Urgency.IMMEDIATE)
    digest: Digest = Digest.DAILY
    about: frozenset[Code] = frozenset()
    kinds: frozenset[Code] = frozenset()
    quiet: Quiet | None = None
    zone: Annotated[str, Meta(max_length=64)] = "UTC"
    daily_at: Clock = "07:00"

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways there is an address for."""
        return tuple(way for way, address in ((Way.MAIL, self.mail), (Way.PHONE, self.phone)) if address)

    def address(self, way: Way) -> str:
        """Where a way leads."""
        return self.mail if way is Way.MAIL else self.phone


class Occasion(Value, frozen=True):
    """What of a notice decides when it goes out.

    Attributes:
        urgency: None: of no item; it counts as high.
    """

    about: Code
    kind: Code
    urgency: Urgency | None


class Due(Value, frozen=True):
    """One sending: by which way, and when."""

    way: Way
    at: datetime


def must_ring(occasion: Occasion, caller: Caller) -> bool:
    """Whether it is told at once whatever was chosen: a life is at risk, and this is the duty desk."""
    return occasion.urgency is Urgency.LIFE_AT_RISK and caller.desk == DUTY_DESK


def when(plan: Plan, occasion: Occasion, caller: Caller, now: datetime) -> tuple[Due, ...]:
    """When, and by which ways, an officer is told; empty: not outside the pages."""
    if must_ring(occasion, caller):
        return tuple(Due(way, now) for way in plan.ways)
    if (plan.about and occasion.about not in plan.about) or (plan.kinds and occasion.kind not in {*plan.kinds, ""}):
        return ()
    if (occasion.urgency or Urgency.HIGH) in plan.at_once:
        return tuple(Due(way, _awake(plan, now)) for way in plan.ways)
    if plan.digest is Digest.NONE or not plan.ways:
        return ()
    return (Due(plan.ways[0], _awake(plan, _next_digest(plan, now))),)


def check_plan(plan: Plan, caller: Caller, ways: frozenset[Way], occasions: frozenset[str]) -> None:
    """Refuse what could not be kept; everything that is wrong at once.

    Args:
        ways: those this node can send by. occasions: those there are.

    Raises:
        InvalidError: ``reach.mail``, ``.phone``, ``.no-way``, ``.zone``, ``.about``, ``.kinds``, ``.quiet``, ``.duty``.
    """
    raise_all(list(_problems(plan, caller, ways, occasions)))


def _problems(plan: Plan, caller: Caller, ways: frozenset[Way], occasions: frozenset[str]) -> Iterator[RilonError]:
    if plan.mail and not _MAIL.fullmatch(plan.mail):
        yield InvalidError("reach.mail", "This is no mail address.", field="mail", fix="Write name@example.org.")
    if plan.phone and not _PHONE.fullmatch(plan.phone):
        yield InvalidError("reach.phone", "This is no telephone number.", field="phone", fix="Write +66 and so on.")
    for way in plan.ways:
        if way not in ways:
            fix = "Ask your administrator to set it up."
            yield InvalidError("reach.no-way", f"This node cannot send by {way}.", field=way, fix=fix)
    if plan.zone not in _zones():
        yield InvalidError("reach.zone", "There is no such time zone.", field="zone", fix="For example Asia/Bangkok.")
    if not plan.about <= occasions:
        yield InvalidError("reach.about", "There is no such occasion.", field="about")
    if not plan.kinds <= KINDS.keys():
        yield InvalidError("reach.kinds", "There is no such kind of item.", field="kinds")
    if plan.quiet and plan.quiet.start == plan.quiet.end:
        yield InvalidError("reach.quiet", "Quiet hours must end at another time than they begin.", field="quiet")
    if caller.desk == DUTY_DESK and ways and not plan.ways:
        fix = "Give a mail address or a telephone number."
        yield InvalidError("reach.duty", "The duty desk must be reachable when a life is at risk.", fix=fix)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _awake(plan: Plan, at: datetime) -> datetime:
    """This moment, or the end of the quiet hours that it lies in."""
    if plan.quiet is None:
        return at
    local, quiet = at.astimezone(ZoneInfo(plan.zone)), plan.quiet
    now = f"{local:%H:%M}"
    over_midnight = quiet.start > quiet.end
    inside = now >= quiet.start or now < quiet.end if over_midnight else quiet.start <= now < quiet.end
    return _next(local, quiet.end) if inside else at


def _next_digest(plan: Plan, at: datetime) -> datetime:
    if plan.digest is Digest.HOURLY:
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return _next(at.astimezone(ZoneInfo(plan.zone)), plan.daily_at)


def _next(local: datetime, clock: str) -> datetime:
    """When a clock on the wall shows a time next; where it skips that time, an hour later. UTC."""
    wall = time.fromisoformat(clock)
    day = local.date() if f"{local:%H:%M}" < clock else local.date() + timedelta(days=1)
    return datetime.combine(day, wall, local.tzinfo).astimezone(UTC)


def reach_id(officer: UUID) -> UUID:
    """The stream of how an officer is reached."""
    return natural_id("reach", officer.hex)


class Reach(Root):
    """How one officer is reached."""

    TOPIC = "rilon.reach"

    class Opened(Opening):
        TOPIC = "rilon.reach.opened.1"
        officer: OfficerId

    class Chosen(Root.Event):
        """A ``Plan``, sealed; what stood before is to be erased."""

        TOPIC = "rilon.reach.chosen.1"
        plan: Sealed

        def apply(self, aggregate: Reach) -> None:
            aggregate.plan = self.plan

    class Forgotten(Root.Event):
        """They are not reached any more; what they chose is to be erased."""

        TOPIC = "rilon.reach.forgotten.1"
        by: OfficerId

        def apply(self, aggregate: Reach) -> None:
            aggregate.plan = None

    def __init__(self, officer: OfficerId) -> None:
        self.officer = officer
        self.plan: Sealed | None = None

    @classmethod
    def open_(cls, officer: UUID, at: datetime) -> Self:
        """Begin it."""
        return cls._create(cls.Opened, id=reach_id(officer), officer=officer.hex, timestamp=at)

    def choose(self, plan: Sealed, at: datetime) -> None:
        """Be reached so from now on."""
        self.trigger_event(self.Chosen, plan=plan, timestamp=at)

    def forget(self, by: str, at: datetime) -> None:
        """Be reached no more. Raises NotFoundError: there is nothing to forget."""
        if self.plan is None:
            raise NotFoundError
        self.trigger_event(self.Forgotten, by=by, timestamp=at)
