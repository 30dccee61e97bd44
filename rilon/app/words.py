"""What people wrote about an item: replies, questions, comments, reasons. Its keys go with the item's own.

A reply quotes what it answers, and a reason says what somebody asked to have forgotten, so neither may outlive it.
"""

from __future__ import annotations

from uuid import UUID

from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding, holding_id
from rilon.domain.onward import Onward
from rilon.domain.recall import Recall
from rilon.domain.values import Sealed


class Words:
    """A fold: by alert or holding, the slots of what was written about it.

    Attributes:
        orders: why something was recalled or ordered to be erased. It stays until the item's end, or nobody could say
            why something was destroyed before its time.
    """

    def __init__(self) -> None:
        self.written: dict[UUID, list[bytes]] = {}
        self.orders: dict[UUID, list[bytes]] = {}
        self._items: dict[UUID, UUID] = {}

    def fold(self, event: Event) -> UUID | None:
        """Take in an event; whose words it brought, None for nobody's."""
        match event:
            case Alert.Posted():
                self._items[disclosure_id(event.originator_id)] = event.originator_id
            case Onward.Began():
                self._items[event.originator_id] = holding_id(event.origin, event.item)
        whose, text = self._of(event)
        if whose is None or text is None:
            return None
        kept = self.orders if isinstance(event, Recall.Ordered | Alert.EraseOrdered) else self.written
        kept.setdefault(whose, []).append(text.slot)
        return whose

    def _of(self, event: Event) -> tuple[UUID | None, Sealed | None]:
        found: tuple[UUID | None, Sealed | None] = None, None
        match event:
            case Alert.Corrected():
                found = event.originator_id, event.extended
            case Alert.Withdrawn() | Alert.EraseOrdered():
                found = event.originator_id, event.reason
            case Disclosure.Returned():
                found = self._items.get(event.originator_id), event.comment
            case Disclosure.Refused():
                found = self._items.get(event.originator_id), event.reason
            case Recall.Ordered():
                found = event.item, event.reason
            case Entry.Accepted() | Onward.Received():
                found = event.item, event.text
            case Holding.Replied():
                found = event.originator_id, event.text
            case Onward.Asked():
                found = self._items.get(event.originator_id), event.text
        return found
