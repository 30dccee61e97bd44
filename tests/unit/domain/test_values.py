"""The closed patterns: one value, one spelling, and nothing hidden behind its end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import rilon
from rilon.domain.fields import FIELD_TYPES
from rilon.domain.values import Code, Line, MemberId, OfficerId, Sealed

GOOD: list[tuple[Any, str]] = [
    (MemberId, "th"),
    (OfficerId, "0" * 32),
    (Code, "TLP:AMBER+STRICT"),
    (FIELD_TYPES["digest"].type, "ab" * 32),
]


@pytest.mark.parametrize(("form", "good"), GOOD, ids=[g for _, g in GOOD])
@pytest.mark.parametrize("tail", ["\n", "\r", "\0", " ", "\u202e", "\nth"])
def test_nothing_hides_before_or_behind_a_code(form: Any, good: str, tail: str) -> None:
    assert msgspec.convert(good, form) == good
    for bad in (good + tail, tail + good, good[:1] + tail + good[1:]):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, form)


def test_no_pattern_ends_in_a_dollar() -> None:
    """msgspec searches with Python's ``re``, whose ``$`` also matches before a last line feed."""
    inner = [
        p for layer in ("domain", "crypto", "app", "network") for p in Path(rilon.__file__).parent.glob(f"{layer}/*.py")
    ]
    for path in inner:
        for pattern in re.findall(r'Meta\([^)]*pattern=r?"([^"]*)"', path.read_text("utf-8")):
            assert pattern.startswith(r"\A"), (path.name, pattern)
            assert pattern.endswith(r"\Z"), (path.name, pattern)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_digest_has_32_bytes(length: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"slot": bytes(length), "digest": bytes(32), "commitment": bytes(32)}, Sealed)


def test_a_line_is_an_array_of_its_kind_and_digests() -> None:
    line = Line("release", (b"\1" * 32,))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(line)) == ["release", [b"\1" * 32]]
