"""IOM's own downloads of its Missing Migrants data, row by row, in the columns that the import reads.

The publisher names some columns in one way in its files of 2025 and in another in those of 2026; a date was
``2025-04-02`` and is ``Thu, 04/02/2026 - 12:00``, month first. Countries stand there by the names of the United Nations
statistics division; one that is not known here stays unsaid, for a guess would send a row to the wrong node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from rilon.domain.members import MEMBERS

_COLUMNS: Final = {
    "main id": "main_id",
    "incident id": "incident_id",
    "incident type": "incident_type",
    "incident date": "date",
    "incident year": "year",
    "number of dead": "dead",
    "number dead": "dead",
    "minimum estimated number of missing": "missing",
    "number of survivors": "survivors",
    "number of females": "females",
    "number of males": "males",
    "number of children": "children",
    "country of origin": "country_of_origin",
    "cause of death": "cause_of_death",
    "country of incident": "country_of_incident",
    "migration route": "migration_route",
    "location of incident": "location",
    "location of death": "location",
    "information source": "information_source",
    "source quality": "source_quality",
}
_NAMES: Final = {
    "Syrian Arab Republic": "SYR",
    "Democratic People's Republic of Korea": "PRK",
    "Lao People's Democratic Republic": "LAO",
    "China, Hong Kong Special Administrative Region": "HKG",
    "China, Macao Special Administrative Region": "MAC",
    "Netherlands (Kingdom of the)": "NLD",
    "New Caledonia": "NCL",
    "United Kingdom of Great Britain and Northern Ireland": "GBR",
    "Ethiopia": "ETH",
    "Israel": "ISR",
    "Kazakhstan": "KAZ",
    "Lebanon": "LBN",
    "Oman": "OMN",
    "Saudi Arabia": "SAU",
    "Somalia": "SOM",
    "Tajikistan": "TJK",
    "Uzbekistan": "UZB",
    "Yemen": "YEM",
}
"""Countries of these files that the Member list calls otherwise or does not have -> ISO 3166-1 alpha-3."""
_MONTH_FIRST: Final = re.compile(r"[A-Z][a-z]{2}, (\d\d)/(\d\d)/(\d{4}) - \d\d:\d\d")


def columns(header: Iterable[str]) -> list[str]:
    """The names by which the import knows the columns of a file; one that it does not know keeps its own."""
    lower = (name.strip().lower() for name in header)
    return [_COLUMNS.get(name, name) for name in lower]


def own(row: Mapping[str, str]) -> dict[str, str]:
    """A row with its date, point and countries as the import reads them; what is there already stays."""
    lat, _, lon = row.get("coordinates", "").partition(",")
    origins = apart(row.get("country_of_origin", ""), _NAMES)
    derived = {
        "lat": lat.strip(),
        "lon": lon.strip(),
        "incident_iso3": _alpha3().get(row.get("country_of_incident", "").strip(), ""),
        "origin_iso3": ";".join(_alpha3().get(name, "") for name in origins),
    }
    return derived | dict(row) | {"date": _MONTH_FIRST.sub(r"\3-\1-\2", row["date"])}


def apart(cell: str, known: Iterable[str]) -> list[str]:
    """What a cell joins with commas, although some of the names that are known have commas of their own."""
    found = [name for name in known if "," in name and name in cell]
    for name in found:
        cell = cell.replace(name, "")
    return found + [part.strip() for part in cell.split(",") if part.strip()]


@cache
def _alpha3() -> Mapping[str, str]:
    return _NAMES | {member.name: member.alpha3 for member in MEMBERS.values() if member.alpha3}
