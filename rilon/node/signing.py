"""The approver's side of an approval, away from the node: check what one was shown, then sign exactly that.

The node is not trusted to show everything: the body, all grants and the tree's seed are checked against each other, so
a grant that was hidden from the approver cannot stand under the body they sign (protocol.md, Release).
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from rilon.crypto import approval, release, strict
from rilon.crypto.approval import ApprovalKey
from rilon.crypto.release import Grant, ReleaseBody
from rilon.errors import RefusedError


def read_key(path: Path, passphrase: str) -> ApprovalKey:
    """An approver's own key from its file.

    Raises:
        RefusedError: ``approval.no-file``, ``approval.passphrase``. MalformedError: no approval file.
    """
    try:
        data = path.read_bytes()
    except OSError:
        fix = "Make one with: rilon officer enrol-key"
        raise RefusedError("approval.no-file", f"There is no approval key at {path}.", fix=fix) from None
    return approval.unlock(data, passphrase)


def checked(waiting: dict[str, Any]) -> tuple[ReleaseBody, tuple[Grant, ...]]:
    """The body to sign and all grants under it, proved to be all.

    Args:
        waiting: the answer of ``GET /v1/approvals/{item}``.

    Raises:
        MalformedError, ProofError: the node shows something else than it wants signed.
    """
    body = strict.decode(b64decode(waiting["body"]), ReleaseBody, limit=release.LIMIT_BYTES)
    grants = {g["position"]: b64decode(g["grant"]) for g in waiting["grants"].values()}
    return body, release.verify_grants(body, grants, b64decode(waiting["seed"]))


def sign(waiting: dict[str, Any], key: ApprovalKey) -> str:
    """The caller's approval of exactly what is shown, in base64 for the API."""
    body, _ = checked(waiting)
    given = key.approve(body, secrets.token_bytes(release.NONCE_BYTES))
    return b64encode(strict.encode(given)).decode()
