"""The approvals queue: what of each item waits for a signature or a review, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import Any, ClassVar
from uuid import UUID

from msgspec.structs import replace

from rilon.domain.base import Root
from rilon.domain.clocks import REVIEW_WITHIN
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.four_eyes import reviews_of
from rilon.domain.officer import SYSTEM
from rilon.domain.onward import Onward
from rilon.domain.values import Code, Digest, OfficerId, Urgency, Value
from rilon.projections.board import Edition
from rilon.projections.changes import Change, Edit, Row, edit, including


class Approval(Row, frozen=True):
    """An item's disclosure, as far as people have to do with it.

    Attributes:
        stream: of the disclosure. item: the alert's.
        state: ``open`` (nothing to decide), ``waiting``, ``returned``, ``refused``, ``lapsed`` or ``released``.
        since: when it came into that state.
        draft: what waits to be signed; None when nothing does. cells: of the draft, as ``<recipient>:<sensitivity>``.
        needed: how many must sign the draft. signed: who has, in that order.
        review_since: since when a break-glass release waits for its review; None: none does. review_by: until when it
            should be over. reviews: how many people must still look.
        asked: questions of holders that wait for an answer (``rilon.domain.onward``), oldest first.
    """

    TABLE: ClassVar[str] = "approval"

    item: UUID
    author: OfficerId
    manifest: Digest
    position: int
    state: Code
    since: datetime
    draft: Digest | None = None
    cells: tuple[Code, ...] = ()
    needed: int = 0
    signed: tuple[OfficerId, ...] = ()
    review_since: datetime | None = None
    reviews: int = 0
    asked: tuple[Digest, ...] = ()

    @property
    def review_by(self) -> datetime | None:
        """When the review should be over; what is later raises an alarm."""
        return self.review_since + REVIEW_WITHIN if self.review_since else None


class Waiting(Value, frozen=True):
    """A line of the queue: an approval with what its alert's version in force is."""

    approval: Approval
    version: int
    kind: Code
    urgency: Urgency
    tlp: Code
    until: datetime


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say how the queue changes. Pure."""
    return ()


@changes.register
def _(event: Disclosure.Proposed, position: int) -> Iterable[Change]:
    at = event.timestamp
    return (Approval(event.originator_id, 0, event.item, event.author, event.manifest, position, "open", at),)


@changes.register
def _(event: Disclosure.Resumed, position: int) -> Iterable[Change]:
    at = event.timestamp
    return (Approval(event.originator_id, 0, event.item, SYSTEM, event.manifest, position, "open", at),)


@changes.register
def _(event: Disclosure.Reproposed, position: int) -> Iterable[Change]:
    return (_end(event, "open", author=event.author, manifest=event.manifest, position=position),)


@changes.register
def _(event: Disclosure.Drafted, position: int) -> Iterable[Change]:
    draft = event.draft
    cells = tuple(f"{c.recipient}:{c.sensitivity}" for c in draft.cells)
    waits = {"position": position, "draft": draft.digest, "cells": cells, "needed": draft.approvers}
    return (_end(event, "waiting", **waits),)


@changes.register
def _(event: Disclosure.Approved, _position: int) -> Iterable[Change]:
    by = event.by
    return (edit(Approval, event.originator_id, lambda a: replace(a, signed=including(a.signed, by))),)


@changes.register
def _(event: Disclosure.Released, _position: int) -> Iterable[Change]:
    if event.basis == "approval":
        return (_end(event, "released"),)
    if event.basis == "break-glass":
        at, reviews = event.timestamp, reviews_of(event.cells)
        return (
            edit(
                Approval,
                event.originator_id,
                lambda a: replace(a, review_since=a.review_since or at, reviews=max(a.reviews, reviews)),
            ),
        )
    return ()


@changes.register
def _(event: Disclosure.Returned, _position: int) -> Iterable[Change]:
    return (_end(event, "returned"),)


@changes.register
def _(event: Disclosure.Refused, _position: int) -> Iterable[Change]:
    return (_end(event, "refused"),)


@changes.register
def _(event: Disclosure.Lapsed, _position: int) -> Iterable[Change]:
    return (_end(event, "lapsed"),)


@changes.register
def _(event: Disclosure.Reviewed, _position: int) -> Iterable[Change]:
    return (edit(Approval, event.originator_id, _reviewed),)


@changes.register
def _(event: Onward.Received, position: int) -> Iterable[Change]:
    new = event.request.id
    stream = disclosure_id(event.item)
    return (edit(Approval, stream, lambda a: replace(a, position=position, asked=(*a.asked, new))),)


@changes.register
def _(event: Onward.Answered, _position: int) -> Iterable[Change]:
    done, stream = event.request, disclosure_id(event.item)
    return (edit(Approval, stream, lambda a: replace(a, asked=tuple(r for r in a.asked if r != done))),)


def _end(event: Root.Event, state: Code, **more: Any) -> Edit:
    """The draft that waited is gone, and so are its signatures; what comes instead is in ``more``."""
    gone: dict[str, Any] = {"draft": None, "cells": (), "needed": 0, "signed": ()}
    facts = {**gone, "state": state, "since": event.timestamp, **more}
    return edit(Approval, event.originator_id, lambda a: replace(a, **facts))


def _reviewed(approval: Approval) -> Approval:
    left = approval.reviews - 1
    return replace(approval, reviews=left, review_since=approval.review_since if left else None)


def waiting(approval: Approval, edition: Edition) -> Waiting:
    """A line of the queue, from an approval and its alert's version in force."""
    return Waiting(approval, edition.version, edition.kind, edition.urgency, edition.tlp, edition.until)
