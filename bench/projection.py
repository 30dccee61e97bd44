"""Views: replaying the log through a projection, projecting live, rebuilding.

Every figure is of the product's own code on the same events, as large as real ones (a signed manifest has 3.9 KB, a
release 4.2 KB). The library's path reads the same events from its own table by its own recorder, with psycopg's C
client, and its own JSON mapper, with a transcoding for each value object as its manual has it.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse
from uuid import UUID

import asyncpg
import msgspec
from eventsourcing.persistence import (
    DatetimeAsISO,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    Transcoding,
    UUIDAsHex,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from bench.made import Draws, history
from rilon.app.follower import catch_up
from rilon.app.ports import Recorded
from rilon.domain.alert import Edition, SectionRef
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.draft import GrantRecord
from rilon.domain.held import HeldEdition
from rilon.domain.matrix import Verdict
from rilon.domain.peer_link import Signed
from rilon.domain.values import Line, Sealed
from rilon.node.embedded import EmbeddedPostgres
from rilon.projections.changes import Tables
from rilon.projections.progress import Progress
from rilon.projections.rebuild import prepare, rebuild
from rilon.projections.runner import Projector
from rilon.projections.views import fold
from rilon.store.codec import Codec
from rilon.store.database import Pool, open_pool
from rilon.store.log import PostgresEventLog
from rilon.store.migrate import migrate
from rilon.store.reading import PAGE

EVENTS = 200_000
ONE_BY_ONE = 2_000
ROUNDS = 3
FILL = 2_000


class BytesAsHex(Transcoding):
    type, name = bytes, "bytes"

    def encode(self, obj: bytes) -> str:
        return obj.hex()

    def decode(self, data: str) -> bytes:
        return bytes.fromhex(data)


class StructAsFields(Transcoding):
    """One of our value objects as the library's manual does it: fields out, and the class called with them."""

    def __init__(self, cls: type[Any]) -> None:
        self.type, self.name = cls, cls.__name__

    def encode(self, obj: Any) -> Any:
        return msgspec.structs.asdict(obj)

    def decode(self, data: Any) -> Any:
        return self.type(**data)


class FrozensetAsList(Transcoding):
    type, name = frozenset, "frozenset"

    def encode(self, obj: frozenset[str]) -> list[str]:
        return sorted(obj)

    def decode(self, data: list[str]) -> frozenset[str]:
        return frozenset(data)


def library_mapper() -> Mapper[UUID]:
    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex(), DatetimeAsISO(), BytesAsHex(), FrozensetAsList()):
        transcoder.register(transcoding)
    for cls in (Edition, HeldEdition, SectionRef, Verdict, GrantRecord, Line, Sealed, Signed):
        transcoder.register(StructAsFields(cls))
    return Mapper(transcoder)


class Kept:
    """A log whose events are decoded already: what is left is the projecting."""

    def __init__(self, events: Sequence[Recorded]) -> None:
        self._events = events

    async def page(self, after: int, limit: int, *, upto: int | None = None) -> list[Recorded]:
        return list(self._events[after:upto][:limit])

    async def pages(self, after: int = 0, *, upto: int | None = None) -> AsyncGenerator[Sequence[Recorded]]:
        for start in range(after, len(self._events) if upto is None else upto, PAGE):
            yield self._events[start : start + PAGE]


class Bench:
    """One run's databases and events."""

    def __init__(self, log: PostgresEventLog, codec: Codec, pool: Pool, library_dsn: str, recorder: Any) -> None:
        self.log, self.codec, self.pool, self.library_dsn, self.recorder = log, codec, pool, library_dsn, recorder
        self.events: list[Recorded] = []
        self.mapper = library_mapper()
        self.raw: list[tuple[int, StoredEvent]] = []

    async def fill(self) -> None:
        for start in range(0, len(self.events), FILL):
            await self.log.append([r.event for r in self.events[start : start + FILL]])
        await self._fill_library()
        self.raw = [(r.position, self.codec.encode(r.event)) for r in self.events]

    async def _fill_library(self) -> None:
        """By COPY: the library's own pipelined insert of this many bytes at once never comes back."""
        rows = map(self.mapper.to_stored_event, (r.event for r in self.events))
        connection = await asyncpg.connect(self.library_dsn)
        await connection.copy_records_to_table(
            "stored_events",
            records=((e.originator_id, e.originator_version, e.topic, e.state) for e in rows),
            columns=["originator_id", "originator_version", "topic", "state"],
        )
        await connection.close()

    async def library(self) -> int:
        """The library's recorder, pages of 500 as its subscriptions read, its mapper; then our fold."""
        tables, after, seen = Tables(), 1, 0
        while page := self.recorder.select_notifications(after, 500):
            fold((Recorded(n.id, self.mapper.to_domain_event(n)) for n in page), tables)  # type: ignore[arg-type]
            after, seen = page[-1].id + 1, seen + len(page)
        return seen

    async def replay(self) -> int:
        tables, reached = Tables(), 0
        async with aclosing(self.log.pages()) as pages:
            async for page in pages:
                fold(page, tables)
                reached = page[-1].position
        return reached

    async def decode_and_fold(self) -> int:
        decode = self.codec.decode
        fold((Recorded(position, decode(stored, position)) for position, stored in self.raw), Tables())
        return len(self.raw)

    async def fold_only(self) -> int:
        fold(self.events, Tables())
        return len(self.events)

    async def empty(self) -> None:
        await rebuild(self.pool, Kept(()))  # type: ignore[arg-type]
        await self.pool.execute("UPDATE views.progress SET position = 0")
        await rebuild(self.pool, Kept(()))  # type: ignore[arg-type]

    async def live(self, batch: int, limit: int) -> int:
        kept: Any = Kept(self.events[:limit])
        return await catch_up(kept, Projector(self.pool, Progress(self.pool)), batch=batch)

    async def rebuilt(self, limit: int) -> int:
        kept: Any = Kept(self.events[:limit])
        await self.pool.execute("UPDATE views.progress SET position = $1", limit)
        await rebuild(self.pool, kept)
        return limit


@asynccontextmanager
async def bench(size: int) -> AsyncIterator[Bench]:
    """A real Postgres, durable, with the same events in our log and in the library's tables."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rilon-bench-")))
        home.chmod(0o711)
        server = await stack.enter_async_context(EmbeddedPostgres(home / "postgres"))
        owner = await asyncpg.connect(server.dsn("postgres"))
        await owner.execute("CREATE DATABASE ours")
        await owner.execute("CREATE DATABASE library")
        await owner.close()
        owner = await asyncpg.connect(server.dsn("ours"))
        await migrate(owner, Draws())
        await owner.close()
        codec = Codec(CATALOGUE, Draws())
        app = await stack.enter_async_context(open_pool(server.dsn("ours"), role="rilon_app"))
        log = await stack.enter_async_context(PostgresEventLog(app, codec))
        pool = await stack.enter_async_context(open_pool(server.dsn("ours"), role="rilon_projector"))
        await prepare(pool, log)
        recorder = stack.enter_context(library_recorder(server.dsn("library")))
        made = Bench(log, codec, pool, server.dsn("library"), recorder)
        made.events = [Recorded(n, e) for n, e in enumerate(history(size), 1)]
        await made.fill()
        gc.collect()
        gc.freeze()  # what the bench itself keeps is not walked while others are measured
        yield made
        gc.unfreeze()


class library_recorder:  # noqa: N801
    """The library's recorder, its pool closed at the end."""

    def __init__(self, dsn: str) -> None:
        url = urlparse(dsn)
        host = url.hostname or parse_qs(url.query)["host"][0]
        self.datastore = PostgresDatastore(
            url.path.strip("/"), host, url.port or 5432, url.username or "", unquote(url.password or "")
        )

    def __enter__(self) -> Any:
        recorder = PostgresApplicationRecorder(self.datastore)
        recorder.create_table()
        return recorder

    def __exit__(self, *_: object) -> None:
        self.datastore.close()


async def _timed(work: Callable[[], Awaitable[int]]) -> float:
    started = time.perf_counter()
    done = await work()
    return done / (time.perf_counter() - started)


async def measure(size: int = EVENTS, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    paths: dict[str, Callable[[Bench], Awaitable[int]]] = {
        "replay: library recorder and JSON mapper, then fold": Bench.library,
        "replay: our log through the views": Bench.replay,
        "replay: decode and fold in memory": Bench.decode_and_fold,
        "replay: fold in memory": Bench.fold_only,
        "live: one event a transaction": lambda b: b.live(1, min(ONE_BY_ONE, size)),
        "live: folded, 1,000 a transaction": lambda b: b.live(1000, size),
        "rebuild: fold, copy, index, swap": lambda b: b.rebuilt(size),
    }
    found: dict[str, list[float]] = {name: [] for name in paths}
    async with bench(size) as made:
        for replaying in (True, False):  # in this order: checkpoints of what the others store would be in the way
            for name in [name for name in paths if name.startswith("replay") is replaying] * rounds:
                if not replaying:
                    await made.empty()
                found[name].append(await _timed(lambda name=name: paths[name](made)))  # type: ignore[misc]
    return list(_rows({name: statistics.median(rates) for name, rates in found.items()}))


def _rows(rates: dict[str, float]) -> Iterator[dict[str, Any]]:
    library, _, _, _, one, folded, rebuilt = rates.values()
    for name, rate in rates.items():
        yield {"name": name, "per_s": round(rate), "ratio": round(rate / (library if "replay" in name else one), 2)}
    yield {"name": "rebuild against folded live", "per_s": round(rebuilt), "ratio": round(rebuilt / folded, 2)}


def run(size: int = EVENTS, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Rows with name, events per second, and the ratio: of replays to the library, of the rest to one at a time."""
    return asyncio.run(measure(size, rounds))


if __name__ == "__main__":
    for row in run():
        print(f"{row['per_s']:>8}/s  {row['ratio']:>6} x  {row['name']}")
