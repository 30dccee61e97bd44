"""What the links tell the log: receipts, junk under a peer's name, forks; and their reset by two people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rilon.app.alert_desk import active
from rilon.app.unit import Done, Key, Unit, Work
from rilon.domain.directory import DIRECTORY_ID, Directory, PeerNode, peer_id
from rilon.domain.peer_link import Logs, PeerLink, Signed, link_stream
from rilon.domain.permissions import Action, Caller


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a peer signed about our lines.

    Attributes:
        log_id: of the peer's log. upto: last entry it has stored; head: its chain head there.
        through: position in our log of the event whose line entry ``upto`` is.
        refused: (entry, position, code) of those that brought it nothing.
        signed: the receipt.
    """

    log_id: bytes
    upto: int
    through: int
    head: bytes
    refused: tuple[tuple[int, int, str], ...]
    signed: Signed = field(repr=False)


class LinkDesk:
    """Records the facts of links."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def receipted(self, peer: str, facts: ReceiptFacts) -> None:
        """Record a receipt; a repeated one changes nothing. In a new log, ours or the peer's, counting begins anew."""

        def note(link: PeerLink, at: datetime) -> None:
            if link.receipted != (facts.log_id, facts.upto, facts.head):
                link.receipt(facts.log_id, facts.upto, facts.through, facts.head, facts.refused, facts.signed, at)

        await self._note(peer, note)

    async def rejected(self, peer: str, code: str, count: int) -> None:
        """Record bytes under a peer's name that were no sound frame. The courier calls it at most hourly a reason."""
        await self._note(peer, lambda link, at: link.reject_frame(code, count, at))

    async def frozen(self, peer: str, code: str, evidence: bytes) -> None:
        """Record a fork with its evidence, once."""

        async def do(unit: Unit) -> bytes:
            link, at = await self._link(unit, peer), self._work.clock.now()
            link.freeze(code, evidence, await _logs(unit, peer), at)
            return b""

        await self._work.run(do)

    async def reset(self, by: Caller, peer: str, key: Key | None = None) -> Done:
        """Go on after a fork, by two different focal points, one after the other.

        Returns:
            The answer is ``asked`` or ``reset``.

        Raises:
            RefusedError, ConflictError: see ``PeerLink.reset``; or not a focal point. NotFoundError: no such peer.
        """
        by.must(Action.VERIFY_PEER)

        async def do(unit: Unit) -> bytes:
            await active(unit, by)
            logs = await _logs(unit, peer)
            link = await self._link(unit, peer)
            return b"reset" if link.reset(by.ref, logs, self._work.clock.now()) else b"asked"

        return await self._work.run(do, key)

    async def _note(self, peer: str, note: Callable[[PeerLink, datetime], None]) -> Done:
        async def do(unit: Unit) -> bytes:
            note(await self._link(unit, peer), self._work.clock.now())
            return b""

        return await self._work.run(do)

    async def _link(self, unit: Unit, peer: str) -> PeerLink:
        link = await unit.find(PeerLink, link_stream(peer))
        if link is None:
            link = PeerLink.begin(peer, self._work.clock.now())
            unit.add(link)
        return link


async def _logs(unit: Unit, peer: str) -> Logs:
    directory, known = await unit.get(Directory, DIRECTORY_ID), await unit.get(PeerNode, peer_id(peer))
    return directory.own.identity.log_id, known.identity.log_id
