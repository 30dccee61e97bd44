"""NATS claims: what we mint we can verify, and nothing else passes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import nkeys
import pytest

from rilon.errors import MalformedError, ProofError
from rilon.network import claims
from rilon.network.claims import Kind, NatsKey
from tests.fakes.entropy import SeededEntropy

ENTROPY = SeededEntropy(1)
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
SIGNER, ROGUE = NatsKey.new(Kind.OPERATOR, ENTROPY), NatsKey.new(Kind.OPERATOR, ENTROPY)
HUB, MEMBER, OTHER = (NatsKey.new(Kind.ACCOUNT, ENTROPY) for _ in range(3))


def member_token(**changes: object) -> str:
    grants = claims.member_claims(MEMBER.public, HUB.public) | changes
    return claims.mint(SIGNER, MEMBER.public, "th", grants, NOW)


def body_of(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    return dict(msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@pytest.mark.parametrize(("kind", "letter"), list(zip(Kind, "OAU", strict=True)))
def test_a_key_says_what_it_is_for_and_keeps_its_seed_to_itself(kind: Kind, letter: str) -> None:
    key = NatsKey.new(kind, ENTROPY)
    assert key.public.startswith(letter)
    assert len(key.public) == 56
    assert NatsKey(key.seed).public == key.public
    assert nkeys.from_seed(bytearray(key.seed)).public_key.decode() == key.public
    assert key.seed.decode() not in repr(key)
    assert key.public in repr(key)


def test_what_is_minted_is_verified() -> None:
    token = claims.mint(SIGNER, MEMBER.public, "th", {"type": "x"}, NOW, expires=NOW + timedelta(days=1))
    found = claims.verify(token, SIGNER.public)
    assert (found.sub, found.iss, found.name) == (MEMBER.public, SIGNER.public, "th")
    assert found.exp == found.iat + 86_400
    assert found.iat == int(NOW.timestamp())
    assert found.nats == {"version": 2, "type": "x"}
    assert len(found.jti) == 52
    assert "exp" not in body_of(member_token())


def test_another_signature_does_not_pass() -> None:
    rogue = claims.mint(ROGUE, MEMBER.public, "th", claims.member_claims(MEMBER.public, HUB.public), NOW)
    with pytest.raises(ProofError, match="signed by the expected key"):
        claims.verify(rogue, SIGNER.public)
    head, body, _ = member_token().split(".")
    with pytest.raises(ProofError):
        claims.verify(f"{head}.{body}.{rogue.split('.')[2]}", SIGNER.public)


def test_a_signer_cannot_speak_in_anothers_name() -> None:
    """Signed by the right key, but saying that somebody else issued it."""
    head, body, _ = member_token().split(".")
    named = body_of(member_token()) | {"iss": ROGUE.public}
    body = base64.urlsafe_b64encode(msgspec.json.encode(named)).rstrip(b"=").decode()
    signature = base64.urlsafe_b64encode(SIGNER.sign(f"{head}.{body}".encode())).rstrip(b"=").decode()
    with pytest.raises(ProofError, match="another issuer"):
        claims.verify(f"{head}.{body}.{signature}", SIGNER.public)


def test_every_flipped_bit_is_refused() -> None:
    token = member_token()
    for place in range(0, len(token), 7):
        flipped = token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :]
        with pytest.raises((ProofError, MalformedError)):
            claims.verify_member(flipped, SIGNER.public, HUB.public)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30.",  # alg: none
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.AAAA",  # alg: HS256
        member_token() + ".x",
        member_token() + "\n",
        " " + member_token(),
        "x" * 20_000,
        member_token().replace(".", "..", 1),
        "é" + member_token(),
    ],
)
def test_what_is_no_token_is_malformed(token: str) -> None:
    with pytest.raises(MalformedError) as caught:
        claims.verify(token, SIGNER.public)
    assert caught.value.code == "claims.malformed"


def test_a_member_gets_exactly_its_own_doors() -> None:
    found = claims.verify_member(member_token(), SIGNER.public, HUB.public)
    doors = [door["subject"] for door in found.nats["imports"]]
    assert all(MEMBER.public in subject for subject in doors)
    assert doors == [
        f"rilon.{MEMBER.public}.*.f",
        f"$JS.API.CONSUMER.MSG.NEXT.{MEMBER.public}.in",
        f"$JS.API.CONSUMER.INFO.{MEMBER.public}.in",
        f"$JS.ACK.{MEMBER.public}.in.>",
    ]


def test_the_hub_lets_an_account_in_under_its_own_key_only() -> None:
    for door in claims.hub_claims()["exports"]:
        words = door["subject"].split(".")
        assert words[door["account_token_position"] - 1] == "*"


SLIPS = {
    "another's doors": claims.member_claims(OTHER.public, HUB.public),
    "another hub": claims.member_claims(MEMBER.public, OTHER.public),
    "the hub's own": claims.hub_claims(),
    "more connections": claims.member_claims(MEMBER.public, HUB.public) | {"limits": claims.HUB_LIMITS},
    "one door more": claims.member_claims(MEMBER.public, HUB.public) | {"exports": []},
    "a signing key": claims.member_claims(MEMBER.public, HUB.public) | {"signing_keys": [OTHER.public]},
    "revoked, but for later": claims.revoked_claims(int(NOW.timestamp()) + 1),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_signed_claims_to_anything_else_are_refused(slip: str) -> None:
    token = claims.mint(SIGNER, MEMBER.public, "th", SLIPS[slip], NOW)
    with pytest.raises(ProofError) as caught:
        claims.verify_member(token, SIGNER.public, HUB.public)
    assert caught.value.code == "claims.grant"


def test_claims_that_end_or_are_no_accounts_are_refused() -> None:
    user = NatsKey.new(Kind.USER, ENTROPY)
    ending = claims.mint(SIGNER, MEMBER.public, "th", claims.member_claims(MEMBER.public, HUB.public), NOW, expires=NOW)
    no_account = claims.mint(SIGNER, user.public, "th", claims.member_claims(user.public, HUB.public), NOW)
    for token in (ending, no_account):
        with pytest.raises(ProofError):
            claims.verify_member(token, SIGNER.public, HUB.public)


def test_revoked_claims_pass_and_leave_nothing() -> None:
    token = claims.mint(SIGNER, MEMBER.public, "th", claims.revoked_claims(int(NOW.timestamp())), NOW)
    nats = claims.verify_member(token, SIGNER.public, HUB.public).nats
    assert (nats["limits"]["conn"], nats["limits"]["leaf"]) == (0, 0)
    assert nats["revocations"] == {"*": int(NOW.timestamp())}
    assert "imports" not in nats


def test_a_credentials_file_names_its_account() -> None:
    user = NatsKey.new(Kind.USER, ENTROPY)
    token = claims.mint(MEMBER, user.public, "th", claims.member_user_claims(MEMBER.public, "STANDARD"), NOW)
    assert claims.account_of(claims.credentials(token, user)) == MEMBER.public
    for wrong in ("", "nonsense", "eyJ.nonsense"):
        with pytest.raises(MalformedError):
            claims.account_of(wrong)
