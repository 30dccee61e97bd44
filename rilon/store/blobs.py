"""Ciphertexts and wrapped section keys in Postgres, and how they are erased so that no backup opens them.

Erasing has an order in which every crash can be repaired by the next start, which runs the same code
(docs/spec/keys.md, "Erasing, in this order"):

1. rows for the new key-encryption keys (KEKs) of the slots' buckets    database
2. the keyring with them, the old ones behind them                      file; from here on all writers use the new
3. wraps and ciphertexts of the slots are deleted                       database; the content is closed
4. what is left under the old KEKs is wrapped anew, their rows dropped  database; a late writer's reference fails
5. the keyring without the old KEKs                                     file; the content is destroyed

There is no journal beside the keyring: a bucket that holds two KEKs is a turning that is not finished.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, LiteralString

from asyncpg import ForeignKeyViolationError, Record

from rilon.app.failpoints import Failpoint, Hook, passing
from rilon.app.ports import ANY_SIZE, Keys, Parcel, Wrap
from rilon.crypto.keyring import Keyring
from rilon.errors import ConflictError, FatalError, ProofError
from rilon.store.database import Pool, reaching

LEASE: Final = timedelta(hours=1)
"""How long a ciphertext waits for the append that brings its key. No command takes that long."""

PAGE: Final = 500
"""Wraps written anew at a time: some 5 ms of computing before the event loop turns again."""

PUT: Final[LiteralString] = """
INSERT INTO rilon.blobs AS old (slot, ciphertext, leased_until)
SELECT new.slot, new.ciphertext, now() + $3 FROM unnest($1::bytea[], $2::bytea[]) AS new (slot, ciphertext)
ORDER BY new.slot
ON CONFLICT (slot) DO UPDATE SET leased_until = greatest(old.leased_until, excluded.leased_until)
WHERE old.ciphertext = excluded.ciphertext
RETURNING slot
"""
"""In the order of slots, so that two writers of the same slots wait for each other and never in a circle."""

GET: Final[LiteralString] = """
SELECT slot, ciphertext FROM rilon.blobs WHERE slot = ANY($1::bytea[]) AND octet_length(ciphertext) <= $2
"""

WRAPS: Final[LiteralString] = "SELECT slot, kek, wrapped FROM rilon.keywraps WHERE slot = ANY($1::bytea[])"

PART: Final[LiteralString] = """
SELECT octet_length(ciphertext), substring(ciphertext from $2 + 1 for $3) FROM rilon.blobs WHERE slot = $1
"""

EXPECT: Final[LiteralString] = """
INSERT INTO rilon.awaited (slot, peer, rank, item, manifest, place, digest, leased_until)
SELECT new.*, now() + $8 FROM unnest($1::bytea[], $2::text[], $3::int[], $4::bytea[], $5::bytea[], $6::int[],
  $7::bytea[]) AS new ON CONFLICT DO NOTHING
"""

AWAITED: Final[LiteralString] = """
SELECT slot, peer, rank, item, manifest, place, digest, have, total FROM rilon.awaited a
WHERE peer = $1 AND digest <> ALL($2::bytea[]) AND EXISTS (SELECT FROM rilon.keywraps k WHERE k.slot = a.slot)
ORDER BY rank, asked_at, slot LIMIT 64
"""

ADD: Final[LiteralString] = """
WITH moved AS (
  UPDATE rilon.awaited SET have = $2 + octet_length($4::bytea), total = $3
  WHERE slot = $1 AND have = $2 AND total IN (0, $3) RETURNING slot
)
INSERT INTO rilon.pieces (slot, start, piece) SELECT slot, $2, $4 FROM moved RETURNING true
"""
"""A repeated piece finds another ``have`` and changes nothing; so does one of another whole than the first said."""

PIECES: Final[LiteralString] = "SELECT piece FROM rilon.pieces WHERE slot = $1 ORDER BY start"

SETTLE: Final[LiteralString] = "DELETE FROM rilon.awaited WHERE slot = $1"

ANEW: Final[LiteralString] = """
WITH dropped AS (DELETE FROM rilon.pieces WHERE slot = $1)
UPDATE rilon.awaited SET have = 0, total = 0 WHERE slot = $1
"""

SWEEP: Final[LiteralString] = """
WITH awaited AS (
  DELETE FROM rilon.awaited a
  WHERE leased_until < now() AND NOT EXISTS (SELECT FROM rilon.keywraps k WHERE k.slot = a.slot)
)
DELETE FROM rilon.blobs b
WHERE leased_until < now() AND NOT EXISTS (SELECT FROM rilon.keywraps k WHERE k.slot = b.slot)
"""

REGISTER: Final[LiteralString] = """
INSERT INTO rilon.keks (kek, bucket) SELECT * FROM unnest($1::bytea[], $2::int[]) ON CONFLICT DO NOTHING
"""

DROP_UNKNOWN: Final[LiteralString] = "DELETE FROM rilon.keks WHERE kek <> ALL($1::bytea[])"

ERASE: Final[LiteralString] = """
WITH closed AS (DELETE FROM rilon.keywraps WHERE slot = ANY($1::bytea[])),
  awaited AS (DELETE FROM rilon.awaited WHERE slot = ANY($1::bytea[]))
DELETE FROM rilon.blobs WHERE slot = ANY($1::bytea[])
"""

UNDER: Final[LiteralString] = "SELECT slot, kek, wrapped FROM rilon.keywraps WHERE kek = ANY($1::bytea[]) LIMIT $2"

REWRAP: Final[LiteralString] = """
WITH broken AS (DELETE FROM rilon.keywraps WHERE slot = ANY($4::bytea[]))
UPDATE rilon.keywraps k SET kek = new.kek, wrapped = new.wrapped
FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS new (slot, kek, wrapped) WHERE k.slot = new.slot
"""

DROP: Final[LiteralString] = "DELETE FROM rilon.keks WHERE kek = $1"


class PostgresBlobs:
    """The port ``Blobs``.

    Args:
        pool: connections as the app role.
        keys: the node's keyring; its lock makes erasures of all processes take turns.
        lease: see ``LEASE``.
        page: see ``PAGE``.
        hook: where crashes are tried.
    """

    def __init__(
        self, pool: Pool, keys: Keys, *, lease: timedelta = LEASE, page: int = PAGE, hook: Hook = passing
    ) -> None:
        self._pool, self._keys, self._lease, self._page, self._hook = pool, keys, lease, page, hook

    async def put(self, blobs: Mapping[bytes, bytes]) -> None:
        """See ``Blobs.put``."""
        if not blobs:
            return
        with reaching("blobs"):
            stored = await self._pool.fetch(PUT, list(blobs), list(blobs.values()), self._lease)
        if len(stored) < len(blobs):
            raise ConflictError("blobs.slot-taken", "This slot holds something else.")

    async def get(self, slots: Sequence[bytes], most: int = ANY_SIZE) -> dict[bytes, bytes]:
        """See ``Blobs.get``."""
        with reaching("blobs"):
            return {row["slot"]: row["ciphertext"] for row in await self._pool.fetch(GET, slots, most)}

    async def part(self, slot: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """See ``Blobs.part``."""
        with reaching("blobs"):
            row = await self._pool.fetchrow(PART, slot, offset, length)
        return (row[0], row[1]) if row else None

    async def expect(self, parcels: Sequence[Parcel]) -> None:
        """See ``Blobs.expect``."""
        rows = [(p.slot, p.peer, p.rank, p.item, p.manifest, p.place, p.digest) for p in parcels]
        with reaching("blobs"):
            await self._pool.execute(EXPECT, *_columns(rows, 7), self._lease)

    async def awaited(self, peer: str, but: Collection[bytes] = ()) -> list[Parcel]:
        """See ``Blobs.awaited``."""
        with reaching("blobs"):
            return [Parcel(**row) for row in await self._pool.fetch(AWAITED, peer, list(but))]

    async def add(self, slot: bytes, offset: int, total: int, piece: bytes) -> bool:
        """See ``Blobs.add``."""
        with reaching("blobs"):
            return bool(await self._pool.fetchval(ADD, slot, offset, total, piece))

    async def pieces(self, slot: bytes) -> bytes:
        """See ``Blobs.pieces``."""
        with reaching("blobs"):
            return b"".join(row["piece"] for row in await self._pool.fetch(PIECES, slot))

    async def settle(self, slot: bytes, *, anew: bool = False) -> None:
        """See ``Blobs.settle``."""
        with reaching("blobs"):
            await self._pool.execute(ANEW if anew else SETTLE, slot)

    async def wraps(self, slots: Sequence[bytes]) -> dict[bytes, Wrap]:
        """See ``Blobs.wraps``."""
        with reaching("blobs"):
            return {row["slot"]: Wrap(**row) for row in await self._pool.fetch(WRAPS, slots)}

    async def sweep(self) -> int:
        """Delete ciphertexts whose lease is over and that no key came for; says how many. Run it now and then."""
        with reaching("blobs"):
            return _count(await self._pool.execute(SWEEP))

    async def recover(self) -> None:
        """Make database and keyring agree, and finish the turnings a crash has left. At every start, before serving.

        Raises:
            FatalError: ``keyring.foreign``: there are wraps under KEKs that this keyring does not hold.
            UnavailableError: ``blobs.unavailable`` or ``keyring.busy``.
        """
        async with self._keys.exclusive() as draft:
            with reaching("blobs"):
                await self._drop_unknown(draft)
                turning = {kek for _, kek in draft.turning()}
                await self._register((bucket, kek) for bucket, kek in draft.keks() if kek not in turning)
                await self._settle(draft)

    async def erase(self, slots: Sequence[bytes]) -> None:
        """See ``Blobs.erase``: returns when the keys of these slots are destroyed.

        A slot without a key is left alone, its ciphertext too: an append may be on its way to it. Only wraps that were
        seen before the keys turned may be deleted, or a newer one would go without its key being turned after it.
        """
        async with self._keys.exclusive() as draft:
            with reaching("blobs"):
                await self._settle(draft)  # what an earlier one left: at most two KEKs a bucket, ever
                live = list(await self.wraps(slots))
                if live:
                    await self._rotate(draft, sorted({slot[0] for slot in live}))
                    await self._pool.execute(ERASE, live)
                    await self._hook(Failpoint.KEYS_CLOSED)
                    await self._settle(draft)

    async def _rotate(self, draft: Keyring, buckets: Iterable[int]) -> None:
        """Steps 1 and 2. In this order, or writers would meet KEKs that the database does not know yet."""
        await self._register([(bucket, draft.rotate(bucket)[1]) for bucket in buckets])
        await self._hook(Failpoint.KEYS_REGISTERED)
        await self._keys.save(draft)
        await self._hook(Failpoint.KEYS_ROTATED)

    async def _settle(self, draft: Keyring) -> None:
        """Steps 4 and 5 for whatever is turning, from wherever it was left."""
        turning = [kek for _, kek in draft.turning()]
        if not turning:
            return
        left = turning
        while left:
            await self._rewrap(draft, left)
            await self._hook(Failpoint.KEYS_REWRAPPED)
            left = [kek for kek in left if not await self._drop(kek)]
        await self._hook(Failpoint.KEYS_DROPPED)
        for kek in turning:
            draft.destroy(kek)
        await self._keys.save(draft)

    async def _rewrap(self, draft: Keyring, keks: Sequence[bytes]) -> None:
        while rows := await self._pool.fetch(UNDER, keks, self._page):
            anew = [wrap for row in rows if (wrap := _anew(draft, row))]
            broken = {row["slot"] for row in rows} - {slot for slot, _, _ in anew}
            await self._pool.execute(REWRAP, *_columns(anew, 3), broken)

    async def _drop(self, kek: bytes) -> bool:
        """Drop a KEK's row: from here on nobody can store a wrap under it. False: somebody just did.

        One a statement: dropping several in one could wait in a circle with an append that references them.
        """
        try:
            await self._pool.execute(DROP, kek)
        except ForeignKeyViolationError:
            return False
        return True

    async def _register(self, keks: Iterable[tuple[int, bytes]]) -> None:
        buckets, ids = _columns(list(keks), 2)
        await self._pool.execute(REGISTER, ids, buckets)

    async def _drop_unknown(self, draft: Keyring) -> None:
        """Rows whose KEK never came to be (a crash after step 1). With wraps under them they are no such rows."""
        try:
            await self._pool.execute(DROP_UNKNOWN, [kek for _, kek in draft.keks()])
        except ForeignKeyViolationError:
            raise FatalError(
                "keyring.foreign",
                "The database holds keys that this keyring cannot open.",
                fix="Start with this node's newest keyring; after restoring a database, restore its key sheet too.",
            ) from None


def _anew(ring: Keyring, row: Record) -> tuple[bytes, bytes, bytes] | None:
    """The wrap under its bucket's current KEK; None when it does not open.

    Somebody changed such a row in the database. It is dropped with its key, for it opened nothing, and must not be able
    to hold up the erasure of others.
    """
    slot: bytes = row["slot"]
    try:
        key = ring.unwrap(slot, row["kek"], row["wrapped"])
    except ProofError:
        return None
    return slot, *ring.wrap(slot, key)


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[at] for row in rows] for at in range(width)]


def _count(status: str) -> int:
    return int(status.rsplit(maxsplit=1)[-1])
