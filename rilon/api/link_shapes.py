"""What answers about links hold."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from rilon.domain.values import Code, Digest, Instant, LogId, MemberId, OfficerId, Value


class Refusal(Value, frozen=True):
    """What a peer sent that was not believed, for one reason: how often, when last, and the whole in words."""

    code: Code
    count: int
    last_at: Instant
    sentence: str


class LinkHealth(Value, frozen=True, kw_only=True):
    """How a link does, as the courier tells it.

    Attributes:
        state: what may happen on it. sentence: the whole in words. reason: code of what is wrong, or "".
        sent, receipted, waiting: entries for the peer, of these with its receipt, and without.
        received: entries of the peer. refused: of these, unsound ones. rejected: frames that were none.
        receipt_age_s: seconds since it last receipted more; None since the start.
        refusals: what it ever sent that was not believed, by reason, the newest first.
    """

    peer: MemberId
    state: str
    sentence: str
    reason: str
    sent: int
    receipted: int
    waiting: int
    received: int
    refused: int
    rejected: int
    receipt_age_s: float | None
    refusals: tuple[Refusal, ...]


class ForkShown(Value, frozen=True):
    """Why a link is frozen. Who lets it go on signs exactly this (docs/spec/links.md).

    Attributes:
        number: the how manieth fork of this link. ours, theirs: ids of the two logs.
        evidence: SHA-256 of what was kept, in the log, of what the peer signed.
        signed: who has signed; ``needed``: how many must.
    """

    member: MemberId
    peer: MemberId
    number: int
    code: Code
    ours: LogId
    theirs: LogId
    evidence: Digest
    signed: tuple[OfficerId, ...]
    needed: int


class ResetShown(Value, frozen=True):
    """What became of a frozen link: ``waiting`` for a second focal point's signature, or ``reset``."""

    outcome: Code
    position: int
    repeated: bool = False


class BagShown(Value, frozen=True):
    """A courier bag to be carried to a peer: a file of sealed frames.

    Attributes:
        frames: how many it holds. more: whether it is full, and the rest goes with the next.
        sentence: what it is good for, and what to do with it.
    """

    member: MemberId
    bag: bytes
    frames: int
    more: bool
    sentence: str


class BagBrought(Value, frozen=True):
    """A courier bag, as its file is."""

    bag: Annotated[bytes, Meta(min_length=1)]


class BagTaken(Value, frozen=True):
    """What became of a courier bag.

    Attributes:
        member: whom it is from. frames: how many it held. refused: of these, not believed, by code; it says nothing
            against the Member, since any hand may have written them.
        entries: what is new here. receipted: entries of ours that the Member now says it has.
        answer: whether a bag has to go back. sentence: what to do next.
    """

    member: MemberId
    frames: int
    refused: dict[Code, int]
    entries: int
    receipted: int
    answer: bool
    sentence: str


class LinkShown(Value, frozen=True, omit_defaults=True):
    """A peer: how far it is trusted, its fingerprint in words for comparing by voice, and how the link does."""

    member: MemberId
    standing: Code
    words: tuple[str, ...]
    health: LinkHealth | None = None
