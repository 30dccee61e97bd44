"""Writes the vectors of the outbox: ``python -m tests.vectors.make_outbox``. Only when the format changed on purpose.

What a browser does is done here by the library the node opens with; ``tests/unit/web/test_seal.py`` and the browser
tests hold the browser's own program against the node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from msgspec.structs import replace

from rilon.crypto import outbox, padding, strict
from rilon.crypto.keys import kem_public, key_id
from tests.vectors.make_vectors import bad, flip, good

SEED: Final = bytes(range(32))
KEY: Final = outbox.OutboxKey(SEED, 0)
BOUND: Final = outbox.Bound("th", "real", "ab" * 16)
ID: Final = bytes(range(16))
FORM: Final = b"kind=TIP-RECRUIT&f.title=%E0%B8%87%E0%B8%B2%E0%B8%99+%28invented%29"


def sealed(form: bytes, *, hybrid: bool, **changes: Any) -> outbox.Envelope:
    """An envelope of the vectors' key and officer."""
    return sealed_to(KEY, BOUND, form, hybrid=hybrid, **changes)


def sealed_to(
    to: outbox.OutboxKey, bound: outbox.Bound, form: bytes, *, hybrid: bool, **changes: Any
) -> outbox.Envelope:
    """An envelope of a padded form; ``changes`` of it before it is sealed."""
    raw = to.hybrid if hybrid else to.classical
    key: Any = kem_public(raw) if hybrid else X25519PublicKey.from_public_bytes(raw)
    suite = Suite(KEM.MLKEM768_X25519 if hybrid else KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    empty = replace(outbox.Envelope(outbox.VERSION, ID, key_id(raw), b""), **changes)
    return replace(empty, payload=suite.encrypt(form, key, info=outbox.info(empty, bound)))


def vectors() -> Iterator[dict[str, Any]]:
    """Good ones, and those that must be refused."""
    form = padding.pad(FORM, outbox.FLOOR_BYTES)
    right = {"seed": SEED.hex(), "member": "th", "world": "real", "officer": "ab" * 16}
    for name, hybrid in (("X-Wing", True), ("X25519", False)):
        envelope = sealed(form, hybrid=hybrid)
        data = strict.encode(envelope)
        yield good(name, "open_outbox", envelope=data.hex(), **right)
        for what, other in {"member": "my", "world": "exercise", "officer": "cd" * 16}.items():
            yield bad(f"{name}: {what}", "outbox.seal", "open_outbox", envelope=data.hex(), **right | {what: other})
        for title, code, wrong in (
            ("another id", "outbox.seal", strict.encode(replace(envelope, id=bytes(16)))),
            (
                "an encapsulated key alone",
                "outbox.seal",
                strict.encode(replace(envelope, payload=envelope.payload[:32])),
            ),
            ("no payload", "outbox.seal", strict.encode(replace(envelope, payload=b""))),
            ("no padding", "padding.form", strict.encode(sealed(FORM, hybrid=hybrid))),
            ("a later version", "outbox.version", strict.encode(sealed(form, hybrid=hybrid, v=2))),
            ("a key that is gone", "outbox.key-gone", strict.encode(replace(envelope, kid=bytes(16)))),
            ("a short id", "cbor.shape", strict.encode(replace(envelope, id=bytes(15)))),
            ("a byte too many", "cbor.trailing", data + b"\0"),
        ):
            yield bad(f"{name}: {title}", code, "open_outbox", envelope=wrong.hex(), **right)
        yield bad(f"{name}: a bit", "outbox.seal", "open_outbox", envelope=flip(data), **right)


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(vector) for vector in vectors())
    (Path(__file__).parent / "outbox.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
