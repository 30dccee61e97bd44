"""Append: the product's log with 64 writers against raw asyncpg, the library's recorder and COPY; one server, fsync on.

Ours does the whole work: encoding, salt, leaf, root, guards, the head, one NOTIFY a batch. The others store ready bytes
of the same size: asyncpg as it comes, one row a transaction (no order, no root), and tuned as far as it goes (24
connections, no reset between uses); the eventsourcing library's Postgres recorder with psycopg's C client on 8 threads;
COPY of 512 rows (no conflict is found).
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import asyncpg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from rilon.domain.base import Event, Opening, Root
from rilon.node.embedded import EmbeddedPostgres
from rilon.node.system import SystemEntropy
from rilon.store.codec import Codec
from rilon.store.database import Pool, open_pool
from rilon.store.log import PostgresEventLog
from rilon.store.migrate import migrate

ROUNDS, SECONDS = 7, 1.0
WRITERS, THREADS, COPIED = 64, 8, 512
PAYLOAD_BYTES = 800
RAW = "asyncpg, one row a transaction, 64 tasks"
RAW_TABLE = """
CREATE TABLE raw (originator_id uuid, originator_version bigint, topic text, state bytea, position bigserial UNIQUE,
                  PRIMARY KEY (originator_id, originator_version));
ALTER TABLE raw ALTER COLUMN state SET STORAGE EXTERNAL;
CREATE TABLE copied (LIKE rilon.event INCLUDING ALL);
"""
RAW_INSERT = "INSERT INTO raw VALUES ($1, $2, $3, $4) RETURNING position"


class Item(Root):
    """As little as an event can be, with a payload of a real one's size."""

    TOPIC = "bench.item"

    class Made(Opening):
        TOPIC = "bench.item.made.1"
        payload: bytes

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


draws = SystemEntropy()
payload = secrets.token_bytes(PAYLOAD_BYTES)  # incompressible, as ciphertext and signatures are
now = datetime.now(UTC)
codec = Codec({Item.Made.TOPIC: Item.Made}, draws)


def made() -> Event:
    facts: dict[str, Any] = {"originator_topic": Item.TOPIC, "payload": payload}
    return Item.Made(originator_id=draws.uuid(), originator_version=1, timestamp=now, **facts)


STATE = codec.encode(made()).state


async def together(tasks: int, seconds: float, work: Callable[[], Awaitable[int]]) -> float:
    """Events a second of so many tasks doing the work again and again."""
    started = time.perf_counter()
    end = started + seconds

    async def go() -> int:
        done = 0
        while time.perf_counter() < end:
            done += await work()
        return done

    done = sum(await asyncio.gather(*(go() for _ in range(tasks))))
    return done / (time.perf_counter() - started)


@dataclass
class Bench:
    log: PostgresEventLog
    plain: Pool
    tuned: Pool
    library: PostgresApplicationRecorder
    copied: int = field(default=0)

    async def ours(self, writers: int, seconds: float) -> float:
        async def append() -> int:
            await self.log.append([made()])
            return 1

        return await together(writers, seconds, append)

    async def raw(self, seconds: float) -> float:
        return await self._rows(self.plain, seconds)

    async def raw_tuned(self, seconds: float) -> float:
        return await self._rows(self.tuned, seconds)

    async def _rows(self, pool: Pool, seconds: float) -> float:
        async def insert() -> int:
            await pool.fetchval(RAW_INSERT, draws.uuid(), 1, Item.Made.TOPIC, STATE)
            return 1

        return await together(WRITERS, seconds, insert)

    async def library_threads(self, seconds: float) -> float:
        counts: list[int] = []
        started = time.perf_counter()

        def work() -> None:
            done = 0
            while time.perf_counter() < started + seconds:
                self.library.insert_events([StoredEvent(draws.uuid(), 1, Item.Made.TOPIC, STATE)])
                done += 1
            counts.append(done)

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        return sum(counts) / (time.perf_counter() - started)

    async def copy(self, seconds: float) -> float:
        async def copy() -> int:
            first, self.copied = self.copied + 1, self.copied + COPIED
            rows = [(first + n, draws.uuid(), 1, Item.Made.TOPIC, STATE[:32], STATE) for n in range(COPIED)]
            await self.plain.copy_records_to_table("copied", records=rows)
            return COPIED

        return await together(1, seconds, copy)


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="rilon-bench-") as name:
        Path(name).chmod(0o711)
        async with EmbeddedPostgres(Path(name) / "postgres") as server:
            owner = await asyncpg.connect(server.dsn())
            await migrate(owner, draws)
            await owner.execute(RAW_TABLE)
            await owner.close()
            async with (
                asyncpg.create_pool(server.dsn()) as plain,
                open_pool(server.dsn(), size=24) as tuned,
                open_pool(server.dsn(), role="rilon_app", size=2) as pool,
                PostgresEventLog(pool, codec) as log,
            ):
                url = urlparse(server.dsn())
                login = url.username or "", unquote(url.password or "")
                host = parse_qs(url.query)["host"][0]
                with closing(PostgresDatastore(url.path.strip("/"), host, 5432, *login)) as datastore:
                    library = PostgresApplicationRecorder(datastore)
                    library.create_table()
                    yield Bench(log, plain, tuned, library)


async def measure(rounds: int, seconds: float) -> list[dict[str, Any]]:
    paths: dict[str, Callable[[Bench, float], Awaitable[float]]] = {
        RAW: Bench.raw,
        f"{RAW}, tuned": Bench.raw_tuned,
        "library recorder, psycopg[binary], 8 threads": Bench.library_threads,
        "COPY, 512 rows at a time": Bench.copy,
        "our log, 1 writer": lambda b, s: b.ours(1, s),
        "our log, 64 writers": lambda b, s: b.ours(WRITERS, s),
        "our log, 512 writers": lambda b, s: b.ours(512, s),
    }
    rates: dict[str, list[float]] = {name: [] for name in paths}
    async with bench() as one:
        for at in range(rounds + 1):
            for name, path in paths.items():
                rate = await path(one, seconds if at else 0.2)
                if at:  # the first round warms up
                    rates[name].append(rate)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    return [{"name": n, "per_s": round(rate), "ratio": round(rate / medians[RAW], 2)} for n, rate in medians.items()]


def run(rounds: int = ROUNDS, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Rows with name, events per second (medians of interleaved rounds), and the ratio to the first."""
    return asyncio.run(measure(rounds, seconds))


if __name__ == "__main__":
    for row in run():
        print(f"{row['per_s']:>8}/s  {row['ratio']:>6} x  {row['name']}")
