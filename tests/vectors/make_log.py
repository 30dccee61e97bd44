"""Writes the vectors of the log: ``python -m tests.vectors.make_log``. Only when the format changed on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from rilon.crypto import merkle
from rilon.domain.alert import Alert
from rilon.domain.values import Purpose, Sensitivity
from rilon.store.codec import HEADER_BYTES
from tests.fakes.items import refusal
from tests.vectors.log_operations import OPERATIONS, STREAM, codec

Vector = dict[str, Any]
TOPIC = "rilon.alert.opened.1"
OPENED = Alert.Opened(
    originator_id=STREAM,
    originator_version=2,
    timestamp=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    by="0f" * 16,
    version=1,
    sensitivity=Sensitivity.VICTIM,
    purpose=Purpose.PROTECT_AND_REFER,
)  # type: ignore[call-arg] # a dataclass by its metaclass
STATE = codec.encode(OPENED).state
HEADER, PACKED = STATE[:HEADER_BYTES], STATE[HEADER_BYTES:]
LEAVES = [merkle.leaf(bytes([n])) for n in range(9)]
TREE = merkle.Tree(LEAVES)
pack = msgspec.msgpack.Encoder(order="deterministic").encode


def good(name: str, operation: str, **given: Any) -> Vector:
    return {"name": name, "op": operation, "in": given, "out": OPERATIONS[operation](**given)}


def bad(name: str, code: str, operation: str, **given: Any) -> Vector:
    assert refusal(OPERATIONS[operation], **given) == code, name
    return {"name": name, "op": operation, "in": given, "code": code}


def states() -> Iterator[Vector]:
    yield good("an opening of a section", "read_state", topic=TOPIC, state=STATE.hex())
    yield good("another salt, the same event", "read_state", topic=TOPIC, state=(b"\x01" + b"s" * 16 + PACKED).hex())
    yield good("a topic of a newer program", "read_state", topic="rilon.alert.opened.2", state=STATE.hex())
    yield good("a format of a newer program", "read_state", topic=TOPIC, state=(b"\x02" + STATE[1:]).hex())
    values = msgspec.msgpack.decode(PACKED)
    bads = {
        "nothing": b"",
        "format 0": b"\x00" + STATE[1:],
        "cut in the salt": STATE[:16],
        "cut in the map": STATE[:-1],
        "bytes after the map": STATE + b"\xc0",
        "keys out of order": HEADER + msgspec.msgpack.encode(dict(reversed(values.items()))),
        "an integer longer than it need be": HEADER + PACKED.replace(b"\xa7version\x01", b"\xa7version\xcc\x01"),
        "a field too many": HEADER + pack(values | {"extra": 1}),
        "a field missing": HEADER + pack({name: value for name, value in values.items() if name != "by"}),
        "a field of another type": HEADER + pack(values | {"version": "1"}),
        "a code outside its list": HEADER + pack(values | {"purpose": "curiosity"}),
        "a time as text": HEADER + pack(values | {"timestamp": "2026-01-02T03:04:05.678901Z"}),
        "text that is not UTF-8": STATE.replace(b"\xa6victim", b"\xa6victi\xff"),
    }
    for name, state in bads.items():
        yield bad(name, "log.state-malformed", "read_state", topic=TOPIC, state=state.hex())


def leaves() -> Iterator[Vector]:
    given = {"stream": str(STREAM), "version": 2, "topic": TOPIC, "state": STATE.hex()}
    yield good("an opening of a section", "leaf", **given)
    yield good("the next version", "leaf", **given | {"version": 3})
    yield good("an empty state", "leaf", **given | {"state": ""})


def growth() -> Iterator[Vector]:
    yield good("the empty log", "grow", size=0, peaks=[], leaves=[])
    head: dict[str, Any] = {"size": 0, "peaks": []}
    for size in (1, 2, 3, 5, 8, 9):
        new = [one.hex() for one in LEAVES[head["size"] : size]]
        yield good(f"from {head['size']} to {size}", "grow", **head, leaves=new)
        head = {name: value for name, value in OPERATIONS["grow"](**head, leaves=new).items() if name != "root"}


def proofs() -> Iterator[Vector]:
    for index, size in ((0, 1), (0, 8), (5, 8), (6, 7), (8, 9)):
        yield good(f"leaf {index} of {size}", "inclusion", **included(index, size))
    given = included(5, 8)
    changes: dict[str, dict[str, Any]] = {
        "another leaf": {"leaf": LEAVES[4].hex()},
        "another place": {"index": 4},
        "beyond the end": {"index": 8},
        "another root": {"root": merkle.EMPTY.hex()},
        "a path too short": {"path": given["path"][:-1]},
        "a path too long": {"path": [*given["path"], merkle.EMPTY.hex()]},
        "a sibling that is cut": {"path": [given["path"][0][:-2], *given["path"][1:]]},
    }
    for name, change in changes.items():
        yield bad(name, "merkle.inclusion", "inclusion", **given | change)
    for old, size in ((0, 9), (1, 1), (1, 8), (4, 7), (6, 7), (3, 9)):
        yield good(f"{old} to {size}", "consistency", **consistent(old, size))
    given = consistent(6, 7)
    changes = {
        "history rewritten": {"old_root": merkle.Tree(LEAVES[1:7]).root().hex()},
        "another root": {"root": merkle.EMPTY.hex()},
        "shrunk": {"old": 8},
        "nothing proves nothing": {"path": []},
        "a path too long": {"path": [*given["path"], merkle.EMPTY.hex()]},
    }
    for name, change in changes.items():
        yield bad(name, "merkle.consistency", "consistency", **given | change)


def included(index: int, size: int) -> dict[str, Any]:
    path = [one.hex() for one in TREE.inclusion(index, size)]
    return {"leaf": LEAVES[index].hex(), "index": index, "size": size, "root": TREE.root(size).hex(), "path": path}


def consistent(old: int, size: int) -> dict[str, Any]:
    path = [one.hex() for one in TREE.consistency(old, size)] if old else []
    return {"old": old, "size": size, "old_root": TREE.root(old).hex(), "root": TREE.root(size).hex(), "path": path}


def main() -> None:
    vectors = [*states(), *leaves(), *growth(), *proofs()]
    text = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    Path(__file__).with_name("log.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
