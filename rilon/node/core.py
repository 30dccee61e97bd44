"""The inner node: its database, its keyring, its log and its desks; no followers, no courier, no API.

``rilon serve`` builds the whole node around it; commands that work on a node's home (enrolling, verifying) open just
this, beside a serving node or without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from rilon.app.failpoints import Hook, passing
from rilon.app.outbox import Pager, Sender
from rilon.app.ports import Clock, Entropy
from rilon.crypto.strongbox import FLOOR, Cost
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.reach import Way
from rilon.errors import UnavailableError
from rilon.node.config import Config, Home
from rilon.node.desks import Desks, assemble
from rilon.node.embedded import EmbeddedPostgres, revive
from rilon.node.embedded_process import DirectoryLock
from rilon.node.hook import HookPager
from rilon.node.mail import Mail
from rilon.node.system import SystemClock, SystemEntropy
from rilon.store.blobs import PostgresBlobs
from rilon.store.codec import Codec
from rilon.store.database import Connection, Pool, connect, open_pool
from rilon.store.keyfile import KeyFile
from rilon.store.log import PostgresEventLog
from rilon.store.migrate import migrate

APP_ROLE = "rilon_app"
PROJECTOR_ROLE = "rilon_projector"


@dataclass(frozen=True, slots=True)
class Core:
    """An open inner node."""

    home: Home
    config: Config
    dsn: str = field(repr=False)
    server: EmbeddedPostgres | None
    pool: Pool
    log: PostgresEventLog
    keys: KeyFile
    blobs: PostgresBlobs
    desks: Desks

    async def heal(self) -> None:
        """Start the database this process runs again, if it died."""
        if self.server is not None:
            await revive(self.server)


@dataclass(frozen=True, slots=True)
class World:
    """What a node takes from outside itself; tests and chaos runs give their own.

    Attributes:
        floor: the least a keyring's passphrase must cost to guess.
    """

    clock: Clock = field(default_factory=SystemClock)
    entropy: Entropy = field(default_factory=SystemEntropy)
    failpoint: Hook = passing
    floor: Cost = FLOOR
    fsync: bool = True


@asynccontextmanager
async def open_core(home: Home, passphrase: str, world: World | None = None) -> AsyncIterator[Core]:
    """Open a node's database and keyring.

    Raises:
        RefusedError: ``config.no-home``, ``keyring.passphrase``, ``database.*``. FatalError: ``keyring.*``,
            ``migration.*``. MalformedError: ``config.*``, ``database.url``, ``keyring.damaged``.
        UnavailableError: the database cannot be reached or started.
    """
    world = world or World()
    config = home.read()
    keys = await asyncio.to_thread(KeyFile.unlock, home.keyring, passphrase, floor=world.floor)
    try:
        async with database(home, config, world) as (dsn, server):
            await prepare(dsn, world.entropy)
            async with (
                open_pool(dsn, role=APP_ROLE) as pool,
                PostgresEventLog(pool, Codec(CATALOGUE, world.entropy), failpoint=world.failpoint) as log,
            ):
                blobs = PostgresBlobs(pool, keys, hook=world.failpoint)
                await blobs.recover()
                ways, sender = pagers(config, home), sender_of(config)
                desks = assemble(log, blobs, keys, world.clock, world.entropy, ways, sender)
                yield Core(home, config, dsn, server, pool, log, keys, blobs, desks)
    finally:
        keys.close()


def pagers(config: Config, home: Home) -> dict[Way, Pager]:
    """The ways out to people that a node is configured with."""
    ways: dict[Way, Pager] = {}
    if config.mail.host:
        ways[Way.MAIL] = Mail(config.mail, home.path)
    if config.hook.command:
        ways[Way.PHONE] = HookPager(config.hook)
    return ways


def sender_of(config: Config) -> Sender:
    """Whom messages to people come from."""
    link = f"{config.http.origin}/inbox" if config.http.origin else ""
    return Sender(config.member, config.world, link)


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Be the one process that serves this home, or that changes what a serving one relies on.

    Raises:
        UnavailableError: ``node.running``.
    """
    lock = DirectoryLock(home.path / "node.lock")
    try:
        lock.take()
    except UnavailableError as error:
        raise UnavailableError("node.running", f"A node of {home.path} runs already.", fix=error.fix) from None
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def database(home: Home, config: Config, world: World) -> AsyncIterator[tuple[str, EmbeddedPostgres | None]]:
    """The database to use, and its server when this process runs it: the embedded one, unless another is configured."""
    if config.database.url:
        yield config.database.url, None
        return
    server = EmbeddedPostgres(home.postgres, fsync=world.fsync)
    try:
        await server.start()
    except UnavailableError as error:
        if error.code != "embedded.in-use":
            raise
        yield server.dsn(), None  # a serving node of this home runs it
        return
    try:
        yield server.dsn(), server
    finally:
        await server.stop()


async def prepare(dsn: str, entropy: Entropy) -> None:
    """Bring the database to this program's schema.

    Raises:
        MalformedError, RefusedError, UnavailableError: as for ``connect``. FatalError: ``migration.*``.
    """
    async with owning(dsn) as owner:
        await migrate(owner, entropy)


@asynccontextmanager
async def owning(dsn: str) -> AsyncIterator[Connection]:
    """A connection as the database's owner, who may change what no process of a node may.

    Raises:
        MalformedError, RefusedError, UnavailableError: as for ``connect``.
    """
    owner = await connect(dsn)
    try:
        yield owner
    finally:
        await owner.close()
