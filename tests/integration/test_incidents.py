"""Real incidents, posted where they happened, released by rule: every board is what the rule books allow, no more.

What must be where is computed here from the file and the rule books' TOML alone, by nothing of the product's.
"""

from __future__ import annotations

import csv
import random
import tomllib
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import rilon.domain.data
import rilon.node.demo
from rilon.crypto import approval, strict
from rilon.domain.book_file import parse_book
from rilon.node.client import NodeClient
from rilon.node.incidents import Row, Tally, import_rows, read_rows
from tests.fakes.keys import CHEAP
from tests.processes import ROOT, Network, network
from tests.servers import open_dir
from tests.whole import assert_links_whole, assert_views_and_log_sound, introductions, read_story

pytestmark = pytest.mark.real

FILE = ROOT.parent / "shared" / "data" / "missing_migrants_asia.csv"
TYPES = {
    "th": "member_state",
    "id": "member_state",
    "my": "member_state",
    "bd": "member_state",
    "iom": "member_organisation",
    "rso": "bali_process_body",
}
HAPPENED_AT = {"THA": "th", "IDN": "id", "MYS": "my", "BGD": "bd"}
SHIPPED = Path(rilon.domain.data.__file__).with_name("default_rules.toml").read_text()
INVENTED = """
[[rule]]
id = "test.not-for-the-rso"
effect = "refuse"
because = "An invented rule: IOM keeps these from the RSO."
when.kinds = ["INC-FATAL"]
when.recipients = ["rso"]

[[rule]]
id = "test.bd-asks"
effect = "ask"
because = "An invented rule: for Bangladesh somebody looks first."
when.families = ["missing"]
when.recipients = ["bd"]
"""
BOOKS = dict.fromkeys(TYPES, SHIPPED) | {
    "th": Path(rilon.node.demo.__file__).with_name("th_rules.toml").read_text(),
    "iom": SHIPPED + INVENTED,
}

COLUMNS = (
    "main_id,incident_id,incident_type,region,date,year,dead,missing,dead_and_missing,survivors,females,males,children,"
    "country_of_origin,origin_iso3,region_of_origin,cause_of_death,country_of_incident,incident_iso3,migration_route,"
    "location,lat,lon,information_source,source_class,source_quality,snapshot"
)


def allowed(sender: str, recipient: str) -> bool:
    """Whether the sender's book lets the public summary of a fatal incident go: the strictest rule that speaks wins."""
    asked = {
        "kinds": "INC-FATAL",
        "families": "missing",
        "sensitivities": "summary",
        "tlp": "TLP:CLEAR",
        "recipients": recipient,
        "recipient_types": TYPES[recipient],
    }
    rules = tomllib.loads(BOOKS[sender])["rule"]
    effects = {r["effect"] for r in rules if all(asked[name] in values for name, values in r.get("when", {}).items())}
    return effects == {"allow"}


def sender_of(row: Row) -> str:
    return HAPPENED_AT.get(row["incident_iso3"], "iom")


def told(row: Row) -> tuple[Any, ...]:
    """What any board must say of an incident: empty is unknown, not 0."""
    dead, missing = (int(row[name]) if row[name] else None for name in ("dead", "missing"))
    return sender_of(row), row["incident_id"], row["date"] or row["year"], dead, missing


def sound(row: Row) -> bool:
    """Whether every count is one; the file has a row with -1 survivors."""
    counts = ("dead", "missing", "survivors", "females", "males", "children")
    return all(row[name].isdigit() for name in counts if row[name])


def stratified(rows: list[Row], size: int) -> list[Row]:
    """Some of every country, cause and kind of date."""
    strata: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        strata.setdefault((sender_of(row), row["cause_of_death"], str(bool(row["date"])), row["dead"][:1]), []).append(
            row
        )
    draw = random.Random(1)
    queues = [draw.sample(some, len(some)) for some in strata.values()]
    chosen: list[Row] = []
    while len(chosen) < size:
        chosen += [queue.pop() for queue in queues if queue]
    return chosen[:size]


def generated(path: Path, size: int) -> None:
    """A file of the same shape, all of it invented."""
    draw = random.Random(2)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS.split(","))
        writer.writeheader()
        for n in range(size):
            found = dict.fromkeys(COLUMNS.split(","), "") | {
                "main_id": f"2024.EXA{n:05}",
                "incident_id": f"2024.EXA{n:05}",
                "incident_type": draw.choice(["Incident", "Split Incident", "Cumulative Incident"]),
                "date": draw.choice(["", f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"]),
                "year": "2024",
                "dead": draw.choice(["", "0", "1", "17"]),
                "missing": draw.choice(["", "0", "2"]),
                "origin_iso3": draw.choice(["", "MMR", "MMR;BGD"]),
                "cause_of_death": draw.choice(["Drowning", "Violence", "Mixed or unknown", "Drowning, Violence"]),
                "country_of_incident": "Example",
                "incident_iso3": draw.choice(["THA", "IDN", "MYS", "BGD", "MMR", "IRN", "LBY", ""]),
                "location": "Near Sample Point",
                "lat": "12.5",
                "lon": "98.25",
                "information_source": "An invented source",
                "source_quality": draw.choice(["", "1", "5"]),
            }
            writer.writerow(found)


@pytest.fixture
def some(tmp_path: Path) -> list[Row]:
    """600 of the real incidents, or as many invented ones where the file is not at hand."""
    if FILE.exists():
        return stratified(read_rows(FILE), 600)
    generated(tmp_path / "incidents.csv", 600)
    return read_rows(tmp_path / "incidents.csv")


@asynccontextmanager
async def six_nodes() -> AsyncIterator[Network]:
    with open_dir() as path:
        async with network(path, tuple(TYPES)) as found:
            yield found


async def import_all(nodes: Network, rows: list[Row]) -> dict[str, Tally]:
    clients = {member: nodes.client(member) for member in nodes.nodes}

    async def post(member: str, draft: dict[str, Any], key: str) -> bool:
        return not (await clients[member].post("alerts", draft, key=key))["repeated"]

    try:
        return await import_rows(rows, clients, post)
    finally:
        for client in clients.values():
            await client._http.aclose()


async def read_board(client: NodeClient) -> list[tuple[Any, ...]]:
    """Every line an officer sees, as ``told``."""
    lines: list[tuple[Any, ...]] = []
    cursor = None
    while True:
        page = await client.get("board", limit=200, cursor=cursor)
        for row in page["rows"]:
            said = row["summary"]
            lines.append((row["origin"], said["reference"], said["date"], said["dead"], said["missing"]))
        cursor = page["next"]
        if cursor is None:
            return lines


async def assert_imported(nodes: Network, rows: list[Row], timeout_s: float) -> None:
    await publish(nodes, "iom")
    assert await import_all(nodes, rows) == tallies_of(rows, posted=1)
    good = [row for row in rows if sound(row)]
    await nodes.at_rest(timeout_s)
    await assert_boards(nodes, good)
    await assert_logs(nodes, good)
    before = await sizes(nodes)
    assert await import_all(nodes, rows) == tallies_of(rows, posted=0)
    assert await sizes(nodes) == before


def tallies_of(rows: list[Row], *, posted: bool) -> dict[str, Tally]:
    """What an import must say; the tallies sum to the rows."""
    tallies = {sender: Tally() for sender in sorted({sender_of(row) for row in rows})}
    for number, row in enumerate(rows, 2):
        tally = tallies[sender_of(row)]
        if not sound(row):
            tally.refused.append((number, "The column survivors holds no count."))
        elif posted:
            tally.posted += 1
        else:
            tally.already_there += 1
    assert sum(t.total for t in tallies.values()) == len(rows)
    return tallies


async def publish(nodes: Network, member: str) -> None:
    demo = nodes.demo
    async with nodes.client(member, "focal-1") as client:
        await client.post("rules/draft", {"text": BOOKS[member]})
        book = parse_book(BOOKS[member].encode(), member, 2)
    for name in ("focal-1", "focal-2"):
        data = Path(demo.persona(member, name).key_file).read_bytes()
        key = approval.unlock(data, demo.state.passphrase, floor=CHEAP)
        given = strict.encode(key.consent(approval.book_digest(book.digest), bytes(32)))
        told = {"draft": book.digest, "approval": given}
        async with nodes.client(member, name) as client:
            await client.post("rules/draft/signature", {n: b64encode(v).decode() for n, v in told.items()})


async def assert_boards(nodes: Network, rows: list[Row]) -> None:
    for member in TYPES:
        async with nodes.client(member) as client:
            board = await read_board(client)
        due = [told(row) for row in rows if member == sender_of(row) or allowed(sender_of(row), member)]
        assert Counter(board) == Counter(due), member


async def assert_logs(nodes: Network, rows: list[Row]) -> None:
    stories = {m: await read_story(m, node.dsn) for m, node in nodes.nodes.items()}
    releases = sum(allowed(s, m) for s in map(sender_of, rows) for m in TYPES if m != s)
    assert assert_links_whole(stories) == {"release": releases, "directory": introductions(stories)}
    for node in nodes.nodes.values():
        await assert_views_and_log_sound(node.dsn)


async def sizes(nodes: Network) -> dict[str, int]:
    return {m: len((await read_story(m, node.dsn)).recorded) for m, node in nodes.nodes.items()}


def test_the_test_knows_the_books() -> None:
    assert not allowed("iom", "rso")
    assert not allowed("iom", "bd")
    assert allowed("iom", "th")
    assert allowed("th", "rso")
    assert allowed("my", "bd")


async def test_some_incidents_reach_every_board_that_may_have_them(some: list[Row]) -> None:
    async with six_nodes() as nodes:
        await assert_imported(nodes, some, timeout_s=120)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_all_4939_incidents_reach_every_board_that_may_have_them() -> None:
    if not FILE.exists():
        pytest.skip(f"{FILE} is not here: the real incidents are NOT tested")
    rows = read_rows(FILE)
    assert len(rows) == 4939
    async with six_nodes() as nodes:
        await assert_imported(nodes, rows, timeout_s=600)
