"""Import of fatal incidents in the shape of IOM's Missing Migrants files, as INC-FATAL alerts.

An incident in a country whose node takes part is posted there, every other one by IOM, whose data it is. An empty count
is unknown, never 0; a missing date falls back to the year, and says so by its precision. The incident's id is the
idempotency key, so a second import adds nothing.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio

from rilon.domain.members import country_of_alpha3, member_of_alpha3
from rilon.errors import MalformedError, RilonError, UnavailableError
from rilon.node.published import apart, columns, own

Row = Mapping[str, str]
Post = Callable[[str, dict[str, Any], str], Awaitable[bool]]
"""Post a draft at a Member's node under an idempotency key; True when it is new there."""

OTHERS = "iom"
TITLE_CHARACTERS = 120
PARALLEL = 8
"""Posts under way at once: enough for the log's group append, few enough for two cores."""

_CAUSES = {
    "Drowning": "drowning",
    "Vehicle accident / death linked to hazardous transport": "vehicle_accident",
    "Sickness / lack of access to adequate healthcare": "sickness",
    "Violence": "violence",
    "Accidental death": "accidental",
    "Harsh environmental conditions / lack of adequate shelter, food, water": "harsh_conditions",
    "Mixed or unknown": "mixed_or_unknown",
}
_TYPES = {"Incident": "incident", "Split Incident": "split_incident", "Cumulative Incident": "cumulative_incident"}
_TOO_MANY = "too many"
_DIGITS: Final = 9
_ID: Final = re.compile(r"[!-~]{1,119}")
"""What fits into an Idempotency-Key behind ``incident-``."""
_NEEDED = frozenset({"incident_id", "date", "year", "dead", "missing", "cause_of_death", "location"})


@dataclass(slots=True)
class Tally:
    """What became of the rows of one node."""

    posted: int = 0
    already_there: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All rows that were this node's."""
        return self.posted + self.already_there + len(self.refused)


def read_rows(path: Path) -> list[Row]:
    """The rows of a file.

    Raises:
        MalformedError: ``import.file``: no such file, not UTF-8, columns are missing, or a row has too many.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            # Spreadsheets leave byte order marks before the first cell, and, pasted from file to file, in others.
            reader = csv.DictReader((line.replace("\ufeff", "") for line in file), restkey=_TOO_MANY, restval="")
            reader.fieldnames = columns(reader.fieldnames or ())
            missing = _NEEDED - set(reader.fieldnames)
            if missing:
                fix = "Give IOM's own download of Missing Migrants as CSV, or these columns; docs/cli.md lists them."
                raise MalformedError("import.file", f"The file lacks: {', '.join(sorted(missing))}.", fix=fix)
            rows: list[Row] = [own(row) for row in reader]
    except OSError as error:
        raise MalformedError("import.file", f"The file cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedError("import.file", "The file is no CSV in UTF-8.") from error
    shifted = next((number for number, row in enumerate(rows, start=2) if _TOO_MANY in row), None)
    if shifted is not None:
        raise MalformedError("import.file", f"Row {shifted} has more cells than the header has columns.")
    return rows


def node_for(row: Row, nodes: Collection[str]) -> str:
    """The Member that posts a row: where it happened, or IOM."""
    where = member_of_alpha3(row.get("incident_iso3", ""))
    return where.id if where is not None and where.id in nodes else OTHERS


def draft_of(row: Row, to: Iterable[str] = ()) -> dict[str, Any]:
    """The INC-FATAL draft of a row.

    Args:
        to: Members to be named beside everyone: bodies, which everyone does not include.

    Raises:
        MalformedError: ``import.value``: a cell that cannot mean what its column says.
    """
    place = _place(row)
    fields = {
        "title": place["name"][:TITLE_CHARACTERS],
        "date": row["date"] or row["year"],
        "place": place,
        "dead": _count(row, "dead"),
        "missing": _count(row, "missing"),
        "cause": sorted({_cause(c) for c in apart(row["cause_of_death"], _CAUSES)}),
        "source": row.get("information_source") or "not stated",
        "reference": _id(row),
    }
    optional = {
        "survivors": _count(row, "survivors"),
        "females": _count(row, "females"),
        "males": _count(row, "males"),
        "children_count": _count(row, "children"),
        "nationalities": _nationalities(row),
        "route": row.get("migration_route"),
        "incident_type": _TYPES.get(row.get("incident_type", "")),
        "group": row.get("main_id"),
    }
    fields |= {name: value for name, value in optional.items() if value not in (None, "", [])}
    draft: dict[str, Any] = {"kind": "INC-FATAL", "fields": fields}
    if row.get("source_quality"):
        draft["grade"] = {"scheme": "iom_mmp", "information": row["source_quality"]}
    return draft | {"audience": {"everyone": True, "members": sorted(to)}}


def _place(row: Row) -> dict[str, Any]:
    place: dict[str, Any] = {"name": row["location"] or row.get("country_of_incident") or "not stated"}
    if country := country_of_alpha3(row.get("incident_iso3", "")):
        place["country"] = country
    if row.get("lat") and row.get("lon"):
        place["point"] = {"lat": _number(row, "lat"), "lon": _number(row, "lon")}
    return place


def _id(row: Row) -> str:
    if not _ID.fullmatch(row["incident_id"]):
        raise MalformedError("import.value", "The column incident_id holds no id.", field="incident_id")
    return row["incident_id"]


def _count(row: Row, name: str) -> int | None:
    """A count; empty is unknown."""
    text = row.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise MalformedError("import.value", f"The column {name} holds no count.", field=name)
    return int(text)


def _number(row: Row, name: str) -> float:
    try:
        number = float(row[name])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MalformedError("import.value", f"The column {name} holds no number.", field=name)
    return number


def _cause(words: str) -> str:
    if words not in _CAUSES:
        raise MalformedError(
            "import.value", "The column cause_of_death holds an unknown cause.", field="cause_of_death"
        )
    return _CAUSES[words]


def _nationalities(row: Row) -> list[str]:
    found = (country_of_alpha3(code) for code in row.get("origin_iso3", "").split(";"))
    return sorted({code for code in found if code})


async def import_rows(
    rows: list[Row], nodes: Collection[str], post: Post, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Tally]:
    """Post every row at its node, several at a time; what became of them, by node. The tallies sum to the rows.

    Raises:
        UnavailableError: a node cannot be reached; what was posted stays, and a second import goes on.
    """
    bodies = sorted({"rso"} & set(nodes))
    tallies: dict[str, Tally] = {}
    waiting = iter(enumerate(rows, start=2))  # the header is line 1
    ended: list[UnavailableError] = []  # the first is told as it is, rather than in a group of all workers'

    async def work() -> None:
        try:
            for number, row in waiting:
                node = node_for(row, nodes)
                await _one(tallies.setdefault(node, Tally()), node, number, row, bodies, post)
                progress(1)
        except UnavailableError as error:
            ended.append(error)
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for _ in range(PARALLEL):
            tasks.start_soon(work)
    if ended:
        raise ended[0]
    return dict(sorted(tallies.items()))


async def _one(tally: Tally, node: str, number: int, row: Row, bodies: list[str], post: Post) -> None:
    try:
        new = await post(node, draft_of(row, bodies), f"incident-{row['incident_id']}")
    except UnavailableError:
        raise
    except RilonError as error:
        tally.refused.append((number, error.message))
        return
    tally.posted += new
    tally.already_there += not new
