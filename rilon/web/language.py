"""The languages of the pages: which there are, who reads which, and every word, date and number said in it.

A request has one language (its cookie, else ``Accept-Language``), held in a context variable that :func:`speaking` sets
around each request. Catalogues are gettext ``.po`` files read as they are: nothing is compiled, so nothing can differ
from what translators see. What a catalogue does not say is said in English.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO
from typing import Final

from babel import Locale
from babel.dates import DateTimePattern, format_date, format_timedelta, parse_pattern
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

COOKIE: Final = "__Host-language"
ENGLISH: Final = "en"
MOST_OFFERS: Final = 20
"""How many languages of an ``Accept-Language`` are looked at."""
_ISOLATE, _END = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages.

    Attributes:
        code: BCP 47. name: what its readers call it.
        reviewed: whether people who speak it have reviewed what a machine helped to write.
    """

    code: str
    name: str
    reviewed: bool = False

    @property
    def locale(self) -> Locale:
        """Its dates, numbers and plural forms. English is read by Britons here: day before month."""
        return _locale("en_GB" if self.code == ENGLISH else self.code)

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self.locale.text_direction


LANGUAGES: Final = {
    each.code: each
    for each in (
        Language(ENGLISH, "English", reviewed=True),
        Language("id", "Bahasa Indonesia"),
        Language("ms", "Bahasa Melayu"),
        Language("vi", "Tiếng Việt"),
        Language("th", "ไทย"),
        Language("lo", "ລາວ"),
        Language("km", "ខ្មែរ"),
        Language("my", "မြန်မာ"),
        Language("bn", "বাংলা"),
        Language("ur", "اردو"),
    )
}
"""In the order of the menu."""

_UNITS: Final = (86_400, 3_600, 60)
_spoken: ContextVar[Language] = ContextVar("language", default=LANGUAGES[ENGLISH])


def spoken() -> Language:
    """The language of this request."""
    return _spoken.get()


def speaking(app: ASGIApp) -> ASGIApp:
    """An application each of whose requests has its reader's language."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            _spoken.set(_wanted(dict(scope["headers"])))
        await app(scope, receive, send)

    return told


def gettext(text: str) -> str:
    """A message in this request's language, else in English, isolated where that runs the other way."""
    language = _spoken.get()
    if language.code == ENGLISH:
        return text
    found = _catalogue(language.code).gettext(text)
    return f"{_ISOLATE}{text}{_END}" if found is text and language.direction == "rtl" else found


def ngettext(one: str, many: str, n: int) -> str:
    """A message whose form depends on a number."""
    return _catalogue(_spoken.get().code).ngettext(one, many, n)


def _(text: str, /, **values: object) -> str:
    """A message in this request's language, with its values put in."""
    return gettext(text) % values if values else gettext(text)


def mark(text: str) -> str:
    """Mark a message for translation where it stands; whoever shows it calls :func:`_`."""
    return text


def country(alpha2: str) -> str | None:
    """What a country is called."""
    return spoken().locale.territories.get(alpha2)


def when(at: datetime) -> str:
    """An instant for people, in UTC; the page's program adds the local time."""
    return _when(at.astimezone(UTC).replace(second=0, microsecond=0), spoken().code)


@lru_cache(4096)
def _when(minute: datetime, code: str) -> str:
    return f"{_date_pattern(code).apply(minute, LANGUAGES[code].locale)} UTC"


def month_name(month: int) -> str:
    """A month, of those counted since the year 0, with its year."""
    return _month(month, spoken().code)


@lru_cache(512)
def _month(month: int, code: str) -> str:
    return format_date(date(month // 12, month % 12 + 1, 1), "LLL y", LANGUAGES[code].locale)


def age(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that says something."""
    minutes = max(0, int((now - at).total_seconds()) // 60)
    return _age(minutes, spoken().code) if minutes else _("now")


@lru_cache(4096)
def _age(minutes: int, code: str) -> str:
    locale = LANGUAGES[code].locale
    return format_timedelta(timedelta(minutes=minutes), "minute", threshold=1.0, format="short", locale=locale)


def took(seconds: int) -> str:
    """A time that something took, in the largest unit of which it is twice as much."""
    unit = next((u for u in _UNITS if seconds >= 2 * u), 1)
    return _took(seconds // unit * unit, spoken().code)


@lru_cache(4096)
def _took(seconds: int, code: str) -> str:
    locale = LANGUAGES[code].locale
    return format_timedelta(timedelta(seconds=seconds), "second", threshold=2.0, format="short", locale=locale)


@cache
def _date_pattern(code: str) -> DateTimePattern:
    locale = LANGUAGES[code].locale
    both, date = str(locale.datetime_formats["medium"]), locale.date_formats["medium"].pattern
    return parse_pattern(both.replace("{1}", date).replace("{0}", "HH:mm"))


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


@cache
def _catalogue(code: str) -> NullTranslations:
    """A language's messages, to be looked up by English."""
    if code == ENGLISH:
        return NullTranslations()
    binary = BytesIO()
    write_mo(binary, messages(code))
    return GNUTranslations(BytesIO(binary.getvalue()))


@cache
def messages(code: str) -> Catalog:
    """A language's messages as translators wrote them, read once."""
    source = resources.files("rilon.web").joinpath("catalogues", f"{code}.po")
    return read_po(BytesIO(source.read_bytes()), locale=code)


def _wanted(headers: dict[bytes, bytes]) -> Language:
    """What somebody chose, else what their browser asks for, else English."""
    chosen = _cookie(headers.get(b"cookie", b"").decode("latin-1"))
    if chosen in LANGUAGES:
        return LANGUAGES[chosen]
    offers = headers.get(b"accept-language", b"").decode("latin-1").lower().split(",", MOST_OFFERS)[:MOST_OFFERS]
    codes = (offer.partition(";")[0].strip().partition("-")[0] for offer in sorted(offers, key=_quality))
    return next((LANGUAGES[code] for code in codes if code in LANGUAGES), LANGUAGES[ENGLISH])


def _cookie(header: str) -> str:
    found = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    return found.get(COOKIE, "")


def _quality(offer: str) -> float:
    """Browsers list what they like best first; the sort is stable, so only a lower weight moves anything."""
    name, _, weight = offer.partition(";q=")
    try:
        return -float(weight) if weight and name else -1.0
    except ValueError:
        return 0.0
