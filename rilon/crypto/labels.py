"""Every domain-separation label in one place, and the one way to hash with them.

A label says what a hash or a key is *for*, so that bytes made for one purpose are never valid for another. A label is
never reused with another meaning: what changes gets a new number.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

KEY_ID: Final = b"rilon key id 1"
STATEMENT: Final = b"rilon statement 1"
SECTION_KEY: Final = b"rilon section key 1"
SECTION: Final = b"rilon section 1"
LOCAL: Final = b"rilon local 1"
SECTION_TREE: Final = b"rilon section tree 1"
GRANT_TREE: Final = b"rilon grant tree 1"
MEMBER_LISTS: Final = b"rilon member lists 1"
RELEASE_BODY: Final = b"rilon release body 1"
APPROVE: Final = b"rilon approve 1"
CONFIRM: Final = b"rilon confirm 1"
RULE_BOOK: Final = b"rilon rule book 1"
TURN: Final = b"rilon turn key 1"
RESET: Final = b"rilon reset 1"
LINK: Final = b"rilon link 1"
FRAME: Final = b"rilon frame 1"
SLOT: Final = b"rilon slot 1"
WRAP: Final = b"rilon wrap 1"
COMMAND: Final = b"rilon command 1"
REQUEST: Final = b"rilon request 1"
OUTBOX: Final = b"rilon outbox 1"
OUTBOX_X25519: Final = b"rilon outbox x25519 1"
PROVIDER_PERSON: Final = b"rilon provider person 1"
PROVIDER_SESSION: Final = b"rilon provider session 1"
PROVIDER_TICKET: Final = b"rilon provider ticket 1"


def framed(*parts: bytes) -> bytes:
    """Parts joined so that no two lists of parts give the same bytes: each after its length in 8 bytes."""
    return b"".join(piece for part in parts for piece in (len(part).to_bytes(8, "big"), part))


def digest(label: bytes, *parts: bytes) -> bytes:
    """SHA-256 over the label and the parts, each length-framed. 32 bytes."""
    return sha256(framed(label, *parts)).digest()
