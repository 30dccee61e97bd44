"""What the integration tests of the keys share: a database with its keyring, as one process of a node holds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from rilon.app.ports import Wrap
from rilon.app.vault import Vault
from rilon.store.blobs import PostgresBlobs
from rilon.store.codec import Codec
from rilon.store.database import Pool, open_pool
from rilon.store.keyfile import KeyFile
from rilon.store.log import PostgresEventLog
from rilon.store.migrate import migrate
from tests.contract.blobs import Store
from tests.fakes.entropy import SeededEntropy
from tests.fakes.keys import CHEAP, cheap_keyring
from tests.fakes.ledger import CATALOGUE, opened

PASSPHRASE = "a passphrase of tests"


@dataclass
class KeyNode:
    """One process: pool and log as the app role, keyring file, blobs, vault."""

    pool: Pool
    log: PostgresEventLog
    keys: KeyFile
    blobs: PostgresBlobs
    path: Path
    entropy: SeededEntropy

    @property
    def vault(self) -> Vault:
        return Vault(self.blobs, self.keys, self.entropy)

    @property
    def store(self) -> Store:
        return Store(self.blobs, self.keys, self.append)

    def with_blobs(self, **options: Any) -> KeyNode:
        return replace(self, blobs=PostgresBlobs(self.pool, self.keys, **options))

    def other_process(self, **options: Any) -> KeyNode:
        """The same node's files and database, nothing else in common (the pool is shared for speed)."""
        keys = KeyFile.unlock(self.path, PASSPHRASE, floor=CHEAP)
        return replace(self, keys=keys, blobs=PostgresBlobs(self.pool, keys, **options))

    async def append(self, wraps: Sequence[Wrap]) -> None:
        await self.log.append([opened(self.entropy.uuid())], wraps=wraps)

    async def keks(self) -> set[bytes]:
        return {row["kek"] for row in await self.pool.fetch("SELECT kek FROM rilon.keks")}


@asynccontextmanager
async def key_node(database: str, path: Path) -> AsyncIterator[KeyNode]:
    entropy = SeededEntropy()
    owner = await asyncpg.connect(database)
    await migrate(owner, entropy, prefix="keys")
    await owner.close()
    keys = KeyFile.create(path, cheap_keyring(PASSPHRASE))
    async with open_pool(database, role="keys_app") as pool, PostgresEventLog(pool, Codec(CATALOGUE, entropy)) as log:
        blobs = PostgresBlobs(pool, keys)
        await blobs.recover()
        yield KeyNode(pool, log, keys, blobs, path, entropy)
