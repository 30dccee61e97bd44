"""What happened here to an item of another Member, as one of its readers may know it.

The events are the holding's own; each reader learns of those that are about what was granted to them. Who opened a
section is for auditors: a reader learns that it was opened, and which openings were their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import singledispatch

from rilon.domain.base import Event
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.permissions import Caller
from rilon.domain.values import Code, Digest, Instant, Sealed, Sensitivity, Value


class Happened(Value, frozen=True):
    """Something that happened.

    Attributes:
        what: the last word of the event's topic, as ``recalled``. by: the officer who did it; "": nobody, or not told.
        version: of the item, 0 where it is not about one. sections: of these, that the reader may open.
        code: ``basis`` of a grant, state of an end, purpose of an opening, kind of a reply, reason of a pause, who was
            told of an escalation. manifest: of the version that an answer is about. text: a reply's.
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
    """

    caller: Caller
    granted: dict[int, HeldEdition] = field(default_factory=dict)
    closed: defaultdict[bytes, set[Sensitivity]] = field(default_factory=lambda: defaultdict(set))

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
    """What the events of a holding tell this reader, oldest first."""
    reader = _Reader(caller)
    return [each for event in events for each in _told(event, reader)]


@singledispatch
def _told(_event: object, _reader: _Reader) -> Iterable[Happened]:
    """An event of a newer node, or of what never came here, tells a reader nothing."""
    return ()


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
    by = event.by if event.by == reader.caller.ref else ""
    if shown := reader.held(event.manifest, event.sensitivity):
        yield Happened(event.timestamp, "opened", by, sections=shown, code=event.purpose)


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
