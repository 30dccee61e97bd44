"""A rule book as a lawyer writes it, one table a rule: as a TOML file, or rule by rule from a form."""

from __future__ import annotations

from collections.abc import Sequence
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


class RuleDraft(Value, frozen=True):
    """A rule as it is written; without ``when`` it applies to everything."""

    id: Code
    effect: Effect
    because: str
    when: When = When()
    basis: str = ""


RuleDrafts = Annotated[tuple[RuleDraft, ...], Meta(min_length=1, max_length=2000)]


class _File(Value, frozen=True):
    rule: RuleDrafts


def parse_book(text: bytes, member: str, version: int) -> RuleBook:
    """Read a rule book.

    Raises:
        MalformedError: ``rules.file``: not TOML, too large, or a field that no rule has; with the place.
        InvalidError, MalformedError: see :func:`make_book`.
    """
    if len(text) > LIMIT_BYTES:
        raise MalformedError("rules.file", f"A rule file has at most {LIMIT_BYTES} bytes.")
    try:
        drafts = msgspec.toml.decode(text, type=_File).rule
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError("rules.file", f"The rule file cannot be read: {error}.") from error
    return make_book(member, version, drafts)


def make_book(member: str, version: int, drafts: Sequence[RuleDraft]) -> RuleBook:
    """Make a rule book of its rules.

    Raises:
        InvalidError: ``rules.repeated``: two rules have one id.
        MalformedError: ``text.*``: a sentence is no clean line.
    """
    ids = [draft.id for draft in drafts]
    if repeated := sorted({i for i in ids if ids.count(i) > 1}):
        raise InvalidError("rules.repeated", f"Two rules have the id {repeated[0]}.", fix="Rename one of them.")
    return RuleBook(member, version, tuple(_rule(draft) for draft in drafts))


def default_book(member: str) -> RuleBook:
    """The conservative book a node starts with."""
    return parse_book(resources.files("rilon.domain.data").joinpath("default_rules.toml").read_bytes(), member, 1)


def _rule(draft: RuleDraft) -> Rule:
    because = check_text(draft.because, max_chars=SENTENCE_CHARACTERS, lines=False)
    return Rule(draft.id, draft.when, draft.effect, because, draft.basis)
