"""What happened here to an item, ours or another Member's, as one of its readers may know it.

The events are the alert's or the holding's own; each reader learns of those that are about versions and sections that
were theirs. Who opened a section is for auditors: a reader learns that it was opened, and which openings were their
own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import singledispatch

from rilon.domain.alert import Alert, Edition
from rilon.domain.base import Event
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Instant, Sealed, Sensitivity, Value


class Happened(Value, frozen=True):
    """Something that happened.

    Attributes:
        what: the last word of the event's topic, as ``recalled``; of ours too a correction is ``superseded``, an end
            ``ended``; a version found again that contradicts another is ``forked``.
        by: the officer who did it; "": nobody, or not told.
        version: of the item, 0 where it is not about one. sections: of these, that the reader may open.
        code: ``basis`` of a grant, state of an end, purpose of an opening, kind of a reply, reason of a pause, who was
            told of an escalation, what a warning is about. manifest: of the version that an answer is about.
        text: a reply's.
    """

    at: Instant
    what: Code
    by: str = ""
    version: int = 0
    sections: tuple[Sensitivity, ...] = ()
    code: str = ""
    manifest: Digest = bytes(32)
    text: Sealed | None = None


@dataclass(slots=True)
class _Reader:
    """One reader, and what was theirs so far.

    ``granted``: by the version of the stream that granted it. ``closed``: of each version, sections whose keys went.
    ``ours``: of an alert of ours the versions that were theirs, with their sections. ``newest``: of its versions.
    """

    caller: Caller
    granted: dict[int, HeldEdition] = field(default_factory=dict)
    closed: defaultdict[bytes, set[Sensitivity]] = field(default_factory=lambda: defaultdict(set))
    ours: dict[int, set[Sensitivity]] = field(default_factory=dict)
    newest: Edition | None = None

    def write(self, edition: Edition) -> int:
        """Note a version of ours, and whether it is theirs: who reads a correction need not have read the first."""
        if self.newest is None or edition.version >= self.newest.version:
            self.newest = edition
        self.refer(edition, edition.readers)
        return edition.version

    def refer(self, edition: Edition | None, readers: tuple[str, ...]) -> None:
        """Note whose a version of ours is."""
        if edition is not None and self.caller.among(readers):
            self.ours.setdefault(edition.version, set()).update(s.sensitivity for s in edition.sections)

    def wrote(self, version: int, some: Iterable[Sensitivity]) -> tuple[Sensitivity, ...]:
        """Of these sections of a version of ours, those that were theirs."""
        return self.shown(self.ours.get(version, set()).intersection(some))

    def opening(self, event: Alert.Opened | Holding.Opened, shown: tuple[Sensitivity, ...]) -> Iterator[Happened]:
        if shown:
            by = event.by if event.by == self.caller.ref else ""
            yield Happened(event.timestamp, "opened", by, sections=shown, code=event.purpose)

    def grant(self, event: Holding.Granted | Holding.GrantedMore) -> Iterator[Happened]:
        edition = event.edition
        shown = self.shown(s.sensitivity for s in edition.sections)
        if shown and self.caller.among(edition.readers):
            self.granted[event.originator_version] = edition
            yield Happened(event.timestamp, "granted", version=edition.version, sections=shown, code=edition.basis)

    def version(self, manifest: bytes) -> int:
        """0 for one that was not granted to them."""
        return next((e.version for e in self.granted.values() if e.digest == manifest), 0)

    def held(self, manifest: bytes, sensitivity: Sensitivity) -> tuple[Sensitivity, ...]:
        """The section, if it was theirs: one version comes in several grants, a victim's to the rescue desk alone."""
        editions = [e for e in self.granted.values() if e.digest == manifest]
        return self.shown(s.sensitivity for e in editions for s in e.sections if s.sensitivity == sensitivity)

    def shown(self, sections: Iterable[Sensitivity]) -> tuple[Sensitivity, ...]:
        found = set(sections)
        return tuple(s for s in Sensitivity if s in found and self.caller.may_read(s))

    def taken(self, taken: Iterable[tuple[int, Sensitivity]]) -> tuple[Sensitivity, ...]:
        return self.shown(s for n, s in taken if n in self.granted)


def happened(events: Iterable[Event], caller: Caller) -> list[Happened]:
    """What the events of an alert or a holding tell this reader, oldest first."""
    reader = _Reader(caller)
    return [each for event in events for each in _told(event, reader)]


@singledispatch
def _told(_event: object, _reader: _Reader) -> Iterable[Happened]:
    """An event of a newer node, or of what never came here, tells a reader nothing."""
    return ()


@_told.register
def _(event: Alert.Posted, reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "posted", event.author, version=reader.write(event.edition))


@_told.register
def _(event: Alert.Corrected, reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "superseded", event.author, version=reader.write(event.edition) - 1)


@_told.register
def _(event: Alert.Recovered, reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "recovered", version=reader.write(event.edition))


@_told.register
def _(event: Alert.EditionRecovered, reader: _Reader) -> Iterable[Happened]:
    what = "forked" if event.contradicts else "recovered"
    yield Happened(event.timestamp, what, version=reader.write(event.edition))


@_told.register
def _(event: Alert.Referred, reader: _Reader) -> Iterable[Happened]:
    reader.refer(reader.newest, event.readers)
    yield Happened(event.timestamp, "referred", event.by)


@_told.register
def _(event: Alert.Withdrawn, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "ended", event.by, code="withdrawn")


@_told.register
def _(event: Alert.Closed, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "ended", event.by, code="closed")


@_told.register
def _(event: Alert.EraseOrdered, reader: _Reader) -> Iterable[Happened]:
    """Of one whose every section goes nothing is left to be shown."""
    theirs = set().union(*reader.ours.values())
    if sections := reader.shown(theirs & {event.sensitivity}):
        yield Happened(event.timestamp, "erase-ordered", event.by or "", sections=sections)


@_told.register
def _(event: Alert.SectionsErased, reader: _Reader) -> Iterable[Happened]:
    for version in sorted({s.version for s in event.sections}):
        if sections := reader.wrote(version, (s.sensitivity for s in event.sections if s.version == version)):
            yield Happened(event.timestamp, "sections-erased", version=version, sections=sections)


@_told.register
def _(event: Alert.Warned, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "warned", version=event.version, code=event.ending)


@_told.register
def _(event: Alert.Opened, reader: _Reader) -> Iterable[Happened]:
    return reader.opening(event, reader.wrote(event.version, [event.sensitivity]))


@_told.register
def _(event: Holding.Granted, reader: _Reader) -> Iterable[Happened]:
    return reader.grant(event)


@_told.register
def _(event: Holding.GrantedMore, reader: _Reader) -> Iterable[Happened]:
    return reader.grant(event)


@_told.register
def _(event: Holding.Recalled, reader: _Reader) -> Iterable[Happened]:
    if sections := reader.taken(event.taken):
        yield Happened(event.timestamp, "recalled", version=reader.version(event.manifest), sections=sections)


@_told.register
def _(event: Holding.SectionsClosed, reader: _Reader) -> Iterable[Happened]:
    closing = event.closing
    if sections := reader.taken((n, s.sensitivity) for s in closing.sections for n in s.grants):
        reader.closed[closing.manifest].update(sections)
        yield Happened(event.timestamp, "sections-closed", sections=sections)


@_told.register
def _(event: Holding.SectionsDestroyed, reader: _Reader) -> Iterable[Happened]:
    if sections := reader.shown(reader.closed.pop(event.manifest, ())):
        yield Happened(event.timestamp, "sections-destroyed", sections=sections)


@_told.register
def _(event: Holding.Superseded, reader: _Reader) -> Iterable[Happened]:
    if version := reader.version(event.old):
        yield Happened(event.timestamp, "superseded", version=version)


@_told.register
def _(event: Holding.Ended, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "ended", code=event.state)


@_told.register
def _(event: Holding.Referred, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "referred", event.by)


@_told.register
def _(event: Holding.Opened, reader: _Reader) -> Iterable[Happened]:
    return reader.opening(event, reader.held(event.manifest, event.sensitivity))


@_told.register
def _(event: Holding.Arrived, reader: _Reader) -> Iterable[Happened]:
    if reader.held(event.manifest, Sensitivity.ATTACHMENT):
        yield Happened(event.timestamp, "arrived")


@_told.register
def _(event: Holding.Acknowledged, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "acknowledged", event.by, manifest=event.manifest)


@_told.register
def _(event: Holding.Replied, reader: _Reader) -> Iterable[Happened]:
    text = event.text if reader.version(event.manifest) else None
    yield Happened(event.timestamp, "replied", event.by, code=event.kind, manifest=event.manifest, text=text)


@_told.register
def _(event: Holding.Paused, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "paused", event.by, code=event.why)


@_told.register
def _(event: Holding.Resumed, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "resumed", event.by)


@_told.register
def _(event: Holding.Escalated, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "escalated", code=event.told)


@_told.register
def _(event: Holding.Reminded, _reader: _Reader) -> Iterable[Happened]:
    yield Happened(event.timestamp, "reminded")
