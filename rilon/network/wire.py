"""What frames say: bodies, strictly read. Every field is required, every size bounded, every value has one encoding.

A body names both logs again, although the frame binds them: the proof of a body then stands alone, and the link core
needs no key to see that a body belongs to another log. Example, MUSTs and vectors: ``docs/spec/links.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from rilon.app.link_facts import WINDOW
from rilon.crypto import strict
from rilon.crypto.frame import MAX_CONTENT_BYTES
from rilon.crypto.manifest import Place
from rilon.crypto.strict import Bytes16, Bytes32, Code, Record
from rilon.domain.values import Line
from rilon.errors import MalformedError

MAX_SEQ: Final = (1 << 63) - 1
MAX_ENTRIES: Final = 256
"""Most entries in one frame."""
MAX_DIGESTS: Final = 64
"""Most digests in one line."""
MAX_ITEMS: Final = 64
"""Most items attached to one entry."""
MAX_BLOB_BYTES: Final = 64 * 1024 * 1024
MAX_PIECE_BYTES: Final = 448 * 1024
"""Most of a ciphertext in one frame: what is urgent waits behind one piece at most."""
_ITEM_BUDGET: Final = 1 << 16

Seq = Annotated[int, Meta(ge=1, le=MAX_SEQ)]
"""Number of an entry; the first is 1."""
Count = Annotated[int, Meta(ge=0, le=MAX_SEQ)]
ItemName = Annotated[str, Meta(pattern=r"\A[a-z]{1,16}(\.[0-9a-z]{1,64})?\Z")]
"""What an attached item is: ``statement.<digest>``, ``grant``, ``key.<position>``, ``ciphertext.<digest>``."""
Item = Annotated[bytes, Meta(max_length=64 * 1024)]
Attachment = dict[ItemName, Item]
"""What comes with a line, by name. The single name ``withheld`` says that nothing comes, and its bytes why."""
WITHHELD: Final = "withheld"


class Body(Record, frozen=True, tag_field="body"):
    """Common to all bodies.

    Attributes:
        log: id of the sender's log.
        to_log: id of the recipient's log as the sender has confirmed it.
    """

    log: Bytes16
    to_log: Bytes16


class Entries(Body, frozen=True, tag="entries"):
    """Consecutive lines of the sender's log for the recipient; what is attached to them travels beside this body.

    Attributes:
        acked: up to where the sender has the recipient's receipts: refusals up to there need not be named again.
        first: number of the first line.
        prev: the chain's head before it, so that a frame shows by itself whether it continues what was stored.
        lines: at least one, at most ``MAX_ENTRIES``.
    """

    acked: Count
    first: Seq
    prev: Bytes32
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=MAX_ENTRIES)]

    def __post_init__(self) -> None:
        if self.last > MAX_SEQ:
            raise ValueError("a number out of range")
        if any(len(line.digests) > MAX_DIGESTS for line in self.lines):
            raise ValueError("too many digests")

    @property
    def last(self) -> int:
        """Number of the last line."""
        return self.first + len(self.lines) - 1


class Receipt(Body, frozen=True, tag="receipt"):
    """What the sender of this has durably stored of the recipient's lines: cumulative, idempotent, often repeated.

    Attributes:
        size: how many events the receiving log holds.
        upto: every line up to this one is stored.
        head: the chain's head after it, as the receiver computed it.
        want: the lines between ``upto`` and this one are missing; 0 when none is known to be.
        refused: stored, but unsound: number and reason, in order; repeated until a frame's ``acked`` covers it.
    """

    size: Count
    upto: Count
    head: Bytes32
    want: Count
    refused: Annotated[tuple[tuple[Seq, Code], ...], Meta(max_length=WINDOW)]

    def __post_init__(self) -> None:
        if 0 < self.want <= self.upto + 1:
            raise ValueError("nothing is missing there")
        numbers = strict.ordered(tuple(seq for seq, _ in self.refused))
        if numbers and numbers[-1] > self.upto:
            raise ValueError("refused before it was stored")


class Hello(Record, frozen=True, tag_field="body", tag="hello"):
    """Here I am: who, from which log, and what I hold of you. Signed, not sealed; the courier can read it.

    Attributes:
        log: id of the sender's log.
        to_log: id of the recipient's log as the sender has confirmed it, or null.
        chain: the sender's directory statements, oldest first; they prove themselves.
        nonce: fresh since the sender's last start.
        echo: the newest nonce seen from the recipient, or null.
        answer: the sender has not heard its own nonce back and asks for a hello.
        frozen: why the sender has frozen this link, or null.
        upto, head: the last line of ``to_log`` the sender has stored, and the chain's head after it.
        acked: up to where the sender has the recipient's receipts.
    """

    log: Bytes16
    to_log: Bytes16 | None
    chain: Annotated[tuple[Annotated[bytes, Meta(max_length=16 * 1024)], ...], Meta(max_length=24)]
    nonce: Bytes16
    echo: Bytes16 | None
    answer: bool
    frozen: Code | None
    upto: Count
    head: Bytes32
    acked: Count


class Want(Body, frozen=True, tag="want"):
    """Please send this ciphertext, from this offset on. It names what was granted, so that serving is one look-up.

    Attributes:
        item, manifest, place: the section, as the release named it.
        digest: of its ciphertext.
    """

    item: Bytes16
    manifest: Bytes32
    place: Place
    digest: Bytes32
    offset: Annotated[int, Meta(ge=0, lt=MAX_BLOB_BYTES)]


class Blob(Body, frozen=True, tag="blob"):
    """A piece of a ciphertext: ``piece`` stands at ``offset`` of ``total`` bytes whose SHA-256 is ``digest``."""

    digest: Bytes32
    offset: Annotated[int, Meta(ge=0, lt=MAX_BLOB_BYTES)]
    total: Annotated[int, Meta(ge=1, le=MAX_BLOB_BYTES)]
    piece: Annotated[bytes, Meta(min_length=1, max_length=MAX_PIECE_BYTES)]

    def __post_init__(self) -> None:
        if self.offset + len(self.piece) > self.total:
            raise ValueError("a piece beyond the end")


class Gone(Body, frozen=True, tag="gone"):
    """Nothing (any more) by this digest for you: never there, never granted, expired, recalled, erased; told alike."""

    digest: Bytes32


class Call(Body, frozen=True, tag="call"):
    """A round of a linkage session: opaque here, never logged.

    Attributes:
        session: 16 random bytes.
        content: up to the session's own format.
    """

    session: Bytes16
    content: Annotated[bytes, Meta(max_length=MAX_PIECE_BYTES)]


SealedBody = Entries | Receipt | Want | Blob | Gone | Call
"""What a sealed frame may say."""


def encode(body: SealedBody | Hello) -> bytes:
    """A body's only encoding."""
    return strict.encode(body)


def parse(raw: bytes) -> SealedBody:
    """Read the body of a sealed frame. Raises MalformedError: ``cbor.*``."""
    return strict.decode(raw, SealedBody, limit=MAX_CONTENT_BYTES, items=_ITEM_BUDGET)  # type: ignore[arg-type]


def parse_hello(raw: bytes) -> Hello:
    """Read the body of a hello. Raises MalformedError: ``cbor.*``."""
    return strict.decode(raw, Hello, limit=MAX_CONTENT_BYTES)


def withheld(reason: str) -> Attachment:
    """Nothing comes with this line any more: it was recalled, expired or erased, or the recipient was revoked."""
    return {WITHHELD: reason.encode()}


class _Attached(Record, frozen=True):
    entries: tuple[Annotated[Attachment, Meta(max_length=MAX_ITEMS)], ...]


def attach(attachments: Sequence[Attachment]) -> bytes:
    """What travels beside an ``Entries`` body: one attachment for each line, in order."""
    return strict.encode(_Attached(tuple(attachments)))


def attached(raw: bytes, entries: Entries) -> tuple[Attachment, ...]:
    """Read what travelled beside an ``Entries`` body.

    Raises:
        MalformedError: ``cbor.*``; ``wire.attachments``: not exactly one attachment for each line.
    """
    found = strict.decode(raw, _Attached, limit=MAX_CONTENT_BYTES, items=_ITEM_BUDGET).entries
    if len(found) != len(entries.lines):
        raise MalformedError("wire.attachments", "There is not one attachment for each line.")
    return found
