"""One peer as the courier holds it between two starts: its link, its keys, and the frames that wait for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from rilon.crypto import frame
from rilon.crypto.frame import Frame, Opened, Recipient, Route
from rilon.crypto.keyring import Keyring
from rilon.domain.identity import Listing
from rilon.errors import NotFoundError, ProofError
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_blobs import Serving
from rilon.network.ports import Incoming
from rilon.network.rejections import Rejections

WAITING_FRAMES: Final = 64
"""Frames that wait for one peer; more stay with the hub, so that a flood from one peer holds up no other."""
BY_HAND: Final = "bus.none"
"""``Peer.trouble`` where there is no bus at all."""
LOOK_S: Final = 0.5
"""How long a sender sleeps at most before it asks the core again what is due."""


@dataclass(slots=True)
class Hand:
    """What a peer's last bag leaves to be answered by the next one to it; a newer bag replaces it.

    Attributes:
        serving: what it asked for. It stays until the peer asks anew, for the bag with the answer may be lost.
        owes: it brought lines, so it waits for a receipt.
    """

    serving: Serving = field(default_factory=Serving)
    owes: bool = False

    def note(self, body: wire.SealedBody) -> None:
        """The bag said this, and the link had nothing against it."""
        match body:
            case wire.Want():
                self.serving.take(body)
                self.owes = True
            case wire.Entries():
                self.owes = True


@dataclass(slots=True)
class Peer:
    """A peer.

    Attributes:
        name: its Member id.
        link: the core, since the last start or change of the peer's log or standing.
        listing: its entry in our directory.
        kem, recipient: its KEM key, raw and parsed; None while it has published none that is one.
        introduced: digest of the statements in its last hello.
        trouble: code of what last kept us from sending, or "".
        hand: what its last bag left to be answered. taking: held while one of its frames is dealt with.
        receipted_at: when it last receipted more, by the loop's clock; None since the start.
    """

    name: str
    link: Link
    listing: Listing
    kem: bytes = b""
    recipient: Recipient | None = None
    inbox: asyncio.Queue[tuple[Frame, Incoming]] = field(default_factory=lambda: asyncio.Queue(WAITING_FRAMES))
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    rejections: Rejections = field(default_factory=Rejections)
    introduced: bytes = b""
    trouble: str = ""
    hand: Hand = field(default_factory=Hand)
    taking: asyncio.Lock = field(default_factory=asyncio.Lock)
    receipted_at: float | None = None

    @property
    def account(self) -> str:
        """What the hub calls this Member, as its roster says; "" when that is not known."""
        return self.listing.roster.account if self.listing.roster else ""

    def check_account(self, account: str | None) -> None:
        """Refuse what another Member handed to the hub. Raises ProofError ``frame.account``.

        Args:
            account: what handed it in; None: a person, in a bag, which nobody's inbox and nobody's counts pay for.
        """
        if account is not None and self.account not in {"", account}:
            raise ProofError("frame.account", "This frame was handed in by another than the Member it names.")

    def open_(self, outside: Frame, ring: Keyring) -> Opened:
        """Open a sealed frame of this peer.

        Raises:
            ProofError: ``frame.*``; ``link.unverified``: nothing is taken from a peer nobody has confirmed.
            MalformedError: see ``frame.open_``.
        """
        if not self.link.verified:
            raise ProofError("link.unverified", "This peer's node is not verified.")
        try:
            kem = ring.kem(outside.kid)
        except NotFoundError:
            raise ProofError("frame.key", "This frame is sealed to a key that this node does not hold.") from None
        return frame.open_(outside, self._inward, kem, self.listing.identity.link)

    def verify_hello(self, outside: Frame) -> Opened:
        """Check a hello of this peer. Raises ProofError, MalformedError: see ``frame.verify_hello``."""
        return frame.verify_hello(outside, self._inward, self.listing.identity.link)

    def seal(self, body: bytes, attached: bytes, ring: Keyring) -> bytes:
        """Seal to this peer. Raises ProofError ``link.no-key``: it has published no key to seal to."""
        if self.recipient is None:
            raise ProofError("link.no-key", "This peer has published no key to seal to.")
        return frame.seal(body, attached, self._outward, self.recipient, ring.link)

    def sign_hello(self, body: bytes, ring: Keyring) -> bytes:
        """Sign a hello to this peer."""
        return frame.sign_hello(body, self._outward, ring.link)

    def wake_soon(self, after_s: float) -> None:
        """Wake this peer's sender after a while; whatever wakes it earlier has it send that as well."""
        asyncio.get_running_loop().call_later(after_s, self.wake.set)

    async def rest(self) -> None:
        """Sleep until somebody wakes this peer's sender, or for a moment."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self.wake.wait()
        self.wake.clear()

    @property
    def _inward(self) -> Route:
        ends = self.link.ends
        return Route(ends.peer, ends.me, ends.peer_log, ends.log, self.listing.identity.world)

    @property
    def _outward(self) -> Route:
        ends = self.link.ends
        return Route(ends.me, ends.peer, ends.log, ends.peer_log, self.listing.identity.world)
