"""Passkeys: made by a browser, used on one origin by a verified person, over one challenge; and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from rilon.crypto import passkey, release, strict
from rilon.crypto.passkey import Passkey
from tests.fakes.authenticator import ATTESTED, ORIGIN, SYNCED, USED, Authenticator
from tests.fakes.items import OFFICERS, PUBLIC, approve, draft_release, flips, refusal

CHALLENGE = b"c" * 32
BODY = draft_release("id", "my").body
ONE, TWO, _ = OFFICERS
EACH = pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "RS256"])


@EACH
def test_what_is_made_verifies(algorithm: str) -> None:
    mine = Authenticator(algorithm=algorithm)
    made = passkey.register(*mine.create(CHALLENGE), CHALLENGE, ORIGIN)
    assert (made.credential, made.synced) == (mine.credential, False)
    Passkey(made.raw).verify(mine.sign(CHALLENGE), CHALLENGE)
    assert passkey.register(*mine.create(CHALLENGE, flags=USED | ATTESTED | SYNCED), CHALLENGE, ORIGIN).synced


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("passkey.challenge", {"challenge": "another"}),
        ("passkey.origin", {"origin": "https://th.example.evil.example"}),
        ("passkey.origin", {"origin": "http://th.example"}),
        ("passkey.origin", {"crossOrigin": True}),
        ("passkey.origin", {"host": "evil.example"}),
        ("passkey.user", {"flags": 0x01}),
        ("passkey.user", {"flags": 0x04}),
        ("passkey.type", {"type": "webauthn.create"}),
    ],
)
def test_used_otherwise_it_is_refused(code: str, changes: dict[str, Any]) -> None:
    mine = Authenticator()
    assert refusal(Passkey(mine.raw).verify, mine.sign(CHALLENGE, **changes), CHALLENGE) == code


def test_another_key_or_a_flipped_bit_does_not_hold() -> None:
    mine, key = Authenticator(), Passkey(Authenticator().raw)
    assert refusal(key.verify, Authenticator(seed=2).sign(CHALLENGE), CHALLENGE) == "signature.invalid"
    for wrong in flips(mine.sign(CHALLENGE))[::7]:
        assert refusal(key.verify, wrong, CHALLENGE).startswith(("cbor.", "passkey.", "signature.invalid"))


@pytest.mark.parametrize(
    "said", [b"", b"[]", b"{", b'{"type":"webauthn.get","type":"webauthn.get"}', b"\xff", b"[" * 2000]
)
def test_what_is_no_client_data_is_refused_cleanly(said: bytes) -> None:
    mine = Authenticator()
    assert refusal(passkey.register, said, mine.create(CHALLENGE)[1], CHALLENGE, ORIGIN) == "passkey.form"


def test_registration_takes_three_algorithms_in_one_encoding() -> None:
    mine = Authenticator()
    said, attested = mine.create(CHALLENGE)
    data = strict.loads(attested, limit=4096)["authData"]

    def made(changed: object) -> str:
        return refusal(passkey.register, said, strict.dumps(changed), CHALLENGE, ORIGIN)

    whole = {"fmt": "none", "attStmt": {}}
    assert made(whole | {"authData": data[:-77] + b"\xa4\x01\x03" + data[-74:]}) == "passkey.algorithm"
    assert made(whole | {"authData": data + b"x"}) == "passkey.form"
    assert made(whole | {"authData": data[:40]}) in {"passkey.form", "passkey.algorithm"}
    assert made(whole | {"authData": data[:-32] + bytes(32)}) == "key.invalid"
    assert made(whole) == made([1]) == "passkey.form"


@pytest.mark.parametrize(("at", "byte"), [(0, 0x7F), (255, 0x00)])
def test_a_weak_rsa_key_is_none(at: int, byte: int) -> None:
    mine = Authenticator(algorithm="RS256")
    listed = strict.loads(mine.raw, limit=512)
    key = bytearray(listed["key"])
    key[at] = byte
    assert refusal(Passkey, strict.dumps(listed | {"key": bytes(key)})) == "key.invalid"
    assert refusal(Passkey, strict.dumps(listed | {"key": bytes(key[:128])})) == "key.invalid"


def test_an_approval_by_passkey_is_of_one_body_by_one_person() -> None:
    mine = Authenticator()
    keys = {ONE: Passkey(mine.raw), TWO: PUBLIC[TWO]}

    def signed(*given: release.Approval, body: release.ReleaseBody = BODY) -> release.Release:
        return release.Release(body, given)

    both = signed(mine.approve(BODY, ONE), approve(BODY, TWO))
    assert release.verify_approvals(both, keys, 2) == (ONE, TWO)
    cut = draft_release("my").body
    for wrong, code in {
        signed(mine.approve(BODY, ONE), body=cut): "passkey.challenge",
        signed(mine.approve(BODY, ONE, flags=1)): "passkey.user",
        signed(mine.approve(BODY, ONE, host="evil.example")): "passkey.origin",
        signed(Authenticator(seed=2).approve(BODY, ONE)): "approval.kid",
        signed(mine.approve(BODY, TWO)): "approval.kid",
    }.items():
        assert refusal(release.verify_approvals, wrong, keys, 1) == code
