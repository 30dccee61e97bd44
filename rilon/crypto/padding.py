"""Padmé padding: a length tells its size class and no more, for at most 12 % of overhead.

Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs" (PoPETs 2019), §4. Padded
bytes are a 4-byte big-endian length, the data, and zeros. There is exactly one padding of given data: the reader
refuses every other, so that no bytes can be hidden or changed unseen where nobody looks.
"""

from __future__ import annotations

from typing import Final

from rilon.errors import MalformedError

PREFIX_BYTES: Final = 4


def size_class(length: int, floor: int) -> int:
    """The Padmé size that ``length`` bytes are padded to, at least ``floor``."""
    if length <= floor:
        return floor
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (length + mask) & ~mask


def pad(data: bytes, floor: int) -> bytes:
    """Data with its length in front and zeros behind, ``size_class`` bytes in all."""
    filling = size_class(PREFIX_BYTES + len(data), floor) - PREFIX_BYTES - len(data)
    return b"".join((len(data).to_bytes(PREFIX_BYTES, "big"), data, bytes(filling)))  # one copy: data may be megabytes


def unpad(padded: bytes, floor: int) -> bytes:
    """The data inside padded bytes.

    Raises:
        MalformedError: ``padding.form``: the size is not that of the data's class, or the filling is not zeros.
    """
    end = PREFIX_BYTES + int.from_bytes(padded[:PREFIX_BYTES], "big")
    if len(padded) != size_class(end, floor) or padded.count(0, end) != len(padded) - end:
        raise MalformedError("padding.form", "The padding is not the one these bytes must have.")
    return padded[PREFIX_BYTES:end]
