"""Padmé padding: what is sealed shows its size class only, at a cost of at most 12 % above the floor.

The rule is that of Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs"
(2019): a length keeps only as many significant bits as its exponent has. The length stands in front, the filling is
zero and the total follows from the length, so a text has exactly one padded form and nothing hides in the filling.
"""

from __future__ import annotations

from typing import Final

from rilon.errors import ProofError

HEADER_BYTES: Final = 8


def padme(length: int, floor: int) -> int:
    """The padded size of ``length`` bytes: at least ``floor``, else the next Padmé size."""
    if length <= floor:
        return floor
    exponent = length.bit_length() - 1
    spare = (1 << (exponent - exponent.bit_length())) - 1
    return (length + spare) & ~spare


def padded_length(plain_bytes: int, floor: int) -> int:
    """How long :func:`pad` makes a text of ``plain_bytes``."""
    return padme(HEADER_BYTES + plain_bytes, floor)


def pad(plaintext: bytes, floor: int) -> bytes:
    """Length in 8 bytes, text, zeros. ``floor`` is a Padmé size itself (a power of two), in bytes."""
    filling = padded_length(len(plaintext), floor) - HEADER_BYTES - len(plaintext)
    return b"".join((len(plaintext).to_bytes(HEADER_BYTES, "big"), plaintext, bytes(filling)))


def unpad(padded: bytes, floor: int) -> bytes:
    """The text inside.

    Raises:
        ProofError: ``padding.form``: not the one padded form of any text.
    """
    length = int.from_bytes(padded[:HEADER_BYTES], "big")
    end = HEADER_BYTES + length
    filling = len(padded) - end
    if filling < 0 or len(padded) != padme(end, floor) or padded.count(0, end) != filling:
        raise ProofError("padding.form", "What was sealed is not padded as it must be.")
    return padded[HEADER_BYTES:end]
