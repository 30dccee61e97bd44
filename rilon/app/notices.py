"""Live notices: that something came, of what kind and urgency, and whom it concerns; never what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import singledispatchmethod
from typing import Any
from uuid import UUID

from rilon.app.ports import Recorded
from rilon.app.unit import Work
from rilon.domain.alert import Alert, Edition, Ending, SectionRef
from rilon.domain.circle import Circles, ref_of
from rilon.domain.clocks import DUTY_DESK, Told
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding, holding_id
from rilon.domain.officer import Officer
from rilon.domain.onward import Onward
from rilon.domain.peer_link import PeerLink
from rilon.domain.permissions import Action, Caller
from rilon.domain.team import Task, Team
from rilon.domain.values import Code, MemberId, Sensitivity, Urgency, Value


class About(StrEnum):
    """What happened, as far as a notice says it."""

    POSTED = "item.posted"
    RECEIVED = "item.received"
    CHANGED = "item.changed"
    ANSWERED = "item.answered"
    WAITING = "approval.waiting"
    REVIEW_DUE = "approval.review-due"
    DECIDED = "approval.decided"
    FROZEN = "link.frozen"
    OVERDUE = "item.overdue"
    CIRCLE = "circle.changed"
    LEFT = "circle.left"
    ASSIGNED = "item.assigned"
    REVIEW_NEAR = "item.review-near"
    END_NEAR = "item.end-near"


class Notice(Value, frozen=True, omit_defaults=True):
    """One notice.

    Attributes:
        position: of the event in the log; who comes back names the last one it heard.
        origin: the Member whose item, or link, it is about; a circle's chair.
        item: None for a link or a circle. circle: its name, while this Member is in it.
    """

    position: int
    about: About
    at: datetime
    origin: MemberId
    item: UUID | None = None
    kind: Code = ""
    urgency: Urgency | None = None
    circle: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may read what."""

    readers: tuple[Code, ...]
    sensitivities: frozenset[Sensitivity]

    def lets(self, caller: Caller) -> bool:
        """Whether the caller may read anything of it."""
        return caller.among(self.readers) and any(caller.may_read(s) for s in self.sensitivities)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice and whom it concerns.

    Attributes:
        action: what they may do. grants: one of them lets them read something; None: that is not asked.
        only, but: the one officer it is for, or not for; "" for none.
        desk: it is for those at this desk alone; "" for any. among: for these alone; None: for any.
        author: for this officer too, whatever they may do.
    """

    notice: Notice
    action: Action = Action.READ_BOARD
    grants: tuple[Grant, ...] | None = None
    only: str = ""
    but: str = ""
    desk: str = ""
    among: frozenset[str] | None = None
    author: str = ""

    def concerns(self, caller: Caller) -> bool:
        """Whether the caller may hear it."""
        named = self.only in {"", caller.ref} and self.but != caller.ref and self.desk in {"", caller.desk}
        named = named and (self.among is None or caller.ref in self.among)
        may = caller.may(self.action) or self.author == caller.ref
        return named and may and (self.grants is None or any(g.lets(caller) for g in self.grants))


class Notices:
    """Turns events into notices; most events are none."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def of(self, recorded: Recorded) -> Addressed | None:
        """The notice that an event is."""
        return await self._of(recorded.event, recorded.position)

    async def may_hear(self, caller: Caller) -> bool:
        """Whether the caller is an officer in office, in the roles they use."""
        officer = await self._work.seek(Officer, UUID(hex=caller.ref))
        return officer is not None and officer.active and caller.roles <= officer.caller(self._work.clock.now()).roles

    @singledispatchmethod
    async def _of(self, _event: object, _position: int) -> Addressed | None:
        return None

    @_of.register
    async def _(self, event: Alert.Posted, position: int) -> Addressed | None:
        notice = await self._own(position, event.timestamp, About.POSTED, event.originator_id, event.edition)
        return Addressed(notice, grants=_own_grants(event.edition, event.edition.readers), but=event.author)

    @_of.register(Alert.Corrected)
    @_of.register(Alert.Withdrawn)
    @_of.register(Alert.Closed)
    @_of.register(Alert.EraseOrdered)
    async def _(
        self, event: Alert.Corrected | Alert.Withdrawn | Alert.Closed | Alert.EraseOrdered, position: int
    ) -> Addressed | None:
        alert = await self._work.read(Alert, event.originator_id)
        notice = await self._own(position, event.timestamp, About.CHANGED, alert.id, alert.edition)
        return Addressed(notice, grants=_own_grants(alert.edition, alert.readers))

    @_of.register
    async def _(self, event: Alert.Warned, position: int) -> Addressed | None:
        alert = await self._work.read(Alert, event.originator_id)
        about = About.REVIEW_NEAR if event.ending == Ending.REVIEW else About.END_NEAR
        notice = await self._own(position, event.timestamp, about, alert.id, alert.edition)
        return Addressed(notice, Action.HEAR_OVERDUE, _own_grants(alert.edition, alert.readers), author=alert.author)

    @_of.register(Holding.Granted)
    @_of.register(Holding.GrantedMore)
    async def _(self, event: Holding.Granted | Holding.GrantedMore, position: int) -> Addressed | None:
        """Once a release: its first part speaks for those that follow it under other conditions."""
        holding = await self._work.read(Holding, event.originator_id)
        new = holding.grants.released_with(event.originator_version)
        if not new:
            return None
        shown = tuple((edition, edition.sections) for edition in new)
        return _held(position, event.timestamp, About.RECEIVED, holding.origin, holding.item, shown)

    @_of.register(Holding.Superseded)
    @_of.register(Holding.Ended)
    async def _(self, event: Holding.Superseded | Holding.Ended, position: int) -> Addressed | None:
        holding = await self._work.read(Holding, event.originator_id)
        standing = holding.grants.live(self._work.clock.now())
        return _held(position, event.timestamp, About.CHANGED, holding.origin, holding.item, standing)

    @_of.register
    async def _(self, event: Disclosure.Drafted, position: int) -> Addressed | None:
        disclosure, notice = await self._decision(event.originator_id, position, event.timestamp, About.WAITING)
        return Addressed(notice, Action.SEE_APPROVALS, but=disclosure.author)

    @_of.register
    async def _(self, event: Disclosure.Released, position: int) -> Addressed | None:
        if event.basis == "rule":
            return None
        about = About.DECIDED if event.basis == "approval" else About.REVIEW_DUE
        disclosure, notice = await self._decision(event.originator_id, position, event.timestamp, about)
        if about is About.DECIDED:
            return Addressed(notice, only=disclosure.author)
        return Addressed(notice, Action.SEE_APPROVALS, but=disclosure.author)

    @_of.register(Disclosure.Returned)
    @_of.register(Disclosure.Refused)
    async def _(self, event: Disclosure.Returned | Disclosure.Refused, position: int) -> Addressed | None:
        disclosure, notice = await self._decision(event.originator_id, position, event.timestamp, About.DECIDED)
        return Addressed(notice, only=disclosure.author)

    @_of.register
    async def _(self, event: Entry.Accepted, position: int) -> Addressed | None:
        if event.item is None or not event.line.kind.startswith(("reply.", "status.acknowledged")):
            return None
        alert = await self._work.read(Alert, event.item)
        notice = await self._own(position, event.timestamp, About.ANSWERED, alert.id, alert.edition)
        return Addressed(notice, Action.READ_REPLIES, _own_grants(alert.edition, alert.readers))

    @_of.register
    async def _(self, event: Onward.Received, position: int) -> Addressed | None:
        alert = await self._work.read(Alert, event.item)
        notice = await self._own(position, event.timestamp, About.WAITING, alert.id, alert.edition)
        return Addressed(notice, Action.SEE_APPROVALS)

    @_of.register
    async def _(self, event: Onward.Heard, position: int) -> Addressed | None:
        asked = await self._work.read(Onward, event.originator_id)
        holding = await self._work.read(Holding, holding_id(asked.origin, asked.item))
        standing = holding.grants.live(self._work.clock.now())
        return _held(position, event.timestamp, About.ANSWERED, asked.origin, asked.item, standing)

    @_of.register
    async def _(self, event: Holding.Escalated, position: int) -> Addressed | None:
        holding = await self._work.read(Holding, event.originator_id)
        standing = holding.grants.live(self._work.clock.now())
        told = _held(position, event.timestamp, About.OVERDUE, holding.origin, holding.item, standing)
        return told and replace(told, **_escalated(event.told))

    @_of.register
    async def _(self, event: Disclosure.Escalated, position: int) -> Addressed | None:
        disclosure, notice = await self._decision(event.originator_id, position, event.timestamp, About.OVERDUE)
        alert = await self._work.read(Alert, disclosure.item)
        return Addressed(notice, grants=_own_grants(alert.edition, alert.readers), **_escalated(event.told))

    @_of.register
    async def _(self, event: PeerLink.Frozen, position: int) -> Addressed | None:
        link = await self._work.read(PeerLink, event.originator_id)
        return Addressed(Notice(position, About.FROZEN, event.timestamp, link.peer), Action.VERIFY_PEER)

    @_of.register(Circles.Written)
    @_of.register(Circles.Consented)
    async def _(self, event: Circles.Written | Circles.Consented, position: int) -> Addressed | None:
        circles = await self._work.read(Circles, event.originator_id)
        if not circles.circles[event.circle].here:
            return None  # who is out hears nothing of it any more, when they come back either
        ref = ref_of(circles.chair, event.circle)
        notice = Notice(position, About.CIRCLE, event.timestamp, circles.chair, circle=ref)
        return Addressed(notice, Action.SEE_CIRCLES, but=event.by or "")

    @_of.register(Circles.Left)
    @_of.register(Circles.Resigned)
    async def _(self, event: Circles.Left | Circles.Resigned, position: int) -> Addressed | None:
        """Told once: when one of us leaves, and not again when the chair has heard of it."""
        by = event.by if isinstance(event, Circles.Resigned) else ""
        if isinstance(event, Circles.Left) and event.asked:
            return None
        chair = (await self._work.read(Circles, event.originator_id)).chair
        return Addressed(Notice(position, About.LEFT, event.timestamp, chair), Action.SEE_CIRCLES, but=by)

    @_of.register
    async def _(self, event: Task.Assigned, position: int) -> Addressed | None:
        """For whom it was given to, of those who may read something of it."""
        task = await self._work.read(Task, event.originator_id)
        kind, _, ref = event.keeper.partition(":")
        team = await self._work.seek(Team, UUID(hex=ref)) if kind == "team" else None
        among = team.members if team else frozenset({ref})
        if task.origin == (await self._work.read(Directory, DIRECTORY_ID)).me:
            alert = await self._work.read(Alert, task.item)
            notice = await self._own(position, event.timestamp, About.ASSIGNED, alert.id, alert.edition)
            told: Addressed | None = Addressed(notice, grants=_own_grants(alert.edition, alert.readers))
        else:
            holding = await self._work.read(Holding, holding_id(task.origin, task.item))
            standing = holding.grants.live(self._work.clock.now())
            told = _held(position, event.timestamp, About.ASSIGNED, task.origin, task.item, standing)
        return told and replace(told, among=among, but=event.by)

    async def _decision(self, stream: UUID, position: int, at: datetime, about: About) -> tuple[Disclosure, Notice]:
        disclosure = await self._work.read(Disclosure, stream)
        alert = await self._work.read(Alert, disclosure.item)
        return disclosure, await self._own(position, at, about, disclosure.item, alert.edition)

    async def _own(self, position: int, at: datetime, about: About, item: UUID, edition: Edition) -> Notice:
        me = (await self._work.read(Directory, DIRECTORY_ID)).me
        return Notice(position, about, at, me, item, edition.kind, edition.urgency)


def _escalated(told: str) -> dict[str, Any]:
    """The duty desk first; then the focal point. Of what came they must be able to read something."""
    return {"desk": DUTY_DESK} if told == Told.DUTY_DESK else {"action": Action.HEAR_OVERDUE}


def _own_grants(edition: Edition, readers: tuple[str, ...]) -> tuple[Grant, ...]:
    return (Grant(readers, frozenset(s.sensitivity for s in edition.sections)),)


_Shown = tuple[HeldEdition, tuple[SectionRef, ...]]


def _held(
    position: int, at: datetime, about: About, origin: str, item: UUID, shown: tuple[_Shown, ...]
) -> Addressed | None:
    if not shown:
        return None
    newest = max((e for e, _ in shown), key=lambda e: e.version)
    grants = tuple(Grant(e.readers, frozenset(s.sensitivity for s in sections)) for e, sections in shown)
    return Addressed(Notice(position, about, at, origin, item, newest.kind, newest.urgency), grants=grants)
