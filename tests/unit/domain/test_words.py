"""Fingerprints as words."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rilon.domain.words import COUNT, WORDS, heard, words
from rilon.errors import MalformedError


def distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row, old = [i], row
        for j, b in enumerate(other, 1):
            row.append(min(old[j] + 1, row[-1] + 1, old[j - 1] + (a != b)))
    return row[-1]


def test_the_words_cannot_be_taken_for_each_other() -> None:
    assert len(WORDS) == 256
    assert list(WORDS) == sorted(WORDS)
    assert len({w[:4] for w in WORDS}) == 256
    assert all(w.isascii() and w.islower() and w.isalpha() and 4 <= len(w) <= 8 for w in WORDS)
    assert all(distance(a, b) >= 3 for a, b in combinations(WORDS, 2))


@given(st.binary(min_size=32, max_size=32))
def test_what_is_read_aloud_is_what_was_shown(fingerprint: bytes) -> None:
    said = words(fingerprint)
    assert len(said) == COUNT == 16
    assert heard(" ".join(said)) == fingerprint[:16]
    assert heard(", ".join(w[:4].upper() for w in said)) == fingerprint[:16]


def test_another_byte_is_another_word() -> None:
    one = words(bytes(32))
    for place in range(COUNT):
        other = words(bytes(place) + b"\1" + bytes(31 - place))
        assert [n for n in range(COUNT) if one[n] != other[n]] == [place]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "words.count"),
        ("acorn " * 15, "words.count"),
        ("acorn " * 17, "words.count"),
        ("acorn " * 15 + "aco", "words.unknown"),
        ("acorn " * 15 + "acornx", "words.unknown"),
        ("acorn " * 15 + "acorX", "words.unknown"),
        ("acorn " * 15 + "xxxx", "words.unknown"),
    ],
)
def test_what_was_misheard_is_named(text: str, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        heard(text)
    assert caught.value.code == code
    assert caught.value.field == "words"
