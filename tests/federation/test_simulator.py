"""Thousands of fault histories, and proof that the simulator would notice: every planted bug is found."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from rilon.app.link_facts import Facts
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_in import Inbound
from rilon.network.link_state import Arrival, Bundle, Drop, Effect, Ends, Freeze, SendEntries, Store
from tests.federation.simulator import Federation, Node, Receipted, ViolationError

STEPS = 300


def run(seeds: range, node_class: type[Node] = Node) -> int:
    written = 0
    for seed in seeds:
        try:
            written += Federation(seed, node_class).run(STEPS)
        except ViolationError as violation:
            raise ViolationError(f"seed {seed}: {violation}") from violation
    return written


@pytest.mark.parametrize("hundred", range(3))
def test_nothing_is_lost_and_nothing_comes_twice(hundred: int) -> None:
    assert run(range(hundred * 100, hundred * 100 + 100)) > 5000


@pytest.mark.long
@pytest.mark.parametrize("hundred", range(3, 33))
def test_nothing_is_lost_and_nothing_comes_twice_in_any_history(hundred: int) -> None:
    assert run(range(hundred * 100, hundred * 100 + 100)) > 5000


class ReceiptsBeforeCommit(Node):
    def store(self, link: Link, store: Store) -> list[Effect]:
        refused = self.judge(store)
        effects = link.stored(store, refused)
        self.flush(link.ends.peer)
        self.failpoint()
        self.commit_entries(link.ends, store, refused)
        link.fetching.wake(self.world.now)
        return effects


class ForgetfulInbound(Inbound):
    def take(self, bundle: Bundle) -> Store | Drop | Freeze:
        entries = bundle.entries
        if entries.last >= self.next:
            return super().take(bundle)
        return Store((Arrival(entries.first, entries.lines[0], {}, b""),))


class NoDedupeLink(Link):
    @classmethod
    def start(cls, ends: Ends, facts: Facts, *args: Any, **kwargs: Any) -> NoDedupeLink:
        link = super().start(ends, facts, *args, **kwargs)
        link.inn = ForgetfulInbound(ends, facts.next, facts.head, {})
        return link


class NoDedupe(Node):
    link_class = NoDedupeLink


class RudeLink(Link):
    @property
    def open(self) -> bool:
        return not self.frozen


class SealsWithoutEcho(Node):
    link_class = RudeLink


class EagerLink(Link):
    def say_receipt(self, size: int) -> wire.Receipt:
        receipt = super().say_receipt(size)
        parked = [b.entries.last for b in self.inn._parked.values()]
        upto = max(parked, default=receipt.upto)
        return wire.Receipt(receipt.log, receipt.to_log, size, upto, receipt.head, 0, receipt.refused)


class AcksParked(Node):
    link_class = EagerLink

    def head(self, peer: str, n: int) -> bytes | None:
        return super().head(peer, n) and self.claimed

    def effects(self, link: Link, letter: Any) -> list[Effect]:
        self.claimed = getattr(letter.body, "head", b"")
        return super().effects(link, letter)


class TrustsTheBroker(Node):
    def send_entries(self, link: Link, send: SendEntries) -> None:
        super().send_entries(link, send)
        if link.out.sent > link.out.acked and link.ends.peer not in self.world.cut_off:
            self.commit(Receipted(link.ends.peer, link.ends.peer_log, self.log_id, link.out.sent, ()))


class NeverTriesAgain(Node):
    def flush(self, peer: str) -> None:
        self.links[peer].out.retry_at = inf
        super().flush(peer)


class LosesRefusals(Node):
    def store(self, link: Link, store: Store) -> list[Effect]:
        effects = super().store(link, store)
        link.inn.refused.clear()
        return effects


class SkipsGaps(Node):
    def effects(self, link: Link, letter: Any) -> list[Effect]:
        if isinstance(letter.body, wire.Entries) and letter.body.first > link.inn.next:
            link.inn.next, link.inn.head = letter.body.first, letter.body.prev
        return super().effects(link, letter)


class NeverAsksAgain(Node):
    """A want or a piece is lost, and nobody minds."""

    def flush(self, peer: str) -> None:
        fetching = self.links[peer].fetching
        if fetching.asked:
            fetching.due_at = inf
        super().flush(peer)


class StoresAnyPiece(Node):
    """A repeated piece is appended again."""

    def take(self, link: Link, blob: wire.Blob) -> None:
        here = len(self.awaited.get((link.ends.peer, blob.digest), b""))
        if here + len(blob.piece) <= blob.total:
            blob = wire.Blob(blob.log, blob.to_log, blob.digest, here, blob.total, blob.piece)
        super().take(link, blob)


class ForgetsWhatIsMissing(Node):
    """What is missing is not looked for after a start."""

    def start(self) -> None:
        super().start()
        for link in self.links.values():
            link.fetching.rest()


PLANTED = {
    NeverAsksAgain: "still missing",
    ForgetsWhatIsMissing: "still missing",
    StoresAnyPiece: "never granted",
    ReceiptsBeforeCommit: "receipted, but not stored",
    NoDedupe: "not the beginning",
    SealsWithoutEcho: "has not answered",
    AcksParked: "receipted, but not stored|froze: link.rolled-back|refusals were lost",
    TrustsTheBroker: "receipted, but not stored",
    NeverTriesAgain: "not everything arrived",
    LosesRefusals: "refusals were lost",
    SkipsGaps: "not the beginning",
}


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_every_planted_bug_is_found(bug: type[Node]) -> None:
    with pytest.raises(ViolationError, match=PLANTED[bug]):
        run(range(50), bug)
