"""Deliveries and answers: which of our lines went to whom, what the peer's receipts cover, and what came back.

A receipt says "everything up to here", so it is kept as it was said, and whether a line is stored follows by
comparison: one row a receipt, however many lines it covers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, singledispatch
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta
from msgspec.structs import replace

from rilon.domain.alert import Alert
from rilon.domain.delivery import Delivery, State
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.entry import Entry
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.recall import Recall
from rilon.domain.values import Code, Digest, Line, MemberId, Sealed, Sensitivity
from rilon.projections.changes import Change, Edit, OrNone, Row, edit, in_order

_DIGEST_BYTES = 32
_OPENED = "status.opened."
_ACKNOWLEDGED = "status.acknowledged"
_ARRIVED = "status.arrived.attachment"
_REPLY = "reply."


class Sent(Row, frozen=True):
    """A line about an item of ours to one recipient.

    Attributes:
        stream: of the link to the recipient. n: position of the event whose line it is.
        disclosure: stream of the item's disclosure. manifest: the version the line is about.
        sensitivities: what a release granted with it.
        code, refused_at: why and when the recipient's node refused it; "" and None otherwise.
        returned: whether another log of ours had sent it, and its holder told this one of it: no line of this log's.
    """

    TABLE: ClassVar[str] = "sent"

    recipient: MemberId
    disclosure: UUID
    kind: Code
    manifest: Digest
    sensitivities: tuple[Sensitivity, ...]
    at: datetime
    code: OrNone = ""
    refused_at: datetime | None = None
    returned: bool = False


class Receipt(Row, frozen=True):
    """A peer has stored every line of ours up to position ``through``. ``stream``: of the link; ``n``: position."""

    TABLE: ClassVar[str] = "receipt"

    through: int
    at: datetime


class Answer(Row, frozen=True):
    """What a peer answered about an item of ours: its attachments came whole, it was opened, acknowledged, or a reply.

    Attributes:
        stream: of the entry. position: in our log.
        kind: ``status.opened.<sensitivity>.<purpose>``, ``status.acknowledged``, ``status.arrived.attachment``,
            ``reply.…``.
        text: slot, ciphertext digest and key commitment of a reply's sealed text, 96 bytes; or empty.
    """

    TABLE: ClassVar[str] = "answer"

    peer: MemberId
    manifest: Digest
    kind: Code
    position: int
    text: Annotated[bytes, Meta(max_length=3 * _DIGEST_BYTES)]
    at: datetime

    @property
    def sealed(self) -> Sealed | None:
        """The sealed text, to be opened for an officer who may read it."""
        parts = [self.text[i : i + _DIGEST_BYTES] for i in range(0, len(self.text), _DIGEST_BYTES)]
        return Sealed(*parts) if parts else None


class Erased(Row, frozen=True):
    """A holder's receipt: keys of a version are gone there. ``stream``: of the item's disclosure; ``n``: position."""

    TABLE: ClassVar[str] = "erased"

    peer: MemberId
    manifest: Digest
    sensitivities: tuple[Sensitivity, ...]
    counts: tuple[int, ...]
    closed_at: datetime
    destroyed_at: datetime | None


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say how deliveries and answers change. Pure."""
    return ()


@changes.register
def _(event: Disclosure.Released, position: int) -> Iterable[Change]:
    granted: defaultdict[MemberId, set[Sensitivity]] = defaultdict(set)
    for cell in event.cells:
        granted[cell.recipient].add(cell.sensitivity)
    for recipient, line in event.to.items():
        some = in_order(granted[recipient])
        yield _sent(event.originator_id, position, recipient, line, event.timestamp, some)


@changes.register
def _(event: Disclosure.Recovered, position: int) -> Iterable[Change]:
    found = event.found
    line = Line("release", (found.version, found.digest))
    sent = _sent(event.originator_id, position, found.holder, line, event.timestamp, found.sections)
    return (replace(sent, returned=True),)


@changes.register(Alert.Corrected)
@changes.register(Alert.Withdrawn)
@changes.register(Alert.Closed)
def _(event: Alert.Corrected | Alert.Withdrawn | Alert.Closed, position: int) -> Iterable[Change]:
    for recipient, line in event.to.items():
        yield _sent(disclosure_id(event.originator_id), position, recipient, line, event.timestamp)


@changes.register
def _(event: Recall.Ordered, position: int) -> Iterable[Change]:
    some = (event.sensitivity,) if event.sensitivity else ()
    for recipient, line in event.to.items():
        yield _sent(disclosure_id(event.item), position, recipient, line, event.timestamp, some)


@changes.register
def _(event: Recall.Confirmed, position: int) -> Iterable[Change]:
    said = event.receipt
    names, counts = tuple(s for s, _ in said.openings), tuple(n for _, n in said.openings)
    place = disclosure_id(event.item), position
    yield Erased(*place, said.peer, said.manifest, names, counts, said.closed_at, said.destroyed_at)


@changes.register
def _(event: PeerLink.Receipted, position: int) -> Iterable[Change]:
    yield Receipt(event.originator_id, position, event.through, event.timestamp)
    for _, refused, code in event.refused:
        yield _refused(event.originator_id, refused, code, event.timestamp)


@changes.register
def _(event: Entry.Accepted, position: int) -> Iterable[Change]:
    kind, digests = event.line.kind, event.line.digests
    if not digests or not kind.startswith((_OPENED, _ACKNOWLEDGED, _ARRIVED, _REPLY)):
        return ()
    text = event.text.slot + event.text.digest + event.text.commitment if event.text else b""
    return (Answer(event.originator_id, 0, event.peer, digests[0], kind, position, text, event.timestamp),)


_link = cache(link_stream)  # a hash for each of a few dozen peers, not for each of a million lines


def _sent(
    disclosure: UUID,
    position: int,
    recipient: MemberId,
    line: Line,
    at: datetime,
    sensitivities: tuple[Sensitivity, ...] = (),
) -> Sent:
    manifest = line.digests[0]
    return Sent(_link(recipient), position, recipient, disclosure, line.kind, manifest, sensitivities, at)


def _refused(link: UUID, position: int, code: Code, at: datetime) -> Edit:
    """Peers repeat what they refused until they know that we know: the first word stands."""
    return edit(Sent, link, lambda s: s if s.code else replace(s, code=code, refused_at=at), n=position)


def delivery(
    sent: Sent, receipts: Iterable[Receipt], answers: Iterable[Answer], erased: Iterable[Erased] = ()
) -> Delivery:
    """All that is known of one line.

    Args:
        receipts: of the link, or at least the first that covers the line.
        answers: about its item; those of other recipients or versions are passed over, for a peer may claim anything.
        erased: receipts of erasures of its item.
    """
    found = Delivery(sent.recipient, sent.kind, sent.manifest, sent.sensitivities, sent.at)
    covering = [r for r in receipts if r.stream == sent.stream and sent.n <= r.through]
    if covering:
        found = found.reach(State.STORED, min(covering, key=lambda r: r.n).at)
    if sent.code and sent.refused_at:
        found = found.refuse(sent.code, sent.refused_at)
    for answer in answers:
        if sent.kind == "release" and (answer.peer, answer.manifest) == (sent.recipient, sent.manifest):
            found = _heard(found, answer)
    for gone in erased:
        if (gone.peer, gone.manifest) == (sent.recipient, sent.manifest) and _answers(gone, sent):
            found = _gone(found, gone)
    return found


def _answers(gone: Erased, sent: Sent) -> bool:
    """Whether a receipt is about this line: a recall that came before it, or a release of which all sections went."""
    if sent.kind.startswith("recall"):
        return gone.n > sent.n
    return sent.kind == "release" and gone.n > sent.n and set(sent.sensitivities) <= set(gone.sensitivities)


def _gone(delivery: Delivery, gone: Erased) -> Delivery:
    counted = tuple(zip(gone.sensitivities, gone.counts, strict=True))
    found = replace(delivery.reach(State.CLOSED, gone.closed_at), opened_before=counted)
    return found.reach(State.DESTROYED, gone.destroyed_at) if gone.destroyed_at else found


def _heard(delivery: Delivery, answer: Answer) -> Delivery:
    if answer.kind.startswith(_REPLY):
        return delivery.reach(State.ACTED, answer.at)
    if answer.kind == _ACKNOWLEDGED:
        return delivery.reach(State.ACKNOWLEDGED, answer.at)
    if answer.kind == _ARRIVED:
        return delivery.arrive(answer.at) if Sensitivity.ATTACHMENT in delivery.sensitivities else delivery
    opened, _, purpose = answer.kind.removeprefix(_OPENED).partition(".")
    return delivery.open_(Sensitivity(opened), purpose, answer.at) if opened in delivery.sensitivities else delivery


def replies(sent: Iterable[Sent], answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """The replies from Members to whom the version was released, oldest first."""
    asked: Mapping[tuple[MemberId, Digest], Sent] = {(s.recipient, s.manifest): s for s in sent if s.kind == "release"}
    heard = (a for a in answers if a.kind.startswith(_REPLY) and (a.peer, a.manifest) in asked)
    return tuple(sorted(heard, key=lambda a: a.position))
