"""What bodies and answers about rules and explanations hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from rilon.api.shapes import Signature
from rilon.domain.book_file import LIMIT_BYTES
from rilon.domain.rules import RuleBook
from rilon.domain.share import MAX_REFERENCE, Answer
from rilon.domain.sight import Sight
from rilon.domain.values import Code, Digest, OfficerId, Value

RuleText = Annotated[str, Meta(max_length=2 * LIMIT_BYTES)]
"""A rule file (TOML), see docs/spec/rules.md; one that is over its limit is told the line."""


class Reference(Value, frozen=True):
    """The line that an explanation gave to be found again by."""

    reference: Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE)]


class Explained(Value, frozen=True):
    """The answer of a reference: to “may I share this?”, or to “why do I see this?”."""

    share: Answer | None = None
    sight: Sight | None = None


class RuleFile(Value, frozen=True):
    """A rule file to look through."""

    text: RuleText


class RuleDraft(Value, frozen=True):
    """A rule file to put up as the next book, and the version it was written from; None: the one in force."""

    text: RuleText
    after: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class RuleSignature(Signature, frozen=True):
    """Consent to exactly the rule book that was shown; ``draft`` is its digest (docs/spec/rules.md)."""

    draft: Digest


class RuleTrial(Value, frozen=True):
    """What to try on which past: a rule file, or the draft that waits; disclosures proposed from, and before."""

    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)] | None = None
    text: RuleText | None = None


class BookShown(Value, frozen=True):
    """A rule book: parsed, as a file, and the digest that releases name."""

    book: RuleBook
    text: str
    digest: Digest


class DraftShown(BookShown, frozen=True):
    """A rule book that waits for its signatures.

    Attributes:
        by: who put it up. signed_by: who has signed; two different focal points must.
    """

    by: OfficerId
    signed_by: tuple[OfficerId, ...]


class WrongShown(Value, frozen=True):
    """Something that is wrong with a rule file. ``field`` names its line, ``fix`` says what to do."""

    code: Code
    detail: str
    field: str
    fix: str


class RulesChecked(Value, frozen=True):
    """Everything that is wrong with a rule file; nothing when it can be put up."""

    problems: tuple[WrongShown, ...]


class RulesSigned(Value, frozen=True):
    """What became of a draft: ``published``, or ``waiting`` for a second person."""

    outcome: Code
    position: int
    repeated: bool = False
