"""A node comes back from an old backup: it must notice before it reuses a number, and then begin a new log."""

from __future__ import annotations

from random import Random

import pytest

from tests.federation.simulator import Addressed, Entry, Federation, Node

FROZEN_FOR = {"link.rolled-back", "link.beyond-sent", "link.fork"}


class Watched(Federation):
    """A federation in which a freeze is allowed: it is what is hoped for."""

    def check(self) -> None: ...

    def quiet_down(self, seconds: float = 400.0) -> None:
        self.world.heal()
        for node in self.nodes.values():
            if node.name in self.world.down:
                node.start()
        self.world.down.clear()
        for _ in range(int(seconds / 4)):
            self.pass_time(4.0)


def stored(holder: Node, origin: Node) -> list[object]:
    return [e.line for e in holder.log if isinstance(e, Entry) and (e.peer, e.log) == (origin.name, origin.log_id)]


def addressed(origin: Node, holder: Node) -> list[object]:
    return [e.line for e in origin.log if isinstance(e, Addressed) and e.peer == holder.name]


def restored(seed: int) -> tuple[Watched, Node]:
    world = Watched(seed, nodes=3)
    for _ in range(200):
        world.step()
    node = world.nodes["th"]
    node.log = node.log[: Random(seed).randrange(len(node.log) + 1)]
    node.start()
    return world, node


@pytest.mark.parametrize("seed", range(25))
def test_a_rolled_back_log_is_noticed_and_no_number_is_used_twice(seed: int) -> None:
    """What a peer stored from the lost part stays what it is: no later line ever takes its number unseen."""
    world, node = restored(seed)
    for _ in range(200):
        world.step()
    world.quiet_down()
    for peer in (n for n in world.nodes.values() if n is not node):
        frozen = node.links[peer.name].frozen or peer.links[node.name].frozen
        if frozen:
            assert frozen in FROZEN_FOR
        else:
            assert stored(peer, node) == addressed(node, peer)
            assert stored(node, peer) == addressed(peer, node)


def test_a_rolled_back_log_is_really_noticed() -> None:
    """The test above would also pass if nothing were ever lost."""
    frozen = 0
    for seed in range(25):
        world, node = restored(seed)
        world.quiet_down()
        frozen += any(link.frozen for link in node.links.values())
    assert frozen >= 8


@pytest.mark.parametrize("seed", range(25))
def test_under_a_new_log_id_everything_arrives_again(seed: int) -> None:
    """Both sides' focal points have confirmed: peers take the new log, and send again what the backup had not."""
    world, node = restored(seed)
    world.quiet_down()
    node.log_id = bytes(16)
    node.start()
    world.quiet_down(60)
    peers = [n for n in world.nodes.values() if n is not node]
    assert not any(stored(peer, node) for peer in peers)  # not confirmed yet: nothing is taken from the new log
    for peer in peers:
        peer.known_logs[node.name] = node.log_id
        peer.start()
    for _ in range(100):
        world.step()
    world.quiet_down()
    for peer in peers:
        assert stored(peer, node) == addressed(node, peer)
        assert stored(node, peer) == addressed(peer, node)
