"""What the vectors of frames and links ask of an implementation: JSON in and out, bytes as hex."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rilon.app.link_facts import Facts, line_bytes
from rilon.crypto import chain as heads
from rilon.crypto import frame, strict
from rilon.crypto.frame import Route
from rilon.crypto.keys import KemKey
from rilon.domain.values import Line
from rilon.network import bag, wire
from rilon.network.link import Link
from rilon.network.link_state import (
    Acked,
    Bundle,
    Drop,
    Effect,
    Ends,
    Freeze,
    Send,
    SendEntries,
    SendHello,
    SendReceipt,
    Store,
)
from tests.vectors.operations import diagnostic

Json = Any
raw = bytes.fromhex


def open_frame(*, data: str, route: Mapping[str, str], kem: str, key: str) -> Json:
    """Open a sealed frame: the route expected, the recipient's X-Wing seed, the sender's link key."""
    opened = frame.open_(frame.parse(raw(data)), _route(route), KemKey.from_seed(raw(kem)), raw(key))
    return {"body": opened.body.hex(), "attached": opened.attached.hex(), "proof": opened.proof.hex()}


def read_bag(*, data: str, me: str) -> Json:
    """Read a courier bag that was carried to a Member."""
    found = bag.read(raw(data), me)
    return {"sender": found.sender, "forms": [each.form for each in found.frames]}


def verify_hello(*, data: str, route: Mapping[str, str], key: str) -> Json:
    """Verify a hello: the ends and world expected, the sender's link key."""
    opened = frame.verify_hello(frame.parse(raw(data)), _route(route), raw(key))
    return {"body": opened.body.hex(), "proof": opened.proof.hex()}


def verify_proof(*, proof: str, body: str, key: str) -> Json:
    """Check long afterwards that a body was said."""
    frame.verify_proof(raw(proof), raw(body), raw(key))
    return {}


def read_body(*, data: str) -> Json:
    """Read the body of a sealed frame; writing it must give the same bytes."""
    found = wire.parse(raw(data))
    assert wire.encode(found) == raw(data)
    return _plain(raw(data))


def read_hello(*, data: str) -> Json:
    """Read the body of a hello."""
    assert wire.encode(wire.parse_hello(raw(data))) == raw(data)
    return _plain(raw(data))


def read_attached(*, data: str, body: str) -> Json:
    """Read what travelled beside a body of entries."""
    entries = wire.parse(raw(body))
    assert isinstance(entries, wire.Entries)
    return [{name: item.hex() for name, item in one.items()} for one in wire.attached(raw(data), entries)]


def chain(*, log: str, to: str, lines: Sequence[Json]) -> Json:
    """The head after each line."""
    found = [heads.START]
    for n, line in enumerate(map(_line, lines), 1):
        found.append(heads.advance(raw(log), to, found[-1], n, line_bytes(line)))
    return [head.hex() for head in found]


def play(*, ends: Mapping[str, str], facts: Mapping[str, Json], nonce: str, steps: Sequence[Sequence[Json]]) -> Json:
    """Give a link of these facts one input after another; for each, what it asks to be done."""
    me, log, peer, peer_log = ends["me"], raw(ends["log"]), ends["peer"], raw(ends["peer_log"])
    known = {name: raw(value) if name.endswith("head") else value for name, value in facts.items()}
    player = _Player(Link.start(Ends(me, log, peer, peer_log), Facts(peer_log, **known), raw(nonce), 0.0))
    return [player.do(*step) for step in steps]


class _Player:
    def __init__(self, link: Link) -> None:
        self.link = link
        self.pending: list[Store] = []

    def do(self, verb: str, *given: Json) -> Json:
        return [found for effect in getattr(self, verb)(*given) if (found := self._told(effect))]

    def entries(self, first: int, prev: str, lines: Sequence[Json], acked: int = 0) -> list[Effect]:
        ends, found = self.link.ends, tuple(map(_line, lines))
        body = wire.Entries(ends.peer_log, ends.log, acked, first, raw(prev), found)
        return self.link.entries(Bundle(body, tuple({} for _ in found), b"", 1))

    def stored(self, refused: Mapping[str, str]) -> list[Effect]:
        return self.link.stored(self.pending.pop(), {int(n): code for n, code in refused.items()})

    def receipt(self, upto: int, head: str, want: int, our_head: str | None, now: float = 0) -> list[Effect]:
        ends = self.link.ends
        body = wire.Receipt(ends.peer_log, ends.log, 0, upto, raw(head), want, ())
        return self.link.receipt(body, b"", _maybe(our_head), now)

    def hello(self, fields: Mapping[str, Json], our_head: str | None, now: float = 0) -> list[Effect]:
        ends, plain = self.link.ends, {"answer": False, "frozen": None, "acked": 0, "upto": 0}
        named = {name: _maybe(fields.get(name)) for name in ("to_log", "echo")}
        nonce, head = raw(fields["nonce"]), raw(fields.get("head", bytes(32).hex()))
        plain |= {name: value for name, value in fields.items() if name in plain}
        said = wire.Hello(log=ends.peer_log, chain=(), nonce=nonce, head=head, **named, **plain)  # type: ignore[arg-type]
        return self.link.hello(said, b"", _maybe(our_head), now)

    def poll(self, now: float) -> list[Send]:
        return self.link.poll(now)

    def posted(self, first: int, upto: int, last: int, now: float) -> list[Effect]:
        self.link.posted(SendEntries(first, upto), last, now)
        return []

    def addressed(self, known: int) -> list[Effect]:
        self.link.addressed(known)
        return []

    def _told(self, effect: Effect | Send) -> Json:
        match effect:
            case Store(arrivals):
                self.pending.append(effect)
                return {"store": [a.seq for a in arrivals]}
            case Drop(code) | Freeze(code):
                return {type(effect).__name__.lower(): code}
            case Acked(receipt):
                return {"acked": receipt.upto}
            case SendEntries(first, upto):
                return {"send": [first, upto]}
            case SendReceipt():
                receipt = self.link.say_receipt(0)
                refused = dict(receipt.refused)
                return {"receipt": {"upto": receipt.upto, "head": receipt.head.hex(), "want": receipt.want} | (
                    {"refused": {str(n): code for n, code in refused.items()}} if refused else {})}  # fmt: skip
            case SendHello():
                said = self.link.say_hello(())
                return {"hello": {"upto": said.upto, "acked": said.acked, "answer": said.answer,
                                  "echo": said.echo.hex() if said.echo else None, "frozen": said.frozen}}  # fmt: skip


def _route(given: Mapping[str, str]) -> Route:
    logs = [raw(given.get(name, "")) for name in ("log", "to_log")]
    return Route(given["from"], given["to"], *logs, given["world"])


def _line(given: Sequence[Json]) -> Line:
    kind, digests = given
    return Line(kind, tuple(map(raw, digests)))


def _maybe(given: str | None) -> bytes | None:
    return None if given is None else raw(given)


def _plain(data: bytes) -> str:
    return diagnostic(strict.loads(data, limit=len(data)))


OPERATIONS: Mapping[str, Callable[..., Json]] = {
    each.__name__: each
    for each in (open_frame, read_bag, verify_hello, verify_proof, read_body, read_hello, read_attached, chain, play)
}
