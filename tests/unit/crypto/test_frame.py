from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from rilon.crypto import frame, padding, strict
from rilon.crypto.frame import Recipient, Route
from rilon.crypto.keys import KemKey, LinkKey, key_id
from rilon.errors import MalformedError, ProofError, RilonError

SENDER, OTHER = LinkKey.from_seed(b"\1" * 32), LinkKey.from_seed(b"\2" * 32)
KEM, OTHER_KEM = KemKey.from_seed(b"\3" * 32), KemKey.from_seed(b"\4" * 32)
ROUTE = Route("th", "my", b"T" * 16, b"M" * 16, "real")
TO = Recipient(KEM.public)


def sealed(body: bytes = b"words", attached: bytes = b"keys", route: Route = ROUTE) -> bytes:
    return frame.seal(body, attached, route, TO, SENDER)


def opened(raw: bytes, route: Route = ROUTE, kem: KemKey = KEM, key: bytes = SENDER.public) -> frame.Opened:
    return frame.open_(frame.parse(raw), route, kem, key)


def refusal(do: Callable[[], object]) -> str:
    with pytest.raises(RilonError) as caught:
        do()
    assert isinstance(caught.value, MalformedError | ProofError)
    return caught.value.code


def test_what_is_sealed_opens() -> None:
    found = opened(sealed(b"words", b"keys"))
    assert (found.body, found.attached) == (b"words", b"keys")


def test_a_receipt_and_a_short_alert_have_one_size() -> None:
    assert len(sealed(b"", b"")) == len(sealed(b"x" * 3000, b"y" * 900)) > frame.FLOOR_BYTES


@pytest.mark.parametrize("body_bytes", [0, 1, frame.MAX_CONTENT_BYTES])
def test_the_largest_content_fits_a_frame(body_bytes: int) -> None:
    raw = sealed(b"x" * body_bytes, b"y" * (frame.MAX_CONTENT_BYTES - body_bytes))
    assert len(raw) <= frame.MAX_FRAME_BYTES
    assert len(opened(raw).body) == body_bytes


def test_more_than_a_frame_is_refused_at_the_sender() -> None:
    too_much = b"x" * (frame.MAX_CONTENT_BYTES + 1)
    assert refusal(lambda: sealed(too_much, b"")) == "frame.too-large"
    assert refusal(lambda: frame.sign_hello(too_much, ROUTE, SENDER)) == "frame.too-large"


def test_more_than_a_frame_is_not_read() -> None:
    assert refusal(lambda: frame.parse(b"\0" * (frame.MAX_FRAME_BYTES + 1))) == "cbor.size"


def test_a_frame_opens_only_on_the_link_it_was_made_for() -> None:
    raw = sealed()
    assert refusal(lambda: opened(raw, replace(ROUTE, to="id"))) == "frame.misdirected"
    assert refusal(lambda: opened(raw, replace(ROUTE, sender="id"))) == "frame.misdirected"
    assert refusal(lambda: opened(raw, replace(ROUTE, log=b"t" * 16))) == "frame.seal"
    assert refusal(lambda: opened(raw, replace(ROUTE, to_log=b"m" * 16))) == "frame.seal"
    assert refusal(lambda: opened(raw, replace(ROUTE, world="exercise"))) == "frame.seal"
    assert refusal(lambda: opened(raw, kem=OTHER_KEM)) == "frame.key"
    assert refusal(lambda: opened(raw, key=OTHER.public)) == "frame.signature"


def test_nobody_is_relabelled() -> None:
    """The courier writes another name, recipient or key outside: the seal knows."""
    outside = frame.parse(sealed())
    changed = {"sender": "id", "to": "id", "kid": OTHER_KEM.kid, "form": "hello", "v": 2}
    codes = {}
    for name, value in changed.items():
        raw = strict.encode(strict.shape({**_fields(outside), _wire(name): value}, frame.Frame))
        route = replace(ROUTE, **{name: value}) if name in {"sender", "to"} else ROUTE
        kem = OTHER_KEM if name == "kid" else KEM
        codes[name] = refusal(lambda raw=raw, route=route, kem=kem: opened(raw, route, kem))
    assert codes == {
        "sender": "frame.seal",
        "to": "frame.seal",
        "kid": "frame.seal",
        "form": "frame.misdirected",
        "v": "frame.version",
    }


def test_an_unknown_form_is_refused() -> None:
    raw = strict.dumps({**_fields(frame.parse(sealed())), "form": "open"})
    assert refusal(lambda: frame.parse(raw)) == "frame.form"


@pytest.mark.parametrize("missing", ["v", "form", "from", "to", "kid", "payload"])
def test_a_missing_or_spare_field_is_refused(missing: str) -> None:
    fields = _fields(frame.parse(sealed()))
    assert refusal(lambda: frame.parse(strict.dumps({k: v for k, v in fields.items() if k != missing}))) == "cbor.shape"
    assert refusal(lambda: frame.parse(strict.dumps({**fields, "x": 1}))) == "cbor.shape"


def test_a_signature_cannot_be_taken_to_another_frame() -> None:
    """Same words, same signer, another log: the signature covers the link as well as the words."""
    elsewhere = opened(sealed(route=replace(ROUTE, log=b"t" * 16)), replace(ROUTE, log=b"t" * 16))
    signature = strict.loads(elsewhere.proof, limit=1024)["signature"]
    assert refusal(lambda: opened(_forged(signature, b"words", b"keys"))) == "frame.signature"


def test_attachments_cannot_be_exchanged_under_a_signature() -> None:
    signature = strict.loads(opened(sealed()).proof, limit=1024)["signature"]
    assert opened(_forged(signature, b"words", b"keys")).attached == b"keys"
    assert refusal(lambda: opened(_forged(signature, b"words", b"kez"))) == "frame.signature"


def test_padding_holds_nothing() -> None:
    content = strict.dumps({"signature": bytes(64), "body": b"", "attached": b""})
    hidden = padding.pad(content, frame.FLOOR_BYTES)[:-1] + b"x"
    assert refusal(lambda: opened(_resealed(hidden))) == "padding.form"
    assert refusal(lambda: opened(_resealed(b""))) == "padding.form"
    assert refusal(lambda: opened(_resealed(padding.pad(b"\xffjunk", frame.FLOOR_BYTES)))) == "cbor.type"


def test_a_sealed_content_that_is_too_short_is_refused() -> None:
    for payload in (b"", b"x", b"x" * 1120, b"x" * 1135):
        raw = strict.encode(frame.Frame(1, "sealed", "th", "my", KEM.kid, payload))
        assert refusal(lambda raw=raw: opened(raw)) == "frame.seal"


def test_an_all_zero_point_is_refused() -> None:
    outside = frame.parse(sealed())
    payload = outside.payload[:1088] + bytes(32) + outside.payload[1120:]
    raw = strict.encode(frame.Frame(1, "sealed", "th", "my", KEM.kid, payload))
    assert refusal(lambda: opened(raw)) == "frame.seal"


def test_the_proof_convinces_a_third_party_without_the_attachments() -> None:
    found = opened(sealed(b"words", b"section key"))
    frame.verify_proof(found.proof, b"words", SENDER.public)
    assert b"section key" not in found.proof
    assert sha256(b"section key").digest() in found.proof
    assert refusal(lambda: frame.verify_proof(found.proof, b"wordz", SENDER.public)) == "frame.signature"
    assert refusal(lambda: frame.verify_proof(found.proof, b"words", OTHER.public)) == "frame.signature"


def test_an_opened_frame_shows_no_secret() -> None:
    assert "section key" not in repr(opened(sealed(b"words", b"section key")))


def test_a_hello_is_signed_and_readable() -> None:
    hello = frame.parse(frame.sign_hello(b"here I am", ROUTE, SENDER))
    assert frame.claimed_hello(hello) == b"here I am"
    found = frame.verify_hello(hello, replace(ROUTE, log=b"?" * 16, to_log=b"?" * 16), SENDER.public)
    frame.verify_proof(found.proof, b"here I am", SENDER.public)


def test_a_hello_is_believed_only_from_its_signer_and_world() -> None:
    hello = frame.parse(frame.sign_hello(b"here I am", ROUTE, SENDER))
    assert refusal(lambda: frame.verify_hello(hello, ROUTE, OTHER.public)) == "frame.key"
    renamed = frame.Frame(1, "hello", "th", "my", key_id(OTHER.public), hello.payload)
    assert refusal(lambda: frame.verify_hello(renamed, ROUTE, OTHER.public)) == "frame.signature"
    assert refusal(lambda: frame.verify_hello(hello, replace(ROUTE, world="exercise"), SENDER.public)) == (
        "frame.signature"
    )
    assert refusal(lambda: frame.verify_hello(hello, replace(ROUTE, to="id"), SENDER.public)) == "frame.misdirected"


def test_the_two_forms_are_never_taken_for_each_other() -> None:
    hello = frame.sign_hello(b"here I am", ROUTE, SENDER)
    assert refusal(lambda: opened(hello)) == "frame.misdirected"
    assert refusal(lambda: frame.verify_hello(frame.parse(sealed()), ROUTE, SENDER.public)) == "frame.misdirected"
    assert refusal(lambda: frame.claimed_hello(frame.parse(sealed()))) == "frame.misdirected"


def _fields(outside: frame.Frame) -> dict[str, object]:
    return {_wire(name): getattr(outside, name) for name in outside.__struct_fields__}


def _wire(name: str) -> str:
    return "from" if name == "sender" else name


def _resealed(padded: bytes) -> bytes:
    info = frame._info("sealed", ROUTE, KEM.kid)
    return strict.encode(frame.Frame(1, "sealed", "th", "my", KEM.kid, TO.seal(padded, info)))


def _forged(signature: bytes, body: bytes, attached: bytes) -> bytes:
    content = strict.dumps({"signature": signature, "body": body, "attached": attached})
    return _resealed(padding.pad(content, frame.FLOOR_BYTES))
