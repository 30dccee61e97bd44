"""Writes the directory's vectors: ``python -m tests.vectors.make_directory``. Only when a format changed on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from rilon.app.directory_desk import Introduction, fingerprint
from rilon.crypto import statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain import words
from rilon.domain.identity import Approver, Identity, Roster
from tests.fakes.items import NODE, OFFICERS, OTHER_NODE
from tests.vectors.make_vectors import HERE, Vector, bad, flip, good

ROOT, OTHER_ROOT = (SigningKey.from_seed(bytes([n]) * 64) for n in (7, 8))


def directory() -> Iterator[Vector]:
    """Identities, rosters, introductions, and what a directory makes of them."""
    yield from _identities()
    yield from _rosters()
    yield from _directories()
    heard = " ".join(words.words(bytes(range(32))))
    yield good("sixteen words", "hear_words", text=heard)
    yield good("by four letters, in any case", "hear_words", text="-".join(w[:4].upper() for w in heard.split()))
    for name, code, wrong in (
        ("fifteen words", "words.count", heard.rpartition(" ")[0]),
        ("a word of another list", "words.unknown", heard.replace("acorn", "abacus")),
        ("a slip after the fourth letter", "words.unknown", heard.replace("acorn", "acorm")),
    ):
        yield bad(name, code, "hear_words", text=wrong)


def _identity(root: SigningKey = ROOT, **changes: Any) -> Identity:
    facts: dict[str, Any] = {
        "member": "th",
        "seq": 1,
        "root": root.public.raw,
        "signing": NODE.public.raw,
        "link": bytes(range(32)),
        "log_id": bytes(range(16)),
        "world": "real",
    }
    return Identity(**facts | changes)


def _roster(**changes: Any) -> Roster:
    facts: dict[str, Any] = {"member": "th", "seq": 1, "kem": b"\1" * 1216, "approvers": ()}
    facts |= {"two_for": ("child", "victim"), "account": "A" + "B" * 55}
    return Roster(**facts | changes)


def _signed(kind: str, body: Any, key: SigningKey) -> str:
    return statement.sign(kind, body if isinstance(body, bytes) else strict.encode(body), key).hex()


def _identities() -> Iterator[Vector]:
    plain = msgspec.to_builtins(_identity(), builtin_types=(bytes,))
    data = _signed("identity", _identity(), ROOT)
    yield good("of a Member", "read_identity", data=data)
    small = bytes(1984)  # a point of small order: one signature would hold for any message
    for name, code, wrong in (
        ("signed by another key than the root it names", "statement.kid", _signed("identity", _identity(), OTHER_ROOT)),
        ("of another kind", "statement.kind", _signed("roster", _identity(), ROOT)),
        ("a last bit flipped", "signature.invalid", flip(bytes.fromhex(data))),
        ("of no world", "cbor.shape", _signed("identity", strict.dumps(plain | {"world": "test"}), ROOT)),
        ("a number below one", "cbor.shape", _signed("identity", strict.dumps(plain | {"seq": 0}), ROOT)),
        ("a field too many", "cbor.shape", _signed("identity", strict.dumps(plain | {"name": "TH"}), ROOT)),
        ("a root of small order", "key.invalid", _signed("identity", strict.dumps(plain | {"root": small}), ROOT)),
    ):
        yield bad(name, code, "read_identity", data=wrong)


def _rosters() -> Iterator[Vector]:
    known = {"member": "th", "signing": NODE.public.raw.hex()}
    approvers = tuple(Approver(officer, key.public.raw) for officer, key in list(OFFICERS.items())[:2])
    yield good("two approvers", "read_roster", data=_signed("roster", _roster(approvers=approvers), NODE), **known)
    plain = msgspec.to_builtins(_roster(), builtin_types=(bytes,))
    anon = {"officer": "0" * 32, "key": NODE.public.raw}
    named, turned = anon | {"name": "Fictional"}, ["victim", "child"]
    for name, code, wrong in (
        ("signed by the root", "statement.kid", _signed("roster", _roster(), ROOT)),
        ("of another Member", "directory.member", _signed("roster", _roster(member="my"), NODE)),
        ("of another kind", "statement.kind", _signed("identity", _roster(), NODE)),
        ("a short KEM key", "cbor.shape", _signed("roster", strict.dumps(plain | {"kem": bytes(1215)}), NODE)),
        ("an unknown sensitivity", "cbor.shape", _signed("roster", strict.dumps(plain | {"two_for": ["all"]}), NODE)),
        ("a set out of order", "cbor.shape", _signed("roster", strict.dumps(plain | {"two_for": turned}), NODE)),
        ("one approver twice", "cbor.shape", _signed("roster", strict.dumps(plain | {"approvers": [anon] * 2}), NODE)),
        ("an account that is no key", "cbor.shape", _signed("roster", strict.dumps(plain | {"account": "my"}), NODE)),
        ("no account", "cbor.shape", _signed("roster", strict.dumps(_without(plain, "account")), NODE)),
        ("a named approver", "cbor.shape", _signed("roster", strict.dumps(plain | {"approvers": [named]}), NODE)),
    ):
        yield bad(name, code, "read_roster", data=wrong, **known)


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def _step(identity: Identity, roster: Roster, root: SigningKey = ROOT) -> dict[str, str]:
    pair = (_signed("identity", identity, root), _signed("roster", roster, NODE))
    return {"file": strict.encode(Introduction(*map(bytes.fromhex, pair))).hex()}


def _directories() -> Iterator[Vector]:
    own = _signed("identity", _identity(OTHER_ROOT, member="my", signing=OTHER_NODE.public.raw), OTHER_ROOT)
    heard = {"member": "th", "words": " ".join(words.words(fingerprint(ROOT.public.raw)))}
    other = heard | {"words": " ".join(words.words(fingerprint(OTHER_ROOT.public.raw)))}
    first = _step(_identity(), _roster())
    new_log = _step(_identity(seq=2, log_id=bytes(16)), _roster(seq=2))
    new_root = _step(_identity(OTHER_ROOT), _roster(), OTHER_ROOT)
    steps = [first, heard, new_log, heard, first, new_root]
    name = "introduced, confirmed, on a new log, confirmed again, shown something old, under another root"
    yield good(name, "keep_directory", own=own, steps=steps)
    empty = strict.encode(Introduction(b"", b"")).hex()
    for name, code, *steps in (
        ("two identities of one number", "directory.fork", first, _step(_identity(log_id=bytes(16)), _roster())),
        ("two rosters of one number", "directory.fork", first, _step(_identity(), _roster(two_for=()))),
        ("of the exercise network", "directory.world", _step(_identity(world="exercise"), _roster())),
        ("our own name under another root", "directory.root", _step(_identity(member="my"), _roster(member="my"))),
        ("the words of another node", "directory.fingerprint", first, other),
        ("no statements", "statement.tag", {"file": empty}),
        ("a cut file", "cbor.truncated", {"file": empty[:-2]}),
        ("a file with more behind it", "cbor.trailing", {"file": f"{empty}00"}),
    ):
        yield bad(name, code, "keep_directory", own=own, steps=steps)


def main() -> None:
    """Write the file beside this one."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in directory())
    (HERE / "directory.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
