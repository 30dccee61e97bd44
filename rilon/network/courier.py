"""The courier: follows the log, carries its lines to the peers, and takes in theirs.

The core of each link decides; what stands here moves bytes. Every life of the courier begins the same way, after a
start, a crash or a lost database: read on in the log, make every link anew with a fresh nonce, and greet. So there is
no other repair. The order in which things become durable:

- a line of a peer: commit → core → receipt → ack to the bus. After a crash in between the frame comes again, and the
  core or the log's unique key drops it.
- a line of ours: committed by whoever decided it, read out of the log, sent until it is receipted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from rilon.app.follower import catch_up, follow
from rilon.app.link_facts import Facts, LinkBook
from rilon.app.ports import Recorded
from rilon.crypto.frame import Recipient
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.identity import Listing
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.values import MemberId
from rilon.errors import (
    ConflictError,
    FatalError,
    MalformedError,
    NotFoundError,
    ProofError,
    RilonError,
    UnavailableError,
)
from rilon.network import bag
from rilon.network.by_hand import Bagger, Filled, Taken
from rilon.network.cancelling import heed_cancellation
from rilon.network.carrier import Carrier
from rilon.network.health import LinkHealth, health
from rilon.network.link import Link
from rilon.network.link_state import Ends
from rilon.network.office import Office
from rilon.network.packing import Packer
from rilon.network.peer import BY_HAND, Peer
from rilon.network.taker import Taker

NONCE_BYTES: Final = 16
READ_S: Final = 10.0
"""How long a bag waits at most for the courier to have read the log; then it says what is known."""
AGAIN_S: Final = 1.0
"""How long to wait before a new life when the database was away."""
_OWN = (Directory.IdentityChanged, Directory.RosterChanged, Directory.Met, Directory.Verified, Directory.Revoked)
_DIRECTORY = (*_OWN, PeerNode.Introduced, PeerNode.IdentityChanged, PeerNode.RosterChanged)


class Courier:
    """Carries a node's lines. One for each node: a second one is noticed, and both begin anew."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._life: _Life | None = None

    async def run(self) -> None:
        """Carry until cancelled. What may pass (a database that is away) ends a life, and a new one begins.

        Raises:
            ExceptionGroup: of what no new life would mend, ``FatalError`` above all.
        """
        while True:
            self._life = _Life(self._office)
            life = asyncio.create_task(self._life.run(), name="life")  # a task group may cancel its own task for good
            try:
                await life
            except* (UnavailableError, ConflictError):
                pass
            heed_cancellation()
            await asyncio.sleep(AGAIN_S)

    async def fill_bag(self, member: MemberId) -> Filled:
        """A bag with all that a peer lacks.

        Raises:
            NotFoundError: no such peer. UnavailableError: ``link.starting``. RefusedError: see ``Bagger.fill``.
        """
        return await self._at_work().fill_bag(member)

    async def take_bag(self, raw: bytes) -> Taken:
        """Take in a bag that a person brought; again and again, if they like.

        Raises:
            MalformedError, ProofError: see ``bag.read``; ``bag.stranger``: of a node that is not known here.
            ConflictError, UnavailableError: bring it again; ``link.starting``.
        """
        return await self._at_work().take_bag(raw)

    def _at_work(self) -> _Life:
        if self._life is None or not self._life.met:
            raise UnavailableError("link.starting", "The courier is reading the log.", fix="Try again in a moment.")
        return self._life

    def health(self) -> list[LinkHealth]:
        """How each link does, by peer."""
        return self._life.health() if self._life else []


class _Life:
    """From one start to the next; the follower of the log in between."""

    name = "courier"

    def __init__(self, office: Office) -> None:
        packer = Packer(office.log, office.store, office.outgoing)
        self._office = office
        self._taker, self._carrier = Taker(office, packer, self._meet), Carrier(office, packer)
        self._bagger = Bagger(office, packer, self._carrier)
        self._doubt, self._moved = asyncio.Event(), asyncio.Event()
        self._position = self._told = 0
        self._tasks: asyncio.TaskGroup | None = None
        self.peers: dict[str, Peer] = {}

    async def run(self) -> None:
        self._own = (await self._office.directory.current()).own.identity
        self._position, links = await self._office.store.load()
        self._book = LinkBook(self._own.member, self._own.log_id, links)
        await catch_up(self._office.log, self)
        async with asyncio.TaskGroup() as self._tasks:
            await self._meet()
            self._told = self._position
            self._tasks.create_task(follow(self._office.log, self))
            self._tasks.create_task(self._doubted())
            if self._office.bus is not None:
                self._tasks.create_task(self._taker.receive(self._office.bus, self.peers))

    def health(self) -> list[LinkHealth]:
        now = asyncio.get_running_loop().time()
        return [health(peer, self._book.links[name].unsound, now) for name, peer in sorted(self.peers.items())]

    @property
    def met(self) -> bool:
        """Whether the links stand."""
        return self._tasks is not None

    async def fill_bag(self, member: MemberId) -> Filled:
        if member not in self.peers:
            raise NotFoundError
        await self._caught_up()
        return await self._bagger.fill(self.peers[member])

    async def take_bag(self, raw: bytes) -> Taken:
        found = bag.read(raw, self._own.member)
        peer = self.peers.get(found.sender)
        if peer is None:
            fix = f"Take in its introduction first: rilon link add FILE (of {found.sender.upper()})."
            raise ProofError("bag.stranger", "This bag is of a node that is not known here.", field="bag", fix=fix)
        before = peer.link.inn.next, peer.link.out.acked
        try:
            refused = await self._taker.take_bag(peer, found.frames)
        except (RilonError, asyncio.CancelledError):
            self._doubt.set()  # it is not known what was stored
            raise
        await self._caught_up()  # what came may have been answered in our log
        return await self._bagger.judge(peer, len(found.frames), refused, before)

    async def _caught_up(self) -> None:
        """Wait until the links know the lines that our log holds by now, so that one carries what one has just said."""
        size = (await self._office.log.head()).size
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                while self._told < size:
                    self._moved.clear()
                    await self._moved.wait()

    async def _doubted(self) -> None:
        await self._doubt.wait()
        raise UnavailableError("link.doubt", "A bag was taken in part.")

    async def position(self) -> int:
        return self._position

    async def apply(self, batch: Sequence[Recorded]) -> None:
        before, upto = dict(self._book.links), batch[-1].position
        selected = [entry for r in batch for entry in self._book.fold(r.position, r.event)]
        touched = {peer: facts for peer, facts in self._book.links.items() if before.get(peer) is not facts}
        await self._office.store.save(self._position, upto, selected, touched)
        self._position = upto
        reset = {r.event.originator_id for r in batch if isinstance(r.event, PeerLink.Reset)}
        if reset or any(isinstance(r.event, _DIRECTORY) for r in batch):
            await self._meet(reset)
        for peer in touched.keys() & self.peers.keys():
            if self.peers[peer].link.addressed(touched[peer].known):
                self.peers[peer].wake.set()
        self._told = upto
        self._moved.set()

    async def _meet(self, reset: Collection[UUID] = ()) -> None:
        """Hold the links against the directory: new peers, logs, keys and standings; begin anew what was reset."""
        if self._tasks is None:
            return  # still reading the log: the links are made when that is done
        directory = await self._office.directory.current()
        if directory.own.identity.log_id != self._own.log_id:
            raise FatalError("link.own-log", "This node's log has another id now.", fix="Start the node again.")
        self._carrier.statements = (directory.own.identity_statement, directory.own.roster_statement)
        for member, listing in directory.listings.items():
            if member != directory.me:
                verified = directory.standing(member) == "verified"
                self._know(member, listing, verified=verified, reset=link_stream(member) in reset)

    def _know(self, member: str, listing: Listing, *, verified: bool, reset: bool) -> None:
        ends = Ends(self._own.member, self._own.log_id, member, listing.identity.log_id)
        peer = self.peers.get(member)
        if peer is None:
            peer = self.peers[member] = Peer(member, self._link(ends, None, verified=verified), listing)
            self._begin(peer)
        elif reset or (peer.link.ends, peer.link.verified) != (ends, verified):
            peer.link = self._link(ends, peer.link, verified=verified)
        peer.listing = listing
        if listing.roster is not None and (peer.recipient is None or peer.kem != listing.roster.kem):
            peer.kem, peer.recipient = listing.roster.kem, _recipient(listing.roster.kem)
            peer.link.rekeyed()
        peer.wake.set()

    def _link(self, ends: Ends, old: Link | None, *, verified: bool) -> Link:
        facts = self._book.links.get(ends.peer, Facts()).speaking_from(ends.peer_log)
        if old is not None and old.ends == ends:
            facts = old.facts(facts)
        nonce, now = self._office.entropy.bytes(NONCE_BYTES), asyncio.get_running_loop().time()
        link = Link.start(ends, facts, nonce, now, verified=verified)
        link.fetching.wake(now)  # something may have been on its way when we stopped
        return link

    def _begin(self, peer: Peer) -> None:
        if self._office.bus is None:
            peer.trouble = BY_HAND
        elif self._tasks is not None:
            self._tasks.create_task(self._taker.take_in(peer))
            self._tasks.create_task(self._carrier.carry(peer))


def _recipient(kem: bytes) -> Recipient | None:
    """A peer may publish bytes that are no key; then nothing can be sealed to it, and nobody else is held up."""
    with suppress(MalformedError):
        return Recipient(kem)
    return None
