"""What a line about an erasure says: a recall that comes in, and the signed receipt that answers one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from rilon.crypto import recall
from rilon.crypto.keys import VerifyKey
from rilon.domain.identity import Listing
from rilon.domain.recall import Confirmation
from rilon.domain.values import Sensitivity
from rilon.errors import MalformedError, ProofError


def take_receipt(raw: bytes, named: tuple[bytes, bytes], me: str, item: UUID, sender: Listing) -> Confirmation:
    """Check a holder's receipt about an item of ours.

    Args:
        named: manifest and statement, as the line names them.
        sender: the holder's entry in our directory.

    Raises:
        MalformedError, ProofError: ``recalled.holder``, ``statement.*``, ``signature.invalid``; ``entry.recalled``: it
            is about another item, or another statement, than its line.
    """
    receipt, digest = recall.verify(raw, VerifyKey(sender.identity.signing), sender.identity.member)
    if (receipt.origin, receipt.item, receipt.manifest, digest) != (me, item.bytes, *named):
        raise ProofError("entry.recalled", "A receipt is about another item than its line.")
    openings = {s.sensitivity: s.openings for s in receipt.sections}
    return Confirmation(
        peer=receipt.holder,
        manifest=receipt.manifest,
        openings=tuple((s, openings[s]) for s in Sensitivity if s in openings),
        closed_at=datetime.fromtimestamp(receipt.closed, UTC),
        destroyed_at=None if receipt.destroyed is None else datetime.fromtimestamp(receipt.destroyed, UTC),
        statement=raw,
    )


def taken_section(kind: str) -> Sensitivity | None:
    """What a line ``recall.<sensitivity>`` takes back; None: all.

    Raises:
        MalformedError: ``entry.sensitivity``: one this node does not know, so that it holds nothing of it.
    """
    name = kind.partition(".")[2]
    if name and name not in set(Sensitivity):
        raise MalformedError("entry.sensitivity", "A recall names no sensitivity.")
    return Sensitivity(name) if name else None
