"""Writes the vectors of frames and links: ``python -m tests.vectors.make_links``.

Only when a format changed on purpose: HPKE draws its own randomness, so every run writes other frames. All keys are
test keys.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rilon.crypto import frame, padding, strict
from rilon.crypto.frame import Recipient, Route
from rilon.crypto.keys import KemKey, LinkKey
from rilon.domain.values import Line
from rilon.network import wire
from tests.fakes.items import refusal
from tests.vectors.keyring_operations import filler
from tests.vectors.link_operations import OPERATIONS, chain

Vector = dict[str, Any]
LOG, TO_LOG = filler("log th", length=16), filler("log my", length=16)
ROUTE = Route("th", "my", LOG, TO_LOG, "real")
PLAIN_ROUTE = {"from": "th", "to": "my", "log": LOG.hex(), "to_log": TO_LOG.hex(), "world": "real"}
KEM, OTHER_KEM = KemKey.from_seed(filler("kem my")), KemKey.from_seed(filler("kem id"))
KEY, OTHER_KEY = LinkKey.from_seed(filler("link th")), LinkKey.from_seed(filler("link id"))
LINES = [["release", [filler("manifest", 1).hex(), filler("release", 1).hex()]], ["withdrawal", [filler("w").hex()]],
         ["status.acknowledged", [filler("s").hex()]], ["directory", []]]  # fmt: skip
OTHER = ["release", [filler("another").hex()]]
HEADS = chain(log=LOG.hex(), to="my", lines=LINES)
OUR_HEADS = chain(log=TO_LOG.hex(), to="th", lines=LINES)


def good(name: str, operation: str, **given: Any) -> Vector:
    return {"name": name, "op": operation, "in": given, "out": OPERATIONS[operation](**given)}


def bad(name: str, code: str, operation: str, **given: Any) -> Vector:
    assert refusal(OPERATIONS[operation], **given) == code, name
    return {"name": name, "op": operation, "in": given, "code": code}


def flip(data: bytes, at: int) -> str:
    return (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]).hex()


def entries(**changes: Any) -> bytes:
    lines = tuple(Line(kind, tuple(map(bytes.fromhex, digests))) for kind, digests in LINES[:2])
    plain = strict.loads(wire.encode(wire.Entries(LOG, TO_LOG, 0, 1, bytes(32), lines)), limit=1 << 16)
    return strict.dumps(plain | changes)


def receipt(**changes: Any) -> bytes:
    made = wire.Receipt(LOG, TO_LOG, 42, 3, bytes.fromhex(OUR_HEADS[3]), 0, ((2, "entry.unknown-item"),))
    return strict.dumps(strict.loads(wire.encode(made), limit=1 << 16) | changes)


def hello(**changes: Any) -> bytes:
    made = wire.Hello(LOG, TO_LOG, (b"identity", b"roster"), filler("nonce th", length=16), None, True, None, 3,
                      bytes.fromhex(OUR_HEADS[3]), 1)  # fmt: skip
    return strict.dumps(strict.loads(wire.encode(made), limit=1 << 16) | changes)


def outside(raw: bytes, **changes: Any) -> str:
    return strict.dumps(strict.loads(raw, limit=1 << 20) | changes).hex()


def resealed(padded: bytes) -> str:
    info = frame._info("sealed", ROUTE, KEM.kid)
    return outside(SEALED, payload=Recipient(KEM.public).seal(padded, info))


ATTACHED = wire.attach([{"manifest": b"m", "grant": b"g"}, wire.withheld("recalled")])
SEALED = frame.seal(entries(), ATTACHED, ROUTE, Recipient(KEM.public), KEY)
HELLO = frame.sign_hello(hello(), ROUTE, KEY)


def frames() -> Iterator[Vector]:
    mine = {"route": PLAIN_ROUTE, "kem": KEM.seed.hex(), "key": KEY.public.hex()}
    small = frame.seal(receipt(), b"", ROUTE, Recipient(KEM.public), KEY)
    opened = good("entries with attachments", "open_frame", data=SEALED.hex(), **mine)
    yield opened
    yield good("a receipt", "open_frame", data=small.hex(), **mine)
    payload = SEALED.index(b"payload")
    for name, code, data in (
        ("a bit of the encapsulated key", "frame.seal", flip(SEALED, payload + 400)),
        ("a bit of X25519's part of it", "frame.seal", flip(SEALED, payload + 1110)),
        ("the last bit", "frame.seal", flip(SEALED, len(SEALED) - 1)),
        ("a byte too few", "cbor.truncated", SEALED[:-1].hex()),
        ("a byte too many", "cbor.trailing", SEALED.hex() + "00"),
        ("a version of tomorrow", "frame.version", outside(SEALED, v=2)),
        ("a form of tomorrow", "frame.form", outside(SEALED, form="open")),
        ("called a hello", "frame.misdirected", outside(SEALED, form="hello")),
        ("relabelled sender", "frame.misdirected", outside(SEALED, **{"from": "id"})),
        ("relabelled recipient", "frame.misdirected", outside(SEALED, to="id")),
        ("another key named", "frame.key", outside(SEALED, kid=OTHER_KEM.kid)),
        ("an unknown field", "cbor.shape", outside(SEALED, note="x")),
        ("a short payload", "frame.seal", outside(SEALED, payload=bytes(1119))),
        ("an all-zero X25519 point", "frame.seal", outside(SEALED, payload=bytes(2000))),
        ("not padded", "padding.form", resealed(b"")),
        ("words in the padding", "padding.form", resealed(padding.pad(b"", 4096)[:-1] + b"x")),
        ("padded too far", "padding.form", resealed(padding.pad(b"", 8192))),
        ("junk under the seal", "cbor.shape", resealed(padding.pad(b"\xa0", 4096))),
    ):
        yield bad(name, code, "open_frame", data=data, **mine)
    for name, code, changes in (
        ("of another log", "frame.seal", {"log": TO_LOG.hex()}),
        ("to another log", "frame.seal", {"to_log": LOG.hex()}),
        ("of the exercise world", "frame.seal", {"world": "exercise"}),
    ):
        yield bad(name, code, "open_frame", data=SEALED.hex(), **mine | {"route": PLAIN_ROUTE | changes})
    signed_by_another = frame.seal(entries(), ATTACHED, ROUTE, Recipient(KEM.public), OTHER_KEY)
    yield bad("signed by another", "frame.signature", "open_frame", data=signed_by_another.hex(), **mine)
    yield from hellos()
    yield from proofs(opened["out"])


def hellos() -> Iterator[Vector]:
    ends = {name: PLAIN_ROUTE[name] for name in ("from", "to", "world")}
    mine = {"route": ends, "key": KEY.public.hex()}
    yield good("a hello", "verify_hello", data=HELLO.hex(), **mine)
    for name, code, data in (
        ("a bit of the body", "frame.signature", flip(HELLO, HELLO.index(b"identity"))),
        ("signed by another", "frame.key", frame.sign_hello(hello(), ROUTE, OTHER_KEY).hex()),
        ("signed by another, named ours", "frame.signature",
         outside(frame.sign_hello(hello(), ROUTE, OTHER_KEY), kid=KEY.kid)),
        ("a sealed frame", "frame.misdirected", SEALED.hex()),
        ("no content", "cbor.truncated", outside(HELLO, payload=b"")),
    ):  # fmt: skip
        yield bad(name, code, "verify_hello", data=data, **mine)
    yield bad("of the exercise world", "frame.signature", "verify_hello", data=HELLO.hex(),
              **mine | {"route": ends | {"world": "exercise"}})  # fmt: skip


def proofs(opened: dict[str, str]) -> Iterator[Vector]:
    given = {"proof": opened["proof"], "body": opened["body"], "key": KEY.public.hex()}
    yield good("a body was said", "verify_proof", **given)
    yield bad("another body", "frame.signature", "verify_proof", **given | {"body": receipt().hex()})
    yield bad("by another", "frame.signature", "verify_proof", **given | {"key": OTHER_KEY.public.hex()})
    yield bad("no proof", "cbor.truncated", "verify_proof", **given | {"proof": ""})


def bodies() -> Iterator[Vector]:
    for name, data in (
        ("entries", entries()),
        ("a receipt", receipt()),
        ("a receipt that names a gap", receipt(want=7)),
        ("a want", wire.encode(wire.Want(LOG, TO_LOG, bytes(16), filler("manifest"), 3, filler("blob"), 0))),
        ("a refusal of a want", wire.encode(wire.Gone(LOG, TO_LOG, filler("blob")))),
        ("a blob", wire.encode(wire.Blob(LOG, TO_LOG, filler("blob"), 2, 9, b"piece"))),
        ("a call", wire.encode(wire.Call(LOG, TO_LOG, filler("session", length=16), b"round"))),
    ):
        yield good(name, "read_body", data=data.hex())
    line = strict.loads(entries(), limit=1 << 16)["lines"][0]
    for name, data in (
        ("number 0", entries(first=0)),
        ("a negative number", entries(first=-1)),
        ("number 2^63", entries(first=1 << 63)),
        ("a last number of 2^63", entries(first=(1 << 63) - 1)),
        ("no lines", entries(lines=[])),
        ("too many lines", entries(lines=[line] * (wire.MAX_ENTRIES + 1))),
        ("too many digests", entries(lines=[["release", [bytes(32)] * (wire.MAX_DIGESTS + 1)]])),
        ("a short digest", entries(lines=[["release", [bytes(31)]]])),
        ("a short log id", entries(log=bytes(15))),
        ("a receipt of what it refuses later", receipt(upto=1)),
        ("a receipt that wants what it has", receipt(want=4)),
        ("refusals out of order", receipt(refused=[[2, "a"], [1, "b"]])),
        ("a refusal in words", receipt(refused=[[1, "it is wrong"]])),
        ("a piece beyond the end", strict.dumps({"body": "blob", "log": LOG, "to_log": TO_LOG, "digest": bytes(32),
                                                 "offset": 5, "total": 9, "piece": b"piece"})),
        ("an unknown body", receipt(body="order")),
        ("a hello", hello()),
    ):  # fmt: skip
        yield bad(name, "cbor.shape", "read_body", data=data.hex())
    yield bad("nothing", "cbor.truncated", "read_body", data="")
    yield good("a hello", "read_hello", data=hello().hex())
    yield bad("a receipt", "cbor.shape", "read_hello", data=receipt().hex())
    yield bad("a short nonce", "cbor.shape", "read_hello", data=hello(nonce=bytes(15)).hex())
    beside = {"body": entries().hex()}
    yield good("beside two entries", "read_attached", data=ATTACHED.hex(), **beside)
    yield bad("one too few", "wire.attachments", "read_attached", data=wire.attach([{}]).hex(), **beside)
    yield bad("a bad name", "cbor.shape", "read_attached", data=wire.attach([{"../x": b""}, {}]).hex(), **beside)
    too_many = {f"key.{n}": b"" for n in range(wire.MAX_ITEMS + 1)}
    yield bad("too many items", "cbor.shape", "read_attached", data=wire.attach([too_many, {}]).hex(), **beside)


def chains() -> Iterator[Vector]:
    yield good("four lines", "chain", log=LOG.hex(), to="my", lines=LINES)
    yield good("the same lines for another", "chain", log=LOG.hex(), to="id", lines=LINES)


def plays() -> Iterator[Vector]:
    ends = {"me": "my", "log": TO_LOG.hex(), "peer": "th", "peer_log": LOG.hex()}
    nonce, theirs = filler("nonce my", length=16).hex(), filler("nonce th", length=16).hex()
    fresh = {"known": 0, "acked": 0, "next": 1, "head": HEADS[0]}
    knowing = fresh | {"known": 4, "acked": 1}
    holding = fresh | {"next": 3, "head": HEADS[2]}
    greeting = {"nonce": theirs, "echo": nonce, "to_log": TO_LOG.hex()}
    greeted = [["hello", greeting, HEADS[0]], ["poll", 0]]

    def story(name: str, facts: dict[str, Any], *steps: list[Any]) -> Vector:
        return good(name, "play", ends=ends, facts=facts, nonce=nonce, steps=list(steps))

    yield story("nothing is sealed before our nonce comes back", knowing, ["poll", 0], ["poll", 1], ["poll", 2],
                ["hello", greeting | {"echo": theirs, "answer": True}, HEADS[0]], ["poll", 3],
                ["hello", greeting, HEADS[0], 4], ["poll", 4])  # fmt: skip
    yield story("in order, stored, receipted", fresh, *greeted, ["entries", 1, HEADS[0], LINES[:2]],
                ["poll", 1], ["stored", {"2": "content.digest"}], ["poll", 1])  # fmt: skip
    yield story("a gap is named, waited for and closed", fresh, *greeted, ["entries", 3, HEADS[2], LINES[2:]],
                ["poll", 1], ["entries", 1, HEADS[0], LINES[:2]], ["stored", {}], ["stored", {}],
                ["poll", 2])  # fmt: skip
    yield story("a repeated frame is receipted again", holding, *greeted, ["entries", 1, HEADS[0], LINES[:2]],
                ["poll", 1])  # fmt: skip
    yield story("an overlap is stored from where it is new", holding, *greeted, ["entries", 2, HEADS[1], LINES[1:]])
    yield story("other words under an old number", holding, *greeted, ["entries", 2, HEADS[1], [OTHER, *LINES[2:]]],
                ["entries", 3, HEADS[2], LINES[2:]], ["poll", 1])  # fmt: skip
    yield story("another chain", holding, *greeted, ["entries", 3, HEADS[1], LINES[2:]])
    yield story("told of receipts we never gave", fresh, *greeted, ["entries", 3, HEADS[2], LINES[2:], 1])
    yield story("receipted", knowing, *greeted, ["receipt", 3, OUR_HEADS[3], 0, OUR_HEADS[3]],
                ["receipt", 2, OUR_HEADS[2], 0, OUR_HEADS[2]], ["poll", 1])  # fmt: skip
    yield story("a gap is filled at once, and once", knowing, *greeted, ["posted", 2, 4, 4, 0],
                ["receipt", 1, OUR_HEADS[1], 4, OUR_HEADS[1]], ["poll", 1])  # fmt: skip
    yield story("tried again ever more rarely", fresh | {"known": 2}, *greeted, ["posted", 1, 2, 2, 0], ["poll", 1],
                ["poll", 2])  # fmt: skip
    yield story("a receipt of more than there is", knowing, *greeted, ["receipt", 5, OUR_HEADS[4], 0, None],
                ["poll", 1])  # fmt: skip
    yield story("a receipt of other words", knowing, *greeted, ["receipt", 3, HEADS[3], 0, OUR_HEADS[3]])
    yield story("our log was rolled back", fresh, ["hello", greeting | {"acked": 2}, HEADS[0]], ["poll", 0])
    yield story("our log was rolled back, and they hold more", fresh,
                ["hello", greeting | {"upto": 2, "head": OUR_HEADS[2]}, None], ["poll", 0])  # fmt: skip
    yield story("they do not know this log of ours", knowing, ["hello", greeting | {"to_log": LOG.hex()}, HEADS[0]],
                ["poll", 0])  # fmt: skip
    again = {"nonce": filler("nonce th 2", length=16).hex(), "to_log": TO_LOG.hex()}
    yield story("they have started again", knowing, *greeted, ["posted", 2, 4, 4, 0],
                ["hello", again | {"answer": True}, HEADS[0], 1], ["poll", 1],
                ["hello", again | {"echo": nonce}, HEADS[0], 1], ["poll", 1])  # fmt: skip
    yield story("they have frozen the link", knowing, ["hello", greeting | {"frozen": "link.fork"}, HEADS[0]],
                ["poll", 0])  # fmt: skip


def main() -> None:
    """Write the files beside this one, or those named."""
    made = {"frame": frames(), "link": (*chains(), *bodies(), *plays())}
    for name, vectors in made.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
        Path(__file__).with_name(f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
