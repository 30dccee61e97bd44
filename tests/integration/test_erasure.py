"""What an erased section leaves behind opens nowhere: an attacker with every old copy and today's keyring tries it all.

The same attacker first shows, with the keyring of before, that it would have found the key in each of those copies.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rilon.crypto import labels, merkle, section
from rilon.crypto.keyring import WRAPPED_BYTES, Keyring
from rilon.domain.values import Sealed
from rilon.errors import FatalError, NotFoundError
from rilon.node.embedded import EmbeddedPostgres
from rilon.store.blobs import PostgresBlobs
from rilon.store.database import open_pool
from tests.fakes.keys import CHEAP
from tests.integration.keynode import PASSPHRASE, KeyNode, key_node
from tests.servers import open_dir

pytestmark = pytest.mark.real

REACH = 160
"""How far from a slot its wrap is looked for, both ways: twice a row of keywraps."""

WORDS = "the witness is in the blue house"
CONTEXT = section.local_context("alert.reason", b"owner")


class Attacker:
    """Has files and an unlocked keyring, and knows the program.

    It tries every key of the keyring, as what it is and as the key it would have to be, on every run of bytes near the
    slot that could be a wrap.
    """

    def __init__(self, ring: Keyring, slot: bytes, kek: bytes, *, reach: int = REACH) -> None:
        keks = {kek: bytes(key) for bucket in ring._buckets for kek, key in bucket}
        others = [ring.link.seed, ring._hmac, ring.signing.seed[:32], ring.signing.seed[32:]]
        others += [key.seed for key in ring.kems()]
        named = [*keks.items(), *((kek, key) for key in (*keks.values(), *others))]
        self._slot, self._reach = slot, reach
        self._tries = [(AESGCM(key), labels.framed(labels.WRAP, slot, kek)) for kek, key in named]
        self._tried = set[bytes]()

    def keys_in(self, evidence: Iterable[bytes]) -> set[bytes]:
        """Every section key of the slot that the evidence gives away."""
        return {key for data in evidence for run in self._runs(data) for key in self._open(run)}

    def _runs(self, data: bytes) -> set[bytes]:
        found = set[bytes]()
        for at in (m.start() for m in re.finditer(re.escape(self._slot), data)):
            last = min(at + self._reach, len(data) - WRAPPED_BYTES)
            found |= {data[start : start + WRAPPED_BYTES] for start in range(max(0, at - self._reach), last + 1)}
        return found

    def _open(self, run: bytes) -> set[bytes]:
        keys = set[bytes]()
        for aead, context in self._tries if run not in self._tried else ():
            try:
                keys.add(aead.decrypt(run[:12], run[12:], context))
            except InvalidTag:
                continue
        if not keys:
            self._tried.add(run)  # the same row lies in many copies
        return keys


@dataclass
class Scene:
    """A cluster of its own, so that its files hold nothing but this story."""

    postgres: EmbeddedPostgres
    node: KeyNode
    admin: asyncpg.Connection[asyncpg.Record]
    database: str

    async def files(self) -> dict[str, list[bytes]]:
        """All bytes of the running cluster, its write-ahead log apart."""
        await self.admin.execute("CHECKPOINT")
        return contents(self.postgres.data)

    async def dump(self) -> list[bytes]:
        """``pg_dump`` as text; its hexadecimal bytes read back, in their order."""
        command = [self.postgres.binary("pg_dump"), self.postgres.dsn(self.database)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
        assert b"COPY rilon.keywraps" in done.stdout
        return [b"".join(bytes.fromhex(hexed.decode()) for hexed in re.findall(rb"\\\\x([0-9a-f]+)", done.stdout))]

    async def base_backup(self, to: Path) -> Path:
        """A copy of the running cluster by the low-level interface of Postgres (its manual, §25.3.4)."""
        await self.admin.execute("SELECT pg_backup_start('before', true)")
        await asyncio.to_thread(subprocess.run, ["cp", "-a", self.postgres.home, to], check=True)
        label = await self.admin.fetchval("SELECT labelfile FROM pg_backup_stop(false)")
        wal = self.postgres.data / "pg_wal"
        await asyncio.to_thread(subprocess.run, ["cp", "-a", f"{wal}/.", to / "data" / "pg_wal"], check=True)
        (to / "data" / "backup_label").write_text(label)
        self.postgres._identity.own(to / "data" / "backup_label")
        (to / "data" / "postmaster.pid").unlink()
        return to


def contents(data: Path) -> dict[str, list[bytes]]:
    files = [path for path in data.rglob("*") if path.is_file()]
    wal = [path.read_bytes() for path in files if "pg_wal" in path.parts]
    return {"wal": wal, "tables": [path.read_bytes() for path in files if "pg_wal" not in path.parts]}


@asynccontextmanager
async def scene(home: Path, keyring: Path) -> AsyncIterator[Scene]:
    async with EmbeddedPostgres(home, fsync=False) as postgres:
        admin = await asyncpg.connect(postgres.dsn())
        await admin.execute("CREATE DATABASE node")
        async with key_node(postgres.dsn("node"), keyring) as node:
            yield Scene(postgres, node, admin, "node")
        await admin.close()


async def write(node: KeyNode, text: str) -> Sealed:
    sealed, wrap = await node.vault.seal_text("alert.reason", "owner", text)
    await node.append([wrap])
    return sealed


async def write_into(node: KeyNode, bucket: int, text: str) -> Sealed:
    """A neighbour: a text whose slot is in this bucket."""
    made = section.seal(text.encode(), CONTEXT)
    slot = bytes([bucket]) + node.entropy.bytes(31)
    ((sealed, wrap),) = (await node.vault.adopt({slot: made})).values()
    await node.append([wrap])
    return sealed


async def test_nothing_that_was_kept_opens_what_was_erased(tmp_path: Path) -> None:
    with open_dir() as home:
        async with scene(home / "postgres", tmp_path / "keyring") as it:
            node = it.node
            secret = await write(node, WORDS)
            neighbours = [await write_into(node, secret.slot[0], f"neighbour {n}") for n in range(5)]
            others = [await write(node, f"other {n}") for n in range(10)]
            keyring_before = node.path.read_bytes()
            (wrap,) = (await node.blobs.wraps([secret.slot])).values()
            key = (await node.vault.keys([secret.slot]))[secret.slot]
            assert isinstance(key, bytes)

            ciphertext = (await node.blobs.get([secret.slot]))[secret.slot]
            backup = await it.base_backup(home / "backup")
            evidence = {f"backup {name}": data for name, data in contents(backup / "data").items()}
            evidence["dump before"] = await it.dump()

            await node.vault.erase([secret.slot])

            evidence |= {f"live {name}": data for name, data in (await it.files()).items()}
            dump_after = await it.dump()
            assert all(secret.slot in b"".join(data) for data in evidence.values()), "the attacker has nothing to try"

            before = Keyring.unlock(keyring_before, PASSPHRASE, floor=CHEAP)
            for name, data in evidence.items():
                assert Attacker(before, secret.slot, wrap.kek).keys_in(data) == {key}, f"no competent attacker: {name}"
            assert section.open_(ciphertext, key, secret.commitment, CONTEXT) == WORDS.encode()

            after = Attacker(Keyring.unlock(node.path.read_bytes(), PASSPHRASE, floor=CHEAP), secret.slot, wrap.kek)
            for name, data in (evidence | {"dump after": dump_after}).items():
                assert after.keys_in(data) == set(), name
                assert not any(key in file or WORDS.encode() in file for file in data), name
            assert wrap.wrapped not in dump_after[0]
            assert ciphertext not in dump_after[0]

            for sealed, text in zip(neighbours, (f"neighbour {n}" for n in range(5)), strict=True):
                assert await node.vault.open(sealed, CONTEXT) == text.encode()
            assert len(await node.vault.has([sealed.slot for sealed in others])) == 10
            await still_verifies(node)
        await restored(backup, node, secret)


async def still_verifies(node: KeyNode) -> None:
    leaves = [row.leaf async for row in node.log.raw()]
    head = await node.log.head()
    size, peaks = merkle.grow(0, (), leaves)
    assert (size, merkle.root(peaks)) == (head.size, head.root)
    assert head.size == 16


async def restored(backup: Path, node: KeyNode, secret: Sealed) -> None:
    """The backup is started, with the keyring of after: it is refused, and refused or not, the section stays closed."""
    async with EmbeddedPostgres(backup, fsync=False) as postgres, open_pool(postgres.dsn("node")) as pool:
        old = node.other_process()
        old.pool, old.blobs = pool, PostgresBlobs(pool, old.keys)
        assert set(await old.blobs.wraps([secret.slot])) == {secret.slot}
        assert set(await old.blobs.get([secret.slot])) == {secret.slot}
        with pytest.raises(FatalError, match=r"keyring\.foreign"):
            await old.blobs.recover()
        with pytest.raises(NotFoundError, match=r"vault\.erased"):
            await old.vault.open(secret, CONTEXT)
