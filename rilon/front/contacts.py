"""How the links to the other nodes did, day by day: up, behind or out of reach, by what waited longest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from rilon.domain.values import MemberId, Value
from rilon.front.views import Views
from rilon.projections.contact import Contact

BEHIND_AFTER: Final = timedelta(hours=1)
"""A line that waits so long for its receipt makes the link *behind*: the courier offers it again every few seconds."""
OUT_OF_REACH_AFTER: Final = timedelta(days=1)
DAYS: Final = 28


class Standing(StrEnum):
    """How a link did at an instant; the graver ones last."""

    UNKNOWN = "unknown"
    """The node was not known yet."""
    UP = "up"
    BEHIND = "behind"
    OUT_OF_REACH = "out_of_reach"
    UNVERIFIED = "unverified"
    FROZEN = "frozen"
    REVOKED = "revoked"


class LinkThen(Value, frozen=True):
    """A link at an instant.

    Attributes:
        standing: see ``Standing``.
        waited_s: how long the oldest line without a receipt had waited, in seconds; None: none waited.
        heard_at: when the node was heard last, by a line or a receipt; None: never before.
    """

    at: datetime
    standing: Standing
    waited_s: int | None
    heard_at: datetime | None


class LinkDays(Value, frozen=True):
    """A link over time: now, and at the end of each day (UTC) before today, oldest first."""

    member: MemberId
    now: LinkThen
    days: tuple[LinkThen, ...]

    def count(self, *standings: str) -> int:
        """At how many of these moments it stood so."""
        return sum(then.standing in standings for then in (*self.days, self.now))


class Contacts(Value, frozen=True):
    """Every link of this node over time."""

    as_of: datetime
    links: tuple[LinkDays, ...]


async def contacts(views: Views, members: Iterable[str], now: datetime, days: int = DAYS) -> Contacts:
    """How every link does now, and did at the ends of the days before today; so many moments in all."""
    found = await views.contacts(sorted(members), moments(now, days))
    return Contacts(now, tuple(_link(member, list(some)) for member, some in groupby(found, lambda c: c.member)))


def moments(now: datetime, days: int) -> list[datetime]:
    """The last instants of the days before today, and now."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [today - timedelta(days=n, microseconds=1) for n in range(days - 2, -1, -1)]
    return [*ends, now]


def _link(member: str, found: Sequence[Contact]) -> LinkDays:
    *before, now = map(_then, found)
    return LinkDays(member, now, tuple(before))


def _then(contact: Contact) -> LinkThen:
    waited = contact.at - contact.oldest_at if contact.oldest_at else None
    seconds = None if waited is None else int(waited.total_seconds())
    return LinkThen(contact.at, _standing(contact.state, waited), seconds, contact.heard_at)


def _standing(state: str, waited: timedelta | None) -> Standing:
    """What people have decided of a node comes before what its lines do."""
    if state != "verified":
        return Standing(state or Standing.UNKNOWN)
    if waited is None or waited <= BEHIND_AFTER:
        return Standing.UP
    return Standing.BEHIND if waited <= OUT_OF_REACH_AFTER else Standing.OUT_OF_REACH
