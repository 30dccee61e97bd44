"""Writes the vectors of courier bags: ``python -m tests.vectors.make_bag``. All keys are test keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from rilon.crypto import frame, strict
from rilon.network import bag
from tests.vectors.make_links import KEY, OTHER_KEY, ROUTE, Vector, bad, flip, good, hello, outside

HELLO = frame.sign_hello(hello(), ROUTE, KEY)
SEALED = strict.encode(frame.Frame(1, "sealed", "th", "my", bytes(16), bytes(5232)))
BAG = bag.write([HELLO, SEALED])


def wrapped(inside: bytes, magic: bytes = bag.MAGIC) -> str:
    return (magic + sha256(inside).digest() + inside).hex()


def bags() -> Iterator[Vector]:
    yield good("a hello and a sealed frame", "read_bag", data=BAG.hex(), me="my")
    yield good("signed by another: nothing is believed yet", "read_bag", me="my", data=_of(OTHER_KEY))
    inside = BAG[len(bag.MAGIC) + 32 :]
    for name, code, data in (
        ("nothing", "bag.form", ""),
        ("a bag of tomorrow", "bag.form", wrapped(inside, b"RILON bag 2\n")),
        ("a frame alone", "bag.form", HELLO.hex()),
        ("cut at the end", "bag.damaged", BAG[:-1].hex()),
        ("cut in the digest", "bag.damaged", BAG[:30].hex()),
        ("longer", "bag.damaged", BAG.hex() + "00"),
        ("a bit of the digest", "bag.damaged", flip(BAG, 20)),
        ("a bit of a frame", "bag.damaged", flip(BAG, len(BAG) - 1)),
        ("no frame", "cbor.shape", wrapped(_inside())),
        ("65 frames", "cbor.shape", wrapped(_inside(*[b""] * 65))),
        ("text for a frame", "cbor.shape", wrapped(_inside("x"))),
        ("a field more", "cbor.shape", wrapped(strict.dumps({"frames": [HELLO], "from": "th"}))),
        ("bytes after the list", "cbor.trailing", wrapped(inside + b"\0")),
        ("a frame that is none", "cbor.truncated", wrapped(_inside(HELLO, HELLO[:-1]))),
        ("a frame of tomorrow", "frame.version", wrapped(_inside(bytes.fromhex(outside(HELLO, v=2))))),
        ("of two Members", "bag.mixed", wrapped(_inside(HELLO, bytes.fromhex(outside(HELLO, **{"from": "id"}))))),
        ("for two Members", "bag.mixed", wrapped(_inside(HELLO, bytes.fromhex(outside(HELLO, to="id"))))),
    ):
        yield bad(name, code, "read_bag", data=data, me="my")
    yield bad("for another Member", "bag.elsewhere", "read_bag", data=BAG.hex(), me="id")
    yield bad("brought back home", "bag.elsewhere", "read_bag", data=BAG.hex(), me="th")


def _inside(*frames: Any) -> bytes:
    return strict.dumps({"frames": list(frames)})


def _of(key: Any) -> str:
    return bag.write([frame.sign_hello(hello(), ROUTE, key)]).hex()


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in bags())
    Path(__file__).with_name("bag.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
