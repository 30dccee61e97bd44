"""Whoever holds the disks, the hub, the logs and the backups of the nodes reads not one word of what people wrote.

Everything that somebody writes here holds the same mark. It is looked for in every byte that nodes, databases, hub and
dumps leave on a disk, in every spelling a program may have given it; and it is read by exactly those who may.
"""

from __future__ import annotations

import asyncio
import base64
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rilon.app.vault import Vault
from rilon.crypto import approval
from rilon.domain.disclosure import Disclosure
from rilon.domain.values import Sealed
from rilon.errors import NotFoundError, RefusedError, RilonError, UnavailableError
from rilon.node.client import NodeClient
from rilon.node.core import World, open_core
from rilon.node.embedded import EmbeddedPostgres
from rilon.node.signing import sign
from tests.cluster import eventually
from tests.fakes.keys import CHEAP
from tests.processes import Network, network
from tests.servers import open_dir

pytestmark = pytest.mark.real

MARK = "qzxkanarivogel"
"""In everything that is written below, with a word more that says where it was written."""
MEMBERS = ("th", "id", "my")
PEOPLE = ("officer", "focal-1", "focal-2", "protection", "auditor", "administrator")
READ_BY = {
    "summary": {"officer", "focal-1", "focal-2", "protection"},
    "nominal": {"officer", "focal-1", "focal-2", "protection"},
    "source": {"focal-1", "focal-2"},
    "victim": {"protection"},
    "child": {"protection"},
}
"""Who opens what of the sections that a node has (permission matrix)."""
HAS = {"th": set(READ_BY), "id": {"summary", "nominal", "victim"}, "my": {"summary", "nominal", "child"}}
"""What is released to whom in the story below."""


def canary(where: str) -> str:
    return f"{MARK}-{where}"


def spellings(mark: str) -> Iterator[bytes]:
    """The mark as it may stand in a file, lower case: plain, in UTF-16, in hex, and in base64 wherever it begins."""
    plain = mark.encode()
    yield from (plain, mark.encode("utf-16-le"), plain.hex().encode(), mark.encode("utf-16-le").hex().encode())
    for before in range(3):
        coded = base64.b64encode(bytes(before) + plain)
        whole = coded[
            (before * 4 + 2) // 3 : (before + len(plain)) * 4 // 3
        ]  # what follows from the mark's bytes alone
        yield whole.lower()


SPELLINGS = tuple(spellings(MARK))


def marked(data: bytes) -> bool:
    lower = data.lower()
    return any(spelling in lower for spelling in SPELLINGS)


def files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""  # a server has removed it meanwhile


def holding(needle: bytes, *folders: Path) -> set[str]:
    return {str(path) for path in files(*folders) if needle in read(path)}


def marked_files(*folders: Path) -> list[str]:
    return [str(path) for path in files(*folders) if marked(read(path))]


def alert() -> dict[str, Any]:
    """An alert with every section there is."""
    person = {"role": "possible_victim", "nationalities": ["MM"]}
    return {
        "kind": "MAR-DEPARTURE",
        "fields": {
            "title": canary("summary title"),
            "place": {"name": canary("summary place"), "country": "BD"},
            "observed_at": "2026-05-02T16:40:00Z",
            "departure_window": {"start": "2026-05-02T17:00:00Z"},
            "persons_estimate": {"low": 80, "high": 120},
            "narrative": canary("nominal narrative"),
            "persons": [person | {"role": "suspect", "name": canary("nominal name"), "role_by": "Sample Police"}],
            "victims": [person | {"name": canary("victim name"), "note": canary("victim note")}],
            "children": [person | {"name": canary("child name"), "birth": "2015"}],
            "source_note": canary("source note"),
        },
        "grade": {"scheme": "admiralty_6x6", "source": "B", "information": "2"},
        "handling": {"no_origin_states": ["mm"]},
        "audience": {"members": ["id", "my"]},
    }


class Story:
    """Everything in which people write something, done once over the API."""

    def __init__(self, nodes: Network) -> None:
        self.nodes, self.demo = nodes, nodes.demo
        self.item = self.returned = self.refused = ""

    async def call(self, member: str, person: str, method: str, path: str, body: object = None, **query: str) -> Any:
        async with self.nodes.client(member, person) as client:
            return await (client.get(path, **query) if method == "GET" else client.post(path, body))

    async def tell(self) -> None:
        await self.post_and_release()
        await self.answer()
        await self.decide_otherwise()
        await self.enrol_and_search()
        await self.ask_nonsense()
        await self.post_while_things_break()

    async def post_and_release(self) -> None:
        await self.call("th", "officer", "POST", "alerts/preview", alert())
        self.item = (await self.call("th", "officer", "POST", "alerts", alert()))["id"]
        keep = [["id", s] for s in ("summary", "nominal", "victim")] + [["my", "child"]]
        await self.call("th", "focal-1", "POST", f"approvals/{self.item}/cut", {"keep": keep})
        assert await self.sign("focal-2") == "waiting"
        assert await self.sign("protection") == "released"
        for member in ("id", "my"):
            await eventually(lambda member=member: self.arrived(member))  # type: ignore[misc]

    async def sign(self, person: str) -> str:
        waiting = await self.call("th", person, "GET", f"approvals/{self.item}")
        file = Path(self.demo.persona("th", person).key_file)
        key = approval.unlock(file.read_bytes(), self.demo.state.passphrase, floor=CHEAP)
        done = await self.call("th", person, "POST", f"approvals/{self.item}/approve", {"approval": sign(waiting, key)})
        return str(done["outcome"])

    async def arrived(self, member: str) -> bool:
        rows = (await self.call(member, "protection", "GET", "board"))["rows"]
        return any(set(row["sensitivities"]) >= HAS[member] & {"victim", "child"} for row in rows)

    async def answer(self) -> None:
        reply = {"kind": "reply.sighting", "text": canary("reply")}
        await self.call("id", "officer", "POST", f"items/th/{self.item}/reply", reply)

        async def heard() -> bool:
            replies = await self.call("th", "officer", "GET", f"replies/{self.item}")
            return [r["text"] for r in replies] == [canary("reply")]

        await eventually(heard)

    async def decide_otherwise(self) -> None:
        for name, body in (("return", {"comment": canary("comment")}), ("refuse", {"reason": canary("reason")})):
            item = (await self.call("id", "officer", "POST", "alerts", alert() | {"audience": {"members": ["th"]}}))[
                "id"
            ]
            await self.call("id", "focal-1", "POST", f"approvals/{item}/{name}", body)
        corrected = alert()
        corrected["fields"]["title"] = canary("summary corrected")
        async with self.nodes.client("th") as client:
            await client.command("PUT", f"alerts/{self.item}", corrected)
        other = (await self.call("th", "officer", "POST", "alerts", alert()))["id"]
        await self.call("th", "officer", "POST", f"alerts/{other}/withdraw", {"reason": canary("withdrawn")})

    async def enrol_and_search(self) -> None:
        body = {"name": canary("officer name"), "agency": "police", "desk": "duty", "roles": ["officer"]}
        await self.call("th", "focal-1", "POST", "officers", body)
        for member in MEMBERS:
            found = await self.call(member, "officer", "GET", "board", words=canary("summary"))
            assert found["rows"]
            assert not (await self.call(member, "officer", "GET", "board", words=canary("nothing")))["rows"]

    async def ask_nonsense(self) -> None:
        """What is refused is written nowhere either."""
        for path, body in (
            ("alerts", alert() | {"kind": canary("kind")}),
            ("alerts", alert() | {"audience": {"members": [canary("member")]}}),
            ("alerts", alert() | {canary("field"): 1}),
            (f"items/{canary('origin')}/{self.item}/acknowledge", None),
            (canary("path"), None),
        ):
            with pytest.raises(RilonError):
                await self.call("th", "officer", "POST", path, body)
        for query in ({"words": canary("x" * 300)}, {"kind": canary("kind"), canary("parameter"): "1"}):
            with pytest.raises(RilonError):
                await self.call("th", "officer", "GET", "board", **query)
        async with NodeClient(self.demo.url("th"), canary("token").replace(" ", "_")) as client:
            with pytest.raises(RefusedError):
                await client.get("board")

    async def post_while_things_break(self) -> None:
        """Post under a key while the database and the hub die: what fails must say nothing of it either."""
        async with self.nodes.client("th") as client:
            for n in range(6):
                if n == 2:
                    self.nodes.nodes["th"].kill_postgres()
                    self.nodes.kill_hub()
                await self.post_stubbornly(client, canary(f"key-{n}"))

    @staticmethod
    async def post_stubbornly(client: NodeClient, key: str) -> None:
        async with asyncio.timeout(30):
            while True:
                try:
                    await client.post("alerts", alert(), key=key)
                except UnavailableError:
                    await asyncio.sleep(0.2)
                else:
                    return


async def assert_read_by_exactly_those_who_may(story: Story) -> None:
    for member in MEMBERS:
        for person in PEOPLE:
            found = {s for s in READ_BY if await opens(story, member, person, s)}
            assert found == {s for s in HAS[member] if person in READ_BY[s]}, (member, person)
    for person in PEOPLE:
        try:
            officers = await story.call("th", person, "GET", "officers")
        except RefusedError:
            officers = []
        named = any(each["name"] == canary("officer name") for each in officers)
        assert named == person.startswith("focal"), person


async def opens(story: Story, member: str, person: str, sensitivity: str) -> bool:
    """Whether a person opens a section of the alert, and finds in it what was written there."""
    body = {"sensitivity": sensitivity, "purpose": "protect_and_refer"}
    try:
        opened = await story.call(member, person, "POST", f"items/th/{story.item}/open", body)
    except (NotFoundError, RefusedError):
        return False
    said = str(opened["fields"])
    assert canary(sensitivity) in said
    assert all(canary(other) not in said for other in READ_BY if other != sensitivity)
    return True


async def assert_local_words_open(story: Story) -> None:
    """What stays at a node opens with its keyring: the reasons and comments are there, and only sealed."""
    home, world = story.demo.home("id"), World(floor=CHEAP, fsync=False)
    async with open_core(home, story.demo.state.passphrase, world) as core:
        events = [r.event for r in await core.log.page(0, 1_000_000)]
        said = {
            await _open(core.desks.vault, events, e)
            for e in events
            if isinstance(e, Disclosure.Returned | Disclosure.Refused)
        }
    assert said == {canary("comment"), canary("reason")}


async def _open(vault: Vault, events: list[Any], event: Any) -> str:
    item = next(e.item for e in events if isinstance(e, Disclosure.Proposed) and e.originator_id == event.originator_id)
    purpose = "disclosure.returned" if isinstance(event, Disclosure.Returned) else "disclosure.refused"
    sealed = next(v for v in vars(event).values() if isinstance(v, Sealed))
    return await vault.open_text(sealed, purpose, item.hex)


def dump(home: Path, out: Path) -> bytes:
    """A backup as an operator makes it."""
    server = EmbeddedPostgres(home / "postgres")
    done = server._identity.run([server.binary("pg_dump"), server.dsn()])
    assert done.returncode == 0, done.stdout
    out.write_text(done.stdout)
    return out.read_bytes()


async def flush(dsn: str, *statements: str) -> None:
    """Have the database write all it holds into its files."""
    owner = await asyncpg.connect(dsn)
    for statement in (*statements, "CHECKPOINT"):
        await owner.execute(statement)
    await owner.close()


async def freeze_and_post(story: Story, nodes: Network) -> list[str]:
    """With Malaysia's node standing still, what is for it lies in the hub; the hub's files that hold its frames."""
    process = nodes.nodes["my"]._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        await story.call("th", "officer", "POST", "alerts", alert())
        await asyncio.sleep(1)
        store = nodes.hub.home.server / "store"
        waiting = holding(b"rilon.", store)
        assert not marked_files(store)
        return sorted(waiting)
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_the_scanner_knows_every_spelling() -> None:
    text = f"before {canary('x')} after"
    raw = text.encode()
    shapes = [raw, raw.upper(), text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode()]
    shapes += [raw.hex().upper().encode(), text.encode("utf-16-le").hex().encode()]
    shapes += [base64.b64encode(b"." * n + raw) for n in range(3)]
    shapes += [base64.urlsafe_b64encode(b"." * n + raw) for n in range(3)]
    assert all(map(marked, shapes))
    assert not marked(os.urandom(1 << 20))
    assert not marked(b"qzx kanari vogel")


async def test_the_disks_the_hub_the_logs_and_the_dumps_hold_not_a_word(tmp_path: Path) -> None:
    with open_dir() as path:
        async with network(path, MEMBERS) as nodes:
            story = Story(nodes)
            await story.tell()
            await nodes.at_rest()
            await assert_read_by_exactly_those_who_may(story)
            assert await freeze_and_post(story, nodes)
            await nodes.at_rest()
            for member, node in nodes.nodes.items():
                await flush(node.dsn)
                told = dump(node.home.path, tmp_path / member)
                assert not marked(told)
                assert b"MAR-DEPARTURE" in told or b"MAR-DEPARTURE".hex().encode() in told
        await assert_local_words_open(story)
        homes = [nodes.demo.home(member).path for member in MEMBERS]
        assert not marked_files(*homes, nodes.demo.hub)
        assert_the_scan_saw_everything(nodes, homes)
        await assert_a_plain_word_is_found(story, tmp_path)


def assert_the_scan_saw_everything(nodes: Network, homes: list[Path]) -> None:
    """Words that are no secret are found where the marks would be."""
    for home in homes:
        found = holding(b"MAR-DEPARTURE", home)
        assert any("/base/" in path for path in found), "no table was read"
        assert any("/pg_wal/" in path for path in found), "no WAL was read"
        assert (home / "node.log").exists()
        assert (home / "postgres" / "postgres.log").stat().st_size > 0
        assert not holding(nodes.demo.state.passphrase.encode(), home)
    assert (nodes.demo.hub / "server" / "nats.log").stat().st_size > 0
    secrets = [p.token.rsplit("_", 1)[1] for cast in nodes.demo.state.personas.values() for p in cast.values()]
    assert not [path for path in files(*homes, nodes.demo.hub) if any(s.encode() in read(path) for s in secrets)]


async def assert_a_plain_word_is_found(story: Story, tmp_path: Path) -> None:
    """The same scanner finds a word that a careless program would have left: in the table, in the WAL, in the dump."""
    home = story.demo.home("id")
    async with EmbeddedPostgres(home.postgres, fsync=False) as server:
        plant = "CREATE TABLE rilon.planted (word text); INSERT INTO rilon.planted VALUES ('{}')"
        await flush(server.dsn(), plant.format(canary("planted")))
        found = marked_files(home.path)
        assert any("/base/" in path for path in found)
        assert any("/pg_wal/" in path for path in found)
        assert marked(dump(home.path, tmp_path / "planted"))
