"""What the links tell the log: receipts, junk under a peer's name, forks; and their reset by two people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rilon.app.alert_desk import active
from rilon.app.release import check_focal_consent
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto.approval import reset_digest
from rilon.domain.directory import DIRECTORY_ID, Directory, PeerNode, peer_id
from rilon.domain.peer_link import Fork, Logs, PeerLink, Signed, link_stream
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


@dataclass(frozen=True, slots=True)
class Halt:
    """A link that is frozen until two focal points have signed.

    Attributes:
        member: whose node this is. signed: who has, by opaque id.
    """

    member: str
    fork: Fork
    signed: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """What is signed."""
        return to_sign(self.member, self.fork)


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
            directory, known = await unit.get(Directory, DIRECTORY_ID), await unit.get(PeerNode, peer_id(peer))
            link.freeze(code, evidence, _logs(directory, known), at)
            return b""

        await self._work.run(do)

    async def halted(self, by: Caller, peer: str) -> Halt:
        """A frozen link, to look at and to sign.

        Raises:
            RefusedError: not a focal point. NotFoundError: no such peer. ConflictError: ``link.not-frozen``.
        """
        by.must(Action.VERIFY_PEER)
        directory = await self._work.read(Directory, DIRECTORY_ID)
        logs = _logs(directory, await self._work.read(PeerNode, peer_id(peer)))
        link = await self._work.seek(PeerLink, link_stream(peer)) or PeerLink.begin(peer, self._work.clock.now())
        return Halt(directory.me, link.must_be_frozen(logs), link.signed)

    async def reset(self, by: Caller, peer: str, consent: bytes, key: Key | None = None) -> Done:
        """Go on after a fork, by the signatures of two different focal points, one after the other.

        Args:
            consent: an encoded ``rilon.crypto.release.Approval`` of ``Halt.digest``: by the key, not by the token,
                because whoever makes a token can use it.

        Returns:
            The answer is ``waiting`` or ``reset``.

        Raises:
            RefusedError, ConflictError: see ``PeerLink.reset``; or not a focal point. NotFoundError: no such peer.
            ProofError, MalformedError: not this person's signature over this fork.
        """
        by.must(Action.VERIFY_PEER)

        async def do(unit: Unit) -> bytes:
            signer, directory = await active(unit, by), await unit.get(Directory, DIRECTORY_ID)
            logs = _logs(directory, await unit.get(PeerNode, peer_id(peer)))
            link = await self._link(unit, peer)
            check_focal_consent(to_sign(directory.me, link.must_be_frozen(logs)), consent, signer)
            return b"reset" if link.reset(signer.ref, consent, logs, unit.at) else b"waiting"

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


def to_sign(member: str, fork: Fork) -> bytes:
    """What a focal point of a Member signs to let a link go on after this fork (docs/spec/links.md)."""
    return reset_digest(member, fork.peer, fork.number, fork.code, fork.logs, fork.evidence)


def _logs(directory: Directory, peer: PeerNode) -> Logs:
    return directory.own.identity.log_id, peer.identity.log_id
