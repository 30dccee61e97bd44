"""A rule book as a lawyer writes it, one table a rule: as a TOML file, or rule by rule from a form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from rilon.domain.handling import Tlp
from rilon.domain.kinds import KINDS, MAX_PROBLEMS
from rilon.domain.members import MEMBERS, MemberType
from rilon.domain.rules import Rule, RuleBook, When
from rilon.domain.text import check_text
from rilon.domain.values import Code, Effect, Value
from rilon.errors import InvalidError, MalformedError, RilonError, raise_all

LIMIT_BYTES = 512 * 1024
SENTENCE_CHARACTERS = 400


class RuleDraft(Value, frozen=True):
    """A rule as it is written; without ``when`` it applies to everything."""

    id: Code
    effect: Effect
    because: str
    when: When = When()
    basis: Annotated[str, Meta(pattern=r"\A([A-Za-z0-9][A-Za-z0-9_.:+-]{0,63})?\Z")] = ""


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
    except RecursionError as error:
        raise MalformedError("rules.file", "The rule file is nested too deep.") from error
    return make_book(member, version, drafts)


def make_book(member: str, version: int, drafts: Sequence[RuleDraft]) -> RuleBook:
    """Make a rule book of its rules.

    Raises:
        InvalidError: one or all (``invalid.several``) of ``rules.repeated``: two rules have one id; ``rules.unknown``:
            a rule is about something that does not exist, so that a refusal meant by it would never bite.
        MalformedError: ``text.*``: a sentence is no clean line.
    """
    ids = [draft.id for draft in drafts]
    problems: list[RilonError] = [problem for draft in drafts for problem in _unknown(draft)]
    if repeated := sorted(i for i, n in Counter(ids).items() if n > 1):
        problems.append(InvalidError("rules.repeated", f"Two rules have the id {repeated[0]}.", fix="Rename one."))
    raise_all(problems[:MAX_PROBLEMS])
    return RuleBook(member, version, tuple(_rule(draft) for draft in drafts))


def default_book(member: str) -> RuleBook:
    """The conservative book a node starts with."""
    return parse_book(resources.files("rilon.domain.data").joinpath("default_rules.toml").read_bytes(), member, 1)


_KNOWN: Mapping[str, Callable[[], Collection[str]]] = {
    "kinds": lambda: KINDS,
    "families": lambda: {kind.family for kind in KINDS.values()},
    "tlp": lambda: set(Tlp),
    "recipients": lambda: MEMBERS,
    "recipient_types": lambda: set(MemberType),
}
"""What a rule may be about, where its type alone does not say it."""


def _unknown(draft: RuleDraft) -> Iterator[InvalidError]:
    for name, known in _KNOWN.items():
        if strange := sorted(getattr(draft.when, name) - set(known())):
            message = f"Rule {draft.id} is about {strange[0]}, which does not exist."
            yield InvalidError("rules.unknown", message, field=f"when.{name}", fix="Use a code of the list.")


def _rule(draft: RuleDraft) -> Rule:
    try:
        because = check_text(draft.because, max_chars=SENTENCE_CHARACTERS, lines=False)
    except MalformedError as error:
        raise MalformedError(error.code, f"Rule {draft.id}: {error.message}", field="because", fix=error.fix) from None
    return Rule(draft.id, draft.when, draft.effect, because, draft.basis)
