"""Questions for more of an item: asked here of its originator, or heard and answered as its originator."""

from __future__ import annotations

from functools import singledispatchmethod
from uuid import UUID

from rilon.audit.items import Items
from rilon.audit.sameness import same
from rilon.audit.signers import Signers
from rilon.domain.onward import Onward, Request
from rilon.domain.values import Line
from rilon.errors import ProofError


class Questions:
    """The fold of what was asked and answered."""

    def __init__(self, signers: Signers, items: Items) -> None:
        self._signers, self._items = signers, items
        self._about: dict[UUID, str] = {}
        self._open: dict[bytes, Request] = {}

    @singledispatchmethod
    def check(self, event: object) -> None:
        """Check one event, and take in what later ones are checked by. Most ask nothing."""

    @check.register
    def _(self, event: Onward.Began) -> None:
        self._about[event.originator_id] = event.origin

    @check.register
    def _(self, event: Onward.Asked) -> None:
        asked, origin = event.request, self._about.get(event.originator_id, "")
        same((asked.id, asked.asker), (event.text.digest, self._signers.member))
        same(event.to, {origin: Line("onward.ask", (asked.manifest, asked.id))})

    @check.register
    def _(self, event: Onward.Received) -> None:
        if event.request.asker not in self._items.holders(event.item):
            raise ProofError("onward.holder", "Somebody who holds nothing of it asked for more.")
        self._open[event.request.id] = event.request

    @check.register
    def _(self, event: Onward.Answered) -> None:
        asked = self._open.pop(event.request, None)
        if asked is None:
            raise ProofError("onward.unknown", "A question was answered that nobody asked, or twice.")
        line = Line(f"onward.answer.{event.outcome}", (asked.manifest, asked.id))
        same(event.to, {asked.asker: line})
