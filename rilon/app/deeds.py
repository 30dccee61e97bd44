"""What each officer has done of the main job, for the guided tour: that they did it, and nothing of what it was."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum

from rilon.app.follower import Remembering
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.disclosure import Disclosure
from rilon.domain.holding import Holding
from rilon.domain.officer import Officer
from rilon.domain.permissions import Caller
from rilon.domain.recall import Recall


class Deed(StrEnum):
    """A step of the main job that the log knows somebody took."""

    POST = "post"
    DECIDE = "decide"
    READ = "read"
    RECALL = "recall"
    ENROL = "enrol"


class Deeds(Remembering):
    """Knows who took which step; read from the log anew by each process, and told to that officer alone."""

    name = "deeds"

    def __init__(self) -> None:
        self._done: defaultdict[str, set[Deed]] = defaultdict(set)

    def of(self, caller: Caller) -> frozenset[Deed]:
        """The steps that the caller has taken at this node."""
        return frozenset(self._done.get(caller.ref, ()))

    def _note(self, event: Event) -> None:
        """Note who did what."""
        match event:
            case Alert.Posted():
                self._done[event.author].add(Deed.POST)
            case Disclosure.Approved() | Disclosure.Returned() | Disclosure.Refused():
                self._done[event.by].add(Deed.DECIDE)
            case Holding.Opened() | Holding.Acknowledged() | Holding.Replied():
                self._done[event.by].add(Deed.READ)
            case Recall.Ordered() if event.by is not None:
                self._done[event.by].add(Deed.RECALL)
            case Officer.Enrolled():
                self._done[event.by].add(Deed.ENROL)
