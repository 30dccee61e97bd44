"""What the courier works with: ports and desks of its node."""

from __future__ import annotations

from dataclasses import dataclass

from rilon.app.directory_desk import DirectoryDesk
from rilon.app.failpoints import Hook, passing
from rilon.app.incoming import Incoming
from rilon.app.link_desk import LinkDesk
from rilon.app.outgoing import Outgoing
from rilon.app.parcels import Parcels
from rilon.app.ports import Entropy, EventLog, Keys, LinkStore
from rilon.app.vault import Vault
from rilon.network.ports import Bus


@dataclass(frozen=True, slots=True)
class Office:
    """Ports and desks.

    Attributes:
        log, store: the events, and the courier's notes on them.
        keys, entropy: the node's keyring; nonces.
        bus: how frames travel; None: only by hand, in courier bags.
        directory: who is who. incoming: takes lines in. outgoing: gathers attachments. links: records receipts, forks.
        parcels: takes in what comes in pieces. vault: where what is served in pieces lies.
        hook: where crashes are tried.
    """

    log: EventLog
    store: LinkStore
    keys: Keys
    entropy: Entropy
    bus: Bus | None
    directory: DirectoryDesk
    incoming: Incoming
    outgoing: Outgoing
    links: LinkDesk
    parcels: Parcels
    vault: Vault
    hook: Hook = passing
