"""How the links do, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rilon.app.link_facts import Unsound
from rilon.domain.values import MemberId
from rilon.network.peer import BY_HAND, Peer


class LinkState(StrEnum):
    """What may happen on a link just now."""

    OPEN = "open"
    GREETING = "greeting"
    UNVERIFIED = "unverified"
    REVOKED = "revoked"
    FROZEN = "frozen"
    PEER_FROZEN = "peer_frozen"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a peer sent that was not believed, for one reason: nothing of its content.

    Attributes:
        code: the reason. count: how often, ever. last_at: when last, to the hour where it was frames.
        sentence: the whole in words.
    """

    code: str
    count: int
    last_at: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """One link.

    Attributes:
        peer: the Member at its other end.
        state: what may happen on it.
        sent: entries there are for the peer. receipted: how many it has receipted.
        waiting: entries without a receipt.
        received: entries of the peer stored here. refused: of these, unsound ones the peer may not know of yet.
        rejected: frames under its name or by its account that were no sound frames, since the start.
        receipt_age_s: seconds since it last receipted more; None since the start.
        reason: code of what is wrong, or "".
        sentence: the whole in words.
        refusals: what the peer ever sent that was not believed, by reason, the newest first.
    """

    peer: MemberId
    state: LinkState
    sent: int
    receipted: int
    waiting: int
    received: int
    refused: int
    rejected: int
    receipt_age_s: float | None
    reason: str
    sentence: str
    refusals: tuple[Refusal, ...]


_SENTENCES = {
    LinkState.GREETING: "{peer} has not answered since this node started; {waiting} entries wait.",
    LinkState.UNVERIFIED: "The node of {peer} is not verified: compare its fingerprint by voice.",
    LinkState.REVOKED: "The node of {peer} is revoked: nothing is sent to it or taken from it.",
    LinkState.FROZEN: "Our log and that of {peer} contradict each other ({reason}): two focal points must look.",
    LinkState.PEER_FROZEN: "{peer} has frozen this link ({reason}): speak with its focal point.",
}


_UNSOUND = {
    "release.origin": "an item that is not its own",
    "release.recipient": "a grant that was made for another Member",
    "release.fork": "two different truths under one version",
    "release.rule": "what no rule alone may open",
    "release.break-glass": "as urgent what a life at risk does not open",
    "release.readers": "a grant wider than its marks permit",
    "release.until": "a grant that outlives its item",
    "statement.kid": "a statement that is not signed with its key",
    "signature.invalid": "a statement that it did not sign",
    "tree.path": "what is not in the release or manifest that it names",
    "entry.unknown-item": "a word about an item of ours that it was never given",
    "directory.root": "an identity under another root than the one we know",
    "link.unverified": "lines before anybody confirmed its node",
    "frame.account": "frames under another Member's name",
    "frame.signature": "frames that it did not sign",
    "frame.seal": "frames that are altered, or made for another key, log or world",
    "frame.misdirected": "frames that are not between it and us",
    "frame.revoked": "frames after it was revoked",
}
_UNSOUND_KINDS = {
    "approval": "a release without the approvals that it claims",
    "release": "a release that does not hold",
    "manifest": "an item that does not hold",
    "section": "a section that is not what its item says",
    "statement": "a statement that does not hold",
    "circle": "a word on a circle that does not hold",
    "directory": "a word about itself that does not hold",
    "onward": "a question or answer that does not hold",
    "entry": "a line that does not hold",
    "blob": "pieces that are not what was asked for",
}


def health(peer: Peer, unsound: Mapping[str, Unsound], now: float) -> LinkHealth:
    """How a link does at this instant of the loop's clock.

    Args:
        unsound: what the log tells of the peer's unsound lines and frames.
    """
    link, state = peer.link, state_of(peer)
    return LinkHealth(
        peer=peer.name,
        state=state,
        sent=link.out.known,
        receipted=link.out.acked,
        waiting=link.out.known - link.out.acked,
        received=link.inn.next - 1,
        refused=len(link.inn.refused),
        rejected=peer.rejections.total,
        receipt_age_s=None if peer.receipted_at is None else now - peer.receipted_at,
        reason=_reason(peer),
        sentence=sentence(peer),
        refusals=_refusals(peer, unsound),
    )


def sentence(peer: Peer) -> str:
    """How a link does, in words."""
    waiting, reason = peer.link.out.known - peer.link.out.acked, _reason(peer)
    words = _SENTENCES.get(state_of(peer)) or _open_sentence(waiting, reason)
    return words.format(peer=peer.name.upper(), member=peer.name, waiting=waiting, reason=reason)


def _reason(peer: Peer) -> str:
    return peer.link.frozen or peer.link.peer_frozen or peer.trouble


def _refusals(peer: Peer, unsound: Mapping[str, Unsound]) -> tuple[Refusal, ...]:
    """The log's counts, and beside them those frames of the last hour that it does not tell yet."""
    more = peer.rejections.unrecorded
    found = [(code, told.count + more.get(code, 0), told.last_at) for code, told in unsound.items()]
    found.sort(key=lambda each: each[2], reverse=True)
    return tuple(Refusal(code, n, at, refusal_sentence(peer.name, code, n, at)) for code, n, at in found)


def refusal_sentence(peer: str, code: str, count: int, at: datetime) -> str:
    """What was refused, and why, in words without any content."""
    what = _UNSOUND.get(code) or _UNSOUND_KINDS.get(code.partition(".")[0], "what no sound node sends")
    often = "once" if count == 1 else f"{count} times"
    return f"{peer.upper()} sent {what}: refused {often}, last on {at:%Y-%m-%d at %H:%M} UTC ({code})."


def _open_sentence(waiting: int, reason: str) -> str:
    if reason == BY_HAND and waiting:
        return "{waiting} entries wait for {peer}; no hub is set, so carry a bag (rilon link export {member})."
    if reason and reason != BY_HAND:
        return "{waiting} entries wait for {peer}; sending failed ({reason})."
    return "{waiting} entries are on their way to {peer}." if waiting else "{peer} has everything."


def state_of(peer: Peer) -> LinkState:
    """What may happen on a peer's link just now."""
    link = peer.link
    if peer.listing.standing == "revoked":
        return LinkState.REVOKED
    if not link.verified:
        return LinkState.UNVERIFIED
    if link.frozen:
        return LinkState.FROZEN
    if link.peer_frozen:
        return LinkState.PEER_FROZEN
    return LinkState.OPEN if link.greeted else LinkState.GREETING
