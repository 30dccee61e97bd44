"""Statements: two signatures in order, one digest whoever signs, nothing but the one form."""

from __future__ import annotations

from typing import Any

import pytest

from rilon.crypto import statement, strict
from rilon.crypto.keys import ED25519, ML_DSA_65, SigningKey
from tests.fakes.items import NODE, OTHER_NODE, refusal

BODY = strict.dumps({"words": 1})
DATA = statement.sign("manifest", BODY, NODE)
TAG = bytes.fromhex("d862")


def parts(data: bytes = DATA) -> list[Any]:
    found = strict.loads(data[2:], limit=statement.LIMIT_BYTES)
    assert isinstance(found, list)
    return found


def rebuilt(at: int, value: Any) -> bytes:
    changed = parts()
    changed[at] = value
    return TAG + strict.dumps(changed)


def check(data: bytes, key: SigningKey = NODE, kind: str = "manifest") -> statement.Statement:
    return statement.verify(data, key.public, kind)


def test_a_statement_says_its_kind_body_and_key() -> None:
    found = check(DATA)
    assert (found.kind, found.body, found.kid) == ("manifest", BODY, NODE.kid)
    assert found == statement.parse(DATA)
    assert found.digest == statement.statement_digest("manifest", BODY)


def test_its_name_outlives_its_key() -> None:
    again = statement.sign("manifest", BODY, OTHER_NODE)
    assert check(again, OTHER_NODE).digest == check(DATA).digest
    assert statement.sign("manifest", BODY, NODE) != DATA, "ML-DSA is hedged"


def test_its_name_depends_on_kind_and_body() -> None:
    names = {statement.statement_digest(kind, body) for kind in ("manifest", "release") for body in (b"a", b"b")}
    assert len(names) == 4


def test_another_key_or_kind_is_refused() -> None:
    assert refusal(check, DATA, OTHER_NODE) == "statement.kid"
    assert refusal(check, DATA, kind="release") == "statement.kind"


def test_taking_a_statement_over_is_refused() -> None:
    """The header names another key than the one that signed."""
    stolen = [[strict.dumps({1: algorithm, 4: OTHER_NODE.kid}), {}, entry[2]] for algorithm, entry in _entries()]
    assert refusal(check, rebuilt(3, stolen), OTHER_NODE) == "signature.invalid"


def _entries() -> list[tuple[int, list[Any]]]:
    return list(zip((ED25519, ML_DSA_65), parts()[3], strict=True))


def test_signatures_of_two_statements_do_not_mix() -> None:
    other = parts(statement.sign("manifest", b"other", NODE))[3]
    mine = parts()[3]
    for mixed in ([mine[0], other[1]], [other[0], mine[1]]):
        assert refusal(check, rebuilt(3, mixed)) == "signature.invalid"


def test_a_signature_over_the_body_alone_is_none() -> None:
    bare = [[entry[0], {}, NODE.sign(algorithm, BODY)] for algorithm, entry in _entries()]
    assert refusal(check, rebuilt(3, bare)) == "signature.invalid"


def test_a_signature_made_for_another_use_of_cose_is_none() -> None:
    def elsewhere(algorithm: int, header: bytes) -> bytes:
        return NODE.sign(algorithm, strict.dumps(["Signature", parts()[0], header, b"", BODY]))

    entries = [[entry[0], {}, elsewhere(algorithm, entry[0])] for algorithm, entry in _entries()]
    assert refusal(check, rebuilt(3, entries)) == "signature.invalid"


def test_the_kind_is_signed() -> None:
    renamed = rebuilt(0, strict.dumps({3: "application/vnd.rilon.release+cbor"}))
    assert refusal(check, renamed, NODE, "release") == "signature.invalid"


@pytest.mark.parametrize("at", [0, 1])
def test_what_is_signed_is_the_structure_of_rfc_9052(at: int) -> None:
    """Written by hand (§4.4): context, body header, signer header, external data, payload."""
    algorithm, (header, _, signature) = _entries()[at]
    body_header = bytes.fromhex("a103782361") + b"pplication/vnd.rilon.manifest+cbor"
    signed = b"\x85\x69Signature" + b"".join(
        strict.dumps(part) for part in (body_header, header, b"rilon statement 1", BODY)
    )
    NODE.public.verify(algorithm, signature, signed)
    assert header == (b"\xa2\x01\x32\x04\x50" if algorithm == ED25519 else b"\xa2\x01\x38\x30\x04\x50") + NODE.kid


SIGNATURES = parts()[3]
ED, ML = SIGNATURES


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "statement.tag"),
        (DATA[2:], "statement.tag"),
        (bytes.fromhex("d861") + DATA[2:], "statement.tag"),
        (TAG + DATA, "cbor.type"),
        (DATA + b"\0", "cbor.trailing"),
        (DATA[:-1], "cbor.truncated"),
        (rebuilt(3, [ED]), "cbor.shape"),
        (rebuilt(3, []), "cbor.shape"),
        (rebuilt(3, [ED, ML, ML]), "cbor.shape"),
        (rebuilt(3, [ML, ED]), "statement.header"),
        (rebuilt(3, [ED, ED]), "statement.header"),
        (rebuilt(3, [ED, [ED[0], {}, ML[2]]]), "statement.header"),
        (rebuilt(3, [ED, [strict.dumps({1: ML_DSA_65, 4: OTHER_NODE.kid}), {}, ML[2]]]), "statement.header"),
        (rebuilt(3, [[strict.dumps({1: ED25519}), {}, ED[2]], ML]), "statement.header"),
        (rebuilt(3, [[strict.dumps({1: -8, 4: NODE.kid}), {}, ED[2]], ML]), "statement.header"),
        (rebuilt(3, [[strict.dumps({1: ED25519, 4: b"short"}), {}, ED[2]], ML]), "statement.header"),
        (rebuilt(3, [[b"", {}, ED[2]], ML]), "statement.header"),
        (rebuilt(3, [[ED[0], {1: ED25519}, ED[2]], ML]), "cbor.shape"),
        (rebuilt(3, [[ED[0], {"x": 1}, ED[2]], ML]), "cbor.shape"),
        (rebuilt(1, {"x": 1}), "cbor.shape"),
        (rebuilt(2, None), "cbor.shape"),
        (rebuilt(0, b""), "statement.header"),
        (rebuilt(0, strict.dumps({3: "application/cbor"})), "statement.header"),
        (rebuilt(0, strict.dumps({3: "application/vnd.rilon.Manifest+cbor"})), "statement.header"),
        (rebuilt(0, strict.dumps({3: "application/vnd.rilon.manifest+cbor", 5: b""})), "statement.header"),
        (rebuilt(0, strict.dumps({3: "application/vnd.rilon.manifest+cbor "})), "statement.header"),
        (bytes(statement.LIMIT_BYTES + 1), "cbor.size"),
    ],
)
def test_another_form_is_refused(data: bytes, code: str) -> None:
    assert refusal(statement.parse, data) == code
    assert refusal(check, data) == code


def test_nothing_is_signed_that_nobody_would_read() -> None:
    largest = statement.LIMIT_BYTES - len(DATA) + len(BODY) - 4
    assert check(statement.sign("manifest", bytes(largest), NODE)).body == bytes(largest)
    assert refusal(statement.sign, "manifest", bytes(statement.LIMIT_BYTES), NODE) == "statement.size"
