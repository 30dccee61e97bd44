"""How the links do, for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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


_SENTENCES = {
    LinkState.GREETING: "{peer} has not answered since this node started; {waiting} entries wait.",
    LinkState.UNVERIFIED: "The node of {peer} is not verified: compare its fingerprint by voice.",
    LinkState.REVOKED: "The node of {peer} is revoked: nothing is sent to it or taken from it.",
    LinkState.FROZEN: "Our log and that of {peer} contradict each other ({reason}): two focal points must look.",
    LinkState.PEER_FROZEN: "{peer} has frozen this link ({reason}): speak with its focal point.",
}


def health(peer: Peer, now: float) -> LinkHealth:
    """How a link does at this instant of the loop's clock."""
    link, state = peer.link, state_of(peer)
    waiting = link.out.known - link.out.acked
    reason = link.frozen or link.peer_frozen or peer.trouble
    words = _SENTENCES.get(state) or _open_sentence(waiting, reason)
    return LinkHealth(
        peer=peer.name,
        state=state,
        sent=link.out.known,
        receipted=link.out.acked,
        waiting=waiting,
        received=link.inn.next - 1,
        refused=len(link.inn.refused),
        rejected=peer.rejections.total,
        receipt_age_s=None if peer.receipted_at is None else now - peer.receipted_at,
        reason=reason,
        sentence=words.format(peer=peer.name.upper(), member=peer.name, waiting=waiting, reason=reason),
    )


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
