"""Keys: lengths, identity, secrecy of what is secret, and points that would let anybody sign."""

import pytest

from rilon.crypto.keys import (
    ED25519,
    ML_DSA_65,
    PAIR_BYTES,
    KemKey,
    LinkKey,
    SigningKey,
    VerifyKey,
    kem_public,
    key_id,
    verify_link,
)
from rilon.errors import MalformedError, ProofError

SEED = bytes(range(64))
KEY = SigningKey.from_seed(SEED)
ORDER_EIGHT = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def test_a_seed_names_one_key() -> None:
    assert SigningKey.from_seed(SEED).public == KEY.public
    assert hash(SigningKey.from_seed(SEED).public) == hash(KEY.public)
    assert SigningKey.generate().public != KEY.public
    assert KemKey.from_seed(SEED[:32]).public == KemKey.from_seed(SEED[:32]).public != KemKey.generate().public
    assert LinkKey.from_seed(SEED[:32]).public == LinkKey.from_seed(SEED[:32]).public != LinkKey.generate().public


def test_a_key_is_named_by_its_public_bytes() -> None:
    kem, link = KemKey.from_seed(SEED[:32]), LinkKey.from_seed(SEED[:32])
    assert KEY.kid == KEY.public.kid == key_id(KEY.public.raw)
    assert kem.kid == key_id(kem.public)
    assert link.kid == key_id(link.public)
    assert len({KEY.kid, kem.kid, link.kid}) == 3


@pytest.mark.parametrize("key", [KEY, KEY.public, KemKey.from_seed(SEED[:32]), LinkKey.from_seed(SEED[:32])])
def test_no_repr_shows_the_seed(key: object) -> None:
    assert SEED[:8].hex() not in repr(key)
    assert str(SEED[:8])[2:-1] not in repr(key)
    assert getattr(key, "kid").hex() in repr(key)  # noqa: B009  four classes, one attribute


def test_both_signatures_of_a_pair_must_hold() -> None:
    pair = KEY.sign_pair(b"words")
    KEY.public.verify_pair(pair, b"words")
    other = SigningKey.generate().sign_pair(b"words")
    for bad in (pair[:-1], pair + b"\0", other[:64] + pair[64:], pair[:64] + other[64:], bytes(PAIR_BYTES), b""):
        with pytest.raises(ProofError, match=r"signature\.invalid"):
            KEY.public.verify_pair(bad, b"words")
    with pytest.raises(ProofError, match=r"signature\.invalid"):
        KEY.public.verify_pair(pair, b"other words")


@pytest.mark.parametrize("algorithm", [ED25519, ML_DSA_65])
def test_one_signature_of_the_pair(algorithm: int) -> None:
    signature = KEY.sign(algorithm, b"words")
    KEY.public.verify(algorithm, signature, b"words")
    with pytest.raises(ProofError, match=r"signature\.invalid"):
        KEY.public.verify(algorithm, signature, b"word")


def test_a_link_signature() -> None:
    link = LinkKey.from_seed(SEED[:32])
    signature = link.sign(b"frame")
    verify_link(link.public, signature, b"frame")
    for public, message in ((link.public, b"frames"), (LinkKey.generate().public, b"frame")):
        with pytest.raises(ProofError, match=r"signature\.invalid"):
            verify_link(public, signature, message)


@pytest.mark.parametrize("make", [SigningKey, KemKey, LinkKey, VerifyKey, kem_public])
def test_a_key_of_another_length_is_refused(make: type) -> None:
    for raw in (b"", bytes(31), bytes(65), bytes(1985), bytes(1215)):
        with pytest.raises(MalformedError, match=r"key\.length"):
            make(raw)


@pytest.mark.parametrize("point", ["00" * 32, "01" + "00" * 31, "01" + "00" * 30 + "80", ORDER_EIGHT])
def test_a_key_under_which_anybody_could_sign_is_refused(point: str) -> None:
    raw = bytes.fromhex(point)
    with pytest.raises(MalformedError, match=r"key\.invalid"):
        verify_link(raw, raw[:32] + bytes(32), b"anything")
    with pytest.raises(MalformedError, match=r"key\.invalid"):
        VerifyKey(raw + KEY.public.raw[32:])


def test_a_kem_key_that_fails_its_check_is_refused() -> None:
    raw = KemKey.from_seed(SEED[:32]).public
    kem_public(raw)
    for bad in (raw[:1184] + bytes(32), raw[:1184] + b"\x01" + bytes(31), b"\xff" * 1184 + raw[1184:]):
        with pytest.raises(MalformedError, match=r"key\.invalid"):
            kem_public(bad)


def test_the_x_wing_key_pair_is_one_pair() -> None:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    key = KemKey.from_seed(SEED[:32])
    assert suite.decrypt(suite.encrypt(b"words", kem_public(key.public), b"info"), key.private, b"info") == b"words"
