"""The board: this node's own alerts and the items it holds of others, as each officer may see them.

What a grant lets its readers see is one ``Edition``; what is true of the item whoever looks is one ``Item``. Nothing
here says that an officer may see something: ``entry`` does, from the rows, for a caller, at an instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import singledispatch
from typing import ClassVar, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from rilon.domain import alert, closing
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.conditions import Conditions
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Purpose, Sensitivity, Urgency, Value
from rilon.projections.changes import Change, Edit, OrNone, Row, edit, in_order, including

RECOVERED = "recovered"
"""Basis of a version that this log had forgotten: it can be withdrawn, recalled and corrected, and its content is at
its holders only."""


class Item(Row, frozen=True):
    """An item, whoever looks.

    Attributes:
        stream: of the alert, or of the holding.
        item: the id that travels. origin: the Member it comes from; "" for our own.
        state: ``live``, ``withdrawn``, ``closed`` or ``erased``.
        superseded: manifests the originator has replaced. acknowledged: manifests somebody here has acknowledged.
        known_to: who here needs to know it, of those whom the grants name; empty: all of them.
    """

    TABLE: ClassVar[str] = "item"

    item: UUID
    origin: OrNone
    state: Code
    superseded: tuple[Digest, ...] = ()
    acknowledged: tuple[Digest, ...] = ()
    known_to: tuple[Code, ...] = ()


class Edition(Row, frozen=True):
    """What one grant gives its readers: one version, some sections, until an instant.

    Attributes:
        n: 0 for the version in force of our own alert, which replaces the one before; else the version of the stream.
        position, at: where and when it came into the log.
        basis: ``rule``, ``approval``, ``break-glass``; ``own`` for our own, ``recovered`` for one whose
            content is at its holders only.
        readers: as ``Caller.readers`` names them. purposes: empty: not limited.
        onward, court: ``ask``, ``no``, or of court ``yes``; "" for our own. added: caveats that rules attached.
        until: from this instant on it is not shown. review_at: from this instant on it should be looked at again.
    """

    TABLE: ClassVar[str] = "edition"

    position: int
    version: int
    manifest: Digest
    kind: Code
    urgency: Urgency
    tlp: Code
    pap: Code
    caveats: tuple[Code, ...]
    basis: Code
    readers: tuple[Code, ...]
    purposes: tuple[Purpose, ...]
    sensitivities: tuple[Sensitivity, ...]
    onward: OrNone
    court: OrNone
    until: datetime
    review_at: datetime
    at: datetime
    added: tuple[Code, ...] = ()


class Sight(NamedTuple):
    """What a picture takes of a line of the board: thousands at once, so no more than it needs.

    Attributes:
        origin: "" for this Member's own. version: ``Entry.summary_version``. at: when it came into the log.
    """

    origin: str
    item: UUID
    version: int
    kind: str
    urgency: str
    at: datetime


class Entry(Value, frozen=True):
    """A line of an officer's board: the newest version they may see, and what of it.

    Attributes:
        id: the item's stream at this node; item: the id that travels.
        state: ``live``, ``superseded`` (by a version not granted to this officer), ``withdrawn`` or ``closed``.
        position: pages are cut by it.
        sensitivities: the sections this officer may open, of all that is granted to them.
        summary_version: the newest version whose summary they may open; 0: none.
        readers: of every grant that shows it to this officer.
        pap, caveats: what may be done with it, and under which conditions.
        onward, court: whether it may be shared onward or used in court: ``ask``, ``no``, ``yes``; "" for ours.
        conditions: of each section this officer may open; one grant can give some under others. None of ours.
        review_due: it is live, and the day on which somebody should have looked at it again has come.
    """

    id: UUID
    item: UUID
    origin: str
    own: bool
    version: int
    manifest: Digest
    kind: Code
    urgency: Urgency
    tlp: Code
    pap: Code
    caveats: tuple[Code, ...]
    state: Code
    basis: Code
    at: datetime
    until: datetime
    review_at: datetime
    review_due: bool
    position: int
    sensitivities: tuple[Sensitivity, ...]
    purposes: tuple[Purpose, ...]
    onward: str
    court: str
    conditions: dict[Sensitivity, Conditions]
    readers: tuple[Code, ...]
    acknowledged: bool
    summary_version: int


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say how the board changes. Pure; an event that no board shows changes nothing."""
    return ()


@changes.register
def _(event: Alert.Posted, position: int) -> Iterable[Change]:
    stream = event.originator_id
    return Item(stream, 0, stream, "", "live"), _own(event, position)


@changes.register
def _(event: Alert.Corrected, position: int) -> Iterable[Change]:
    new = _own(event, position)
    return (edit(Edition, event.originator_id, lambda _: new),)


@changes.register
def _(event: Alert.Recovered, position: int) -> Iterable[Change]:
    stream = event.originator_id
    return Item(stream, 0, stream, "", "live"), _recovered(event, position)


@changes.register
def _(event: Alert.EditionRecovered, position: int) -> Iterable[Change]:
    found = _recovered(event, position)
    return (edit(Edition, event.originator_id, lambda e: found if found.version > e.version else e),)


@changes.register
def _(event: Alert.Withdrawn, _position: int) -> Iterable[Change]:
    return (_over(event.originator_id, "withdrawn"),)


@changes.register
def _(event: Alert.Closed, _position: int) -> Iterable[Change]:
    return (_over(event.originator_id, "closed"),)


@changes.register
def _(event: Alert.EraseOrdered, _position: int) -> Iterable[Change]:
    stream, gone = event.originator_id, event.sensitivity
    if gone is not None:
        return (_without(stream, 0, gone),)
    return _over(stream, "erased"), edit(Edition, stream, lambda e: replace(e, sensitivities=()))


@changes.register
def _(event: Holding.Granted, position: int) -> Iterable[Change]:
    return Item(event.originator_id, 0, event.item, event.origin, "live"), _held(event, position)


@changes.register
def _(event: Holding.GrantedMore, position: int) -> Iterable[Change]:
    return (_held(event, position),)


@changes.register
def _(event: Alert.Referred, _position: int) -> Iterable[Change]:
    readers = event.readers
    return (edit(Edition, event.originator_id, lambda e: replace(e, readers=readers)),)


@changes.register
def _(event: Holding.Referred, _position: int) -> Iterable[Change]:
    readers = event.readers
    return (edit(Item, event.originator_id, lambda i: replace(i, known_to=readers)),)


@changes.register
def _(event: Holding.Superseded, _position: int) -> Iterable[Change]:
    old = event.old
    return (edit(Item, event.originator_id, lambda i: replace(i, superseded=including(i.superseded, old))),)


@changes.register
def _(event: Holding.Ended, _position: int) -> Iterable[Change]:
    return (_over(event.originator_id, event.state),)


@changes.register
def _(event: Holding.Barred, _position: int) -> Iterable[Change]:
    return (Item(event.originator_id, 0, event.item, event.origin, "live"),)


@changes.register
def _(event: Holding.Recalled, _position: int) -> Iterable[Change]:
    return (_without(event.originator_id, n, sensitivity) for n, sensitivity in event.taken)


@changes.register
def _(event: Holding.SectionsClosed, _position: int) -> Iterable[Change]:
    stream = event.originator_id
    return (_without(stream, n, section.sensitivity) for section in event.closing.sections for n in section.grants)


@changes.register
def _(event: Holding.Acknowledged, _position: int) -> Iterable[Change]:
    seen = event.manifest
    return (edit(Item, event.originator_id, lambda i: replace(i, acknowledged=including(i.acknowledged, seen))),)


def _without(stream: UUID, n: int, sensitivity: Sensitivity) -> Edit:
    """A grant that no longer gives a section."""
    return edit(Edition, stream, lambda e: replace(e, sensitivities=in_order({*e.sensitivities} - {sensitivity})), n=n)


def _over(stream: UUID, state: str) -> Edit:
    return edit(Item, stream, lambda i: replace(i, state=state))


def _own(event: Alert.Posted | Alert.Corrected, position: int) -> Edition:
    edition = event.edition
    return _edition(event, edition, 0, position, "own", edition.readers, (), edition.expires_at, ("", "", ()))


def _recovered(event: Alert.Recovered | Alert.EditionRecovered, position: int) -> Edition:
    edition = event.edition
    return _edition(event, edition, 0, position, RECOVERED, edition.readers, (), edition.expires_at, ("", "", ()))


def _held(event: Holding.Granted | Holding.GrantedMore, position: int) -> Edition:
    e = event.edition
    purposes = tuple(sorted(e.purposes or ()))
    conditions = (e.onward, e.court, e.added)
    n = event.originator_version
    return _edition(event, e, n, position, e.basis, e.readers, purposes, e.until, conditions)


def _edition(
    event: Event,
    edition: alert.Edition | HeldEdition,
    n: int,
    position: int,
    basis: Code,
    readers: tuple[Code, ...],
    purposes: tuple[Purpose, ...],
    until: datetime,
    conditions: tuple[Code, Code, tuple[Code, ...]],
) -> Edition:
    onward, court, added = conditions
    return Edition(
        event.originator_id,
        n,
        position,
        edition.version,
        edition.digest,
        edition.kind,
        edition.urgency,
        edition.tlp,
        edition.pap,
        edition.caveats,
        basis,
        readers,
        purposes,
        in_order({s.sensitivity for s in edition.sections}),
        onward,
        court,
        until,
        edition.review_at,
        event.timestamp,
        added,
    )


def entry(item: Item, editions: Iterable[Edition], caller: Caller, now: datetime) -> Entry | None:
    """What an officer sees of an item now; None when it is nothing, and then it does not exist for them.

    Args:
        editions: all rows of that item, for what one grant shows depends on the others (``closing.in_force``); or those
            that the officer may see, each with what of it is in force.
    """
    known = not item.known_to or caller.among(item.known_to)
    mine = [e for e in _in_force(item, editions) if known and caller.among(e.readers)]
    return _line(item, mine, now, caller.may_read)


def whole(item: Item, editions: Iterable[Edition], now: datetime) -> Entry | None:
    """All that this node holds of an item now, whoever may see it: for auditors, who see no content."""
    return _line(item, _in_force(item, editions), now, lambda _: True)


def _in_force(item: Item, editions: Iterable[Edition]) -> list[Edition]:
    """The grants of an item, each with those of its sensitivities that no newer version has replaced."""
    of_item = [e for e in editions if e.stream == item.stream]
    newest = closing.in_force((e.version, e.sensitivities) for e in of_item)
    standing = ((e, tuple(s for s in e.sensitivities if newest[s] == e.version)) for e in of_item)
    return [replace(e, sensitivities=left) for e, left in standing if left or e.basis == RECOVERED]


def _line(item: Item, grants: list[Edition], now: datetime, readable: Callable[[Sensitivity], bool]) -> Entry | None:
    mine = [e for e in grants if now < e.until and (e.basis == RECOVERED or any(map(readable, e.sensitivities)))]
    if not mine:
        return None
    shown = max(mine, key=lambda e: (e.version, e.position))
    granted = {s for e in mine for s in e.sensitivities if readable(s)}
    superseded = item.state == "live" and shown.manifest in item.superseded
    return Entry(
        id=item.stream,
        item=item.item,
        origin=item.origin,
        own=not item.origin,
        version=shown.version,
        manifest=shown.manifest,
        kind=shown.kind,
        urgency=shown.urgency,
        tlp=shown.tlp,
        pap=shown.pap,
        caveats=shown.caveats,
        state="superseded" if superseded else item.state,
        basis=shown.basis,
        at=shown.at,
        until=shown.until,
        review_at=shown.review_at,
        review_due=item.state == "live" and shown.review_at <= now,
        position=shown.position,
        sensitivities=in_order(granted),
        purposes=shown.purposes,
        onward=shown.onward,
        court=shown.court,
        conditions=_conditions(mine, readable),
        readers=tuple(sorted({r for e in mine for r in e.readers})),
        acknowledged=shown.manifest in item.acknowledged,
        summary_version=max((e.version for e in mine if Sensitivity.SUMMARY in e.sensitivities), default=0),
    )


def _conditions(grants: list[Edition], readable: Callable[[Sensitivity], bool]) -> dict[Sensitivity, Conditions]:
    """Of each section the newest grant's."""
    found: dict[Sensitivity, Conditions] = {}
    for e in sorted((e for e in grants if e.onward), key=lambda e: (e.version, e.position)):
        granted = Conditions(e.purposes, e.onward, e.court, e.until, e.added)
        found |= {s: granted for s in e.sensitivities if readable(s)}
    return {s: found[s] for s in in_order(set(found))}
