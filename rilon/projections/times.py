"""How long things took: when each version was posted, from asked to decided, and until when an answer was owed.

Times, digests and codes; who decided stands in the log, and in no row of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import ClassVar, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from rilon.domain.alert import Alert
from rilon.domain.base import Root
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.values import Code, Digest, Urgency
from rilon.projections.changes import Change, Edit, Row, edit


class Posted(Row, frozen=True):
    """A version of an item of ours. ``stream``: its disclosure; ``n``: the version."""

    TABLE: ClassVar[str] = "posted"

    item: UUID
    manifest: Digest
    urgency: Urgency
    at: datetime


class Asking(Row, frozen=True):
    """What people were asked to decide about an item, in the order they were asked. ``stream``: its disclosure.

    Attributes:
        manifest: the version proposed last.
        asked_at, asked_for: when people were asked, and about which version.
        ended_at, ended: when and how each ended: ``released``, ``returned``, ``refused``, ``lapsed`` or ``corrected``;
            one fewer than were asked while the last waits.
        over_at: when the item was withdrawn, closed or erased, so that nobody owes an answer any more.
    """

    TABLE: ClassVar[str] = "asking"

    manifest: Digest
    asked_at: tuple[datetime, ...] = ()
    asked_for: tuple[Digest, ...] = ()
    ended_at: tuple[datetime, ...] = ()
    ended: tuple[Code, ...] = ()
    over_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody was asked who has not decided."""
        return len(self.asked_at) > len(self.ended_at)


class Decided(NamedTuple):
    """One question to our own focal points. ``ended``: how it ended; "" while it waits."""

    urgency: str
    asked_at: datetime
    ended_at: datetime | None
    ended: str


class Sending(NamedTuple):
    """One version on its way to one Member.

    Attributes:
        posted_at: when its author posted it. sent_at: when it was released first.
        stored_at: when we learned, from a signed receipt, that it stands at the other node; None: not yet.
        answered_at: when it was acknowledged or replied to; None: not yet.
        over_at: when an answer stopped being owed: corrected, withdrawn, closed, recalled, or past its end.
    """

    urgency: str
    member: str
    posted_at: datetime
    sent_at: datetime
    stored_at: datetime | None
    answered_at: datetime | None
    over_at: datetime


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say what was posted, asked and decided. Pure."""
    return ()


@changes.register(Alert.Posted)
@changes.register(Alert.Corrected)
def _(event: Alert.Posted | Alert.Corrected, _position: int) -> Iterable[Change]:
    item, edition = event.originator_id, event.edition
    place = disclosure_id(item), edition.version
    return (Posted(*place, item, edition.digest, edition.urgency, event.timestamp),)


@changes.register(Alert.Withdrawn)
@changes.register(Alert.Closed)
def _(event: Alert.Withdrawn | Alert.Closed, _position: int) -> Iterable[Change]:
    return (_over(event.originator_id, event.timestamp),)


@changes.register
def _(event: Alert.EraseOrdered, _position: int) -> Iterable[Change]:
    return () if event.sensitivity else (_over(event.originator_id, event.timestamp),)


@changes.register(Disclosure.Proposed)
@changes.register(Disclosure.Resumed)
def _(event: Disclosure.Proposed | Disclosure.Resumed, _position: int) -> Iterable[Change]:
    return (Asking(event.originator_id, 0, event.manifest),)


@changes.register
def _(event: Disclosure.Reproposed, _position: int) -> Iterable[Change]:
    new = event.manifest
    return _end(event, "corrected"), edit(Asking, event.originator_id, lambda a: replace(a, manifest=new))


@changes.register
def _(event: Disclosure.Drafted, _position: int) -> Iterable[Change]:
    at = event.timestamp
    return (edit(Asking, event.originator_id, lambda a: _asked(a, at)),)


@changes.register
def _(event: Disclosure.Released, _position: int) -> Iterable[Change]:
    return (_end(event, "released"),) if event.basis == "approval" else ()


@changes.register(Disclosure.Returned)
@changes.register(Disclosure.Refused)
@changes.register(Disclosure.Lapsed)
def _(event: Disclosure.Returned | Disclosure.Refused | Disclosure.Lapsed, _position: int) -> Iterable[Change]:
    return (_end(event, event.TOPIC.split(".")[-2]),)


def _asked(asking: Asking, at: datetime) -> Asking:
    """A draft in the place of one that waits is still the same question: cut, or judged again."""
    if asking.waits:
        return asking
    return replace(asking, asked_at=(*asking.asked_at, at), asked_for=(*asking.asked_for, asking.manifest))


def _end(event: Root.Event, how: Code) -> Edit:
    at = event.timestamp

    def ended(asking: Asking) -> Asking:
        if not asking.waits:
            return asking
        return replace(asking, ended_at=(*asking.ended_at, at), ended=(*asking.ended, how))

    return edit(Asking, event.originator_id, ended)


def _over(item: UUID, at: datetime) -> Edit:
    return edit(Asking, disclosure_id(item), lambda a: replace(a, over_at=a.over_at or at))
