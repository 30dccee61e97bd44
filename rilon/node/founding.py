"""How a node comes to be: keys, log, its own directory entry, a first rule book; and how its log begins anew."""

from __future__ import annotations

import secrets
from pathlib import Path

from rilon.app.directory_desk import must_be_root, sign_identity
from rilon.app.unit import Unit
from rilon.crypto.keyring import Keyring
from rilon.crypto.keys import SEED_BYTES, SigningKey
from rilon.crypto.strongbox import COST, FLOOR, Cost, Strongbox
from rilon.domain.book_file import default_book
from rilon.domain.identity import Identity
from rilon.domain.officer import SYSTEM
from rilon.domain.rulebook import RuleBooks
from rilon.domain.rules import RuleBook
from rilon.errors import FatalError
from rilon.node.config import Config, Home, write_private
from rilon.node.core import Core, owning
from rilon.node.desks import Desks
from rilon.store.keyfile import KeyFile
from rilon.store.migrate import LOG_ID_BYTES, renew_log_id

_ROOT = "root.1"


def make_keys(home: Home, passphrase: str, cost: Cost = COST) -> SigningKey:
    """Make a node's keyring and its root key, each in a passphrase file of its own.

    Raises:
        RefusedError: ``keyring.exists``: there is a node already.
    """
    home.make()
    KeyFile.create(home.keyring, Keyring.create(passphrase, cost=cost)).close()
    seed = secrets.token_bytes(SEED_BYTES)
    write_private(home.root_key, Strongbox.create(_ROOT, passphrase, cost=cost).seal(seed))
    return SigningKey.from_seed(seed)


def read_root_key(path: Path, passphrase: str, floor: Cost = FLOOR) -> SigningKey:
    """The root key from its file.

    Raises:
        MalformedError, RefusedError: no such file's content, or ``root.passphrase``.
    """
    _, seed = Strongbox.unlock(_ROOT, path.read_bytes(), passphrase, floor=floor)
    return SigningKey.from_seed(seed)


async def found(desks: Desks, config: Config, root: SigningKey, log_id: bytes, book: RuleBook | None = None) -> None:
    """Put the node's identity, roster and first rule book into its new log.

    Raises:
        ConflictError: ``log.version-taken``: the log has them already.
    """
    ring = desks.keys.ring()
    identity = Identity(
        member=config.member,
        seq=1,
        root=root.public.raw,
        signing=ring.signing.public.raw,
        link=ring.link.public,
        log_id=log_id,
        world=config.world,
    )
    await desks.directory.found(identity, sign_identity(identity, root))
    await desks.directory.publish_kem(ring.kem().public)

    async def adopt(unit: Unit) -> bytes:
        unit.add(RuleBooks.adopt(book or default_book(config.member), SYSTEM, desks.clock.now()))
        return b""

    await desks.work.run(adopt)


async def renew_log(core: Core, root: SigningKey) -> bytes:
    """Let a restored log go on under a new id; the id. Stop the node before.

    The head gets the id first. A crash after that leaves a head and an identity that name different ids: the node then
    refuses to serve, and the repetition publishes the id that the head has.

    Raises:
        RefusedError: ``directory.root-key``: nothing was changed.
    """
    own = (await core.desks.directory.current()).own.identity
    must_be_root(own, root)
    log_id = await core.log.log_id()
    if log_id == own.log_id:
        log_id = core.desks.entropy.bytes(LOG_ID_BYTES)
        async with owning(core.dsn) as owner:
            await renew_log_id(owner, own.log_id, log_id)
    await core.desks.directory.renew_log(root, log_id, core.keys.ring().kem().public, await core.log.head())
    return log_id


async def must_be_renewed_whole(core: Core) -> None:
    """Refuse to serve a log whose new id nobody was told. Raises FatalError ``log.renewal-unfinished``."""
    own = (await core.desks.directory.current()).own.identity
    if await core.log.log_id() != own.log_id:
        fix = "Finish it: rilon keys renew-log --root-key FILE."
        raise FatalError("log.renewal-unfinished", "The log has a new id that was not published.", fix=fix)
