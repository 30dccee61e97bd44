"""A whole federation in one process, driven by one seed: the product's link core, and a world that fails around it.

A node's log is durable and nothing else is; each handler may crash at every point between two of its effects. The hub
loses, repeats, reorders and forgets. After every step three things must hold: what a node stored of a peer is exactly
the beginning of what that peer addressed to it; nobody believes more was stored than was; and nothing is sealed by a
start of a node that the recipient has not answered. When the world heals, everything has arrived, and it grows quiet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any

from rilon.app.link_facts import Facts, line_bytes
from rilon.crypto import chain
from rilon.domain.values import Line
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_state import (
    Acked,
    Bundle,
    Drop,
    Effect,
    Ends,
    Freeze,
    Send,
    SendBlob,
    SendEntries,
    SendHello,
    SendReceipt,
    SendWant,
    Store,
    Take,
)

NAMES = ("th", "my", "id", "bd")
BAD_KIND = "unsound"
BLOB_KIND = "blob"
"""A line that grants a large ciphertext, of which it names the digest; it comes in pieces of ``PIECE_BYTES``."""
PIECE_BYTES = 5


class ViolationError(AssertionError):
    """A promise of the protocol was broken."""


class CrashError(Exception):
    """The process ends here: everything that is not in the log is gone."""


@dataclass(slots=True)
class Letter:
    """A frame in the hub; the courier in between can neither read nor change it."""

    sender: str
    to: str
    body: Any
    attachments: tuple[wire.Attachment, ...] = ()


@dataclass(slots=True)
class World:
    """The hub, the clock and the dice."""

    dice: Random
    loss: float
    repeat: float
    crash: float
    wipe: float
    encoded: bool
    now: float = 0.0
    letters: list[Letter] = field(default_factory=list)
    cut_off: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    posted: int = 0

    @classmethod
    def of(cls, seed: int) -> World:
        dice = Random(seed)
        rates = (dice.random() * 0.6, dice.random() * 0.3, dice.random() * 0.06, dice.random() * 0.02)
        return cls(dice, *rates, encoded=seed % 8 == 0)

    def heal(self) -> None:
        self.loss = self.repeat = self.crash = 0.0
        self.cut_off.clear()

    def reaches(self, name: str) -> bool:
        return name not in self.cut_off and name not in self.down

    def publish(self, letter: Letter) -> bool:
        if letter.sender in self.cut_off:
            return False
        self.posted += 1
        if self.encoded:
            read = wire.parse_hello if isinstance(letter.body, wire.Hello) else wire.parse
            letter.body = read(wire.encode(letter.body))
        if self.dice.random() >= self.loss:
            self.letters += [letter] * (2 if self.dice.random() < self.repeat else 1)
        return True


@dataclass(slots=True)
class Entry:
    """An event of the log: a line of a peer was stored."""

    peer: str
    log: bytes
    seq: int
    line: Line
    code: str


@dataclass(slots=True)
class Receipted:
    peer: str
    log: bytes
    of_log: bytes
    upto: int
    refused: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class Blob:
    """A large ciphertext is whole: the row beside the log that a node holds then."""

    peer: str
    digest: bytes
    data: bytes


@dataclass(slots=True)
class Frozen:
    peer: str
    log: bytes
    of_log: bytes
    code: str


@dataclass(slots=True)
class Addressed:
    peer: str
    line: Line


class Node:
    """One Member's node: a durable log, and whatever one process makes of it."""

    link_class: type[Link] = Link

    def __init__(self, name: str, world: World) -> None:
        self.name, self.world = name, world
        self.log_id = sha256(name.encode()).digest()[:16]
        self.log: list[Any] = []
        self.granted: dict[str, dict[bytes, bytes]] = {}
        self.recalled: set[bytes] = set()
        self.awaited: dict[tuple[str, bytes], bytes] = {}
        self.totals: dict[tuple[str, bytes], int] = {}
        self.links: dict[str, Link] = {}
        self.heads: dict[str, list[bytes]] = {}
        self.lines: dict[str, list[Line]] = {}
        self.known_logs: dict[str, bytes] = {}
        self.heard: set[str] = set()
        self.drops: list[Drop] = []
        self.freezes: list[Freeze] = []

    # -- life and death

    def meet(self, peers: dict[str, bytes]) -> None:
        self.known_logs = {peer: log for peer, log in peers.items() if peer != self.name}
        self.start()

    def start(self) -> None:
        """All a new process knows is the log."""
        self.heard = set()
        self.links, self.heads, self.lines = {}, {}, {}
        for peer, peer_log in self.known_logs.items():
            ends = Ends(self.name, self.log_id, peer, peer_log)
            nonce = self.world.dice.randbytes(16)
            self.heads[peer], self.lines[peer] = [chain.START], []
            facts = self.facts(ends)
            self.links[peer] = self.link_class.start(ends, facts, nonce, self.world.now)
            self.links[peer].fetching.wake(self.world.now)

    def facts(self, ends: Ends) -> Facts:
        facts = Facts(ends.peer_log)
        for event in self.log:
            if event.peer == ends.peer:
                facts = self._fold(facts, ends, event)
        return facts

    def _fold(self, facts: Facts, ends: Ends, event: Any) -> Facts:
        match event:
            case Addressed():
                self._select(ends.peer, event.line)
                return facts.addressed(ends.log, ends.peer, event.line)
            case Entry() if event.log == ends.peer_log:
                return facts.entered(ends.me, event.line, event.code)
            case Receipted() if (event.log, event.of_log) == (ends.peer_log, ends.log):
                return facts.receipted(event.upto)
            case Frozen() if (event.log, event.of_log) == (ends.peer_log, ends.log):
                return replace(facts, frozen=event.code)
        return facts

    def _select(self, peer: str, line: Line) -> None:
        heads, lines = self.heads[peer], self.lines[peer]
        lines.append(line)
        heads.append(chain.advance(self.log_id, peer, heads[-1], len(lines), line_bytes(line)))

    def failpoint(self) -> None:
        if self.world.crash and self.world.dice.random() < self.world.crash:
            raise CrashError

    # -- what a node does

    def address(self, peer: str, line: Line) -> None:
        """A command: its event is committed with the line in it."""
        self.log.append(Addressed(peer, line))
        self.failpoint()
        self._select(peer, line)
        self.links[peer].addressed(len(self.lines[peer]))

    def handle(self, letter: Letter) -> None:
        link = self.links[letter.sender]
        self.run(link, self.effects(link, letter))
        self.flush(letter.sender)

    def effects(self, link: Link, letter: Letter) -> list[Effect]:
        body, now = letter.body, self.world.now
        match body:
            case wire.Entries():
                return link.entries(Bundle(body, letter.attachments, b"proof", 1000))
            case wire.Receipt():
                return link.receipt(body, b"proof", self.head(letter.sender, body.upto), now)
            case wire.Hello():
                if body.echo == link.nonce:
                    self.heard.add(letter.sender)
                return link.hello(body, b"proof", self.head(letter.sender, body.upto), now)
            case wire.Want():
                return link.want(body)
            case wire.Blob():
                return link.blob(body)
            case wire.Gone():
                return link.gone(body, now)
        raise ViolationError(body)

    def head(self, peer: str, n: int) -> bytes | None:
        heads = self.heads[peer]
        return heads[n] if n < len(heads) else None

    def run(self, link: Link, effects: list[Effect]) -> None:
        waiting = list(effects)
        while waiting:
            match waiting.pop(0):
                case Store() as store:
                    waiting += self.store(link, store)
                case Acked(receipt, refused, _):
                    self.failpoint()
                    self.commit(Receipted(link.ends.peer, receipt.log, receipt.to_log, receipt.upto, refused))
                case Freeze() as freeze:
                    self.freezes.append(freeze)
                    self.commit(Frozen(link.ends.peer, link.ends.peer_log, link.ends.log, freeze.code))
                case Take(blob):
                    self.take(link, blob)
                case Drop() as drop:
                    self.drops.append(drop)

    def store(self, link: Link, store: Store) -> list[Effect]:
        refused = self.judge(store)
        self.failpoint()
        self.commit_entries(link.ends, store, refused)
        self.failpoint()
        if any(a.line.kind == BLOB_KIND for a in store.arrivals):
            link.fetching.wake(self.world.now)
        return link.stored(store, refused)

    def take(self, link: Link, blob: wire.Blob) -> None:
        """Store a piece; the last one makes it whole, in one step with the event that says so."""
        key = link.ends.peer, blob.digest
        self.failpoint()
        have = self.awaited.get(key)
        if have is None or len(have) != blob.offset:
            return
        self.awaited[key], self.totals[key] = have + blob.piece, blob.total
        self.failpoint()
        self.finish(key)
        link.taken(self.world.now)

    def finish(self, key: tuple[str, bytes]) -> None:
        if len(self.awaited[key]) == self.totals.get(key):
            self.commit(Blob(*key, self.awaited.pop(key)))

    def judge(self, store: Store) -> dict[int, str]:
        return {a.seq: "content.unsound" for a in store.arrivals if a.line.kind == BAD_KIND}

    def commit_entries(self, ends: Ends, store: Store, refused: dict[int, str]) -> None:
        for arrival in store.arrivals:
            if arrival.line.kind == BLOB_KIND and arrival.seq not in refused:
                self.awaited.setdefault((ends.peer, arrival.line.digests[0]), b"")
        self.commit(*(Entry(ends.peer, ends.peer_log, a.seq, a.line, refused.get(a.seq, "")) for a in store.arrivals))

    def commit(self, *events: Any) -> None:
        self.log += events

    def flush(self, peer: str) -> None:
        """Poll the core until it has nothing more to send now."""
        link = self.links[peer]
        for _ in range(20):
            sends = link.poll(self.world.now)
            if not sends:
                return
            for send in sends:
                self.failpoint()
                self.send(link, send)

    def send(self, link: Link, send: Send) -> None:
        match send:
            case SendHello():
                self.publish(link, send, link.say_hello(()))
            case SendReceipt():
                self.publish(link, send, link.say_receipt(len(self.log)))
            case SendEntries():
                self.send_entries(link, send)
            case SendWant():
                self.send_want(link, send)
            case SendBlob(want):
                self.publish(link, send, self.serve(link, want))

    def send_want(self, link: Link, send: SendWant) -> None:
        for key in [key for key in self.awaited if key[0] == link.ends.peer]:
            self.finish(key)  # a crash came between the last piece and this
        missing = [(p, d) for p, d in self.awaited if p == link.ends.peer and d not in link.fetching.gone]
        link.fetching.rest()
        if not missing:
            return
        _, digest = missing[0]
        link.fetching.ask(digest, self.world.now)
        body = link.say_want(bytes(16), bytes(32), 0, digest, len(self.awaited[missing[0]]))
        self.publish(link, send, body)

    def serve(self, link: Link, want: wire.Want) -> wire.Blob | wire.Gone:
        data = self.granted.get(link.ends.peer, {}).get(want.digest, b"")
        piece = data[want.offset : want.offset + PIECE_BYTES]
        if not piece or want.digest in self.recalled:
            return link.say_gone(want)
        return link.say_blob(want, len(data), piece)

    def send_entries(self, link: Link, send: SendEntries) -> None:
        peer = link.ends.peer
        last = min(send.upto, send.first + self.world.dice.randrange(4))
        body = link.say_entries(send.first, self.heads[peer][send.first - 1], self.lines[peer][send.first - 1 : last])
        live = self.world.dice.random() < 0.8
        attachments = tuple({"grant": b"g"} if live else wire.withheld("recalled") for _ in body.lines)
        if self.publish(link, send, body, attachments):
            self.failpoint()
            link.posted(send, last, self.world.now)

    def publish(self, link: Link, send: Send, body: Any, attachments: tuple[wire.Attachment, ...] = ()) -> bool:
        peer = link.ends.peer
        if not isinstance(body, wire.Hello) and peer not in self.heard:
            raise ViolationError("sealed to a peer that has not answered this start")
        taken = self.world.publish(Letter(self.name, peer, body, attachments))
        if not taken:
            link.failed(send, self.world.now, away=self.world.dice.random() < 0.7)
        return taken


class Federation:
    """All nodes, the world between them, and what must hold."""

    def __init__(self, seed: int, node_class: type[Node] = Node, nodes: int = 0) -> None:
        self.world = World.of(seed)
        names = NAMES[: nodes or self.world.dice.choice((2, 3, 3, 4))]
        self.nodes = {name: node_class(name, self.world) for name in names}
        self.written: dict[tuple[str, str], list[Line]] = {(a, b): [] for a in names for b in names if a != b}
        self.seen = dict.fromkeys(names, 0)
        self.inbox: dict[tuple[str, str], int] = dict.fromkeys(self.written, 0)
        self.refused: dict[tuple[str, str], dict[int, str]] = {pair: {} for pair in self.written}
        self.told: dict[tuple[str, str], dict[int, str]] = {pair: {} for pair in self.written}
        for node in self.nodes.values():
            node.meet({peer.name: peer.log_id for peer in self.nodes.values()})

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self.step()
            self.check()
        self.settle()
        return sum(map(len, self.written.values()))

    # -- the life of the world

    def step(self) -> None:
        dice, world = self.world.dice, self.world
        world.now += dice.expovariate(4)
        node = self.nodes[dice.choice(list(self.nodes))]
        what = dice.random()
        if node.name in world.down:
            self.perhaps_restart(node)
        elif what < 0.25:
            self.guarded(node, lambda: self.write(node))
        elif what < 0.65:
            self.deliver()
        elif what < 0.95:
            self.guarded(node, lambda: self.tick(node))
        elif what < 0.96:
            node.start()
        elif what < 0.97:
            world.cut_off ^= {node.name}
        elif what < 0.97 + world.wipe:
            world.letters.clear()

    def guarded(self, node: Node, act: Any) -> bool:
        try:
            act()
        except CrashError:
            self.world.down.add(node.name)
            return False
        return True

    def perhaps_restart(self, node: Node) -> None:
        if self.world.dice.random() < 0.3:
            self.world.down.discard(node.name)
            node.start()

    def write(self, node: Node) -> None:
        dice = self.world.dice
        peer = dice.choice([name for name in self.nodes if name != node.name])
        line = Line(BAD_KIND if dice.random() < 0.05 else "release", (dice.randbytes(32),))
        if dice.random() < 0.1:
            line = self.grant(node, peer)
        self.written[node.name, peer].append(line)
        node.address(peer, line)
        if dice.random() < 0.7:
            node.flush(peer)

    def grant(self, node: Node, peer: str) -> Line:
        """Grant a large ciphertext, and take another one back now and then."""
        data = self.world.dice.randbytes(self.world.dice.randrange(1, 40))
        digest = sha256(data).digest()
        mine = node.granted.setdefault(peer, {})
        if mine and self.world.dice.random() < 0.2:
            node.recalled.add(self.world.dice.choice(list(mine)))
        mine[digest] = data
        return Line(BLOB_KIND, (digest,))

    def tick(self, node: Node) -> None:
        for peer in node.links:
            node.flush(peer)

    def deliver(self) -> None:
        """Hand out a letter; it leaves the hub when the node has dealt with it, so a crash brings it again."""
        world = self.world
        ready = [i for i, letter in enumerate(world.letters[:40]) if world.reaches(letter.to)]
        if not ready:
            return
        index = ready[0] if world.dice.random() < 0.5 else world.dice.choice(ready)
        letter = world.letters[index]
        node = self.nodes[letter.to]
        if self.guarded(node, lambda: node.handle(letter)):
            world.letters.pop(index)

    # -- what must hold

    def check(self) -> None:
        for node in self.nodes.values():
            for event in node.log[self.seen[node.name] :]:
                self.check_event(node.name, event)
            self.seen[node.name] = len(node.log)

    def check_event(self, name: str, event: Any) -> None:
        match event:
            case Entry():
                pair = event.peer, name
                self.inbox[pair] += 1
                if event.seq != self.inbox[pair] or event.line != self.written[pair][event.seq - 1]:
                    raise ViolationError("what was stored is not the beginning of what was written")
                if event.code:
                    self.refused[pair][event.seq] = event.code
            case Receipted():
                pair = name, event.peer
                if event.upto > self.inbox[pair] + self.unseen(event.peer, name):
                    raise ViolationError("receipted, but not stored")
                self.told[pair].update(event.refused)
            case Blob():
                if self.nodes[event.peer].granted[name].get(event.digest) != event.data:
                    raise ViolationError("a ciphertext came that was never granted, or not as it was")
            case Frozen():
                raise ViolationError(f"an honest link froze: {event.code}")

    def unseen(self, name: str, peer: str) -> int:
        events = self.nodes[name].log[self.seen[name] :]
        return sum(isinstance(event, Entry) and event.peer == peer for event in events)

    def settle(self) -> None:
        """The world heals: everything arrives, is receipted, and nothing more is said."""
        self.world.heal()
        for node in self.nodes.values():
            if node.name in self.world.down or self.world.dice.random() < 0.3:
                node.start()
        self.world.down.clear()
        for _ in range(100):
            self.pass_time(4.0)
        self.check()
        before = self.world.posted
        for _ in range(20):
            self.pass_time(60.0)
        if self.world.posted != before:
            raise ViolationError("never quiet")
        for (sender, to), lines in self.written.items():
            link = self.nodes[sender].links[to]
            if (self.inbox[sender, to], link.out.acked) != (len(lines), len(lines)):
                raise ViolationError("not everything arrived")
            if self.told[sender, to] != self.refused[sender, to]:
                raise ViolationError("refusals were lost")
            missing = {d for p, d in self.nodes[to].awaited if p == sender} - self.nodes[sender].recalled
            if missing:
                raise ViolationError("a ciphertext is still missing")

    def pass_time(self, seconds: float) -> None:
        self.world.now += seconds
        for node in self.nodes.values():
            self.tick(node)
        while self.world.letters:
            self.deliver()
