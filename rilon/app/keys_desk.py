"""Key epochs: a new KEM key every month, and the end of the old one, with which all frames ever sealed to it go dark.

The log says since when a key is in force and who has heard of it; the keyring says which keys there are. Nothing else
is kept, so a crash between two steps leaves nothing that the next start or hour does not see (protocol.md, Keys):

1. the keyring with the new key is saved. After a crash here nobody has heard of it: the next start publishes it.
2. the roster that names it is appended, and goes to every peer as a line. One after the other the peers seal to it; the
   old key still opens what is under way.
3. when every verified peer has receipted that line, and after ``KEEP`` in any case, the keyring is saved without the
   old key. A frame sealed to it that comes later is refused by name (``frame.key``); its sender, who gets no receipt,
   sends the same lines again to the new key, of which our next hello tells it at the latest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from rilon.app.directory_desk import DirectoryDesk
from rilon.app.ports import Keys, Recorded
from rilon.app.unit import Work
from rilon.crypto.keyring import Keyring
from rilon.crypto.keys import key_id
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import OfficerId
from rilon.errors import ConflictError

EPOCH: Final = timedelta(days=30)
"""How long a KEM key is in force."""
KEEP: Final = timedelta(days=14)
"""How long a replaced key is kept for a peer that does not receipt the new one."""
OUTBOX_EPOCH: Final = timedelta(days=7)
"""How long browsers seal what waits in them to one outbox key."""
OUTBOX_KEEP: Final = timedelta(days=28)
"""How long an outbox key opens, from its beginning: so long may somebody be without a network, less the epoch."""
PAUSE: Final = timedelta(hours=6)
"""Shortest epoch while an older key still waits for a peer: a silent peer makes us keep 58 keys, not thousands."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A KEM key as the log has published it.

    Attributes:
        kid: 16-byte id of the key.
        since: when it was published.
        position: of the event that tells every peer.
    """

    kid: bytes
    since: datetime
    position: int


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A KEM key in the keyring.

    Attributes:
        kid: its 16-byte id.
        since: when it was published; None: a crash or a restored log left it unpublished.
        until: when it goes at the latest; None: it is in force.
    """

    kid: bytes
    since: datetime | None
    until: datetime | None


def epochs(directory: Iterable[Recorded]) -> list[Epoch]:
    """This node's KEM keys in the order of their publication, out of the events of its directory."""
    kem, found = b"", list[Epoch]()
    for recorded in directory:
        event = recorded.event
        if isinstance(event, Directory.RosterChanged) and event.roster.kem != kem:
            kem = event.roster.kem
            found.append(Epoch(key_id(kem), event.timestamp, recorded.position))
    return found


class KeysDesk:
    """Turns this node's KEM keys. Every method holds the keyring, so that no two processes turn at once."""

    def __init__(self, work: Work, keys: Keys, directory: DirectoryDesk) -> None:
        self._work, self._keys, self._directory = work, keys, directory

    async def rotate(self) -> bytes:
        """Begin a new epoch; the id of its key.

        Raises:
            RefusedError: ``keyring.full``. UnavailableError: repeat it; a key that was saved is published or dropped.
        """
        async with self._keys.exclusive() as draft:
            return await self._rotate(draft)

    async def turn(self, by: Caller, kid: bytes) -> bytes:
        """Begin a new epoch because an administrator says so, who has proved to be there; the id of its key.

        Args:
            kid: of the key in force that they were shown.

        Raises:
            RefusedError: not an administrator; ``keyring.full``. ConflictError: ``keys.turned``: it is not in force.
            UnavailableError: see ``rotate``.
        """
        by.must(Action.TURN_KEYS)
        async with self._keys.exclusive() as draft:
            if draft.kem().kid != kid:
                raise ConflictError("keys.turned", "This key was turned already.", fix="Look again.")
            return await self._rotate(draft, by.ref)

    async def settle(self) -> None:
        """Publish what a crash left unpublished. At every start, before anybody is told a key.

        Raises:
            UnavailableError: nothing was published.
        """
        async with self._keys.exclusive() as draft:
            await self._directory.publish_kem(draft.kem().public)
            await self._turn_outbox(draft)

    async def tend(self) -> None:
        """Settle, destroy the keys that nobody needs any more, and begin a new epoch when the time has come.

        Raises:
            UnavailableError: repeat it.
        """
        async with self._keys.exclusive() as draft:
            await self._directory.publish_kem(draft.kem().public)
            await self._turn_outbox(draft)
            await self._retire(draft)
            if self._work.clock.now() - (await self._epochs())[-1].since >= EPOCH:
                await self._rotate(draft)

    async def outlive(self, kids: Collection[bytes]) -> None:
        """See to it that these keys are gone as soon as can be, because something sealed to them is to be destroyed.

        The key in force is replaced at once when none older is kept, else after ``PAUSE``; all that is to be destroyed
        meanwhile shares the turning.

        Raises:
            UnavailableError: repeat it.
        """
        async with self._keys.exclusive() as draft:
            await self._directory.publish_kem(draft.kem().public)
            await self._retire(draft)
            alone, since = len(draft.kems()) == 1, (await self._epochs())[-1].since
            if draft.kem().kid in kids and (alone or self._work.clock.now() - since >= PAUSE):
                await self._rotate(draft)
                await self._retire(draft)

    async def held(self) -> list[HeldKey]:
        """The KEM keys that still open frames, oldest first."""
        found, ring = await self._epochs(), self._keys.ring()
        since = {epoch.kid: epoch.since for epoch in reversed(found)}
        ends = _successors(ring, found)
        return [
            HeldKey(key.kid, since.get(key.kid), ends[key.kid].since + KEEP if key.kid in ends else None)
            for key in ring.kems()
        ]

    async def _rotate(self, draft: Keyring, by: OfficerId | None = None) -> bytes:
        key = draft.new_kem()
        await self._keys.save(draft)  # durable before anybody can seal to it
        await self._directory.publish_kem(key.public, by)
        return key.kid

    async def _turn_outbox(self, draft: Keyring) -> None:
        """Browsers are told an outbox key by pages, not by the log, so its beginning stands in the keyring."""
        now = int(self._work.clock.now().timestamp())
        held = draft.outbox()
        if now - held[-1].since >= OUTBOX_EPOCH.total_seconds():
            draft.new_outbox(now)
        draft.destroy_outbox(now - int(OUTBOX_KEEP.total_seconds()) + 1)
        if draft.outbox() != held:
            await self._keys.save(draft)

    async def _retire(self, draft: Keyring) -> None:
        heard, late = await self._heard(), self._work.clock.now() - KEEP
        ends = _successors(draft, await self._epochs()).items()
        over = [kid for kid, by in ends if by.since <= late or all(by.position <= through for through in heard)]
        for kid in over:
            draft.destroy_kem(kid)
        if over:
            await self._keys.save(draft)

    async def _heard(self) -> list[int]:
        """For every verified peer, up to which position of our log it has receipted its lines."""
        directory = await self._directory.current()
        links = [(peer, await self._work.seek(PeerLink, link_stream(peer))) for peer in directory.peers]
        return [_through(link, directory.listing(peer).identity.log_id) for peer, link in links]

    async def _epochs(self) -> list[Epoch]:
        return epochs(await self._work.log.recorded(DIRECTORY_ID))


def _successors(ring: Keyring, found: list[Epoch]) -> dict[bytes, Epoch]:
    """By which epoch each key but the newest is replaced; one that no roster ever named, by the newest."""
    replaced = {old.kid: new for old, new in pairwise(found)}
    return {key.kid: replaced.get(key.kid, found[-1]) for key in ring.kems()[:-1]}


def _through(link: PeerLink | None, log_id: bytes) -> int:
    """What a peer's older log receipted does not count: its restored one may have lost our roster."""
    return link.through if link is not None and link.receipted and link.receipted[0] == log_id else 0
