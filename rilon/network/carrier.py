"""Sending: whatever the core of a link says is due is filled, sealed and handed to the bus."""

from __future__ import annotations

import asyncio
from typing import Final

from rilon.app.failpoints import Failpoint
from rilon.errors import FatalError, RilonError
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_state import Send, SendBlob, SendEntries, SendHello, SendReceipt, SendWant
from rilon.network.office import Office
from rilon.network.packing import Packer
from rilon.network.peer import Peer
from rilon.network.ports import Posted

PIECE_BYTES: Final = wire.MAX_PIECE_BYTES
"""How much of a large ciphertext we put into one frame."""
_ATTEMPT_BYTES: Final = 16


class Carrier:
    """Sends for all peers; one task for each."""

    def __init__(self, office: Office, packer: Packer) -> None:
        self._office, self._packer = office, packer
        self.statements: tuple[bytes, ...] = ()
        """Our directory statements, for hellos."""

    async def carry(self, peer: Peer) -> None:
        """Send to a peer until cancelled. Trouble with one entry backs off on this link and holds up no other.

        Raises:
            FatalError: the node's own state is unknown.
        """
        while True:
            link = peer.link
            sends = link.poll(_now())
            try:
                for send in sends:
                    await self._send(peer, link, send)
            except FatalError:
                raise
            except RilonError as trouble:
                peer.trouble, sends = trouble.code, []
                link.out.failed(_now())
            if not sends:
                await peer.rest()

    async def _send(self, peer: Peer, link: Link, send: Send) -> None:
        ring = self._office.keys.ring()
        match send:
            case SendHello():
                hello = wire.encode(link.say_hello(self.statements))
                await self._publish(peer, link, send, peer.sign_hello(hello, ring))
            case SendReceipt():
                receipt = wire.encode(link.say_receipt((await self._office.log.head()).size))
                await self._publish(peer, link, send, peer.seal(receipt, b"", ring))
            case SendEntries():
                packed = await self._packer.pack(peer.name, send)
                body = wire.encode(link.say_entries(packed.first, packed.prev, packed.lines))
                if await self._publish(peer, link, send, peer.seal(body, packed.attached, ring)):
                    link.posted(send, packed.last, _now())
            case SendWant():
                await self._want(peer, link, send)
            case SendBlob(want):
                answer = wire.encode(await self.answer(peer, link, want))
                await self._publish(peer, link, send, peer.seal(answer, b"", ring))

    async def _want(self, peer: Peer, link: Link, send: SendWant) -> None:
        link.fetching.rest()  # before looking: what is granted while we look wakes it again
        parcel = await self._office.parcels.next(peer.name, tuple(link.fetching.gone))
        if parcel is None:
            return
        link.fetching.ask(parcel.digest, _now())
        body = link.say_want(parcel.item, parcel.manifest, parcel.place, parcel.digest, parcel.have)
        await self._publish(peer, link, send, peer.seal(wire.encode(body), b"", self._office.keys.ring()))

    async def answer(self, peer: Peer, link: Link, want: wire.Want) -> wire.Blob | wire.Gone:
        """A piece of what this peer may have at this moment; anything else is told like what never was."""
        slot = await self._office.outgoing.piece(peer.name, want.item, want.manifest, want.place, want.digest)
        part = await self._office.vault.part(slot, want.offset, PIECE_BYTES) if slot else None
        return link.say_blob(want, *part) if part and part[1] else link.say_gone(want)

    async def _publish(self, peer: Peer, link: Link, send: Send, raw: bytes) -> bool:
        """Hand a frame to the bus, under an id nobody can guess.

        It is new for each attempt: a hello said again has the same bytes, and the bus would drop it as said already.
        """
        attempt = self._office.entropy.bytes(_ATTEMPT_BYTES).hex()
        bus = self._office.bus
        posted = await bus.publish(peer.name, raw, attempt) if bus else Posted.AWAY
        await self._office.hook(Failpoint.COURIER_AFTER_SEND)
        taken = posted is Posted.TAKEN
        peer.trouble = "" if taken else f"bus.{posted}"
        if not taken:
            link.failed(send, _now(), away=posted is Posted.AWAY)
        return taken


def _now() -> float:
    return asyncio.get_running_loop().time()
