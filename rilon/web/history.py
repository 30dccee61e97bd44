"""What happened to an item at this node, and to ours at its holders too; the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rilon.domain.delivery import Delivery
from rilon.domain.happened import Happened
from rilon.domain.permissions import Caller
from rilon.front.services import Services
from rilon.projections.board import Entry
from rilon.projections.deliveries import Answer
from rilon.web.language import _, gettext, mark
from rilon.web.words import human, member_name, word

_HERE: Final = {
    "posted": mark("%(member)s has posted it."),
    "recovered": mark("Version %(version)s was lost in a restore, and is known again from what a holder gave back."),
    "forked": mark(
        "A holder gave back another version %(version)s that was signed here: the two contradict each other."
    ),
    "erase-ordered": mark("To be destroyed before its time, here and at every holder: %(sections)s."),
    "sections-erased": mark("Of version %(version)s no key is left here: %(sections)s."),
    "review": mark("Its author and the focal points have been told that its review is near."),
    "expiry": mark("Its author and the focal points have been told that its end is near."),
    "recalled": mark("%(member)s has recalled: %(sections)s."),
    "sections-closed": mark("Destroyed here, as %(member)s is told by a signed receipt: the keys of %(sections)s."),
    "sections-destroyed": mark("No copy kept here opens any more: %(sections)s."),
    "superseded": mark("%(member)s has replaced version %(version)s by a newer one."),
    "withdrawn": mark("%(member)s has withdrawn it."),
    "closed": mark("%(member)s has closed it: its work has ended."),
    "referred": mark("Referred to those here who need it."),
    "opened": mark("Opened here: %(sections)s. Purpose: %(purpose)s."),
    "arrived": mark("The attachments are whole here."),
    "acknowledged": mark("%(member)s has acknowledged it."),
    "asker": mark("The answer takes longer: %(member)s must supply something first."),
    "court": mark("The answer takes longer: a judge or prosecutor must authorise it."),
    "third-party": mark("The answer takes longer: another Member, whose information it is, must consent."),
    "translation": mark("The answer takes longer: what was asked must be translated first."),
    "force-majeure": mark("The answer takes longer: something that nobody here can help stands in its way."),
    "resumed": mark("The clock of the answer runs on."),
    "duty_desk": mark("Something owed was not done in time: the duty desk here has been told."),
    "focal_point": mark("Something owed was not done in time: the focal points here have been told."),
    "reminded": mark("%(member)s had lost it in a restore, and got back from here what it had signed."),
}
"""What happened here, by what it was, else by its code."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened."""

    at: datetime
    what: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply with its opened text."""

    answer: Answer
    text: str | None


async def moments(
    services: Services, caller: Caller, entry: Entry, sent: Sequence[Delivery], replied: Sequence[Replied]
) -> list[Moment]:
    """What is known to have happened, newest first."""
    origin = entry.origin or services.me
    told = await services.reading.history(caller, origin, entry.item)
    found = [Moment(h.at, in_words(h, origin, services.me) + _by(h, caller), text) for h, text in told]
    found += [moment for delivery in sent for moment in _steps(delivery)]
    found += [Moment(r.answer.at, f"{member_name(r.answer.peer)}: {word('reply', r.answer.kind)}") for r in replied]
    return sorted(found, key=lambda m: m.at)[::-1]  # of one commit, what comes last is newest


def in_words(happened: Happened, origin: str, me: str) -> str:
    """What happened at this node, in a sentence."""
    facts = {
        "member": member_name(me if happened.what in {"acknowledged", "replied"} else origin),
        "version": happened.version,
        "sections": ", ".join(word("sensitivity", s) for s in happened.sections),
        "purpose": human(happened.code),
    }
    if happened.what == "granted":
        came = _("Received from %(member)s", member=facts["member"])
        version = _("version")
        return f"{came} · {version} {happened.version} · {word('basis', happened.code)} · {facts['sections']}"
    if happened.what == "replied":
        return f"{facts['member']}: {word('reply', happened.code)}"
    return gettext(_HERE.get(happened.what) or _HERE[happened.code]) % facts


def _by(happened: Happened, caller: Caller) -> str:
    if not happened.by:
        return ""
    return " · " + (_("You") if happened.by == caller.ref else _("Officer") + " " + happened.by[-6:])


def _steps(delivery: Delivery) -> list[Moment]:
    what = word("line", delivery.kind.partition(".")[0])
    said = {"member": member_name(delivery.recipient), "what": what, "code": delivery.code}
    steps = (
        (delivery.sent_at, _("%(what)s: on its way to %(member)s.", **said)),
        (delivery.stored_at, _("%(what)s: %(member)s has signed for it.", **said)),
        (delivery.refused_at, _("%(what)s: the node of %(member)s found it unsound (%(code)s).", **said)),
        (delivery.arrived_at, _("The attachments are whole at %(member)s.", **said)),
        (delivery.opened_at, _("%(member)s has opened a section above the summary.", **said)),
        (delivery.acknowledged_at, _("%(member)s has acknowledged it.", **said)),
        (delivery.acted_at, _("%(member)s has acted on it.", **said)),
        (
            delivery.closed_at if delivery.recall else None,
            _("%(member)s has destroyed the keys it held.", **said) + _counted(delivery),
        ),
        (delivery.destroyed_at if delivery.recall else None, _("No copy that %(member)s kept opens any more.", **said)),
    )
    return [Moment(at, words) for at, words in steps if at is not None]


def _counted(delivery: Delivery) -> str:
    """How often it had been opened there before: the holder's own count, in its signed receipt."""
    counts = [f"{word('sensitivity', s)} {n}" for s, n in delivery.opened_before]
    return " " + _("Opened before: %(counts)s.", counts=", ".join(counts)) if counts else ""
