"""The value types a field of an alert can have: what each accepts, and whether it speaks about persons.

A value is read by one strict function, ``read_value``, wherever it comes from, and becomes plain JSON-like data in one
canonical form. A draft is judged against today and against this node's tables; what another node sent is judged by form
alone, because clocks, Unicode versions and Member lists differ between nodes, and an alert must not be lost to that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, defstruct

from rilon.domain.data import Table, read
from rilon.domain.members import COUNTRIES, MEMBERS
from rilon.domain.misread import misread
from rilon.domain.shapes import (
    Amount,
    Consent,
    Contact,
    Count,
    Country,
    Date,
    Estimate,
    Identifier,
    IdentifierType,
    Instant,
    Line,
    MemberRef,
    Moment,
    Nationality,
    Period,
    Person,
    PersonalLine,
    PersonalText,
    Place,
    Sighting,
    Text,
    Thing,
    ThingType,
    Url,
    When,
    bounds,
)
from rilon.domain.text import check_text
from rilon.errors import InvalidError, RilonError

MAX_LINE, MAX_TEXT, MAX_ACCOUNT = 300, 4_000, 10_000
"""Characters that fit into a line, a text, and an account of what happened to somebody."""

CLOCK_SKEW = timedelta(minutes=10)
"""How far ahead of this node's clock an observation may lie before it counts as future."""


def _time(value: str, now: datetime | None, *, past: bool, exact: bool | None = None) -> str:
    first, _ = bounds(value)
    is_exact = len(value) > len("2026-05-03")
    if exact is not None and is_exact is not exact:
        raise ValueError("Write an instant: 2026-05-03T10:00:00Z" if exact else "Write a day, month or year only")
    # A day begins up to 14 hours earlier in the east of the Pacific than in UTC.
    slack = CLOCK_SKEW if is_exact else timedelta(hours=14)
    if past and now is not None and first > now + slack:
        raise InvalidError("time.future", "This lies in the future.", fix="Say when it was seen, not when it may come.")
    return f"{first:%Y-%m-%dT%H:%M:%SZ}" if is_exact else value


def _words(value: str, now: datetime | None, *, max_chars: int, lines: bool) -> str:
    return check_text(value, max_chars=max_chars, lines=lines, received=now is None)


def _url(value: str, now: datetime | None) -> str:
    text = _words(value, now, max_chars=2_000, lines=False)
    if not re.match(r"https?://[^\s/]+", text):
        raise ValueError("Write a web address that begins with http:// or https://")
    return text


def _listed(value: str, now: datetime | None, *, pattern: str, table: Mapping[str, object], what: str) -> str:
    if not re.fullmatch(pattern, value) or (now is not None and value not in table):
        raise InvalidError(f"{what}.unknown", f"There is no such {what}.", fix=f"Choose a {what} of the list.")
    return value


class IdentifierKind(Struct, frozen=True, forbid_unknown_fields=True):
    """A type of identifier: its name, its category, and whether it leads to a person."""

    name: str
    category: str
    personal: bool


IDENTIFIERS: Mapping[str, IdentifierKind] = Table(lambda: read("identifiers", dict[str, IdentifierKind]))
"""Every type of identifier by code."""

_THINGS: Mapping[str, IdentifierKind] = Table(lambda: {c: k for c, k in IDENTIFIERS.items() if not k.personal})
_NATIONALITIES: Mapping[str, str] = Table(lambda: {**COUNTRIES, "XXA": "", "XXB": "", "XXC": "", "XXX": ""})

_READERS: dict[type[str], Callable[[str, datetime | None], str]] = {
    Line: partial(_words, max_chars=MAX_LINE, lines=False),
    Text: partial(_words, max_chars=MAX_TEXT, lines=True),
    PersonalLine: partial(_words, max_chars=MAX_LINE, lines=False),
    PersonalText: partial(_words, max_chars=MAX_ACCOUNT, lines=True),
    Url: _url,
    Date: partial(_time, past=True, exact=False),
    Instant: partial(_time, past=True, exact=True),
    When: partial(_time, past=True),
    Moment: partial(_time, past=False),
    Country: partial(_listed, pattern="[A-Z]{2}", table=COUNTRIES, what="country"),
    Nationality: partial(_listed, pattern="[A-Z]{2}|XX[ABCX]", table=_NATIONALITIES, what="nationality"),
    MemberRef: partial(_listed, pattern="[a-z]{2,12}", table=MEMBERS, what="member"),
    IdentifierType: partial(_listed, pattern="[a-z_]{2,20}", table=IDENTIFIERS, what="identifier"),
    ThingType: partial(_listed, pattern="[a-z_]{2,20}", table=_THINGS, what="identifier"),
}


_VALUE = "value"


@dataclass(frozen=True, slots=True)
class FieldType:
    """A value type of the kind table.

    Attributes:
        type: what msgspec converts to.
        personal: it can hold a person, so it never lies in a summary.
        fix: what to write, one sentence.
        shape: holds one value of ``type``; msgspec looks at a struct once, at any other type at every conversion.
    """

    name: str
    type: Any
    personal: bool
    fix: str
    shape: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", defstruct("Shape", [(_VALUE, self.type)]))


def list_type(item: Any, most: int) -> Any:
    """A list of at least one and at most so many values, in the order given."""
    return Annotated[list[item], Meta(min_length=1, max_length=most)]


def set_type(item: Any, most: int) -> Any:
    """A set of at least one and at most so many values; its canonical form is sorted."""
    return Annotated[frozenset[item], Meta(min_length=1, max_length=most)]


_LANGUAGE = Annotated[str, Meta(pattern=r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")]

FIELD_TYPES: Mapping[str, FieldType] = {
    t.name: t
    for t in (
        FieldType("line", Line, False, f"Write one line of at most {MAX_LINE} characters that names no person."),
        FieldType("text", Text, False, f"Write at most {MAX_TEXT} characters that name no person."),
        FieldType("tokens", list_type(Line, 50), False, "Give a list of short names."),
        FieldType("boolean", bool, False, "Say true or false."),
        FieldType("count", Count | None, False, "Give a whole number of 0 or more, or null when it is not known."),
        FieldType("estimate", Estimate, False, "Give low and high as whole numbers; leave out what is not known."),
        FieldType("amount", Amount, False, "Give a currency such as THB, and low and high."),
        FieldType("date", Date, False, "Write 2026-05-03, 2026-05 or 2026, not in the future."),
        FieldType("instant", Instant, False, "Write 2026-05-03T10:00:00Z, not in the future."),
        FieldType("when", When, False, "Write 2026-05-03T10:00:00Z, 2026-05-03, 2026-05 or 2026, not in the future."),
        FieldType("moment", Moment, False, "Write 2026-05-03T10:00:00Z, 2026-05-03, 2026-05 or 2026."),
        FieldType("period", Period, False, "Give start and, if known, end, such as 2026-05-03."),
        FieldType("place", Place, False, "Give a name, a country such as TH, or a point with lat and lon."),
        FieldType("sighting", Sighting, False, "Give at and place."),
        FieldType("country", Country, False, "Give an ISO 3166 code of two letters, such as TH."),
        FieldType("countries", set_type(Country, 60), False, "Give a list of ISO 3166 codes, such as TH."),
        FieldType("nationalities", set_type(Nationality, 60), False, "Give a list of codes such as MM, or XXA."),
        FieldType("members", set_type(MemberRef, 100), False, "Give a list of Member ids, such as th or iom."),
        FieldType("languages", set_type(_LANGUAGE, 40), False, "Give a list of language tags, such as th or ms."),
        FieldType(
            "digest", Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")], False, "Give a SHA-256 in lower-case hex."
        ),
        FieldType(
            "objects", list_type(Thing, 100), False, "Give a list of {type, value} of things, such as imo or domain."
        ),
        FieldType("identifiers", list_type(Identifier, 100), True, "Give a list of {type, value}, such as phone."),
        FieldType("persons", list_type(Person, 200), True, "Give a list of persons, each with a role."),
        FieldType("consent", Consent, True, "Say whether it was given, for what and for whom."),
        FieldType("contact", Contact, True, "Give a method, and details and hours that are safe."),
        FieldType("url", Url, True, "Write a web address that begins with https://."),
        FieldType("personal_line", PersonalLine, True, f"Write one line of at most {MAX_LINE} characters."),
        FieldType("personal_text", PersonalText, True, f"Write at most {MAX_ACCOUNT} characters."),
    )
}
"""Every value type by name; ``code:…`` and ``codes:…`` of the closed lists are made in ``rilon.domain.kinds``."""


class _SaidError(ValueError):
    """Carries a problem of ours through msgspec, which adds the path."""


def _hook(now: datetime | None, kind: type[str], raw: object) -> str:
    if not isinstance(raw, str):
        raise TypeError(f"Expected `str`, got `{type(raw).__name__}`")
    try:
        return kind(_READERS[kind](raw, now))
    except RilonError as problem:
        raise _SaidError(problem.message) from problem


def read_value(kind: FieldType, raw: object, *, field: str, now: datetime | None) -> object:
    """Read one value strictly.

    Args:
        kind: its type.
        raw: JSON-like data from outside.
        field: path of the field, for the problem.
        now: the current instant for a draft; None for content of another node, which is judged by form alone.

    Returns:
        Plain data in canonical form: reading it again gives the same.

    Raises:
        RilonError: ``MalformedError`` or ``InvalidError`` with code, path and fix.
    """
    try:
        value = msgspec.convert({_VALUE: raw}, kind.shape, dec_hook=partial(_hook, now)).value
        return msgspec.to_builtins(value, order="deterministic", enc_hook=str)
    except msgspec.ValidationError as error:
        raise _problem(error, kind, field) from error


def _problem(error: msgspec.ValidationError, kind: FieldType, field: str) -> RilonError:
    found = misread(error, kind.shape)
    path = field + found.path.removeprefix(_VALUE)
    said = error.__cause__.__cause__ if error.__cause__ else None
    if isinstance(said, RilonError):
        return type(said)(said.code, said.message, field=path, fix=said.fix or kind.fix)
    if found.what == "missing":
        return InvalidError("field.missing", found.message, field=f"{path}.{found.name}", fix=kind.fix)
    # The name of an unknown part is left out: it is what was written, and may be personal.
    return InvalidError("field.value", found.message, field=path, fix=found.fix if found.codes else kind.fix)
