"""An approver's own key, in a passphrase file that stays with the person and is never held by the node."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

from rilon.crypto import labels
from rilon.crypto.keys import SEED_BYTES, SigningKey, VerifyKey
from rilon.crypto.release import Approval, ReleaseBody, approval_challenge, body_digest
from rilon.crypto.strongbox import COST, FLOOR, Cost, Strongbox
from rilon.errors import InvalidError

METHOD: Final = "key-file"
MIN_PASSPHRASE: Final = 12
"""Fewest characters of a passphrase: the file may be stolen and guessed at."""
_KIND: Final = "approval.1"
_OFFICER_BYTES: Final = 16


class ApprovalKey:
    """An unlocked approval key. Approve, then let go of it.

    Attributes:
        officer: opaque id of the person it belongs to.
        public: what the directory lists for that person.
    """

    __slots__ = ("_key", "officer", "public")

    def __init__(self, officer: str, key: SigningKey) -> None:
        self.officer, self.public, self._key = officer, key.public, key

    def __repr__(self) -> str:
        return f"ApprovalKey({self.officer}, {self.public.kid.hex()})"

    def approve(self, body: ReleaseBody, nonce: bytes) -> Approval:
        """Consent to exactly this body.

        Args:
            body: whose grants the person was shown; ``release.verify_grants`` proves that they were all.
            nonce: 32 random bytes.
        """
        return self.consent(body_digest(body), nonce)

    def consent(self, digest: bytes, nonce: bytes) -> Approval:
        """Consent to what has this digest: a release's body, or a colleague who is to approve (``confirm_digest``)."""
        signature = self._key.sign_pair(approval_challenge(digest, nonce))
        return Approval(self.officer, self.public.kid, METHOD, nonce, signature)


def confirm_digest(member: str, officer: str, roles: Iterable[str], key: bytes) -> bytes:
    """What a focal point signs to confirm that this officer of the Member approves, in these roles, by this key.

    Its label keeps it apart from every release's body (docs/spec/releases.md).
    """
    return labels.digest(labels.CONFIRM, member.encode(), officer.encode(), ",".join(sorted(roles)).encode(), key)


def book_digest(book: bytes) -> bytes:
    """What a focal point consents to who signs a rule book: a digest no release's body can have."""
    return labels.digest(labels.RULE_BOOK, book)


def reset_digest(member: str, peer: str, number: int, code: str, logs: tuple[bytes, bytes], evidence: bytes) -> bytes:
    """What a focal point consents to who lets a frozen link go on: this one fork, and no later one.

    Args:
        number: the how manieth fork of the link with ``peer`` this is. code: why it froze.
        logs: ids of the Member's log and of the peer's. evidence: SHA-256 of what was kept of it.
    """
    parts = member.encode(), peer.encode(), number.to_bytes(8, "big"), code.encode(), *logs, evidence
    return labels.digest(labels.RESET, *parts)


def turn_digest(member: str, kid: bytes) -> bytes:
    """What an administrator's passkey signs to replace this KEM key of the Member's, and no later one."""
    return labels.digest(labels.TURN, member.encode(), kid)


def create(passphrase: str, officer: str, *, cost: Cost = COST) -> tuple[bytes, VerifyKey]:
    """Make a key for an officer.

    Args:
        passphrase: at least ``MIN_PASSPHRASE`` characters.
        officer: opaque id, 32 hex digits.
        cost: of one guess at the passphrase.

    Returns:
        The file, and the public key to enrol.

    Raises:
        InvalidError: ``approval.passphrase-short``.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise InvalidError("approval.passphrase-short", f"A passphrase has at least {MIN_PASSPHRASE} characters.")
    key = SigningKey(secrets.token_bytes(SEED_BYTES))
    box = Strongbox.create(_KIND, passphrase, cost=cost)
    return box.seal(bytes.fromhex(officer) + key.seed), key.public


def unlock(data: bytes, passphrase: str, *, floor: Cost = FLOOR) -> ApprovalKey:
    """Open an approval file.

    Raises:
        MalformedError: ``cbor.*``, ``strongbox.format`` or ``key.length``: no approval file.
        RefusedError: ``strongbox.cost``, or ``approval.passphrase``: wrong, or the file was changed.
    """
    _, content = Strongbox.unlock(_KIND, data, passphrase, floor=floor)
    return ApprovalKey(content[:_OFFICER_BYTES].hex(), SigningKey(content[_OFFICER_BYTES:]))
