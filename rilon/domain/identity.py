"""What a Member says of itself, and what another node keeps of it (docs/spec/directory.md)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta

from rilon.domain.values import Code, Digest, LogId, MemberId, OfficerId, Sensitivity, Value

_Number = Annotated[int, Meta(ge=1, le=2**62)]
_VerifyKey = Annotated[bytes, Meta(min_length=1984, max_length=1984)]
_KemKey = Annotated[bytes, Meta(min_length=1216, max_length=1216)]
MAX_APPROVERS = 24
"""More would not fit into a roster's statement."""
_ApproverKey = Annotated[bytes, Meta(min_length=64, max_length=1984)]
_Account = Annotated[str, Meta(pattern=r"\A(A[A-Z2-7]{55})?\Z")]
_Approvers = Annotated[tuple["Approver", ...], Meta(max_length=MAX_APPROVERS)]


class Identity(Value, frozen=True):
    """What a root-signed identity statement says; see docs/spec/directory.md.

    Attributes:
        seq: grows with each statement of this Member. root, signing: verify keys; link: Ed25519 public key.
        log_id: the Member's log; a new one means a restored or replaced log. world: ``real`` or ``exercise``.
    """

    member: MemberId
    seq: _Number
    root: _VerifyKey
    signing: _VerifyKey
    link: Digest
    log_id: LogId
    world: Literal["real", "exercise"]


class Approver(Value, frozen=True):
    """A person who may approve, by opaque id and own public key; no name.

    Attributes:
        key: of a key file, 1,984 bytes; or a passkey with its origin (``rilon.crypto.passkey.Listed``).
    """

    officer: OfficerId
    key: _ApproverKey


class Roster(Value, frozen=True):
    """What a roster statement says: the KEM key to seal to, and who approves how.

    Attributes:
        kem: X-Wing public key, 1,216 bytes. two_for: sensitivities that need two approvers in that Member.
        account: what the hub calls this Member, its account's public key; "" while it has none.
    """

    member: MemberId
    seq: _Number
    kem: _KemKey
    approvers: _Approvers
    two_for: tuple[Sensitivity, ...]
    account: _Account

    def __post_init__(self) -> None:
        """Sets have one form: sorted (approvers by id), each once. Raises ValueError."""
        for names in ([a.officer for a in self.approvers], self.two_for):
            if not all(a < b for a, b in pairwise(names)):
                raise ValueError("a set that is not sorted, or names something twice")


class Listing(Value, frozen=True):
    """A Member's entry as this node knows it now."""

    identity: Identity
    identity_statement: bytes
    roster: Roster | None = None
    roster_statement: bytes = b""
    standing: Code = "unverified"
