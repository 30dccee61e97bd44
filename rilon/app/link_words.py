"""What is said of a link, in whole sentences by code: English here, in the reader's language on a page.

Whoever says one fills in the facts as its readers know them: a Member's code on the command line, its name on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Says(StrEnum):
    """How a link does, in one word; or, after a bag, what to do next."""

    EVERYTHING = "everything"
    SENDING = "sending"
    BY_HAND = "by_hand"
    FAILED = "failed"
    GREETING = "greeting"
    UNVERIFIED = "unverified"
    REVOKED = "revoked"
    FROZEN = "frozen"
    PEER_FROZEN = "peer_frozen"
    ANSWER = "answer"
    EVEN = "even"


LINK: Final[Mapping[str, str]] = {
    Says.EVERYTHING: "%(peer)s has everything.",
    Says.SENDING: "Still on the way to %(peer)s: %(waiting)s of %(sent)s entries.",
    Says.BY_HAND: "Waiting for %(peer)s: %(waiting)s of %(sent)s entries. No hub is set: carry a courier bag.",
    Says.FAILED: "Waiting for %(peer)s: %(waiting)s of %(sent)s entries. Sending failed (%(reason)s).",
    Says.GREETING: "%(peer)s has not answered since this node started. Waiting: %(waiting)s of %(sent)s entries.",
    Says.UNVERIFIED: "The node of %(peer)s is not verified: compare its fingerprint by voice.",
    Says.REVOKED: "The node of %(peer)s is revoked: nothing is sent to it or taken from it.",
    Says.FROZEN: "Our log and that of %(peer)s contradict each other (%(reason)s): two focal points must look.",
    Says.PEER_FROZEN: "%(peer)s has frozen this link (%(reason)s): speak with its focal point.",
    Says.ANSWER: "Carry the answer back: make a courier bag for %(peer)s.",
    Says.EVEN: "Nothing has to go back: both sides have everything.",
}
"""By :class:`Says`; facts: ``peer``, ``sent`` and ``waiting`` entries, ``reason`` (a code)."""
UNSOUND: Final[Mapping[str, str]] = {
    "release.origin": "%(peer)s sent an item that is not its own.",
    "release.recipient": "%(peer)s sent a grant that was made for another Member.",
    "release.fork": "%(peer)s sent two different truths under one version.",
    "release.rule": "%(peer)s sent what no rule alone may open.",
    "release.break-glass": "%(peer)s sent as urgent what a life at risk does not open.",
    "release.readers": "%(peer)s sent a grant wider than its marks permit.",
    "release.until": "%(peer)s sent a grant that outlives its item.",
    "statement.kid": "%(peer)s sent a statement that is not signed with its key.",
    "signature.invalid": "%(peer)s sent a statement that it did not sign.",
    "tree.path": "%(peer)s sent what is not in the release or manifest that it names.",
    "entry.unknown-item": "%(peer)s sent a word about an item of ours that it was never given.",
    "directory.root": "%(peer)s sent an identity under another root than the one we know.",
    "link.unverified": "%(peer)s sent lines before anybody confirmed its node.",
    "frame.account": "%(peer)s sent frames under another Member's name.",
    "frame.signature": "%(peer)s sent frames that it did not sign.",
    "frame.seal": "%(peer)s sent frames that are altered, or made for another key, log or world.",
    "frame.misdirected": "%(peer)s sent frames that are not between it and us.",
    "frame.revoked": "%(peer)s sent frames after it was revoked.",
}
"""What a peer sent that was not believed, by code; fact: ``peer``."""
UNSOUND_KINDS: Final[Mapping[str, str]] = {
    "approval": "%(peer)s sent a release without the approvals that it claims.",
    "release": "%(peer)s sent a release that does not hold.",
    "manifest": "%(peer)s sent an item that does not hold.",
    "section": "%(peer)s sent a section that is not what its item says.",
    "statement": "%(peer)s sent a statement that does not hold.",
    "circle": "%(peer)s sent a word on a circle that does not hold.",
    "directory": "%(peer)s sent a word about itself that does not hold.",
    "onward": "%(peer)s sent a question or answer that does not hold.",
    "entry": "%(peer)s sent a line that does not hold.",
    "blob": "%(peer)s sent pieces that are not what was asked for.",
}
"""The same, by the first part of a code that has no sentence of its own."""
NO_SOUND_NODE: Final = "%(peer)s sent what no sound node sends."


def unsound(code: str) -> str:
    """What was not believed: no content, and a sentence for every code."""
    return UNSOUND.get(code) or UNSOUND_KINDS.get(code.partition(".")[0]) or NO_SOUND_NODE
