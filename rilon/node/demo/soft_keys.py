"""Approval keys of a demo's invented people, in files beside the node, where a browser has no authenticator.

A real node never holds an approver's key: this is reached only where the configuration says ``demo``, which it may say
only of an exercise on this very machine.
"""

from __future__ import annotations

import asyncio
import secrets
import warnings
from functools import partial

from rilon.crypto import approval
from rilon.crypto.approval import ApprovalKey
from rilon.crypto.release import NONCE_BYTES, Approval, ReleaseBody
from rilon.crypto.strongbox import FLOOR, Cost
from rilon.errors import RilonError
from rilon.front.services import SoftKeys
from rilon.node.config import Home

SUFFIX = ".approval-key"


def soft_keys(home: Home, passphrase: str, floor: Cost = FLOOR) -> SoftKeys:
    """What signs in the stead of a demo's people."""
    warnings.warn("This node signs approvals itself: it is a demo.", stacklevel=2)
    return partial(_sign, home, passphrase, floor)


async def _sign(home: Home, passphrase: str, floor: Cost, officer: str, body: ReleaseBody) -> Approval | None:
    key = await asyncio.to_thread(_find, home, passphrase, floor, officer)
    return key.approve(body, secrets.token_bytes(NONCE_BYTES)) if key else None


def _find(home: Home, passphrase: str, floor: Cost, officer: str) -> ApprovalKey | None:
    for path in sorted(home.path.glob(f"*{SUFFIX}")):
        try:
            key = approval.unlock(path.read_bytes(), passphrase, floor=floor)
        except (OSError, RilonError):
            continue
        if key.officer == officer:
            return key
    return None
