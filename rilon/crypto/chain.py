"""The hash chain of a link: one head per line, so that two nodes that agree on a head agree on every line before it.

``head_n = H("rilon link 1", log, to, head_{n-1}, n, SHA-256(line))`` with the length-framed hash of
:mod:`rilon.crypto.labels`; specification: ``docs/spec/links.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from rilon.crypto import labels, strict

START: Final = bytes(32)
"""The head before the first line."""


def line(kind: str, digests: Sequence[bytes]) -> bytes:
    """A line's bytes: the array of its kind and the array of the digests of its statements."""
    return strict.dumps([kind, list(digests)])


def advance(log: bytes, to: str, head: bytes, n: int, line: bytes) -> bytes:
    """The head after line ``n``.

    Args:
        log: id of the sender's log, 16 bytes.
        to: the recipient, a Member id.
        head: the head after line ``n - 1``; ``START`` before line 1.
        n: position of the line in the link, from 1.
        line: the line's bytes as they travel.

    Returns:
        32 bytes.
    """
    return labels.digest(labels.LINK, log, to.encode(), head, n.to_bytes(8, "big"), sha256(line).digest())
