"""What lists are asked and how they answer: pages of rows, newest first, with a cursor to the next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, structs

from rilon.app.deadlines import Deadlines
from rilon.app.summaries import Summaries
from rilon.domain.clocks import Running
from rilon.domain.happened import Happened
from rilon.domain.values import Code, Digest, MemberId, OfficerId, Role, Urgency, Value
from rilon.projections.approvals import Waiting
from rilon.projections.board import Entry
from rilon.projections.deliveries import Answer
from rilon.projections.officers import Enrolled

Position = Annotated[int, Meta(ge=0, le=2**53)]
Limit = Annotated[int, Meta(ge=1, le=200)]
Instant = Annotated[datetime, Meta(tz=True)]


class After(Value, frozen=True, kw_only=True):
    """Read one's own write.

    Attributes:
        after: the position a command answered with; the answer waits until the views show it.
    """

    after: Position = 0


class Paged(After, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        cursor: the ``next`` of the page read before this one.
    """

    cursor: Position | None = None
    limit: Limit = 50


class BoardQuery(Paged, frozen=True, kw_only=True):
    """Which lines of the board. A parameter that stands several times matches any of its values.

    Attributes:
        own: true: this Member's only; false: others' only.
        words: all of them stand in the summary, in any order and case.
        since, until: when what is shown came into this node's log: from, and before.
        review_due: true: only what should have been looked at again by now.
    """

    kind: tuple[Code, ...] = ()
    family: tuple[Code, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    origin: tuple[MemberId, ...] = ()
    state: tuple[Code, ...] = ()
    own: bool | None = None
    words: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    since: Instant | None = None
    until: Instant | None = None
    review_due: bool | None = None


class Row(Entry, frozen=True):
    """A line of the board, with its opened summary; None where it is erased, or newer than this node.

    Attributes:
        clocks: what this Member still owes the originator, by when, and who here has been told that it is late.
    """

    summary: dict[str, Any] | None = None
    clocks: tuple[Running, ...] = ()


class AnswerShown(Value, frozen=True):
    """What somebody here has told the originator of an item.

    Attributes:
        kind: ``acknowledged``, or of a reply. text: of a reply; None where it is erased, or not for you.
    """

    kind: Code
    by: OfficerId
    at: datetime
    manifest: Digest
    text: str | None


class ItemShown(Row, frozen=True):
    """A line of the board by itself, with what this Member has answered about another's item, oldest first."""

    answers: tuple[AnswerShown, ...] = ()


class BookQuery(Value, frozen=True, kw_only=True):
    """Which rule book; the one in force if no version is named."""

    version: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class BoardPage(Value, frozen=True):
    """A page of the board.

    Attributes:
        next: the cursor of the next page; None at the end.
    """

    rows: tuple[Row, ...]
    next: int | None


class QueueRow(Value, frozen=True, kw_only=True):
    """A disclosure that waits.

    Attributes:
        cells: what waits to be signed, as ``<recipient>:<sensitivity>``. needed, signed: how many must sign, who has.
        review_since: since when a break-glass release waits for its review. review_by: it is overdue after that.
        reviews: how many people must still look at it.
        asked: questions of holders that wait for an answer.
    """

    item: UUID
    author: OfficerId
    state: Code
    since: datetime
    position: int
    version: int
    kind: Code
    urgency: Urgency
    tlp: Code
    until: datetime
    draft: Digest | None
    cells: tuple[Code, ...]
    needed: int
    signed: tuple[OfficerId, ...]
    review_since: datetime | None
    review_by: datetime | None
    reviews: int
    asked: tuple[Digest, ...]


class QueuePage(Value, frozen=True):
    """A page of the approvals queue."""

    rows: tuple[QueueRow, ...]
    next: int | None


class ReplyShown(Value, frozen=True):
    """A reply to one of our items; ``text`` is None once it is erased."""

    peer: MemberId
    kind: Code
    manifest: Digest
    at: datetime
    position: int
    text: str | None


class TokenListed(Value, frozen=True):
    """A bearer token by its id: never its text, nor the hash of it."""

    id: Code
    expires_at: datetime


class StandIn(Value, frozen=True):
    """A focal point in whose place a deputy decides, and until when."""

    principal: OfficerId
    until: datetime


class OfficerShown(Value, frozen=True, kw_only=True):
    """An officer; the name is told to those who enrol officers, and None to everybody else.

    Attributes:
        has_key: whether they have a key that approves. offers_key: whether one waits to be confirmed.
        waiting: roles that wait to be confirmed, and allow nothing until then.
        stands_in: for whom this deputy was called upon, and until when.
    """

    officer: OfficerId
    name: str | None
    agency: Code
    desk: Code
    roles: tuple[Role, ...]
    active: bool
    has_key: bool
    offers_key: bool
    waiting: tuple[Role, ...]
    enrolled_at: datetime
    tokens: tuple[TokenListed, ...]
    stands_in: tuple[StandIn, ...]


def show_row(entry: Entry, summaries: Summaries, deadlines: Deadlines, me: str) -> Row:
    """A line of the board with its summary; our own items name us, like everybody else's name theirs."""
    origin = entry.origin or me
    facts = structs.asdict(entry) | {"origin": origin}
    clocks = deadlines.running(entry.id, manifest=entry.manifest)
    return Row(**facts, summary=summaries.get(origin, entry.item, entry.summary_version), clocks=clocks)


def show_item(row: Row, history: Iterable[tuple[Happened, str | None]]) -> ItemShown:
    """A line of the board with what of its history was answered from here."""
    said = ((h, text) for h, text in history if h.what in {"acknowledged", "replied"})
    answers = tuple(AnswerShown(h.code or h.what, h.by, h.at, h.manifest, text) for h, text in said)
    return ItemShown(**structs.asdict(row), answers=answers)


def show_waiting_row(waiting: Waiting) -> QueueRow:
    """A line of the queue, laid flat."""
    approval = waiting.approval
    return QueueRow(
        item=approval.item,
        author=approval.author,
        state=approval.state,
        since=approval.since,
        position=approval.position,
        version=waiting.version,
        kind=waiting.kind,
        urgency=waiting.urgency,
        tlp=waiting.tlp,
        until=waiting.until,
        draft=approval.draft,
        cells=approval.cells,
        needed=approval.needed,
        signed=approval.signed,
        review_since=approval.review_since,
        review_by=approval.review_by,
        reviews=approval.reviews,
        asked=approval.asked,
    )


def show_reply(answer: Answer, text: str | None) -> ReplyShown:
    """A reply with its opened text."""
    return ReplyShown(answer.peer, answer.kind, answer.manifest, answer.at, answer.position, text)


def show_officer(enrolled: Enrolled, name: str | None) -> OfficerShown:
    """An officer with the name, if the caller may have it."""
    tokens = zip(enrolled.tokens, enrolled.token_ends, strict=True)
    return OfficerShown(
        officer=enrolled.ref,
        name=name,
        agency=enrolled.agency,
        desk=enrolled.desk,
        roles=enrolled.roles,
        active=enrolled.active,
        has_key=enrolled.has_key,
        offers_key=enrolled.offers_key,
        waiting=enrolled.waiting,
        enrolled_at=enrolled.at,
        tokens=tuple(TokenListed(token, end) for token, end in tokens),
        stands_in=tuple(StandIn(*each) for each in zip(enrolled.stands_in_for, enrolled.stand_in_ends, strict=True)),
    )
