"""Sections: one key, one text, one place. The commitment test mounts the attack it is there against."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rilon.crypto import section
from rilon.crypto.padding import unpad
from tests.fakes.items import ITEM, flips, refusal

CONTEXT = section.item_context("th", ITEM, 1, 3, "nominal")
KEY = bytes(range(32))
SEALED = section.seal(b"Fictional Person One", CONTEXT, KEY)


def opened(sealed: section.SealedSection = SEALED, context: bytes = CONTEXT) -> bytes:
    return section.open_(sealed.ciphertext, sealed.key, sealed.commitment, context)


@pytest.mark.parametrize("length", [0, 1, 1019, 1020, 1021, 5000, 1_000_000])
def test_what_is_sealed_opens(length: int) -> None:
    sealed = section.seal(b"x" * length, CONTEXT)
    assert opened(sealed) == b"x" * length
    assert sealed.digest == sha256(sealed.ciphertext).digest()


def test_short_texts_look_alike() -> None:
    assert len({len(section.seal(b"x" * n, CONTEXT).ciphertext) for n in range(0, 1021, 60)}) == 1


def test_every_seal_draws_a_key() -> None:
    one, other = section.seal(b"words", CONTEXT), section.seal(b"words", CONTEXT)
    assert one.key != other.key
    assert one.ciphertext != other.ciphertext
    assert one.commitment not in (one.key, other.commitment)


@pytest.mark.parametrize(
    "context",
    [
        section.item_context("my", ITEM, 1, 3, "nominal"),
        section.item_context("th", bytes(16), 1, 3, "nominal"),
        section.item_context("th", ITEM, 2, 3, "nominal"),
        section.item_context("th", ITEM, 1, 4, "nominal"),
        section.item_context("th", ITEM, 1, 3, "summary"),
        section.local_context("th", ITEM),
        b"",
    ],
)
def test_a_section_opens_in_its_place_only(context: bytes) -> None:
    assert refusal(opened, context=context) == "section.seal"


def test_local_text_is_bound_to_its_purpose_and_owner() -> None:
    sealed = section.seal(b"A comment.", section.local_context("comment", b"1"))
    assert opened(sealed, section.local_context("comment", b"1")) == b"A comment."
    for context in (section.local_context("reason", b"1"), section.local_context("comment", b"2")):
        assert refusal(opened, sealed, context) == "section.seal"


def test_every_flip_of_a_section_is_refused() -> None:
    for ciphertext in flips(SEALED.ciphertext)[::7]:
        assert refusal(section.open_, ciphertext, KEY, SEALED.commitment, CONTEXT) == "section.seal"
    for key in flips(KEY):
        assert refusal(section.open_, SEALED.ciphertext, key, SEALED.commitment, CONTEXT) == ("section.commitment")
    for commitment in flips(SEALED.commitment):
        assert refusal(section.open_, SEALED.ciphertext, KEY, commitment, CONTEXT) == "section.commitment"


@pytest.mark.parametrize("ciphertext", [b"", b"x", SEALED.ciphertext[:-1], SEALED.ciphertext + b"\0"])
def test_another_length_is_refused(ciphertext: bytes) -> None:
    assert refusal(section.open_, ciphertext, KEY, SEALED.commitment, CONTEXT) == "section.seal"


def test_a_key_has_32_bytes() -> None:
    assert refusal(section.seal, b"", CONTEXT, b"short") == "key.length"
    assert refusal(section.open_, SEALED.ciphertext, KEY[:-1], SEALED.commitment, CONTEXT) == "key.length"


def test_sizes_are_limited_on_both_sides() -> None:
    assert refusal(section.seal, bytes(section.LIMIT_BYTES + 1), CONTEXT) == "section.size"
    largest = section.seal(bytes(section.LIMIT_BYTES), CONTEXT, KEY)
    assert len(largest.ciphertext) == section.LIMIT_CIPHERTEXT_BYTES
    assert len(opened(largest)) == section.LIMIT_BYTES
    assert refusal(section.open_, largest.ciphertext + b"\x00", KEY, largest.commitment, CONTEXT) == "section.size"


def test_a_sender_that_pads_otherwise_is_refused() -> None:
    derived = HKDF(SHA256(), 64, salt=None, info=b"rilon section key 1").derive(KEY)
    for padded in (bytes(999), b"\0\0\0\1x" + bytes(1018) + b"y", b"\xff" * 1024, b""):
        ciphertext = AESGCM(derived[:32]).encrypt(bytes(12), padded, CONTEXT)
        assert refusal(section.open_, ciphertext, KEY, derived[32:], CONTEXT) == "padding.form"


def test_nothing_secret_shows_in_a_repr() -> None:
    shown = repr(SEALED)
    assert "Fictional" not in shown
    assert str(KEY)[2:20] not in shown
    assert "ciphertext" not in shown


def test_one_ciphertext_cannot_show_two_recipients_two_texts() -> None:
    """AES-GCM alone is fooled: the same bytes open under both keys, to different texts. The commitment is not."""
    one, other = (sha256(b"salamander %d" % n).digest() for n in (20_733, 24_157))
    ciphertext = _two_faced(_encryption_key(one), _encryption_key(other))
    texts = {unpad(AESGCM(_encryption_key(key)).decrypt(bytes(12), ciphertext, CONTEXT), 1024) for key in (one, other)}
    assert len(texts) == 2
    committed = section.seal(b"", CONTEXT, one).commitment
    assert section.open_(ciphertext, one, committed, CONTEXT) in texts
    assert refusal(section.open_, ciphertext, other, committed, CONTEXT) == "section.commitment"


def _encryption_key(key: bytes) -> bytes:
    return HKDF(SHA256(), 64, salt=None, info=b"rilon section key 1").derive(key)[:32]


def _two_faced(one: bytes, other: bytes) -> bytes:
    """Ciphertext of 1,024 bytes with a tag that holds under both keys (Dodis et al., "Fast Message Franking", 2018).

    The two keys were searched for so that the first four bytes of their key streams agree: both texts then have the
    same length in front, and fill the section, so that no zeros are needed. Block 2 is free; it is solved for.
    """
    head = bytes(a ^ b for a, b in zip(_stream(one, 2)[:4], (1020).to_bytes(4, "big"), strict=True))
    blocks = [head + bytes(12), *[bytes([n]) * 16 for n in range(1, 64)]]
    blocks[2] = bytes(16)
    assert _stream(one, 2)[:4] == _stream(other, 2)[:4]
    hashes = [int.from_bytes(_block(key, bytes(16)), "big") for key in (one, other)]
    masks = [int.from_bytes(_stream(key, 1), "big") for key in (one, other)]
    tags = [mask ^ _ghash(h, blocks) for mask, h in zip(masks, hashes, strict=True)]
    weights = [_power(h, 64 - 2 + 1) for h in hashes]
    solved = _times(tags[0] ^ tags[1], _power(weights[0] ^ weights[1], (1 << 128) - 2))
    tag = tags[0] ^ _times(solved, weights[0])
    blocks[2] = solved.to_bytes(16, "big")
    return b"".join(blocks) + tag.to_bytes(16, "big")


def _block(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def _stream(key: bytes, counter: int) -> bytes:
    return _block(key, bytes(12) + counter.to_bytes(4, "big"))


def _ghash(h: int, blocks: list[bytes]) -> int:
    padded = CONTEXT + bytes(-len(CONTEXT) % 16)
    lengths = (len(CONTEXT) * 8).to_bytes(8, "big") + (len(blocks) * 128).to_bytes(8, "big")
    found = 0
    for block in [*[padded[n : n + 16] for n in range(0, len(padded), 16)], *blocks, lengths]:
        found = _times(found ^ int.from_bytes(block, "big"), h)
    return found


def _times(a: int, b: int) -> int:
    """Product in GCM's field (SP 800-38D §6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if b >> bit & 1:
            product ^= a
        a = a >> 1 ^ (0xE1 << 120 if a & 1 else 0)
    return product


def _power(a: int, exponent: int) -> int:
    found = 1 << 127
    while exponent:
        if exponent & 1:
            found = _times(found, a)
        a, exponent = _times(a, a), exponent >> 1
    return found
