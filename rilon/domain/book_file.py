"""A rule book as a file that a lawyer can read and write: TOML, one table a rule."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from rilon.domain.rules import Rule, RuleBook, When
from rilon.domain.text import check_text
from rilon.domain.values import Code, Effect, Value
from rilon.errors import InvalidError, MalformedError

LIMIT_BYTES = 512 * 1024
SENTENCE_CHARACTERS = 400


class _Row(Value, frozen=True):
    id: Code
    effect: Effect
    because: str
    when: When = When()
    basis: str = ""


class _File(Value, frozen=True):
    rule: Annotated[tuple[_Row, ...], Meta(min_length=1, max_length=2000)]


def parse_book(text: bytes, member: str, version: int) -> RuleBook:
    """Read a rule book.

    Raises:
        MalformedError: ``rules.file``: not TOML, too large, or a field that no rule has; with the place.
        InvalidError: ``rules.repeated``: two rules have one id.
    """
    if len(text) > LIMIT_BYTES:
        raise MalformedError("rules.file", f"A rule file has at most {LIMIT_BYTES} bytes.")
    try:
        rows = msgspec.toml.decode(text, type=_File).rule
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError("rules.file", f"The rule file cannot be read: {error}.") from error
    ids = [row.id for row in rows]
    if repeated := sorted({i for i in ids if ids.count(i) > 1}):
        raise InvalidError("rules.repeated", f"Two rules have the id {repeated[0]}.", fix="Rename one of them.")
    return RuleBook(member, version, tuple(_rule(row) for row in rows))


def default_book(member: str) -> RuleBook:
    """The conservative book a node starts with."""
    return parse_book(resources.files("rilon.domain.data").joinpath("default_rules.toml").read_bytes(), member, 1)


def _rule(row: _Row) -> Rule:
    because = check_text(row.because, max_chars=SENTENCE_CHARACTERS, lines=False)
    return Rule(row.id, row.when, row.effect, because, row.basis)
