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
from rilon.domain.directory import Directory, Listing, PeerNode
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.errors import ConflictError, FatalError, MalformedError, UnavailableError
from rilon.network.carrier import Carrier
from rilon.network.health import LinkHealth, health
from rilon.network.link import Link
from rilon.network.link_state import Ends
from rilon.network.office import Office
from rilon.network.packing import Packer
from rilon.network.peer import Peer
from rilon.network.taker import Taker

NONCE_BYTES: Final = 16
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
            try:
                await self._life.run()
            except* (UnavailableError, ConflictError):
                await asyncio.sleep(AGAIN_S)

    def health(self) -> list[LinkHealth]:
        """How each link does, by peer."""
        now = asyncio.get_running_loop().time()
        return [health(peer, now) for _, peer in sorted(self._life.peers.items())] if self._life else []


class _Life:
    """From one start to the next; the follower of the log in between."""

    name = "courier"

    def __init__(self, office: Office) -> None:
        packer = Packer(office.log, office.store, office.outgoing)
        self._office = office
        self._taker, self._carrier = Taker(office, packer, self._meet), Carrier(office, packer)
        self._position = 0
        self._tasks: asyncio.TaskGroup | None = None
        self.peers: dict[str, Peer] = {}

    async def run(self) -> None:
        self._own = (await self._office.directory.current()).own.identity
        self._position, links = await self._office.store.load()
        self._book = LinkBook(self._own.member, self._own.log_id, links)
        await catch_up(self._office.log, self)
        async with asyncio.TaskGroup() as self._tasks:
            await self._meet()
            self._tasks.create_task(follow(self._office.log, self))
            self._tasks.create_task(self._taker.receive(self.peers))

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
            self.peers[peer].link.addressed(touched[peer].known)
            self.peers[peer].wake.set()

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
        if self._tasks is not None:
            self._tasks.create_task(self._taker.take_in(peer))
            self._tasks.create_task(self._carrier.carry(peer))


def _recipient(kem: bytes) -> Recipient | None:
    """A peer may publish bytes that are no key; then nothing can be sealed to it, and nobody else is held up."""
    with suppress(MalformedError):
        return Recipient(kem)
    return None
