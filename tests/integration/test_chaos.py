"""Nodes, databases and the hub are killed while alerts pass between them: nothing is lost, nothing comes twice.

Nobody helps: a dead process is started again, as systemd would; the rest the nodes and the hub do by themselves.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from rilon.app.failpoints import Failpoint
from rilon.errors import UnavailableError
from tests.fakes.drafts import example
from tests.processes import Network, network
from tests.servers import open_dir
from tests.whole import assert_links_whole, assert_views_and_log_sound, introductions, read_story

pytestmark = pytest.mark.real

MEMBERS = ("th", "id", "my")
WRITERS = 4
"""Officers who post at once at each node."""
AGAIN_S = 0.2
POINTS = {
    Failpoint.LOG_BEFORE_INSERT,
    Failpoint.LOG_AFTER_INSERT,
    Failpoint.COURIER_AFTER_COMMIT,
    Failpoint.COURIER_AFTER_SEND,
    Failpoint.COURIER_BEFORE_ACK,
}


@dataclass
class Posts:
    """What the nodes said is posted: item by key, at each node; and what is yet to be posted."""

    size: int
    said: dict[str, dict[str, str]] = field(default_factory=lambda: {member: {} for member in MEMBERS})
    retried: int = 0

    def __post_init__(self) -> None:
        self._keys = {
            m: iter([f"{m}-{n:06}" for n in range(self.size) if n % len(MEMBERS) == at]) for at, m in enumerate(MEMBERS)
        }

    @property
    def done(self) -> int:
        return sum(map(len, self.said.values()))

    async def write(self, nodes: Network, member: str) -> None:
        """Post until all is posted; what was not answered is sent again under its key."""
        async with nodes.client(member) as client:
            for key in self._keys[member]:
                draft = _draft(key, [m for m in MEMBERS if m != member])
                while key not in self.said[member]:
                    try:
                        placed = await client.post("alerts", draft, key=key)
                    except UnavailableError:
                        self.retried += 1
                        await asyncio.sleep(AGAIN_S)
                    else:
                        self.said[member][key] = placed["id"].replace("-", "")


def _draft(key: str, to: Sequence[str]) -> dict[str, object]:
    fields = example("INC-FATAL")["fields"] | {"reference": key}
    return {"kind": "INC-FATAL", "fields": fields, "audience": {"members": to}}


def strike(nodes: Network, n: int, draw: random.Random) -> None:
    """Kill something, each time something else, of a node drawn by lot: the power may fail for all of it at once."""
    node = draw.choice(list(nodes.nodes.values()))
    match n % 5:
        case 0:
            nodes.kill_hub(lose=True)
        case 1:
            node.kill_postgres()
        case 2:
            node.kill()
        case 3:
            nodes.kill_hub()
        case _:
            node.kill()
            node.kill_postgres()
            nodes.kill_hub(lose=True)


async def strike_along(nodes: Network, posts: Posts, times: int, draw: random.Random) -> None:
    """Kill so many times, spread over the posting."""
    for n in range(times):
        while posts.done < posts.size * (n + 1) / (times + 1):
            await asyncio.sleep(0.02)
        strike(nodes, n, draw)


async def survive(size: int, times: int, plans: Mapping[str, Sequence[str]], seed: int) -> None:
    with open_dir() as path:
        async with network(path, MEMBERS, plans) as nodes:
            posts = Posts(size)
            writers = [posts.write(nodes, member) for member in MEMBERS for _ in range(WRITERS)]
            await asyncio.gather(*writers, strike_along(nodes, posts, times, random.Random(seed)))
            await nodes.at_rest(240)
            await assert_nothing_lost_nothing_twice(nodes, posts)
            assert {death.partition(":")[0] for node in nodes.nodes.values() for death in node.deaths()} == POINTS


async def assert_nothing_lost_nothing_twice(nodes: Network, posts: Posts) -> None:
    items = {member: set(said.values()) for member, said in posts.said.items()}
    assert sum(map(len, items.values())) == posts.done == posts.size
    stories = {m: await read_story(m, node.dsn) for m, node in nodes.nodes.items()}
    for member, story in stories.items():
        assert story.posted == items[member]
        assert {m: story.held(m) for m in MEMBERS if m != member} == {m: items[m] for m in MEMBERS if m != member}
    lines = {"release": posts.size * (len(MEMBERS) - 1), "directory": introductions(stories)}
    assert assert_links_whole(stories) == lines
    everything = Counter((m, item, key) for m, said in posts.said.items() for key, item in said.items())
    for member, node in nodes.nodes.items():
        assert Counter(await read_board(nodes, member)) == everything
        await assert_views_and_log_sound(node.dsn)


async def read_board(nodes: Network, member: str) -> list[tuple[str, str, str]]:
    lines, cursor = [], None
    async with nodes.client(member) as client:
        while not lines or cursor is not None:
            page = await client.get("board", limit=200, cursor=cursor)
            lines += [(r["origin"], r["item"].replace("-", ""), r["summary"]["reference"]) for r in page["rows"]]
            cursor = page["next"]
    return lines


async def test_a_few_alerts_survive_kills() -> None:
    plans = {
        "th": ["log.after-insert:9", "courier.after-send:7"],
        "id": ["courier.after-commit:3"],
        "my": ["courier.before-ack:4", "log.before-insert:12"],
    }
    await survive(150, 5, plans, seed=1)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_two_thousand_alerts_survive_everything() -> None:
    draw = random.Random(3)
    plans = {m: [f"{point}:{draw.randint(3, 15)}" for point in draw.sample(sorted(POINTS), 5)] for m in MEMBERS}
    await survive(2000, 40, plans, seed=4)
