"""Keys of a demo's invented people, in files beside the node, where a browser has no authenticator.

A real node never holds anybody's key: this is reached only where the configuration says ``demo``, which it may say only
of an exercise on this very machine.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Final

from rilon.crypto import approval
from rilon.crypto.approval import ApprovalKey
from rilon.crypto.release import NONCE_BYTES, Approval
from rilon.crypto.strongbox import FLOOR, Cost
from rilon.errors import RilonError
from rilon.node.config import Home, write_private

SUFFIX: Final = ".approval-key"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """What signs in the stead of a demo's people.

    Attributes:
        floor: least cost of guessing the passphrase that a file may have, and that of a new one.
    """

    home: Home
    passphrase: str = field(repr=False)
    floor: Cost = FLOOR

    async def make(self, officer: str) -> bytes:
        """The public half of this person's key, made now if there is none."""
        return await asyncio.to_thread(self._make, officer)

    async def consent(self, officer: str, digest: bytes) -> Approval | None:
        """Their consent to what has this digest; None: they have no key here."""
        key = await asyncio.to_thread(self._find, officer)
        return key.consent(digest, secrets.token_bytes(NONCE_BYTES)) if key else None

    def _make(self, officer: str) -> bytes:
        if key := self._find(officer):
            return key.public.raw
        data, public = approval.create(self.passphrase, officer, cost=self.floor)
        write_private(self.home.path / f"{officer}{SUFFIX}", data)
        return public.raw

    def _find(self, officer: str) -> ApprovalKey | None:
        for path in sorted(self.home.path.glob(f"*{SUFFIX}")):
            try:
                key = approval.unlock(path.read_bytes(), self.passphrase, floor=self.floor)
            except (OSError, RilonError):
                continue
            if key.officer == officer:
                return key
        return None


def soft_keys(home: Home, passphrase: str, floor: Cost = FLOOR) -> KeyFiles:
    """What signs in the stead of a demo's people; ``rilon serve`` says so."""
    return KeyFiles(home, passphrase, floor)
