"""One version of another Member's item as a release granted it to us; what its originator forbids, and what we said.

Sections that a grant gives under other conditions are another ``HeldEdition``: whatever looks at one need not know that
a grant can have several.
"""

from __future__ import annotations

from rilon.domain.alert import SectionRef
from rilon.domain.conditions import Conditions, Obligations, Word
from rilon.domain.handling import STATED, Caveat, Handling, Pap, Tlp
from rilon.domain.values import Code, Digest, Instant, Purpose, Sensitivity, Urgency, Value
from rilon.errors import RefusedError


class HeldEdition(Value, frozen=True):
    """One version of an item, as far as one release granted it to us under the same conditions.

    Attributes:
        manifest, digest: the signed manifest and its digest. release: the signed release; its grant and path.
        readers: who may read: ``entitled`` or ``agency:…``, ``desk:…``, ``officer:…``.
        purposes: what it may be opened for; None: not limited.
        onward, court: ``ask`` or ``no``: whether we may ask to share it with a third Member, or to use it in court;
            ``court`` may be ``yes``.
        until: after this instant the grant is over. review_at: at it its originator looks at it again.
        sections: those we were granted; slots are ours. withheld: places of those taken back before they came.
        caveats: the item's; added: those that the originator's rules attached to these sections.
    """

    version: int
    manifest: bytes
    digest: Digest
    kind: Code
    urgency: Urgency
    tlp: Code
    pap: Code
    caveats: tuple[Code, ...]
    review_at: Instant
    basis: Code
    release: bytes
    grant: bytes
    position: int
    path: bytes
    readers: tuple[Code, ...]
    purposes: frozenset[Purpose] | None
    onward: Code
    court: Code
    until: Instant
    sections: tuple[SectionRef, ...]
    withheld: tuple[int, ...] = ()
    added: tuple[Code, ...] = ()

    @property
    def conditions(self) -> Conditions:
        """What its originator laid down for it."""
        purposes = tuple(sorted(self.purposes or ()))
        return Conditions(purposes, self.onward, self.court, self.until, self.added)

    @property
    def obliges(self) -> Obligations:
        """The same, as far as it limits: who asks why is told."""
        onward: Word = "no" if self.onward == "no" else "ask"
        court: Word = "no" if self.court == "no" else "ask"
        added = frozenset(Caveat(c) for c in self.added if c in set(Caveat))
        return Obligations(self.purposes, onward, court, caveats=added)

    def bars(self, sensitivity: Sensitivity, purpose: Purpose) -> RefusedError | None:
        """Why a section is not opened for a purpose, if so; the summary is on the board, so no court need be asked.

        ``holding.purpose``, ``holding.court-no`` or ``holding.court-ask``.
        """
        if self.purposes is not None and purpose not in self.purposes:
            purposes = ", ".join(p.replace("_", " ") for p in sorted(self.purposes)) or "what only newer nodes know"
            message = f"Its originator lets this section be opened only to: {purposes}."
            return RefusedError("holding.purpose", message, fix="Open it for one of these, or ask its originator.")
        if purpose is not Purpose.PROSECUTION or sensitivity is Sensitivity.SUMMARY or self.court == "yes":
            return None
        return _court_bars(self.court)


def _court_bars(said: str) -> RefusedError:
    if said == "no":
        message, fix = (
            "Its originator does not let it be used in court.",
            "Use the channels of mutual legal assistance.",
        )
    else:
        message, fix = "Its originator must be asked before it is used in court.", "Ask: rilon onward ask --court."
    return RefusedError(f"holding.court-{said}", message, fix=fix)


def marks_held(origin: str, edition: HeldEdition) -> Handling:
    """What an item made of another Member's must carry: its marks, and its originator's word on third Members.

    Who else may have it is in lists that were not sent to us. So it goes back to its originator only, unless it is for
    the whole network anyway (TLP:GREEN, CLEAR) and no caveat keeps it (third-party rule; UNTOC Smuggling Protocol art.
    10(2)). A mark that is newer than this node is read as the strictest.
    """
    codes = {Caveat(c) for c in (*edition.caveats, *edition.added) if c in set(Caveat)}
    kept = codes & {Caveat.ORCON, Caveat.THIRD_PARTY_RULE, Caveat.REL_TO, Caveat.NOT_TO}
    free = edition.tlp in {Tlp.GREEN, Tlp.CLEAR} and not kept
    return Handling(
        tlp=Tlp(edition.tlp),
        pap=Pap(edition.pap) if edition.pap in set(Pap) else Pap.RED,
        caveats=frozenset(codes - STATED),
        rel_to=None if free else frozenset({origin}),
        purposes=edition.purposes or None,
        review_by=edition.review_at,
        expires_at=edition.until,
    )
