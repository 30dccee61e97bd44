"""Asking an originator for more than it granted: for a third Member, for more sections, for use in court.

One question and one answer, whoever it is for: there is no onward copy, only a new grant from the originator's node
(third-party rule; UNTOC Smuggling Protocol art. 10(2); protocol.md, Line kinds). One stream per item at the holder that
asks, and one at the originator, beside the item's disclosure, through whose matrix a yes goes like anything else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Self
from uuid import UUID

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.handling import check_members
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Line, MemberId, OfficerId, Purpose, Sealed, Sensitivity, Value
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError

GRANTED: Final = "granted"
NOT_APPROVED: Final = "refused.not-approved"
REFUSALS: Final = ("law", "protection", "source", "not-needed", "other-channel", "holds", "not-available")
"""Why a focal point says no. ``holds`` tells the asker that the Member has it already: a person decides to say that."""

MAX_OPEN: Final = 16
"""Most open questions of one holder about one item."""


class Request(Value, frozen=True):
    """What a holder asks for.

    Attributes:
        id: digest of its sealed words; names it at both ends.
        asker: the holder. manifest: the version that it looked at.
        member: whom it is for: a third Member, or the asker itself. sections: which. court: for use in court.
    """

    id: Digest
    asker: MemberId
    manifest: Digest
    member: MemberId
    sections: tuple[Sensitivity, ...]
    court: bool

    @property
    def subject(self) -> tuple[str, str, tuple[Sensitivity, ...], bool]:
        """What two questions that are the same have in common."""
        return self.asker, self.member, self.sections, self.court

    @property
    def onward(self) -> bool:
        """Whether it is for a third Member."""
        return self.member != self.asker


def onward_id(origin: str, item: UUID) -> UUID:
    """The stream of what is asked about an item, at the holder as at the originator."""
    return natural_id("onward", origin, item.hex)


def seen_for_asking(holding: Holding, caller: Caller, at: datetime) -> HeldEdition:
    """The newest grant that this officer sees.

    Raises:
        NotFoundError: none. RefusedError: ``onward.expired``: what they saw is past its end, so nothing can be asked.
        ConflictError: ``holding.withdrawn`` or ``holding.closed``.
    """
    if seen := holding.seen_by(caller, at):
        if holding.state != "live":
            raise ConflictError(f"holding.{holding.state}", f"This item is {holding.state}.")
        return seen[0]
    if any(at >= e.until and holding.is_for(caller, e) for e in holding.grants.editions):
        raise RefusedError("onward.expired", "Its grant is past its end.", fix="Ask the originator by other means.")
    raise NotFoundError


def check_askable(holding: Holding, edition: HeldEdition, request: Request, at: datetime) -> None:
    """Refuse at home what the conditions of every grant of a section forbid to ask, or what is there already.

    Of a section that is not held those of ``edition`` count, which the asker sees.

    Raises:
        InvalidError: ``member.unknown``: there is no such Member. RefusedError: ``onward.no``, ``onward.court-no``.
        ConflictError: ``onward.holds``: the Member holds it already, as far as this node can know.
    """
    check_members({request.member}, "member")
    if request.member == holding.origin:
        raise ConflictError("onward.holds", "It is that Member's own.")
    for section in request.sections:
        given = [e for e, some in holding.grants.live(at) if any(s.sensitivity is section for s in some)] or [edition]
        court = next((e.court for e in given if e.court != "no"), "no")
        check_conditions(request, "no" if all(e.onward == "no" for e in given) else "ask", court)
        if request.court and not any(e.purposes is None or Purpose.PROSECUTION in e.purposes for e in given):
            raise RefusedError("onward.court-no", "Its purposes leave use in court out.")
    held = {s.sensitivity for e, some in holding.grants.live(at) for s in some if e.court == "yes" or not request.court}
    if not request.onward and set(request.sections) <= held:
        raise ConflictError("onward.holds", "This was granted to you already.")


def check_conditions(request: Request, onward: str, court: str) -> None:
    """Refuse what the item's author excluded.

    Raises:
        RefusedError: ``onward.no``, ``onward.court-no``.
    """
    if request.onward and onward == "no":
        raise RefusedError("onward.no", "Its originator excluded sharing it onward.", field="member")
    if request.court and court == "no":
        raise RefusedError("onward.court-no", "Its originator excluded its use in court.", field="court")


class Onward(Root):
    """What is asked about one item, and what became of it."""

    TOPIC = "rilon.onward"

    class Began(Opening):
        """The first time anything is asked about the item. ``origin``: this Member, at the originator."""

        TOPIC = "rilon.onward.began.1"
        origin: MemberId
        item: UUID

    class Asked(Root.Event):
        """This Member asks an originator."""

        TOPIC = "rilon.onward.asked.1"
        by: OfficerId
        request: Request
        text: Sealed
        to: dict[MemberId, Line]

        def apply(self, aggregate: Onward) -> None:
            aggregate.note(self.request, self.text, self.timestamp)

    class Received(Root.Event):
        """A holder asks this Member."""

        TOPIC = "rilon.onward.received.1"
        item: UUID
        request: Request
        text: Sealed

        def apply(self, aggregate: Onward) -> None:
            aggregate.note(self.request, self.text, self.timestamp)

    class Answered(Root.Event):
        """This Member decided; ``outcome``: ``granted``, or ``refused.`` and why."""

        TOPIC = "rilon.onward.answered.1"
        by: OfficerId
        item: UUID
        request: Digest
        outcome: Code
        to: dict[MemberId, Line]

        def apply(self, aggregate: Onward) -> None:
            aggregate.outcomes[self.request] = self.outcome

    class Heard(Root.Event):
        """The originator's answer has come."""

        TOPIC = "rilon.onward.heard.1"
        request: Digest
        outcome: Code

        def apply(self, aggregate: Onward) -> None:
            aggregate.outcomes[self.request] = self.outcome

    def __init__(self, origin: MemberId, item: UUID) -> None:
        self.origin, self.item = origin, item
        self.requests: dict[Digest, Request] = {}
        self.texts: dict[Digest, Sealed] = {}
        self.since: dict[Digest, datetime] = {}
        self.outcomes: dict[Digest, Code] = {}

    def note(self, request: Request, text: Sealed, at: datetime) -> None:
        """Remember a question (fold)."""
        self.requests[request.id], self.texts[request.id], self.since[request.id] = request, text, at

    @classmethod
    def begin(cls, origin: str, item: UUID, at: datetime) -> Self:
        """Open an item's stream."""
        return cls._create(cls.Began, id=onward_id(origin, item), origin=origin, item=item, timestamp=at)

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Questions without an answer, oldest first."""
        return tuple(r for r in self.requests.values() if r.id not in self.outcomes)

    def ask(self, by: OfficerId, request: Request, text: Sealed, at: datetime) -> None:
        """Ask the originator.

        Raises:
            ConflictError: ``onward.asked``: the same waits for its answer; ``onward.too-many``.
        """
        self._must_be_new(request)
        to = {self.origin: Line("onward.ask", (request.manifest, request.id))}
        self.trigger_event(self.Asked, by=by, request=request, text=text, to=to, timestamp=at)

    def receive(self, request: Request, text: Sealed, at: datetime) -> None:
        """Be asked by a holder. Raises as ``ask``."""
        self._must_be_new(request)
        self.trigger_event(self.Received, item=self.item, request=request, text=text, timestamp=at)

    def unanswered(self, request: Digest) -> Request:
        """A question that waits. Raises NotFoundError, ConflictError ``onward.answered``."""
        if request not in self.requests:
            raise NotFoundError
        if request in self.outcomes:
            raise ConflictError("onward.answered", f"This was answered already: {self.outcomes[request]}.")
        return self.requests[request]

    def answer(self, by: OfficerId, request: Digest, outcome: str, at: datetime) -> None:
        """Tell the asker. Raises as ``unanswered``."""
        asked = self.unanswered(request)
        to = {asked.asker: Line(f"onward.answer.{outcome}", (asked.manifest, request))}
        self.trigger_event(self.Answered, by=by, item=self.item, request=request, outcome=outcome, to=to, timestamp=at)

    def hear(self, request: Digest, outcome: str, at: datetime) -> None:
        """Take in the originator's answer. Raises as ``unanswered``."""
        self.unanswered(request)
        self.trigger_event(self.Heard, request=request, outcome=outcome, timestamp=at)

    def _must_be_new(self, request: Request) -> None:
        mine = [r for r in self.waiting if r.asker == request.asker]
        if request.id in self.requests or request.subject in {r.subject for r in mine}:
            raise ConflictError("onward.asked", "This was asked already, and waits for its answer.")
        if len(mine) >= MAX_OPEN:
            raise ConflictError("onward.too-many", "Too much is asked about this item already.", fix="Await answers.")


def check_refusal(why: str) -> str:
    """One of ``REFUSALS``. Raises InvalidError ``onward.why``."""
    if why not in REFUSALS:
        choices = ", ".join(REFUSALS)
        message, fix = "For this nothing is refused.", f"One of {choices}."
        raise InvalidError("onward.why", message, field="why", fix=fix)
    return why
