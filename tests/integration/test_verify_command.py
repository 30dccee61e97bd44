"""``rilon verify`` on a real database: sound as it was written, and every way of tampering found where it was done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from click.testing import CliRunner, Result

from rilon.node.cli import cli
from rilon.node.commands.verify import examine
from rilon.store.links import FORMAT
from tests.evidence import Evidence, Story, told
from tests.postgres_log import prepare

pytestmark = pytest.mark.real

Tamper = Callable[[asyncpg.Connection], Awaitable[object]]


@pytest.fixture(scope="module")
async def story() -> Story:
    return await told()


@asynccontextmanager
async def written(dsn: str, evidence: Evidence) -> AsyncIterator[asyncpg.Connection]:
    """A node's database with all that the story left in it."""
    await prepare(dsn)
    connection = await asyncpg.connect(dsn)
    tip = evidence.head()
    rows = [(r.position, r.stream, r.version, r.topic, r.leaf, r.state) for r in evidence.rows]
    try:
        await connection.copy_records_to_table("event", records=rows, schema_name="rilon")
        head = "UPDATE rilon.log_head SET size = $1, root = $2, peaks = $3, log_id = $4"
        await connection.execute(head, tip.size, tip.root, b"".join(tip.peaks), tip.log_id)
        await connection.execute(
            "INSERT INTO rilon.positions VALUES ($1, $2)", f"courier {FORMAT} {tip.log_id.hex()}", tip.size
        )
        noted = [(s.peer, s.n, s.position, s.head) for s in evidence.selected]
        await connection.copy_records_to_table("link_out", records=noted, schema_name="rilon")
        yield connection
    finally:
        await connection.close()


async def keep_texts(connection: asyncpg.Connection, story: Story) -> None:
    """The ciphertexts and the keys of the story."""
    blobs, wraps = story.here.blobs.ciphertexts, story.here.blobs.keywraps
    await connection.executemany(
        "INSERT INTO rilon.keks VALUES ($1, 0)", [(w,) for w in {w.kek for w in wraps.values()}]
    )
    put = "INSERT INTO rilon.blobs VALUES ($1, $2, now())"
    await connection.executemany(put, list(blobs.items()))
    wrap = "INSERT INTO rilon.keywraps VALUES ($1, $2, $3)"
    await connection.executemany(wrap, [(w.slot, w.kek, w.wrapped) for w in wraps.values()])


async def run(*words: str) -> Result:
    """The command in a thread of its own: it runs a loop."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["verify", *words]))


async def test_a_sound_log_and_everything_beside_it(database: str, story: Story) -> None:
    async with written(database, story.evidence) as connection:
        await keep_texts(connection, story)
        report = await examine(database)
        assert report.findings == ()
        assert report.proved == story.evidence.verify().proved
        said = await run("--database-url", database, "--json")
        assert (said.exit_code, json.loads(said.stdout)["sound"]) == (0, True)


async def _edit(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "UPDATE rilon.event SET state = set_byte(state, octet_length(state) - 1, 0) WHERE position = 12"
    )


async def _delete(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM rilon.event WHERE position = 9")


async def _swap(connection: asyncpg.Connection) -> None:
    for at, to in ((4, 1000), (7, 4), (1000, 7)):
        await connection.execute("UPDATE rilon.event SET position = $2 WHERE position = $1", at, to)


async def _head(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE rilon.log_head SET root = sha256(root)")


async def _cut(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE rilon.log_head SET size = size - 1")


async def _note(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE rilon.link_out SET head = sha256(head) WHERE n = 2")


@pytest.mark.parametrize(
    ("tamper", "code", "position"),
    [
        (_edit, "log.leaf", 12),
        (_delete, "log.gap", 9),
        (_swap, "log.root", 0),
        (_head, "log.head", 0),
        (_cut, "log.size", 0),
        (_note, "link.selected", None),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_tampering_is_found(database: str, story: Story, tamper: Tamper, code: str, position: int | None) -> None:
    async with written(database, story.evidence) as connection:
        await tamper(connection)
        found = [(f.position, f.code) for f in (await examine(database)).findings]
    assert code in {c for _, c in found}
    assert position is None or (position, code) in found


async def test_findings_are_told_one_a_line_and_by_the_exit_code(database: str, story: Story) -> None:
    async with written(database, story.evidence) as connection:
        await _delete(connection)
        said = await run("--database-url", database)
    assert said.exit_code == 1
    assert any(line.split()[:2] == ["9", "log.gap"] for line in said.stdout.splitlines())
    assert "Stop the node" in said.stderr


async def test_a_forger_with_the_whole_database_is_betrayed_by_the_signatures(database: str, story: Story) -> None:
    """Rows, leaves and head agree; only the keys of those who signed are missing."""
    evidence = story.evidence.copy()
    evidence.rewrite(len(evidence.rows) // 2)  # salted anew: another leaf, the same words
    place = next(n for n, e in enumerate(evidence.events(), 1) if hasattr(e, "release"))
    release = evidence.events()[place - 1].release
    evidence.rewrite(place, release=release[:-1] + bytes([release[-1] ^ 1]))
    async with written(database, evidence):
        found = [(f.position, f.code) for f in (await examine(database)).findings]
    assert found == [(place, "signature.invalid")]


async def test_a_lost_and_an_exchanged_ciphertext(database: str, story: Story) -> None:
    async with written(database, story.evidence) as connection:
        await keep_texts(connection, story)
        one, two = [row["slot"] for row in await connection.fetch("SELECT slot FROM rilon.blobs LIMIT 2")]
        await connection.execute("DELETE FROM rilon.blobs WHERE slot = $1", one)
        await connection.execute("UPDATE rilon.blobs SET ciphertext = '\\x00' WHERE slot = $1", two)
        assert {f.code for f in (await examine(database)).findings} == {"blob.missing", "blob.digest"}


async def test_what_is_no_database_of_ours(database: str) -> None:
    said = await run("--database-url", database)
    assert said.exit_code == 1
    assert "[migration.pending]" in said.stderr


async def test_the_log_of_an_erased_text_still_verifies(database: str, story: Story) -> None:
    async with written(database, story.evidence) as connection:
        await keep_texts(connection, story)
        slot = await connection.fetchval("SELECT slot FROM rilon.blobs LIMIT 1")
        await connection.execute("DELETE FROM rilon.keywraps WHERE slot = $1", slot)
        await connection.execute("DELETE FROM rilon.blobs WHERE slot = $1", slot)
        assert (await examine(database)).sound
