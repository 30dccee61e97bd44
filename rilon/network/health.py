"""How the links do, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rilon.app.link_facts import Unsound
from rilon.app.link_words import LINK, Says, unsound
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
        says: the same in one word, of which ``rilon.app.link_words`` has the sentence. sentence: it, in English.
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
    says: Says
    sentence: str
    refusals: tuple[Refusal, ...]


def health(peer: Peer, told: Mapping[str, Unsound], now: float) -> LinkHealth:
    """How a link does at this instant of the loop's clock.

    Args:
        told: what the log tells of the peer's unsound lines and frames.
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
        says=says(peer),
        sentence=sentence(peer),
        refusals=_refusals(peer, told),
    )


def sentence(peer: Peer) -> str:
    """How a link does, in words."""
    code, out = says(peer), peer.link.out
    facts = {"peer": peer.name.upper(), "sent": out.known, "waiting": out.known - out.acked, "reason": _reason(peer)}
    return LINK[code] % facts + (f" (rilon link export {peer.name})" if code is Says.BY_HAND else "")


def says(peer: Peer) -> Says:
    """How a link does, in one word."""
    state = state_of(peer)
    if state is not LinkState.OPEN:
        return Says(state.value)
    if peer.trouble and peer.trouble != BY_HAND:
        return Says.FAILED
    if peer.link.out.known == peer.link.out.acked:
        return Says.EVERYTHING
    return Says.BY_HAND if peer.trouble else Says.SENDING


def _reason(peer: Peer) -> str:
    return peer.link.frozen or peer.link.peer_frozen or peer.trouble


def _refusals(peer: Peer, told: Mapping[str, Unsound]) -> tuple[Refusal, ...]:
    """The log's counts, and beside them those frames of the last hour that it does not tell yet."""
    more = peer.rejections.unrecorded
    found = [(code, each.count + more.get(code, 0), each.last_at) for code, each in told.items()]
    found.sort(key=lambda each: each[2], reverse=True)
    return tuple(Refusal(code, n, at, refusal_sentence(peer.name, code, n, at)) for code, n, at in found)


def refusal_sentence(peer: str, code: str, count: int, at: datetime) -> str:
    """What was refused, and why, in words without any content."""
    often = "once" if count == 1 else f"{count} times"
    return f"{unsound(code) % {'peer': peer.upper()}} Refused {often}, last on {at:%Y-%m-%d at %H:%M} UTC ({code})."


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
