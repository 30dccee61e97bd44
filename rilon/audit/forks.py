"""Frozen links of a log: each went on only by the signatures of two focal points over the very fork."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import cast
from uuid import UUID

from rilon.app.link_desk import to_sign
from rilon.app.release import check_focal_consent
from rilon.audit.signers import Signers
from rilon.domain.peer_link import SIGNERS, PeerLink
from rilon.errors import ProofError


class Forks:
    """The fold of what stopped links and let them go on."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._links: dict[UUID, PeerLink] = {}

    @singledispatchmethod
    def check(self, event: object) -> None:
        """Check one event, and take in what later ones are checked by. Most are about no fork."""

    @check.register
    def _(self, event: PeerLink.Began) -> None:
        self._links[event.originator_id] = cast("PeerLink", event.mutate(None))

    @check.register
    def _(self, event: PeerLink.Frozen) -> None:
        event.apply(self._link(event.originator_id))

    @check.register
    def _(self, event: PeerLink.ResetSigned) -> None:
        link = self._link(event.originator_id)
        if link.fork is None or event.by in link.signed:
            raise ProofError("link.second-person", "Somebody reset a link that was not frozen, or signed twice.")
        digest = to_sign(self._signers.member, link.fork)
        check_focal_consent(digest, event.consent, self._signers.person(event.by))
        event.apply(link)
        self._signers.proved["approvals"] += 1

    @check.register
    def _(self, event: PeerLink.Reset) -> None:
        link = self._link(event.originator_id)
        if len(link.signed) < SIGNERS:
            raise ProofError("link.unsigned", "A frozen link goes on that two focal points have not signed.")
        event.apply(link)

    def _link(self, stream: UUID) -> PeerLink:
        if stream not in self._links:
            raise ProofError("stream.opening", "A link was frozen that never began.")
        return self._links[stream]
