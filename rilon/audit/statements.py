"""Do the signatures hold? Every statement and approval of a log, checked by the keys that the log itself had then.

Who signs: ``signers``. What is signed: rule books (``books``), own items (``items``), what others granted (``held``),
each checked at the position where it stands.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from rilon.audit.books import Books
from rilon.audit.forks import Forks
from rilon.audit.held import Held
from rilon.audit.items import Items
from rilon.audit.questions import Questions
from rilon.audit.signers import Signers
from rilon.domain.base import Event, Unknown
from rilon.domain.directory import DIRECTORY_ID, Directory, PeerNode, peer_id
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.entry import Entry, entry_id
from rilon.domain.holding import Holding, holding_id
from rilon.domain.onward import Onward, onward_id
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.recall import Recall, recall_id
from rilon.domain.rulebook import RULEBOOK_ID, RuleBooks
from rilon.errors import ProofError


class Statements:
    """The fold of everything that signs, and the check of everything that is signed.

    Args:
        proved: counts what held, as ``statements`` and ``approvals``.
    """

    def __init__(self, proved: Counter[str]) -> None:
        self._newer: set[UUID] = set()
        self.signers = Signers(proved)
        books = Books(self.signers)
        items = Items(self.signers, books, self._newer)
        held, questions = Held(self.signers), Questions(self.signers, items)
        self._folds = self.signers, books, items, held, questions, Forks(self.signers)

    def check(self, event: Event) -> None:
        """Check one event and take in what later ones are checked by.

        Raises:
            ProofError, MalformedError, NotFoundError: what does not hold.
        """
        if isinstance(event, Unknown):
            self._newer.add(event.originator_id)
        if event.originator_id in self._newer:
            return  # what a newer program did to a stream, and what may follow it there, is not known here
        if _name_of(event) != event.originator_id:
            raise ProofError("stream.name", "A stream has another name than what it is about.")
        for fold in self._folds:
            fold.check(event)


def _name_of(event: Event) -> UUID:
    """The stream an opening must stand in, where uniqueness is the rule; any other event's own."""
    name = event.originator_id
    match event:
        case Directory.Founded():
            name = DIRECTORY_ID
        case PeerNode.Introduced():
            name = peer_id(event.identity.member)
        case RuleBooks.Adopted():
            name = RULEBOOK_ID
        case Disclosure.Proposed() | Disclosure.Resumed():
            name = disclosure_id(event.item)
        case Holding.Granted() | Holding.Barred():
            name = holding_id(event.origin, event.item)
        case Onward.Began():
            name = onward_id(event.origin, event.item)
        case Recall.Began() | Recall.Ordered() | Recall.Confirmed():
            name = recall_id(event.item)
        case PeerLink.Began():
            name = link_stream(event.peer)
        case Entry.Accepted() | Entry.Refused() | Entry.Unknown():
            name = entry_id(event.peer, event.log_id, event.seq)
    return name
