"""Writes the circles' vectors: ``python -m tests.vectors.make_circles``. Only when a format changed on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from rilon.app.charters import CHARTER, CONSENT
from rilon.crypto import statement, strict
from rilon.domain.circle import Charter, Consent
from tests.fakes.items import NODE, OTHER_NODE
from tests.vectors.make_vectors import HERE, Vector, bad, flip, good

CIRCLE = bytes(range(16))


def _charter(**changes: Any) -> Charter:
    facts: dict[str, Any] = {
        "chair": "id",
        "circle": CIRCLE,
        "version": 1,
        "previous": None,
        "world": "real",
        "kind": "consultation",
        "name": "Fictional boats",
        "charter": "Who takes the people in?",
        "purpose": "prevent_loss_of_life",
        "themes": ("maritime", "protection"),
        "members": ("au", "id", "th"),
        "admitted": ("th",),
        "ends": 1793318400,
        "outcome": None,
    }
    return Charter(**facts | changes)


def _signed(kind: str, body: Any, key: Any = NODE) -> str:
    return statement.sign(kind, body if isinstance(body, bytes) else strict.encode(body), key).hex()


def circles() -> Iterator[Vector]:
    """Charters, consents, and what does not hold of them."""
    chair = {"member": "id", "signing": NODE.public.raw.hex(), "world": "real"}
    data = _signed(CHARTER, _charter())
    yield good("a consultation", "read_charter", data=data, **chair)
    last = _charter(version=2, previous=bytes(32), outcome="They are safe ashore.", kind="group")
    yield good("a closing version", "read_charter", data=_signed(CHARTER, last), **chair)
    alone = _charter(version=3, previous=bytes(32), kind="group", members=("id",), admitted=())
    yield good("a chair that all others have left", "read_charter", data=_signed(CHARTER, alone), **chair)
    plain = msgspec.to_builtins(_charter(), builtin_types=(bytes,))
    for name, code, wrong in (
        ("signed by another key", "statement.kid", _signed(CHARTER, _charter(), OTHER_NODE)),
        ("of another kind", "statement.kind", _signed(CONSENT, _charter())),
        ("a last bit flipped", "signature.invalid", flip(bytes.fromhex(data))),
        ("of another chair", "circle.chair", _signed(CHARTER, _charter(chair="au"))),
        ("of the other world", "circle.world", _signed(CHARTER, _charter(world="exercise"))),
        ("without its chair", "cbor.shape", _signed(CHARTER, strict.dumps(plain | {"members": ["au", "th"]}))),
        ("members out of order", "cbor.shape", _signed(CHARTER, strict.dumps(plain | {"members": ["id", "au", "th"]}))),
        ("without anybody", "cbor.shape", _signed(CHARTER, strict.dumps(plain | {"members": []}))),
        ("a stranger admitted", "cbor.shape", _signed(CHARTER, strict.dumps(plain | {"admitted": ["sg"]}))),
        (
            "a first version after another",
            "cbor.shape",
            _signed(CHARTER, strict.dumps(plain | {"previous": bytes(32)})),
        ),
        ("a second version after none", "cbor.shape", _signed(CHARTER, strict.dumps(plain | {"version": 2}))),
        ("a field too many", "cbor.shape", _signed(CHARTER, strict.dumps(plain | {"secretary": "rso"}))),
        ("words that run backwards", "text.bidi", _signed(CHARTER, _charter(name="Boats \u202e"))),
    ):
        yield bad(name, code, "read_charter", data=wrong, **chair)
    yield from _activations(statement.parse(bytes.fromhex(data)).digest)


def _activations(digest: bytes) -> Iterator[Vector]:
    given = {"charter": strict.encode(_charter()).hex(), "member": "au", "signing": OTHER_NODE.public.raw.hex()}
    plain = Consent("au", "id", CIRCLE, digest)
    yield good("by the other co-chair", "activate", consent=_signed(CONSENT, plain, OTHER_NODE), **given)
    for name, code, key, wrong in (
        ("signed by the chair", "statement.kid", NODE, plain),
        ("by somebody who is no co-chair", "circle.co-chair", OTHER_NODE, Consent("th", "id", CIRCLE, digest)),
        ("by a co-chair for itself", "circle.co-chair", OTHER_NODE, Consent("au", "au", CIRCLE, digest)),
        ("to another circle", "circle.consent", OTHER_NODE, Consent("au", "id", bytes(16), digest)),
        ("to other words", "circle.consent", OTHER_NODE, Consent("au", "id", CIRCLE, bytes(32))),
    ):
        yield bad(name, code, "activate", consent=_signed(CONSENT, wrong, key), **given)


def main() -> None:
    """Write the file beside this one."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in circles())
    (HERE / "circle.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
