"""The receipt of an erasure: what a holder says about the keys of one version of another Member's item.

A recall, the end of a grant and a correction end in the same receipt: the keys are gone from the holder's database
(*closed*); and later no copy anywhere opens, because the key-encryption key and every KEM key that a frame with these
sections can have been sealed to are gone too (*destroyed*). Signed as a statement, so that it can be shown to a court.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from rilon.crypto import statement, strict
from rilon.crypto.keys import SigningKey, VerifyKey
from rilon.crypto.strict import Bytes16, Bytes32, Code, Instant, MemberCode
from rilon.errors import ProofError

KIND: Final = "recalled"
LIMIT_BYTES: Final = 2048
Openings = Annotated[int, Meta(ge=0, le=2**53)]


class Closed(strict.Record, frozen=True):
    """A section whose key is gone, and how often it had been opened before.

    Attributes:
        sensitivity: which section.
        openings: of the version, at this holder, until the key was gone; a summary's readings are not counted.
    """

    sensitivity: Code
    openings: Openings


class Receipt(strict.Record, frozen=True):
    """What the holder states.

    Attributes:
        holder, origin: Members. item: the item's id. manifest: digest of the version it is about.
        sections: those whose keys are gone, in order of their names; none when nothing was ever held.
        closed: when their keys had left the database, seconds since 1970.
        destroyed: when nothing that was kept could open them any more; null: not yet.
    """

    holder: MemberCode
    origin: MemberCode
    item: Bytes16
    manifest: Bytes32
    sections: Annotated[tuple[Closed, ...], Meta(max_length=16)]
    closed: Instant
    destroyed: Instant | None

    def __post_init__(self) -> None:
        strict.ordered(tuple(section.sensitivity for section in self.sections))
        if self.destroyed is not None and self.destroyed < self.closed:
            raise ValueError("destroyed before it was closed")


def sign(receipt: Receipt, key: SigningKey) -> tuple[bytes, bytes]:
    """Make the statement; it and its digest."""
    body = strict.encode(receipt)
    return statement.sign(KIND, body, key), statement.statement_digest(KIND, body)


def verify(data: bytes, key: VerifyKey, holder: str) -> tuple[Receipt, bytes]:
    """The receipt in a statement of this holder, and the statement's digest.

    Raises:
        MalformedError: ``cbor.*``, ``statement.*``.
        ProofError: ``statement.*``, ``signature.invalid``; ``recalled.holder``: it speaks for another Member.
    """
    said = statement.verify(data, key, KIND)
    receipt = strict.decode(said.body, Receipt, limit=LIMIT_BYTES)
    if receipt.holder != holder:
        raise ProofError("recalled.holder", "A receipt of an erasure speaks for another Member.")
    return receipt, said.digest
