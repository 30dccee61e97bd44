"""Is the log what was stored, and does it prove what it says? Rows in, findings out.

Four questions: is each row where and what it was (positions, leaves, streams, and the RFC 9162 root that the head
states); do its signatures hold (``rilon.audit.statements``); do the links continue (``rilon.audit.chains``); and are
the ciphertexts still those that were sealed. It takes public keys only, so an auditor needs no passphrase. Who
rewrites rows, leaves and head alike is betrayed by the signatures and by what peers and witnesses remember.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from eventsourcing.domain import AggregateCreated
from eventsourcing.persistence import StoredEvent
from msgspec import Struct

from rilon.app.link_facts import Selected
from rilon.audit.chains import Chains
from rilon.audit.statements import Statements
from rilon.crypto import merkle
from rilon.domain.base import Event, Unknown
from rilon.domain.directory import Directory
from rilon.domain.values import Sealed
from rilon.errors import MalformedError, ProofError, RilonError
from rilon.store.codec import Codec
from rilon.store.recorder import RawEvent
from rilon.store.snapshot import Tip

T = TypeVar("T")

RECENT: Final = 4
"""States of the tree that are remembered: a renewal names the one just before its own command."""
WHOLE: Final = 0
"""Position of a finding that is about no single row."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is not as it must be.

    Attributes:
        position: of the row, or ``WHOLE``.
        code: as of the error that a node would raise for it.
    """

    position: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found.

    Attributes:
        member: whose log it is; "" when it says so nowhere.
        fingerprint: of the root key that everything hangs from; compare it with the printed one.
        size, root: of the head.
        proved: how many of what held: ``events``, ``statements``, ``approvals``, ``lines``, ``receipts``, ``texts``.
        newer: events of a newer program: counted in the tree, not judged.
        findings: by position.
    """

    member: str
    fingerprint: bytes
    size: int
    root: bytes
    proved: Mapping[str, int]
    newer: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class Rows:
    """Positions, leaves, streams and the tree."""

    def __init__(self, tip: Tip) -> None:
        self._tip, self._next, self._gap = tip, 1, False
        self._size, self._peaks = 0, merkle.Peaks()
        self._recent: deque[tuple[int, merkle.Peaks]] = deque(maxlen=RECENT)
        self._streams: dict[UUID, tuple[int, str]] = {}

    def check(self, row: RawEvent) -> Iterator[Finding]:
        """Check one row; rows come in the order of their positions."""
        if row.position != self._next:
            last, self._gap = row.position - 1, True
            lost = f"Event {self._next} is" if last == self._next else f"Events {self._next} to {last} are"
            yield Finding(self._next, "log.gap", f"{lost} missing.")
        self._next = row.position + 1
        if merkle.event_leaf(row.stream, row.version, row.topic, row.state) != row.leaf:
            yield Finding(row.position, "log.leaf", "This is not the event that was stored here.")
        # The stored leaves build the tree: an edited row then shows at its place, and not in the root once more.
        self._recent.append((self._size, self._peaks))
        self._size, self._peaks = merkle.grow(self._size, self._peaks, [row.leaf])
        version, aggregate = self._streams.get(row.stream, (0, _aggregate(row.topic)))
        self._streams[row.stream] = row.version, _aggregate(row.topic)
        if row.version != version + 1:
            yield Finding(row.position, "stream.version", f"Version {row.version} of a stream follows {version}.")
        if aggregate != _aggregate(row.topic):
            yield Finding(row.position, "stream.topic", "An event of one kind of thing stands in another's stream.")

    def check_left(self, event: Directory.LogRenewed) -> None:
        """Check that a renewed log goes on exactly what the root's owner saw.

        Raises:
            ProofError: ``log.renewed``.
        """
        roots = {size: merkle.root(peaks) for size, peaks in self._recent}
        if roots.get(event.size) != event.root:
            raise ProofError("log.renewed", "The log was renewed on other events than stand before.")

    def finish(self) -> Iterator[Finding]:
        """Compare with the head."""
        tip = self._tip
        if self._next - 1 != tip.size:
            yield Finding(WHOLE, "log.size", f"The head counts {tip.size} events; the last one is {self._next - 1}.")
        if not _well_formed(tip):
            yield Finding(WHOLE, "log.head", "The head's root, size and peaks contradict each other.")
        elif self._size == tip.size and not self._gap:
            yield from self._compare(tip.peaks)
        if merkle.root(self._peaks) != tip.root:
            yield Finding(WHOLE, "log.root", "These events do not have the root that the head states.")

    def _compare(self, peaks: merkle.Peaks) -> Iterator[Finding]:
        """The head's peaks are roots of its complete subtrees: they tell between which positions to look."""
        first = 1
        for height in reversed(range(self._size.bit_length())):
            if not self._size >> height & 1:
                continue
            at = (self._size >> height + 1).bit_count()
            if peaks[at] != self._peaks[at]:
                where = (
                    f"Events {first} to {first + (1 << height) - 1} are not those, or not in the order, of the head."
                )
                yield Finding(first, "log.subtree", where)
            first += 1 << height


class Texts:
    """The ciphertexts beside the log: erased ones are gone, the others are those that were sealed."""

    def __init__(self) -> None:
        self._sealed: dict[bytes, tuple[int, bytes]] = {}

    def note(self, position: int, event: Event) -> None:
        """Remember what the event seals."""
        for sealed in _sealed_in(list(vars(event).values())):
            self._sealed.setdefault(sealed.slot, (position, sealed.digest))

    def check(self, slot: bytes, digest: bytes | None) -> Finding | None:
        """Check a stored ciphertext by its SHA-256; None: its key is there and it is not."""
        position, expected = self._sealed.get(slot, (WHOLE, None))
        if digest is None and expected is not None:
            return Finding(position, "blob.missing", "A text's key is here, but its ciphertext is lost.")
        if expected is not None and digest != expected:
            return Finding(position, "blob.digest", "A ciphertext is not the one that was sealed.")
        return None  # without an event it waits for one, or for the sweep


class Verifier:
    """Feed it every row, then the courier's selection and the ciphertexts, then ask for the report.

    Args:
        tip: the head, read in the same snapshot as the rows.
        codec: what stored bytes mean.
    """

    def __init__(self, tip: Tip, codec: Codec) -> None:
        self._tip, self._codec = tip, codec
        self._findings: list[Finding] = []
        self._proved, self._newer = Counter[str](), 0
        self._rows, self._texts, self._chains = Rows(tip), Texts(), Chains(tip.log_id)
        self._statements = Statements(self._proved)

    def take(self, row: RawEvent) -> None:
        """Check one row of the log."""
        self._proved["events"] += 1
        self._findings.extend(self._rows.check(row))
        try:
            event = self._read(row)
            self._texts.note(row.position, event)
        except MalformedError as error:
            self._find(row.position, error)
            return
        self._check(row.position, self._statements.check, event)
        self._check(row.position, partial(self._chains.check, row.position), event)
        if isinstance(event, Directory.LogRenewed):
            self._check(row.position, self._rows.check_left, event)

    def take_selected(self, selected: Selected) -> None:
        """Check an entry as the courier noted it to send: what it sends is what the log addresses."""
        self._check(selected.position, self._chains.check_selected, selected)

    def take_text(self, slot: bytes, digest: bytes | None) -> None:
        """Check a ciphertext by its SHA-256; None where a key has none."""
        found = self._texts.check(slot, digest)
        if found is not None:
            self._findings.append(found)
        else:
            self._proved["texts"] += 1

    def report(self) -> Report:
        """What was found, by position."""
        self._proved["lines"] = self._chains.lines
        self._proved["receipts"] = self._chains.receipts
        return Report(
            member=self._statements.signers.member,
            fingerprint=self._statements.signers.fingerprint,
            size=self._tip.size,
            root=self._tip.root,
            proved=dict(self._proved),
            newer=self._newer,
            findings=tuple(sorted([*self._findings, *self._rows.finish(), *self._identify()])),
        )

    def _identify(self) -> Iterator[Finding]:
        if self._statements.signers.log_id != self._tip.log_id:
            yield Finding(WHOLE, "log.id", "The head has another log id than this node's root has signed.")

    def _read(self, row: RawEvent) -> Event:
        stored = StoredEvent(row.stream, row.version, row.topic, row.state)
        event = self._codec.decode(stored, row.position, canonical=True)
        if isinstance(event, Unknown):
            self._newer += 1
        elif isinstance(event, AggregateCreated) != (row.version == 1):
            raise MalformedError("stream.opening", "A stream has one opening event, and it is the first.")
        return event

    def _check(self, position: int, check: Callable[[T], None], what: T) -> None:
        try:
            check(what)
        except RilonError as error:
            self._find(position, error)

    def _find(self, position: int, error: RilonError) -> None:
        self._findings.append(Finding(position, error.code, error.message))


def _well_formed(tip: Tip) -> bool:
    return len(tip.peaks) == tip.size.bit_count() and merkle.root(tip.peaks) == tip.root


def _aggregate(topic: str) -> str:
    return topic.rsplit(".", 2)[0]


def _sealed_in(value: object) -> Iterator[Sealed]:
    if isinstance(value, Sealed):
        yield value
    elif isinstance(value, Struct):
        yield from _sealed_in([getattr(value, name) for name in value.__struct_fields__])
    elif isinstance(value, dict):
        yield from _sealed_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _sealed_in(each)
