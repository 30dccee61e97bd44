"""Filling a frame: as many consecutive entries as wait and fit, each with what is live for it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rilon.app.link_facts import Selected
from rilon.app.outgoing import Outgoing
from rilon.app.ports import EventLog, LinkStore
from rilon.crypto import chain
from rilon.crypto.frame import MAX_CONTENT_BYTES
from rilon.domain.base import Event, lines_of
from rilon.domain.values import Line
from rilon.network import wire
from rilon.network.link_state import SendEntries

FRAME_ENTRIES: Final = 64
"""Most entries we put into one frame, so that the first of a long row need not wait for all the others."""
SPAN: Final = 1000
"""How far apart in the log the events of one frame may lie: they are read with one query."""
_ROOM: Final = MAX_CONTENT_BYTES - 2048
"""The body's own fields take less than the rest."""
_LINE_BYTES, _DIGEST_BYTES, _ITEM_BYTES = 96, 34, 16


@dataclass(frozen=True, slots=True)
class Packed:
    """Entries for one frame, from ``first`` to ``last``; ``prev`` is the chain's head before them."""

    first: int
    prev: bytes
    lines: tuple[Line, ...]
    attached: bytes = field(repr=False)

    @property
    def last(self) -> int:
        """Number of the last entry."""
        return self.first + len(self.lines) - 1


class Packer:
    """Reads entries out of the log and gathers their attachments."""

    def __init__(self, log: EventLog, store: LinkStore, outgoing: Outgoing) -> None:
        self._log, self._store, self._outgoing = log, store, outgoing

    async def head(self, peer: str, n: int) -> bytes | None:
        """Our chain's head after entry ``n`` for a peer; None where there is none yet."""
        if n == 0:
            return chain.START
        found = await self._store.selected(peer, n, n)
        return found[0].head if found else None

    async def pack(self, peer: str, send: SendEntries) -> Packed:
        """Fill a frame with the first entries of what is to be sent; at least one.

        Raises:
            RilonError: whatever reading the log or gathering attachments raises.
        """
        last = min(send.upto, send.first + FRAME_ENTRIES - 1)
        before, *entries = await self._from(peer, send.first - 1, last)
        events = await self._events(entries)
        lines: list[Line] = []
        attachments: list[wire.Attachment] = []
        room = _ROOM
        for event in events:
            line, attachment = lines_of(event)[peer], await self._attachment(event, peer)
            room -= _cost(line, attachment)
            if lines and room < 0:
                break
            lines.append(line)
            attachments.append(attachment)
        return Packed(send.first, before.head, tuple(lines), wire.attach(attachments))

    async def _from(self, peer: str, first: int, last: int) -> list[Selected]:
        """Entries up to the last, with the one before them; before the first of all lies the chain's start."""
        start = [] if first else [Selected(peer, 0, 0, chain.START)]
        return start + await self._store.selected(peer, max(first, 1), last)

    async def _events(self, entries: Sequence[Selected]) -> list[Event]:
        """Events of the first entries, as far as one page of the log reaches."""
        start = entries[0].position
        span = min(entries[-1].position - start + 1, SPAN)
        page = {r.position: r.event for r in await self._log.page(start - 1, span)}
        return [page[e.position] for e in entries if e.position in page]

    async def _attachment(self, event: Event, peer: str) -> wire.Attachment:
        attachment = await self._outgoing.attach(event, peer)
        fits = _cost(Line(""), attachment) <= _ROOM - wire.MAX_DIGESTS * _DIGEST_BYTES
        return attachment if fits else wire.withheld("too-large")


def _cost(line: Line, attachment: wire.Attachment) -> int:
    """At most this many bytes of a frame."""
    items = sum(len(name) + len(item) + _ITEM_BYTES for name, item in attachment.items())
    return _LINE_BYTES + _DIGEST_BYTES * len(line.digests) + items
