"""The shapes of an alert's values: words by what they may say, times by precision, and the compounds made of them.

Every text of a compound is one of the ``str`` classes here, so that nothing reaches a section unchecked: reading
(``rilon.domain.fields``) knows a check for each class, and msgspec refuses a class it knows none for.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, NoReturn

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from rilon.domain.values import Purpose

_TIME = re.compile(
    r"(?P<year>(19|20|21)\d\d)(-(?P<month>\d\d)(-(?P<day>\d\d)(?P<time>[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d))?)?)?",
    re.ASCII,
)


def bounds(when: str) -> tuple[datetime, datetime]:
    """First and last instant a time in any precision can mean, in UTC.

    Raises:
        ValueError: no such time.
    """
    parts = _TIME.fullmatch(when)
    try:
        return _bounds(parts, when) if parts else _no_time()
    except (ValueError, OverflowError):  # the library's own words would repeat what was written
        return _no_time()


def _bounds(parts: re.Match[str], when: str) -> tuple[datetime, datetime]:
    if parts["time"]:
        at = datetime.fromisoformat(when.upper()).astimezone(UTC)
        return at, at
    year, month, day = int(parts["year"]), parts["month"], parts["day"]
    first = date(year, int(month or 1), int(day or 1))
    last = first if day else _last_day(year, int(month or 12))
    return datetime.combine(first, datetime.min.time(), UTC), datetime.combine(last, datetime.max.time(), UTC)


def _no_time() -> NoReturn:
    raise ValueError("This is no time; write 2026, 2026-05, 2026-05-03 or 2026-05-03T10:00:00Z")


def _last_day(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


class Line(str):
    """One line that names no person."""

    __slots__ = ()


class Text(str):
    """Text that names no person."""

    __slots__ = ()


class PersonalLine(str):
    """One line that names or describes a person."""

    __slots__ = ()


class PersonalText(str):
    """Text about persons."""

    __slots__ = ()


class Url(str):
    """A web address; often somebody's profile, so personal."""

    __slots__ = ()


class Date(str):
    """A day, month or year that is past: ``2026-05-03``, ``2026-05``, ``2026``."""

    __slots__ = ()


class Instant(str):
    """A past instant, RFC 3339, kept in UTC to the second."""

    __slots__ = ()


class When(str):
    """A past time in the precision that is known: an instant, a day, a month or a year."""

    __slots__ = ()


class Moment(str):
    """A time that may lie ahead, in any precision."""

    __slots__ = ()


class Country(str):
    """An ISO 3166-1 alpha-2 code."""

    __slots__ = ()


class Nationality(str):
    """An ISO 3166-1 alpha-2 code, or ICAO 9303's XXA stateless, XXB and XXC refugee, XXX unspecified."""

    __slots__ = ()


class MemberRef(str):
    """A Member id."""

    __slots__ = ()


class IdentifierType(str):
    """A type of identifier that leads to a person, or to a thing."""

    __slots__ = ()


class ThingType(str):
    """A type of identifier that leads to a thing: a vessel, a flight, a domain name."""

    __slots__ = ()


Count = Annotated[int, Meta(ge=0, le=100_000_000)]


class Shape(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of the compound values."""


class Point(Shape, frozen=True):
    """WGS 84, decimal degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class Place(Shape, frozen=True):
    """Where: by name, country, ISO 3166-2 admin code, UN/LOCODE or point; ``radius_km`` says how exact the point is."""

    name: Line | None = None
    country: Country | None = None
    admin: Annotated[str, Meta(pattern=r"\A[A-Z]{2}-[A-Z0-9]{1,3}\Z")] | None = None
    locode: Annotated[str, Meta(pattern=r"\A[A-Z]{2}[A-Z2-9]{3}\Z")] | None = None
    point: Point | None = None
    radius_km: Annotated[float, Meta(ge=0, le=2_000)] | None = None

    def __post_init__(self) -> None:
        """Refuse a place that says nothing."""
        if not (self.name or self.country or self.admin or self.locode or self.point):
            raise ValueError("A place needs a name, a country or a point")


class Estimate(Shape, frozen=True):
    """How many, at least and at most; what is missing is unknown, never 0."""

    low: Count | None = None
    high: Count | None = None

    def __post_init__(self) -> None:
        """Refuse an estimate upside down."""
        _ascending(self.low, self.high)


class Amount(Shape, frozen=True):
    """A band of money in one ISO 4217 currency."""

    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
    low: Count | None = None
    high: Count | None = None

    def __post_init__(self) -> None:
        """Refuse a band upside down."""
        _ascending(self.low, self.high)


class Period(Shape, frozen=True):
    """From when to when, each in the precision known; without ``end`` it is open."""

    start: Moment
    end: Moment | None = None

    def __post_init__(self) -> None:
        """Refuse an end before the start."""
        if self.end is not None and bounds(self.end)[1] < bounds(self.start)[0]:
            raise ValueError("The end lies before the start")


class Sighting(Shape, frozen=True):
    """When and where something or somebody was seen last."""

    at: When
    place: Place


class Thing(Shape, frozen=True):
    """An identifier that leads to a thing, with the country that issued it."""

    type: ThingType
    value: Line
    issuer: Country | None = None


class Identifier(Shape, frozen=True):
    """An identifier that may lead to a person."""

    type: IdentifierType
    value: PersonalLine
    issuer: Country | None = None


class SubjectRole(StrEnum):
    """In which part somebody appears: an assertion of a named body, never a property of the person."""

    SUSPECT = "suspect"
    CONVICTED = "convicted_person"
    VICTIM = "victim"
    POSSIBLE_VICTIM = "possible_victim"
    WITNESS = "witness"
    CONTACT = "contact_or_associate"
    MISSING = "missing_person"
    DECEASED = "deceased_person"
    FAMILY = "family_member"
    OFFICER = "officer"
    UNKNOWN = "none"


class Sex(StrEnum):
    """As recorded; ``unknown`` where nobody recorded it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Person(Shape, frozen=True):
    """A person. Works with no document, no birth date and no nationality: many have none.

    Attributes:
        role_by: the body that says so; ``role_at``: when. Somebody may be victim and suspect over time.
        possible_international_protection: implied by a code or card of stateless people and refugees.
    """

    role: SubjectRole
    name: PersonalLine | None = None
    aliases: Annotated[list[PersonalLine], Meta(max_length=20)] = []
    birth: Date | None = None
    sex: Sex | None = None
    nationalities: Annotated[frozenset[Nationality], Meta(max_length=5)] = frozenset()
    role_by: PersonalLine | None = None
    role_at: When | None = None
    identifiers: Annotated[list[Identifier], Meta(max_length=20)] = []
    note: PersonalText | None = None
    possible_international_protection: bool = False

    def __post_init__(self) -> None:
        """Mark who carries a code or a card of stateless people or refugees: the safe reading, whatever was ticked."""
        cards = any(i.type == "protection_id" for i in self.identifiers)
        if cards or any(n.startswith("XX") for n in self.nationalities):
            force_setattr(self, "possible_international_protection", True)


class Consent(Shape, frozen=True):
    """What somebody agreed to, after being told what (IOM screening form; HTCDS con_Consent)."""

    given: bool
    purposes: Annotated[frozenset[Purpose], Meta(max_length=14)] = frozenset()
    recipients: Annotated[frozenset[MemberRef], Meta(max_length=100)] = frozenset()
    informed_of_purpose: bool = False
    informed_of_use: bool = False
    informed_of_research_use: bool = False
    informed_of_right_to_data: bool = False
    informed_of_storage_period: bool = False
    informed_of_withdrawal: bool = False
    language: Annotated[str, Meta(pattern=r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")] | None = None
    interpreter: bool = False
    guardian: PersonalLine | None = None
    recorded_at: When | None = None
    withdrawn_at: When | None = None


class Contact(Shape, frozen=True):
    """How somebody can be reached without being put in danger."""

    method: PersonalLine
    details: PersonalText | None = None
    hours: PersonalLine | None = None


def _ascending(low: int | None, high: int | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError("The lower number is higher than the upper one")
