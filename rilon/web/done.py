"""What was done, told on the page that one comes back to: the frame shows it, and the focus goes there.

A handler leads on with ``?done=`` and a code; the page's template and the code find the sentence. A code that is not
here says nothing, so no link from elsewhere can put words on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rilon.web.language import gettext, mark

_DONE: Final = mark("Done.")
_TOLD: Final[Mapping[str, Mapping[str, str]]] = {
    "approval.html": {
        "cut": mark("Cut. What is left waits to be signed."),
        "granted": mark("Drafted. Read it and sign it, like any other."),
    },
    "approvals.html": {
        "released": mark("Signed and released. It is on its way."),
        "waiting": mark("Signed. A second person must sign too."),
        "returned": mark("Returned to its author with your comment."),
        "refused": mark("Refused. Nothing leaves."),
        "reviewed": _DONE,
        "answered": _DONE,
    },
    "circle.html": {
        "convened": mark("Convened. Its members are told."),
        "proposed": mark(
            "Signed, and sent to the other co-chair. It is active once they have signed too; then its members are told."
        ),
        "changed": mark("Changed. Its members are told."),
        "consented": mark("Signed. It is active once the chair has your signature; then its members are told."),
        "closed": mark("Closed. Its members read what came of it."),
    },
    "circles.html": {"left": mark("Left. The chair is told, and the other members by it.")},
    "item.html": {
        "posted": mark("Posted. What the rules allow is on its way; what they ask waits for a focal point."),
        "corrected": mark("Corrected. Every holder learns that there is a newer version."),
        "closed": mark("Closed. Every holder is told."),
        "referred": mark("Done: they read it from now on."),
        "asked": mark("Asked. Their answer appears here."),
        "acknowledged": mark("Acknowledged. The originator is told."),
        "answered": mark("Your answer is on its way to the originator."),
        "withdrawn": mark("Withdrawn. Every holder is told."),
        "recalled": mark("Recalled. Below stands who has destroyed it, by signed receipt."),
        **dict.fromkeys(("assign", "unassign", "watch", "unwatch"), _DONE),
    },
    "keys.html": {"turned": mark("Turned. Every other node is told, and seals to the new key from then on.")},
    "me.html": {
        "passkey-removed": mark("The passkey is removed. What it had opened has ended."),
        "account-removed": mark("The account is removed. What it had opened has ended."),
        "session-ended": mark("That session has ended."),
        "relieved": mark("You no longer decide in their place."),
    },
    "peer.html": {
        "verified": mark("Verified. From now on things are sealed to this node."),
        "revoked": mark("Cut off. Nothing is sealed to it or taken from it any more."),
        "asked": mark("Noted. A second, different focal point must say the same."),
        "reset": mark("Said by two: the link goes on."),
    },
    "person.html": {
        "enrolled": mark("Enrolled. Make a one-time link now, with which they come in."),
        "confirmed": mark("Confirmed, by your signature. The other nodes are told."),
        "suspended": mark("Suspended. All their access has ended."),
        "called-upon": mark("They decide in your place until then."),
        **dict.fromkeys(("roles", "reinstated", "unbound", "relieved"), _DONE),
    },
    "reach.html": {
        "set": mark("Set."),
        "forgotten": mark("Forgotten, and erased."),
        "tested": mark("A test was sent."),
    },
    "rules.html": {
        "drafted": mark("Put up. Two focal points sign it, then it is in force."),
        "waiting": mark("Signed. A second focal point must sign too."),
        "published": mark("Signed by two: it is in force from now on. What waits for approval is judged by it."),
        "dropped": mark("The draft is taken back."),
        "ended": mark("Ended. From now on nothing is allowed by that agreement."),
    },
    "teams.html": {
        "formed": mark("The team is formed. Take in who belongs to it."),
        "joined": mark("They are in the team now."),
        "left": mark("They are out of the team."),
        "dissolved": mark("The team is dissolved."),
    },
}


def told(template: str, code: str) -> str:
    """What a page says was done; "" when nothing was."""
    sentence = _TOLD.get(template, {}).get(code)
    return gettext(sentence) if sentence else ""
