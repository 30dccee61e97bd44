"""Filling courier bags, and saying in plain words what to carry next.

A bag holds everything that the peer lacks as far as this node knows, whether or not it was sent before: making one
changes nothing on the link, so a bag that is lost, repeated or left in a drawer costs nothing, and the next says it all
again. What belongs to the courier's pace (retries, windows that open and close) stays with the bus.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from msgspec import structs

from rilon.app.link_facts import WINDOW
from rilon.app.link_words import LINK, Says
from rilon.app.ports import Parcel
from rilon.errors import RefusedError
from rilon.network import wire
from rilon.network.bag import Filling
from rilon.network.carrier import Carrier
from rilon.network.health import LinkState, says, sentence, state_of
from rilon.network.link import Link
from rilon.network.link_blobs import MOST_ASKED
from rilon.network.link_state import SendEntries
from rilon.network.office import Office
from rilon.network.packing import Packer
from rilon.network.peer import Peer

_Words = tuple[bytes, bytes]
"""Body and what is attached to it."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A bag for a peer.

    Attributes:
        member: whom it is for. bag: the file.
        frames: how many it holds. more: whether the bag is full and something has to wait for the next.
        sentence: what it is good for and what to do with it.
    """

    member: str
    bag: bytes = field(repr=False)
    frames: int
    more: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a bag.

    Attributes:
        member: whom it was from. frames: how many it held.
        refused: how many of them were not believed, by code.
        entries: lines that were new here. receipted: lines of ours that the peer now says it has.
        answer: whether a bag has to go back. says: what to do next, in one word of ``rilon.app.link_words``.
        sentence: it, in English.
    """

    member: str
    frames: int
    refused: Mapping[str, int]
    entries: int
    receipted: int
    answer: bool
    says: Says
    sentence: str


class Bagger:
    """Fills bags."""

    def __init__(self, office: Office, packer: Packer, carrier: Carrier) -> None:
        self._office, self._packer, self._carrier = office, packer, carrier

    async def fill(self, peer: Peer) -> Filled:
        """All that the peer lacks, in one bag: the hello first, then receipt, lines, wants, pieces.

        Raises:
            RefusedError: ``frame.revoked``. RilonError: whatever gathering attachments raises; no bag is made then.
        """
        link, ring, filling = peer.link, self._office.keys.ring(), Filling()
        if peer.listing.standing == "revoked":
            fix = "Nothing goes to a revoked node; `rilon link list` shows the others."
            raise RefusedError("frame.revoked", f"The node of {peer.name.upper()} is revoked.", fix=fix)
        filling.add(peer.sign_hello(wire.encode(link.say_hello(self._carrier.statements)), ring))
        more = link.open and link.out.known > link.out.acked + WINDOW
        if link.open:
            async with aclosing(self._words(peer, link)) as all_words:
                async for body, attached in all_words:
                    if filling.full:
                        more = True
                        break
                    filling.add(peer.seal(body, attached, ring))
        return Filled(peer.name, filling.close(), len(filling.frames), more, _what_for(peer, more=more))

    async def missing(self, peer: Peer) -> AsyncGenerator[Parcel]:
        """Ciphertexts of this peer that are not whole here, the most urgent first."""
        but = list(peer.link.fetching.gone)
        for _ in range(MOST_ASKED):
            parcel = await self._office.parcels.next(peer.name, tuple(but))
            if parcel is None:
                return
            but.append(parcel.digest)
            yield parcel

    async def judge(self, peer: Peer, frames: int, refused: Mapping[str, int], before: tuple[int, int]) -> Taken:
        """Say what a bag brought, compared with (next, acked) ``before``, and what to do next."""
        link = peer.link
        came, receipted = link.inn.next - before[0], link.out.acked - before[1]
        answer = link.verified and not link.frozen and await self._owes(peer, link)
        code, words = _what_next(peer, answer=answer)
        return Taken(peer.name, frames, dict(refused), max(came, 0), max(receipted, 0), answer, code, words)

    async def _owes(self, peer: Peer, link: Link) -> bool:
        if not link.greeted or link.peer_asks or peer.hand.owes or link.out.known > link.out.acked:
            return True
        async with aclosing(self.missing(peer)) as parcels:
            return await anext(parcels, None) is not None

    async def _words(self, peer: Peer, link: Link) -> AsyncGenerator[_Words]:
        yield wire.encode(link.say_receipt((await self._office.log.head()).size)), b""
        first, upto = link.out.acked + 1, min(link.out.known, link.out.acked + WINDOW)
        while first <= upto:
            packed = await self._packer.pack(peer.name, SendEntries(first, upto))
            yield wire.encode(link.say_entries(packed.first, packed.prev, packed.lines)), packed.attached
            first = packed.last + 1
        async for parcel in self.missing(peer):
            link.fetching.ask(parcel.digest, asyncio.get_running_loop().time())
            yield _body(link.say_want(parcel.item, parcel.manifest, parcel.place, parcel.digest, parcel.have))
        for want in tuple(peer.hand.serving.wants.values()):
            async for answer in self._pieces(peer, link, want):
                yield _body(answer)

    async def _pieces(self, peer: Peer, link: Link, want: wire.Want) -> AsyncGenerator[wire.Blob | wire.Gone]:
        """From where the want begins to the end: a round by hand takes days, so one piece a round would be cruel."""
        while True:
            answer = await self._carrier.answer(peer, link, want)
            yield answer
            if isinstance(answer, wire.Gone) or answer.offset + len(answer.piece) >= answer.total:
                return
            want = structs.replace(want, offset=answer.offset + len(answer.piece))


def _body(body: wire.SealedBody) -> _Words:
    return wire.encode(body), b""


_FILLED = {
    LinkState.UNVERIFIED: "This bag only says who we are: {peer} is not verified here (rilon link verify {member}).",
    LinkState.FROZEN: "This bag only says that the link is frozen ({reason}).",
    LinkState.PEER_FROZEN: "This bag only says who we are: {peer} has frozen the link ({reason}).",
    LinkState.GREETING: "This bag greets {peer}; what waits goes with the next, after their answer.",
    LinkState.OPEN: "This bag holds all that {peer} lacks.",
}
_CARRY = " Carry it there; they say: rilon link import FILE"


def _what_for(peer: Peer, *, more: bool) -> str:
    words = _FILLED[state_of(peer)] + (" It is full; the rest goes after their answer." if more else "") + _CARRY
    reason = peer.link.frozen or peer.link.peer_frozen
    return words.format(peer=peer.name.upper(), member=peer.name, reason=reason)


def _what_next(peer: Peer, *, answer: bool) -> tuple[Says, str]:
    if answer:
        return Says.ANSWER, f"Carry the answer back: rilon link export {peer.name}"
    if state_of(peer) is not LinkState.OPEN:
        return says(peer), sentence(peer)
    return Says.EVEN, LINK[Says.EVEN]
