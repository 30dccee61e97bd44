"""Writes the keyring's vectors: ``python -m tests.vectors.make_keyring``. Only when a format changed on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rilon.crypto import strict
from rilon.crypto.strongbox import FLOOR, LIMIT_BYTES, Strongbox
from rilon.errors import RilonError
from tests.fakes.keys import CHEAP
from tests.vectors.keyring_operations import OPERATIONS, content, filler, lock, ring

PASSPHRASE = "caf\N{LATIN SMALL LETTER E WITH ACUTE} at daybreak"
CHEAP_FLOOR = [CHEAP.memory_kib, CHEAP.passes, CHEAP.lanes]
SMALL = Strongbox.create("keyring.1", PASSPHRASE, cost=CHEAP).seal(b"\xa0")
"""A sound file whose content is no keyring: what is refused before the content is read needs no more."""


def good(title: str, operation: str, **given: Any) -> dict[str, Any]:
    return {"name": title, "op": operation, "in": given, "out": OPERATIONS[operation](**given)}


def bad(title: str, code: str, operation: str, **given: Any) -> dict[str, Any]:
    try:
        OPERATIONS[operation](**given)
    except RilonError as refused:
        if refused.code == code:
            return {"name": title, "op": operation, "in": given, "code": code}
        raise
    raise AssertionError(title)


def changed(**fields: Any) -> str:
    file = strict.loads(SMALL, limit=LIMIT_BYTES)
    header = {name: fields.pop(name, value) for name, value in file["header"].items()}
    return strict.dumps(file | {"header": header} | fields).hex()


def cost(memory_kib: int, passes: int, lanes: int) -> str:
    return changed(cost={"memory_kib": memory_kib, "passes": passes, "lanes": lanes})


def files() -> Iterator[dict[str, Any]]:
    cheap = {"passphrase": PASSPHRASE, "floor": CHEAP_FLOOR}
    chains = content()["keks"]
    chains[5] = filler("older", length=16) + filler("older kek") + chains[5]
    turning = lock(content(keks=chains), PASSPHRASE)
    yield good(
        "at the least real price",
        "unlock_keyring",
        file=lock(content(), PASSPHRASE, FLOOR).hex(),
        passphrase=PASSPHRASE,
    )
    yield good("a bucket that turns", "unlock_keyring", file=turning.hex(), **cheap)
    decomposed = cheap | {"passphrase": "cafe\N{COMBINING ACUTE ACCENT} at daybreak"}
    yield good("the passphrase in another form of Unicode", "unlock_keyring", file=turning.hex(), **decomposed)
    yield bad(
        "a wrong passphrase", "keyring.passphrase", "unlock_keyring", file=SMALL.hex(), **cheap | {"passphrase": "cafe"}
    )
    nonce = strict.loads(SMALL, limit=LIMIT_BYTES)["nonce"]
    for title, code, file in (
        ("a bit of the content", "keyring.passphrase", SMALL[:-1].hex() + f"{SMALL[-1] ^ 1:02x}"),
        ("another nonce", "keyring.passphrase", changed(nonce=bytes(12) if nonce != bytes(12) else b"\1" * 12)),
        ("another salt", "keyring.passphrase", changed(salt=bytes(16))),
        ("another price", "keyring.passphrase", cost(16, 1, 1)),
        ("an approval file", "strongbox.format", changed(format="rilon.approval.1")),
        ("a file of tomorrow", "strongbox.format", changed(format="rilon.keyring.2")),
        ("lanes without memory", "cbor.shape", cost(8, 1, 2)),
        ("a short salt", "cbor.shape", changed(salt=bytes(15))),
        ("an unknown field", "cbor.shape", changed(note="x")),
        ("a byte too many", "cbor.trailing", SMALL.hex() + "00"),
        ("a byte too few", "cbor.truncated", SMALL[:-1].hex()),
        ("nothing", "cbor.truncated", ""),
        ("an indefinite map", "cbor.not-deterministic", "bf" + SMALL[1:].hex() + "ff"),
        ("empty content", "cbor.shape", SMALL.hex()),
    ):
        yield bad(title, code, "unlock_keyring", file=file, **cheap)
    for title, price in {
        "less memory than the floor": (FLOOR.memory_kib - 1, 3, 4),
        "fewer passes": (FLOOR.memory_kib, 2, 4),
        "fewer lanes": (FLOOR.memory_kib, 3, 3),
        "more memory than the ceiling": ((2 << 20) + 1, 3, 4),
        "more passes": (FLOOR.memory_kib, 17, 4),
    }.items():
        yield bad(title, "strongbox.cost", "unlock_keyring", file=cost(*price), passphrase=PASSPHRASE)
    for title, code, fields in (
        ("255 buckets", "cbor.shape", {"keks": content()["keks"][1:]}),
        ("a cut chain", "cbor.shape", {"keks": [*content()["keks"][1:], bytes(49)]}),
        ("no KEM key", "cbor.shape", {"kems": []}),
        ("no outbox key", "cbor.shape", {"outbox": []}),
        ("a cut outbox key", "cbor.shape", {"outbox": [bytes(39)]}),
        ("one id twice", "keyring.repeats", {"keks": [*content()["keks"][1:], content()["keks"][1]]}),
    ):
        yield bad(title, code, "unlock_keyring", file=lock(content(**fields), PASSPHRASE).hex(), **cheap)


def wraps() -> Iterator[dict[str, Any]]:
    slot = filler("slot")
    kek, wrapped = ring(content()).wrap(slot, filler("section key"))
    right = {
        "kek": filler("kek", slot[0]).hex(),
        "id": kek.hex(),
        "slot": slot.hex(),
        "named": kek.hex(),
        "wrapped": wrapped.hex(),
    }
    yield good("a wrap", "open_wrap", **right)
    for title, code, wrong in (
        ("at another slot of the bucket", "keyring.wrap", {"slot": slot[:-1].hex() + f"{slot[-1] ^ 1:02x}"}),
        ("another key of that id", "keyring.wrap", {"kek": bytes(32).hex()}),
        ("the key under another id", "keyring.wrap", {"id": bytes(16).hex(), "named": bytes(16).hex()}),
        ("a key that was destroyed", "keyring.kek-gone", {"named": bytes(16).hex()}),
        ("a bit of the nonce", "keyring.wrap", {"wrapped": f"{wrapped[0] ^ 1:02x}" + wrapped[1:].hex()}),
        (
            "a bit of the key",
            "keyring.wrap",
            {"wrapped": (wrapped[:12] + bytes([wrapped[12] ^ 1]) + wrapped[13:]).hex()},
        ),
        ("a byte too few", "keyring.wrap", {"wrapped": wrapped[:-1].hex()}),
        ("a byte too many", "keyring.wrap", {"wrapped": wrapped.hex() + "00"}),
        ("nothing", "keyring.wrap", {"wrapped": ""}),
    ):
        yield bad(title, code, "open_wrap", **right | wrong)
    for parts in (["6162", "63"], ["61", "6263"], ["616263"], []):
        yield good(
            f"a name of {len(parts)} parts",
            "name",
            hmac=filler("hmac").hex(),
            label=b"rilon command 1".hex(),
            parts=parts,
        )


def main() -> None:
    """Write the file beside this one."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in (*files(), *wraps()))
    Path(__file__).with_name("keyring.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
