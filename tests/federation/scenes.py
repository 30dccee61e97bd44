"""One link, seen from ``my``, with three bodies that its peer ``th`` may send."""

from __future__ import annotations

from collections.abc import Sequence

from rilon.app.link_facts import Facts, line_bytes
from rilon.crypto import chain
from rilon.domain.values import Line
from rilon.network import wire
from rilon.network.link import Link
from rilon.network.link_state import Bundle, Ends

ENDS = Ends("my", b"M" * 16, "th", b"T" * 16)
NONCE = b"n" * 16
LINES = tuple(Line("release", (bytes([n]) * 32,)) for n in range(1, 10))


def heads_of(log: bytes, to: str, lines: Sequence[Line]) -> list[bytes]:
    heads = [chain.START]
    for n, line in enumerate(lines, 1):
        heads.append(chain.advance(log, to, heads[-1], n, line_bytes(line)))
    return heads


HEADS = heads_of(ENDS.peer_log, "my", LINES)
OUR_HEADS = heads_of(ENDS.log, "th", LINES)


def our_head(n: int, known: int) -> bytes | None:
    return OUR_HEADS[n] if n <= known else None


def bundle(first: int, last: int, *, lines: Sequence[Line] = LINES, acked: int = 0, prev: bytes = b"") -> Bundle:
    heads = heads_of(ENDS.peer_log, "my", lines)
    some = tuple(lines[first - 1 : last])
    entries = wire.Entries(ENDS.peer_log, ENDS.log, acked, first, prev or heads[first - 1], some)
    return Bundle(entries, tuple({} for _ in some), b"proof", 1000)


def receipt(upto: int, *, head: bytes | None = None, want: int = 0) -> wire.Receipt:
    return wire.Receipt(ENDS.peer_log, ENDS.log, 99, upto, head or OUR_HEADS[upto], want, ())


def hello(**changes: object) -> wire.Hello:
    fields = {
        "log": ENDS.peer_log, "to_log": ENDS.log, "chain": (), "nonce": b"p" * 16, "echo": NONCE, "answer": False,
        "frozen": None, "upto": 0, "head": chain.START, "acked": 0,
    }  # fmt: skip
    return wire.Hello(**(fields | changes))  # type: ignore[arg-type]


def fresh(facts: Facts | None = None, *, verified: bool = True) -> Link:
    return Link.start(ENDS, facts or Facts(), NONCE, 0.0, verified=verified)


def greeted(known: int = 0, stored: int = 0) -> Link:
    """A link in full swing: it knows ``known`` lines for the peer and has stored ``stored`` of the peer's."""
    link = fresh(Facts(known=known, next=stored + 1, head=HEADS[stored]))
    assert link.hello(hello(), b"proof", chain.START, 0.0) == []
    link.poll(0.0)
    return link
