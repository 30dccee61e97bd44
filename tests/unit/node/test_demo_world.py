"""The demo's folder: what a start that was broken off left does not hinder the next one."""

from __future__ import annotations

from pathlib import Path

from rilon.node.core import World
from rilon.node.demo.world import DemoWorld
from rilon.node.founding import make_keys
from tests.fakes.keys import CHEAP


async def test_half_made_nodes_are_made_anew_under_the_same_ports_and_passphrase(tmp_path: Path) -> None:
    states = []
    for _ in range(2):
        demo = DemoWorld(tmp_path / "demo", ("th", "id"), cost=CHEAP, world=World(floor=CHEAP))
        await demo.make_homes()
        make_keys(demo.home("th"), demo.state.passphrase, CHEAP)
        assert demo.home("th").read().member == "th"
        states.append(demo.state)
    assert states[0] == states[1]
