"""Do the links continue? The lines of the log, chained again from its first event, against what peers have signed.

The n-th line addressed to a peer is entry n of the link to it; a receipt states the chain's head after it. A line that
was edited, dropped, added or moved changes every head after it, and the receipts say which head the peer saw. Each is
kept as the peer signed it, so that nobody need believe the node that shows it.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from rilon.app.link_facts import LinkBook, Selected
from rilon.crypto import chain, frame
from rilon.domain.base import Event
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.entry import Entry
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.errors import FatalError, ProofError
from rilon.network import wire

_ENTRIES = Entry.Accepted | Entry.Refused | Entry.Unknown
_IDENTITIES = (Directory.Founded, Directory.IdentityChanged, PeerNode.Introduced, PeerNode.IdentityChanged)


class Chains:
    """The fold of the links, compared with the receipts.

    Args:
        log: id of the log; lines of an older log of this node are not chained on.

    Attributes:
        lines, receipts: how many were checked.
    """

    def __init__(self, log: bytes) -> None:
        self._log = log
        self._book: LinkBook | None = None
        self._sent: dict[str, list[Selected]] = {}
        self._peers: dict[UUID, str] = {}
        self._broken: set[str] = set()
        self._keys: dict[str, set[bytes]] = {}
        self.lines = self.receipts = 0

    def check(self, position: int, event: Event) -> None:
        """Take in one event of the log.

        Raises:
            FatalError: ``link.log-gap``, ``link.newer-event``.
            ProofError: ``link.head``: a receipt contradicts the lines of the log; ``link.receipt``: the event says
                something else than the receipt; ``frame.signature``: the peer did not sign it.
            MalformedError: ``cbor.*``: what the peer is said to have signed is no receipt.
        """
        if isinstance(event, Directory.Founded) and self._book is None:
            self._book = LinkBook(event.identity.member, self._log, {})
        if isinstance(event, _IDENTITIES):
            self._keys.setdefault(event.identity.member, set()).add(event.identity.link)
        if isinstance(event, PeerLink.Began):
            self._peers[event.originator_id] = event.peer
        if self._book is None or (isinstance(event, _ENTRIES) and event.peer in self._broken):
            return
        if isinstance(event, PeerLink.Receipted):
            self._check_receipt(self._book, event)
        self._fold(self._book, position, event)

    def check_selected(self, noted: Selected) -> None:
        """Check an entry that the courier noted.

        Raises:
            ProofError: ``link.selected``: the log addresses another line there.
        """
        sent = self._sent.get(noted.peer, [])
        if not (0 < noted.n <= len(sent) and sent[noted.n - 1] == noted):
            raise ProofError(
                "link.selected", f"The courier notes another entry {noted.n} for {noted.peer} than the log."
            )

    def _fold(self, book: LinkBook, position: int, event: Event) -> None:
        try:
            found = book.fold(position, event)
        except FatalError as error:
            # Every later line would be told again; one finding says it all.
            if isinstance(event, _ENTRIES):
                self._broken.add(event.peer)
            elif error.code == "link.newer-event":
                self._book = None
            raise
        for selected in found:
            self._sent.setdefault(selected.peer, []).append(selected)
        self.lines += len(found) + isinstance(event, _ENTRIES)

    def _check_receipt(self, book: LinkBook, event: PeerLink.Receipted) -> None:
        peer = self._peers.get(event.originator_id)
        if peer is None or event.originator_id != link_stream(peer):
            raise ProofError("link.unknown", "A receipt belongs to no link.")
        self._check_signed(peer, event)
        mine, theirs = book.links.get(book.me), book.links.get(peer)
        if mine is None or theirs is None or (mine.peer_log, theirs.peer_log) != (self._log, event.log_id):
            return  # about an older log of one of the two
        sent = self._sent.get(peer, [])
        seen = [(0, chain.START), *((s.position, s.head) for s in sent)]
        if not 0 <= event.upto < len(seen) or seen[event.upto] != (event.through, event.head):
            raise ProofError("link.head", f"The receipt of {peer} is about other lines than the log has.")
        if any(not 0 < n <= event.upto or sent[n - 1].position != where for n, where, _ in event.refused):
            raise ProofError("link.refused", f"A refusal of {peer} names a line that the log does not have there.")
        self.receipts += 1

    def _check_signed(self, peer: str, event: PeerLink.Receipted) -> None:
        """By a link key that the log had from the peer's root by then: a receipt may overtake the next key's news."""
        said, refused = wire.parse(event.signed.said), {(n, code) for n, _, code in event.refused}
        told = (event.log_id, event.upto, event.head)
        if not isinstance(said, wire.Receipt) or (said.log, said.upto, said.head) != told:
            raise ProofError("link.receipt", f"The log says something else than the receipt of {peer}.")
        if not refused <= set(said.refused):
            raise ProofError("link.receipt", f"The log says that {peer} refused what it did not.")
        for key in self._keys.get(peer, ()):
            with suppress(ProofError):
                return frame.verify_proof(event.signed.proof, event.signed.said, key)
        raise ProofError("frame.signature", f"{peer} did not sign this receipt.")
