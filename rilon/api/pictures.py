"""What pictures say, in numbers: for programs that draw their own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from rilon.api.access import Asking, Node, needs
from rilon.api.pages import After
from rilon.api.requests import reads
from rilon.domain.permissions import Action
from rilon.domain.values import Urgency
from rilon.front import figures
from rilon.front.contacts import DAYS, Contacts, contacts
from rilon.front.figures import Times
from rilon.front.linked import Linked, chart

Months = Annotated[int, Meta(ge=1, le=24)]


class TimesQuery(After, frozen=True, kw_only=True):
    """Which times: of the last so many months, this one included; of one urgency, or all."""

    months: Months = 12
    urgency: Urgency | None = None


class NetworkQuery(After, frozen=True, kw_only=True):
    """Of how many days, today included."""

    days: Annotated[int, Meta(ge=1, le=92)] = DAYS


@get("/pictures/times", opt=needs(Action.SEE_DELIVERIES), dependencies={"asked": reads(TimesQuery)})
async def read_times(asked: NamedDependency[TimesQuery], caller: Asking, services: Node) -> Times:
    """Say how long items take from post to each Member's board, and how long people take to decide.

    Of items that the caller may know; approvals for those only who see the queue, and for auditors. Nobody is named.
    """
    await services.caught_up(asked.after)
    now = services.clock.now()
    since = figures.months_back(now, asked.months)
    found = await figures.spans(services.views, caller, now, since)
    return figures.times(found, since, datetime.max.replace(tzinfo=now.tzinfo), asked.urgency)


@get("/pictures/network", opt=needs(Action.SEE_LINKS), dependencies={"asked": reads(NetworkQuery)})
async def read_network(asked: NamedDependency[NetworkQuery], services: Node) -> Contacts:
    """Say how each link does now and did at the end of each day before: up, behind or out of reach, and heard when."""
    await services.caught_up(asked.after)
    members = (await services.directory.current()).others
    return await contacts(services.views, members, services.clock.now(), asked.days)


@get("/pictures/links/{origin:str}/{item:uuid}", opt=needs(Action.READ_BOARD), dependencies={"asked": reads(After)})
async def read_chart(
    origin: FromPath[str], item: FromPath[UUID], asked: NamedDependency[After], caller: Asking, services: Node
) -> Linked:
    """Say what belongs to an item: what it is made of, where it went, who answered; of what the caller may see."""
    await services.caught_up(asked.after)
    return (await chart(services, caller, origin, item)).drawn()


HANDLERS = (read_times, read_network, read_chart)
