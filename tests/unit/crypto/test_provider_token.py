"""Tokens of an identity provider: one that is sound, and every way in which one is not."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from rilon.crypto.jose import MAX_TOKEN_BYTES, ProviderKeys, half_hash, pkce_challenge, verify
from rilon.crypto.provider_token import LOGOUT, Asked, Identity, Party, check_id_token, check_logout_token
from rilon.errors import MalformedError, ProofError, RilonError
from tests.fakes.drafts import NOW

PARTY, ASKED = Party("https://id.example", "rilon-th"), Asked("a nonce", ("high", "higher"), "an access token")
EC, OTHER, RSA = ECKey.generate_key("P-256"), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
SECOND = NOW.timestamp()


def published(*keys: tuple[str | None, Any], **changes: Any) -> bytes:
    listed = [key.as_dict(private=False) | ({"kid": kid} if kid else {}) | changes for kid, key in keys]
    return json.dumps({"keys": [{k: v for k, v in each.items() if v is not None} for each in listed]}).encode()


KEYS = ProviderKeys(published(("one", EC), ("two", RSA)))


def signed(claims: Any, key: Any = EC, /, **header: Any) -> str:
    head = {"alg": "ES256", "kid": "one"} | header
    head = {name: value for name, value in head.items() if value is not None}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    said = ".".join(map(b64, (json.dumps(head).encode(), payload)))
    return f"{said}.{b64(jws.JWSRegistry.algorithms[head['alg']].sign(said.encode(), key))}"


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def bare(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token of parts, signed by nobody."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(map(b64, parts))


def claims(**changes: Any) -> dict[str, Any]:
    said = {
        "iss": PARTY.issuer,
        "aud": PARTY.client,
        "sub": "somebody",
        "sid": "a session",
        "nonce": ASKED.nonce,
        "acr": "high",
        "iat": SECOND,
        "exp": SECOND + 300,
        "auth_time": SECOND - 60,
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def farewell(**changes: Any) -> dict[str, Any]:
    said = claims(nonce=None, acr=None, auth_time=None, jti="a ticket", events={LOGOUT: {}}) | changes
    return {name: value for name, value in said.items() if value is not None}


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(RilonError) as caught:
        act()
    assert isinstance(caught.value, ProofError | MalformedError)
    return caught.value.code


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"x5t": "ignored", "jku": "https://evil.example/keys"}])
def test_a_sound_token_says_who_it_is(header: dict[str, Any]) -> None:
    hashed = half_hash("ES256", ASKED.access_token)
    for said in (claims(), claims(at_hash=hashed), claims(azp=PARTY.client, aud=[PARTY.client]), claims(nbf=SECOND)):
        found = check_id_token(verify(signed(said, **header), KEYS), PARTY, ASKED, NOW)
        assert found == Identity(PARTY.issuer, "somebody", "a session")
    by_rsa = signed(claims(sid=None), RSA, alg="RS256", kid="two", **header)
    assert check_id_token(verify(by_rsa, KEYS), PARTY, ASKED, NOW).session == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://id.example/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": [PARTY.client, "another"]}, "audience"),
        ({"azp": "another"}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "\u0e01"}, "nonce"),
        ({"exp": SECOND - 60}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "tomorrow"}, "expired"),
        ({"exp": True}, "expired"),
        ({"exp": 1e300}, "expired"),
        ({"iat": SECOND + 61}, "time"),
        ({"iat": SECOND - 661, "exp": SECOND + 300}, "time"),
        ({"iat": None}, "time"),
        ({"nbf": SECOND + 61}, "time"),
        ({"acr": "low"}, "acr"),
        ({"acr": None}, "acr"),
        ({"acr": ["high"]}, "acr"),
        ({"auth_time": None}, "auth-time"),
        ({"auth_time": SECOND - 12 * 3600 - 61}, "auth-time"),
        ({"at_hash": "another"}, "hash"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": "s" * 256}, "subject"),
        ({"sub": "line\nbreak"}, "subject"),
        ({"sid": 7}, "subject"),
    ],
)
def test_a_claim_that_is_wrong(changes: dict[str, Any], code: str) -> None:
    token = verify(signed(claims(**changes)), KEYS)
    assert refused(lambda: check_id_token(token, PARTY, ASKED, NOW)) == f"provider.{code}"


def test_a_little_difference_of_clocks_is_no_fault() -> None:
    token = verify(signed(claims()), KEYS)
    check_id_token(token, PARTY, ASKED, NOW - timedelta(seconds=59))
    check_id_token(token, PARTY, ASKED, NOW + timedelta(seconds=359))


def test_no_signature_counts_but_one_of_the_list() -> None:
    """``none``, and an HMAC whose secret is the provider's public key, which everybody knows."""
    assert refused(lambda: verify(bare({"alg": "none", "kid": "one"}, claims()), KEYS)) == "provider.algorithm"
    said = bare({"alg": "HS256", "kid": "two"}, claims()).rpartition(".")[0]
    mac = hmac.digest(RSA.as_pem(private=False), said.encode(), "sha256")
    assert refused(lambda: verify(f"{said}.{b64(mac)}", KEYS)) == "provider.algorithm"
    for alg in ("RS512", "EdDSA", "", None, 7, ["ES256"]):
        assert refused(lambda alg=alg: verify(bare({"alg": alg, "kid": "one"}, claims()), KEYS)).startswith("provider.")


def test_a_signature_is_of_the_key_it_names() -> None:
    assert refused(lambda: verify(signed(claims(), OTHER), KEYS)) == "provider.signature"
    assert refused(lambda: verify(signed(claims(), kid="three"), KEYS)) == "provider.key"
    assert refused(lambda: verify(signed(claims(), kid=None), KEYS)) == "provider.key", "two keys, and none is named"
    assert refused(lambda: verify(signed(claims(), kid="two"), KEYS)) in {"provider.signature", "provider.key"}
    mine = OTHER.as_dict(private=False)
    assert refused(lambda: verify(signed(claims(), OTHER, jwk=mine), KEYS)) == "provider.signature", "its own key"
    only = ProviderKeys(published((None, EC)))
    assert verify(signed(claims(), kid=None), only).claims["sub"] == "somebody"
    for_another = ProviderKeys(published(("one", EC), alg="ES384"))
    assert refused(lambda: verify(signed(claims()), for_another)) == "provider.key"


@pytest.mark.parametrize("place", range(3))
def test_no_part_can_be_changed(place: int) -> None:
    parts = signed(claims()).split(".")
    parts[place] = ("A" if parts[place][5] != "A" else "B").join((parts[place][:5], parts[place][6:]))
    assert refused(lambda: verify(".".join(parts), KEYS)).startswith("provider.")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "\u0e01.b.c",
        "x" * (MAX_TOKEN_BYTES + 1),
        signed(claims(), crit=["exp"], exp=1),
        signed(claims(), typ=["JWT"]),
        signed(claims(), kid="one", x="y" * MAX_TOKEN_BYTES),
        signed(b"[]"),
        signed(b"\xff"),
        signed(b'{"sub":"a","sub":"b"}'),
        signed(b'{"exp":NaN}'),
        signed(b"[" * 10_000),
    ],
    ids=lambda _: "token",  # not its bytes: they differ from process to process
)
def test_what_is_no_token(token: str) -> None:
    assert refused(lambda: verify(token, KEYS)) in {"provider.token", "provider.algorithm"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"keys":7}',
        b'{"keys":[]}',
        b'{"keys":[7,null,{}]}',
        published(("one", EC), use="enc"),
        published(("one", EC), kty="oct"),
        published(("one", EC), crv="P-99"),
        published(("one", EC), x="!"),
        published(("one", EC), x=7),
        json.dumps({"keys": [{}] * 101}).encode(),
        json.dumps({"keys": [{"kty": "RSA", "e": "AQAB", "n": "x" * 5000}]}).encode(),
        json.dumps({"keys": [{"kty": "RSA", "e": "AQAB", "n": urlsafe_b64encode(b"\xc1" * 128).decode()}]}).encode(),
        json.dumps({"keys": [OctKey.generate_key(256).as_dict()]}).encode(),
    ],
    ids=lambda _: "keys",
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_what_is_no_key_set(raw: bytes) -> None:
    assert refused(lambda: ProviderKeys(raw)) == "provider.keys"


def test_a_logout_token_says_who_has_left() -> None:
    for header in ({}, {"typ": "logout+jwt"}):
        found = check_logout_token(verify(signed(farewell(), **header), KEYS), PARTY, NOW)
        assert (found.subject, found.session, found.ticket) == ("somebody", "a session", "a ticket")
    assert check_logout_token(verify(signed(farewell(sub=None)), KEYS), PARTY, NOW).subject == ""
    assert check_logout_token(verify(signed(farewell(sid=None)), KEYS), PARTY, NOW).session == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"iat": SECOND - 661}, "time"),
        ({"iat": None}, "time"),
        ({"exp": SECOND - 60}, "expired"),
        ({"events": None}, "event"),
        ({"events": {}}, "event"),
        ({"events": {LOGOUT: None}}, "event"),
        ({"events": [LOGOUT]}, "event"),
        ({"nonce": "any"}, "nonce"),
        ({"jti": None}, "ticket"),
        ({"jti": "t" * 256}, "ticket"),
        ({"sub": None, "sid": None}, "subject"),
        ({"sub": ""}, "subject"),
    ],
)
def test_a_logout_token_that_is_wrong(changes: dict[str, Any], code: str) -> None:
    token = verify(signed(farewell(**changes)), KEYS)
    assert refused(lambda: check_logout_token(token, PARTY, NOW)) == f"provider.{code}"


def test_no_token_passes_for_the_other() -> None:
    """Cross-JWT confusion (RFC 8725 §2.8)."""
    assert refused(lambda: check_logout_token(verify(signed(claims()), KEYS), PARTY, NOW)) == "provider.event"
    assert refused(lambda: check_id_token(verify(signed(farewell()), KEYS), PARTY, ASKED, NOW)) == "provider.nonce"
    typed = verify(signed(claims(), typ="logout+jwt"), KEYS)
    assert refused(lambda: check_id_token(typed, PARTY, ASKED, NOW)) == "provider.type"
    typed = verify(signed(farewell(), typ="at+jwt"), KEYS)
    assert refused(lambda: check_logout_token(typed, PARTY, NOW)) == "provider.type"


def test_hashes_are_those_of_the_standards() -> None:
    """RFC 7636 appendix B; OpenID Connect Core A.3."""
    assert (
        pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    assert half_hash("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"
