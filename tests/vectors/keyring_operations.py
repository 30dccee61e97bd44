"""What the vectors of the keyring ask of an implementation: JSON in and out, bytes as hex."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from rilon.crypto import strict
from rilon.crypto.keyring import BUCKETS, Keyring
from rilon.crypto.strongbox import Cost, Strongbox
from tests.fakes.keys import CHEAP

raw = bytes.fromhex


def filler(*name: object, length: int = 32) -> bytes:
    """Recognisable test bytes: the first of SHA-256("rilon vector: " and the words)."""
    words = " ".join(map(str, name)).encode()
    return b"".join(sha256(b"rilon vector: " + words + bytes([n])).digest() for n in range(2))[:length]


def content(**changes: Any) -> dict[str, Any]:
    """What a keyring file of test keys holds."""
    keks = [filler("id", n, length=16) + filler("kek", n) for n in range(BUCKETS)]
    keys = {"signing": filler("signing", length=64), "link": filler("link"), "hmac": filler("hmac")}
    outbox = [bytes(8) + filler("outbox")]
    return keys | {"kems": [filler("kem", 0), filler("kem", 1)], "keks": keks, "outbox": outbox} | changes


def lock(inside: Mapping[str, Any], passphrase: str, cost: Cost = CHEAP) -> bytes:
    """A keyring file with any content."""
    return Strongbox.create("keyring.1", passphrase, cost=cost).seal(strict.dumps(dict(inside)))


def ring(inside: Mapping[str, Any]) -> Keyring:
    """The keyring of a content."""
    return Keyring.unlock(lock(inside, ""), "", floor=CHEAP)


def unlock_keyring(*, file: str, passphrase: str, floor: list[int] | None = None) -> Any:
    """Open a keyring file. ``floor``: the least memory (KiB), passes and lanes accepted, when not the real one."""
    opened = Keyring.unlock(raw(file), passphrase, **({"floor": Cost(*floor)} if floor else {}))
    keks = list(opened.keks())
    return {
        "signing": opened.signing.public.raw.hex(),
        "link": opened.link.public.hex(),
        "kems": [key.public.hex() for key in opened.kems()],
        "keks": sha256(b"".join(kek for _, kek in keks)).hexdigest(),
        "outbox": [[key.since, key.hybrid.hex()[:64], key.classical.hex()] for key in opened.outbox()],
        "turning": [[bucket, kek.hex()] for bucket, kek in opened.turning()],
    }


def open_wrap(*, kek: str, id: str, slot: str, named: str, wrapped: str) -> Any:  # noqa: A002 - a word of the format
    """Open a wrap with a keyring that holds this KEK under this id; ``named`` is the id that stands beside the wrap."""
    bucket = raw(slot)[0]
    chains = [raw(id) + raw(kek) if n == bucket else chain for n, chain in enumerate(content()["keks"])]
    return {"key": ring(content(keks=chains)).unwrap(raw(slot), raw(named), raw(wrapped)).hex()}


def name(*, hmac: str, label: str, parts: list[str]) -> Any:
    """Name something guessable under the node's own key."""
    return {"name": ring(content(hmac=raw(hmac))).hmac(raw(label), *map(raw, parts)).hex()}


OPERATIONS: Mapping[str, Callable[..., Any]] = {each.__name__: each for each in (unlock_keyring, open_wrap, name)}
