"""Receiving: frames are opened, given to the core of their link, and what it asks for is done, in this order.

Commit, tell the core, and only then the bus: a frame that was not dealt with to the end comes again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from rilon.app.directory_desk import Introduction, read_identity
from rilon.app.failpoints import Failpoint
from rilon.app.link_desk import ReceiptFacts
from rilon.app.post import Arrived
from rilon.crypto import frame
from rilon.crypto.frame import Frame, Opened
from rilon.domain.peer_link import Signed
from rilon.errors import MalformedError, ProofError, UnavailableError
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_state import Acked, Bundle, Drop, Effect, Freeze, Store, Take
from rilon.network.office import Office
from rilon.network.packing import Packer
from rilon.network.peer import Hand, Peer
from rilon.network.ports import Bus

RECEIPT_S: Final = 0.05
"""How long a receipt waits: officers here are told first, and one may answer several frames (RFC 1122, 4.2.3.2)."""


class Taker:
    """Receives from all peers; one task hands frames out, and one for each peer deals with them in order.

    Args:
        meet: holds the links against the directory, after a peer has introduced itself anew.
    """

    def __init__(self, office: Office, packer: Packer, meet: Callable[[], Awaitable[None]]) -> None:
        self._office, self._packer, self._meet = office, packer, meet
        self._one = asyncio.Lock()

    async def receive(self, bus: Bus, peers: Mapping[str, Peer]) -> None:
        """Hand frames to their peers until cancelled. What is under no peer's name is dropped.

        Raises:
            UnavailableError: ``bus.closed``.
        """
        async for incoming in bus.frames():
            try:
                outside = frame.parse(incoming.frame)
            except MalformedError:
                await incoming.ack()
                continue
            peer = peers.get(outside.sender)
            if peer is None:
                await incoming.ack()
            elif liar := _liar(peers, peer, outside, incoming.sender):
                await self._reject(liar, "frame.account")
                await incoming.ack()
            elif not peer.inbox.full():  # else it stays with the bus, so that no peer's flood holds up another
                peer.inbox.put_nowait((outside, incoming))
        raise UnavailableError("bus.closed", "The bus was closed.")

    async def take_in(self, peer: Peer) -> None:
        """Deal with a peer's frames until cancelled.

        Raises:
            ConflictError: the log holds more of this peer than we know: begin anew.
            UnavailableError: it is not known what was stored: begin anew.
        """
        while True:
            outside, incoming = await peer.inbox.get()
            async with peer.taking:
                if refused := await self._take_frame(peer, outside, incoming.sender):
                    await self._reject(peer, refused)
            peer.wake_soon(RECEIPT_S if peer.link.inn.receipt_due else 0.0)
            await self._office.hook(Failpoint.COURIER_BEFORE_ACK)
            await incoming.ack()

    async def take_bag(self, peer: Peer, frames: Sequence[Frame]) -> Counter[str]:
        """Deal with a bag's frames in order. What is not believed counts against nobody: any hand may have written it.

        Returns:
            How many were refused, by code.

        Raises:
            ConflictError, UnavailableError: as ``take_in``; the frames before are taken, and the bag may come again.
        """
        refused: Counter[str] = Counter()
        async with peer.taking:
            peer.hand = Hand()
            for outside in frames:
                refused[await self._take_frame(peer, outside, None)] += 1
        peer.wake.set()
        del refused[""]
        return refused

    async def _take_frame(self, peer: Peer, outside: Frame, account: str | None) -> str:
        """Deal with one frame; the code with which it was refused, or ""."""
        link = peer.link
        try:
            effects = await self._read(peer, outside, account)
        except (MalformedError, ProofError) as refused:
            return refused.code
        await self._do(peer, link, effects)
        return ""

    async def _read(self, peer: Peer, outside: Frame, account: str | None) -> list[Effect]:
        """What an authentic frame says, given to the core. Raises MalformedError, ProofError."""
        if peer.listing.standing == "revoked":
            raise ProofError("frame.revoked", "This peer's node is revoked.")
        if outside.form == frame.HELLO:
            return await self._hear(peer, outside, account)
        peer.check_account(account)
        opened = self._open(peer, outside)
        peer.link.alive(_now())
        body = wire.parse(opened.body)
        effects = await self._hand(peer, body, opened, len(outside.payload))
        if account is None and not any(isinstance(effect, Drop) and effect.suspicious for effect in effects):
            peer.hand.note(body)
        return effects

    def _open(self, peer: Peer, outside: Frame) -> Opened:
        try:
            return peer.open_(outside, self._office.keys.ring())
        except ProofError:
            peer.link.estranged(_now())
            raise

    async def _hand(self, peer: Peer, body: wire.SealedBody, opened: Opened, size_bytes: int) -> list[Effect]:
        link = peer.link
        match body:
            case wire.Entries():
                attachments = wire.attached(opened.attached, body)
                return link.entries(Bundle(body, attachments, opened.proof, size_bytes))
            case wire.Receipt():
                return link.receipt(body, opened.proof, await self._packer.head(peer.name, body.upto), _now())
            case wire.Want():
                return link.want(body)
            case wire.Blob():
                return link.blob(body)
            case wire.Gone():
                return link.gone(body, _now())
        return [Drop("wire.not-served", suspicious=True)]

    async def _hear(self, peer: Peer, outside: Frame, account: str | None) -> list[Effect]:
        """A hello: first the statements in it, which prove themselves; then the rest, with what they name."""
        said = wire.parse_hello(frame.claimed_hello(outside))
        await self._introduce(peer, said.chain)
        peer.check_account(account)
        opened = peer.verify_hello(outside)
        head = await self._packer.head(peer.name, said.upto)
        return peer.link.hello(said, opened.proof, head, _now())

    async def _introduce(self, peer: Peer, statements: tuple[bytes, ...]) -> None:
        digest = sha256(b"".join(statements)).digest()
        if digest == peer.introduced:
            return
        if len(statements) != 2:  # noqa: PLR2004 - identity and roster
            raise MalformedError("link.chain", "A hello brings an identity and a roster.")
        identity, known = read_identity(statements[0]), peer.listing.identity
        if (identity.member, identity.root) != (peer.name, known.root):
            # Anybody can sign an identity with a root of their own. A new root comes by invitation, never by frame.
            raise ProofError("directory.root", "This identity is not signed by the root that we know.")
        await self._office.directory.take_in(Introduction(*statements))
        await self._meet()
        peer.introduced = digest

    async def _do(self, peer: Peer, link: Link, effects: Sequence[Effect]) -> None:
        waiting = list(effects)
        while waiting:
            match waiting.pop(0):
                case Store() as store:
                    waiting += await self._store(peer, link, store)
                case Take(blob):
                    await self._take(peer, link, blob)
                case Acked() as acked:
                    await self._receipted(peer, acked)
                case Freeze(code, evidence):
                    await self._office.links.frozen(peer.name, code, evidence)
                case Drop(code, suspicious=True):
                    await self._reject(peer, code)

    async def _store(self, peer: Peer, link: Link, store: Store) -> list[Effect]:
        arrived = [Arrived(a.seq, a.line, a.attachment) for a in store.arrivals]
        codes = await self._office.incoming.accept(peer.name, link.ends.peer_log, arrived)
        await self._office.hook(Failpoint.COURIER_AFTER_COMMIT)
        link.fetching.wake(_now())
        return link.stored(store, {a.seq: code for a, code in zip(arrived, codes, strict=True) if code})

    async def _take(self, peer: Peer, link: Link, blob: wire.Blob) -> None:
        async with self._one:  # a whole is some 16 MiB: one in memory at a time, whoever sends
            code = await self._office.parcels.take(peer.name, blob.digest, blob.offset, blob.total, blob.piece)
        await self._office.hook(Failpoint.COURIER_AFTER_PIECE)
        if code:  # what does not fit its digest would come again and again: not before the next start
            link.fetching.refused(blob.digest, _now())
            await self._reject(peer, code)
        elif code is not None:  # what changed nothing asks for nothing, or a repeated piece would be repeated for ever
            link.taken(_now())

    async def _receipted(self, peer: Peer, acked: Acked) -> None:
        receipt, through = acked.receipt, await self._place(peer, acked.receipt.upto)
        places = tuple([(n, await self._place(peer, n), code) for n, code in acked.refused])
        signed = Signed(wire.encode(receipt), acked.proof)
        facts = ReceiptFacts(receipt.log, receipt.upto, through, receipt.head, places, signed)
        await self._office.links.receipted(peer.name, facts)
        peer.receipted_at = _now()

    async def _place(self, peer: Peer, n: int) -> int:
        """Position in our log of the event whose line is entry ``n``."""
        return (await self._office.store.selected(peer.name, n, n))[0].position

    async def _reject(self, peer: Peer, code: str) -> None:
        if count := peer.rejections.add(code, _now()):
            await self._office.links.rejected(peer.name, code, count)


def _liar(peers: Mapping[str, Peer], named: Peer, outside: Frame, account: str) -> Peer | None:
    """Whose account handed in a frame under another's name; None: nobody's, as far as we know.

    From an account that no roster names only a hello is looked at, since it may bring the roster that does: everything
    else would fill the inbox, and the counts, of a Member who has nothing to do with it.
    """
    if named.account == account:
        return None
    owner = next((peer for peer in peers.values() if peer.account == account), None)
    if owner is None and named.account and outside.form != frame.HELLO:
        return named
    return owner


def _now() -> float:
    return asyncio.get_running_loop().time()
