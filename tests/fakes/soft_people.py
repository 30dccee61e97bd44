"""A demo's keys, kept in memory instead of in files."""

from __future__ import annotations

import re
from hashlib import sha256

from rilon.crypto.approval import ApprovalKey
from rilon.crypto.keys import SigningKey
from rilon.crypto.release import Approval
from tests.nodes import Person


class SoftPeople:
    """Whose keys lie beside a node."""

    def __init__(self) -> None:
        self._keys: dict[str, ApprovalKey] = {}

    def take(self, person: Person) -> None:
        """Keep a key that somebody has already."""
        assert person.key is not None
        self._keys[person.caller.ref] = person.key

    async def make(self, officer: str) -> bytes:
        seed = b"".join(sha256(officer.encode() + bytes([n])).digest() for n in range(2))
        key = self._keys.setdefault(officer, ApprovalKey(officer, SigningKey.from_seed(seed)))
        return key.public.raw

    async def consent(self, officer: str, digest: bytes) -> Approval | None:
        key = self._keys.get(officer)
        return key.consent(digest, b"n" * 32) if key else None


def soft(page: str) -> dict[str, str]:
    """What a page's demo button sends, beside what a person fills in."""
    form = re.search(r'<form[^>]*>(?:(?!</form>).)*name="soft".*?</form>', page, re.DOTALL)
    assert form is not None
    return dict(re.findall(r'type="hidden" name="([a-z]+)" value="([^"]*)"', form[0]))
