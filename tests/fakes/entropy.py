"""Entropy that a seed repeats."""

from __future__ import annotations

import random
from uuid import UUID


class SeededEntropy:
    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._drawn = 0

    def bytes(self, n: int) -> bytes:
        return self._random.randbytes(n)

    def uuid(self) -> UUID:
        """UUIDv7 whose milliseconds are a counter, so that ids are ordered as they were drawn."""
        self._drawn += 1
        rest = self._random.getrandbits(74)
        return UUID(int=self._drawn << 80 | 0x7 << 76 | (rest >> 62) << 64 | 0b10 << 62 | rest & (1 << 62) - 1)
