"""The courier's notes in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rilon.app.link_facts import Facts, Selected
from rilon.errors import ConflictError


class MemoryLinks:
    """Implements ``LinkStore``."""

    def __init__(self) -> None:
        self._position = 0
        self._links: dict[str, Facts] = {}
        self._entries: dict[tuple[str, int], Selected] = {}

    async def load(self) -> tuple[int, dict[str, Facts]]:
        return self._position, dict(self._links)

    async def save(self, after: int, upto: int, selected: Sequence[Selected], links: Mapping[str, Facts]) -> None:
        if self._position != after:
            raise ConflictError("links.moved", "Another process is this node's courier.")
        self._position = upto
        self._links |= links
        self._entries |= {(entry.peer, entry.n): entry for entry in selected}

    async def selected(self, peer: str, first: int, last: int) -> list[Selected]:
        return [self._entries[peer, n] for n in range(first, last + 1) if (peer, n) in self._entries]
