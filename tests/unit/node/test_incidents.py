"""Incidents become drafts: unknown stays unknown, and what cannot be meant is refused, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rilon.errors import MalformedError, RefusedError, UnavailableError
from rilon.node.incidents import Row, Tally, draft_of, import_rows, node_for, read_rows

ROW = {
    "main_id": "2024.EXA1",
    "incident_id": "2024.EXA1b",
    "incident_type": "Split Incident",
    "date": "2024-05-03",
    "year": "2024",
    "dead": "2",
    "missing": "",
    "survivors": "0",
    "females": "",
    "males": "",
    "children": "",
    "origin_iso3": "MMR;BGD;XXX",
    "cause_of_death": "Drowning",
    "country_of_incident": "Thailand",
    "incident_iso3": "THA",
    "migration_route": "",
    "location": "Near Sample Point",
    "lat": "12.5",
    "lon": "98.25",
    "information_source": "",
    "source_quality": "5",
}


def fields(**cells: str) -> dict[str, Any]:
    found: dict[str, Any] = draft_of(ROW | cells)["fields"]
    return found


def test_a_row_becomes_a_draft() -> None:
    assert draft_of(ROW, to=["rso"]) == {
        "kind": "INC-FATAL",
        "fields": {
            "title": "Near Sample Point",
            "date": "2024-05-03",
            "place": {"name": "Near Sample Point", "country": "TH", "point": {"lat": 12.5, "lon": 98.25}},
            "dead": 2,
            "missing": None,
            "cause": ["drowning"],
            "source": "not stated",
            "reference": "2024.EXA1b",
            "survivors": 0,
            "nationalities": ["BD", "MM"],
            "incident_type": "split_incident",
            "group": "2024.EXA1",
        },
        "grade": {"scheme": "iom_mmp", "information": "5"},
        "audience": {"everyone": True, "members": ["rso"]},
    }


def test_an_empty_count_is_unknown_and_nought_is_nought() -> None:
    assert fields(dead="", missing="0")["dead"] is None
    assert fields(dead="", missing="0")["missing"] == 0
    assert "survivors" not in fields(survivors="")


def test_a_missing_date_falls_back_to_the_year() -> None:
    assert fields(date="")["date"] == "2024"


@pytest.mark.parametrize(
    ("cell", "causes"),
    [
        ("Harsh environmental conditions / lack of adequate shelter, food, water", ["harsh_conditions"]),
        ("Drowning, Violence", ["drowning", "violence"]),
        (
            "Harsh environmental conditions / lack of adequate shelter, food, water,Drowning",
            ["drowning", "harsh_conditions"],
        ),
    ],
)
def test_causes_are_told_apart(cell: str, causes: list[str]) -> None:
    assert fields(cause_of_death=cell)["cause"] == causes


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("survivors", "-1"),
        ("dead", "2.0"),
        ("missing", "²"),
        ("dead", "1000000000"),
        ("missing", "9" * 5000),
        ("lat", "north"),
        ("lat", "nan"),
        ("lon", "-inf"),
        ("lon", "1e999"),
        ("cause_of_death", "Drowning, Magic"),
        ("incident_id", "2024.EXÄ1"),
        ("incident_id", "2024 EXA1"),
        ("incident_id", "2024\nEXA1"),
        ("incident_id", "x" * 120),
        ("incident_id", ""),
    ],
)
def test_a_cell_that_cannot_be_meant_is_refused(column: str, cell: str) -> None:
    with pytest.raises(MalformedError, match=r"import\.value") as refused:
        draft_of(ROW | {column: cell})
    assert refused.value.field == column


@pytest.mark.parametrize(("iso3", "node"), [("THA", "th"), ("MYS", "iom"), ("MMR", "iom"), ("", "iom"), ("LBY", "iom")])
def test_a_row_is_posted_where_it_happened_or_by_iom(iso3: str, node: str) -> None:
    assert node_for(ROW | {"incident_iso3": iso3}, {"th", "iom"}) == node


def write(path: Path, text: str) -> Path:
    file = path / "incidents.csv"
    file.write_bytes(text.encode())
    return file


HEADER = "incident_id,date,year,dead,missing,cause_of_death,location"


def test_byte_order_marks_are_no_part_of_a_file(tmp_path: Path) -> None:
    file = write(tmp_path, f"\ufeff{HEADER},main_id\n1,,2024,1,1,Drowning,Here,\ufeff2024.EXA1\n")
    assert read_rows(file)[0]["incident_id"] == "1"
    assert read_rows(file)[0]["main_id"] == "2024.EXA1"


OF_2025 = (
    "Main ID,Incident ID,Incident Type,Region of Incident,Incident Date,Incident Year,Month,Number of Dead,"
    "Minimum Estimated Number of Missing,Total Number of Dead and Missing,Number of Survivors,Number of Females,"
    "Number of Males,Number of Children,Country of Origin,Region of Origin,Cause of Death,Country of Incident,"
    "Migration Route,Location of Incident,Coordinates,UNSD Geographical Grouping,Information Source,URL,Source Quality"
    "\n2024.EXA1,2024.EXA1b,Split Incident,Somewhere,2024-05-03,2024,May,2,,2,0,,,,"
    '"Bangladesh,Myanmar,Unknown",Somewhere,Drowning,Thailand,,Near Sample Point,"12.5, 98.25",Somewhere,,,5\n'
)
OF_2026 = (
    '"Main ID","Incident ID",Region,"Incident Date",Year,"Reported Month","Number Dead",'
    '"Minimum Estimated Number of Missing","Number of Survivors","Number of Females","Number of Males",'
    '"Number of Children","Region of Origin","Cause of Death","Country of Origin","Location of death",'
    '"Information Source",Coordinates,"Migration route",URL,"UNSD Geographical Grouping","Source Quality"\n'
    '2024.EXA1,2024.EXA1b,Somewhere,"Fri, 05/03/2024 - 12:00",2024,May,2,,0,,,,Somewhere,Drowning,'
    '"Bangladesh,Myanmar,Unknown","Near Sample Point",,"12.5, 98.25",,,Somewhere,5\n'
)


def test_the_publishers_own_files_say_the_same(tmp_path: Path) -> None:
    """Column names as in IOM's downloads of 2025 and 2026; the newer one says neither country nor type."""
    (of_2025,), (of_2026,) = (read_rows(write(tmp_path, text)) for text in (OF_2025, OF_2026))
    assert draft_of(of_2025) == draft_of(ROW)
    assert (node_for(of_2025, {"th", "iom"}), node_for(of_2026, {"th", "iom"})) == ("th", "iom")
    newer, older = draft_of(of_2026)["fields"], draft_of(ROW)["fields"]
    del older["incident_type"], older["place"]["country"]
    assert newer == older


def test_a_country_that_is_called_otherwise_is_known_and_a_strange_one_is_not_guessed(tmp_path: Path) -> None:
    def country(name: str) -> str | None:
        found = draft_of(read_rows(write(tmp_path, OF_2025.replace("Thailand", name)))[0])["fields"]["place"]
        return found.get("country")

    assert [country(name) for name in ("Lao People's Democratic Republic", "Türkiye", "Atlantis")] == ["LA", "TR", None]


@pytest.mark.parametrize(
    ("cell", "countries"),
    [
        ("China, Hong Kong Special Administrative Region", ["HK"]),
        ("Bangladesh, China, Hong Kong Special Administrative Region,China", ["BD", "CN", "HK"]),
        ("China, Macao Special Administrative Region,Atlantis", ["MO"]),
        ("United Kingdom of Great Britain and Northern Ireland,New Caledonia", ["GB", "NC"]),
        ("Netherlands (Kingdom of the), ", ["NL"]),
    ],
)
def test_countries_of_origin_are_told_apart(tmp_path: Path, cell: str, countries: list[str]) -> None:
    file = write(tmp_path, OF_2025.replace("Bangladesh,Myanmar,Unknown", cell).replace("Thailand", " Thailand "))
    (row,) = read_rows(file)
    assert draft_of(row)["fields"]["nationalities"] == countries
    assert node_for(row, {"th", "iom"}) == "th"


@pytest.mark.parametrize("day", ["05/03/2024", "Fri, 2024-05-03 - 12:00"])
def test_a_date_of_another_form_is_left_for_the_node_to_refuse(tmp_path: Path, day: str) -> None:
    assert read_rows(write(tmp_path, f'{HEADER}\n1,"{day}",2024,1,1,Drowning,Here\n'))[0]["date"] == day


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", f"{HEADER}\n1,,2024,1,1,Drowning,Hat Yai, Songkhla\n", HEADER + '\n"' + "x" * 200_000]
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MalformedError, match=r"import\.file"):
        read_rows(write(tmp_path, text))


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=r"import\.file"):
        read_rows(tmp_path / "absent.csv")


@pytest.mark.parametrize("text", ["\u00e9".encode("latin-1"), b'"' + b"x" * 200_000])
def test_what_is_wrong_with_a_file_is_said_in_words(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "incidents.csv").write_bytes(HEADER.encode() + b"\n" + text)
    with pytest.raises(MalformedError, match=r"no CSV in UTF-8"):
        read_rows(tmp_path / "incidents.csv")


async def test_tallies_sum_to_the_rows_and_name_those_refused() -> None:
    rows: list[Row] = [ROW | {"incident_id": str(n), "survivors": "-1" if n == 7 else "0"} for n in range(20)]
    there, seen = {f"incident-{n}" for n in range(5)}, []

    async def post(node: str, draft: dict[str, Any], key: str) -> bool:
        if draft["fields"]["reference"] == "11":
            raise RefusedError("test.no", "An invented reason.")
        seen.append(key)
        return key not in there

    assert await import_rows(rows, {"th", "iom"}, post) == {
        "th": Tally(13, 5, [(9, "The column survivors holds no count."), (13, "An invented reason.")])
    }
    assert sorted(seen) == sorted(f"incident-{n}" for n in range(20) if n not in {7, 11})


async def test_a_node_that_is_away_ends_the_import() -> None:
    async def post(*_: object) -> bool:
        raise UnavailableError("node.away", "It is away.")

    with pytest.raises(UnavailableError, match=r"node\.away"):
        await import_rows([ROW] * 20, {"iom"}, post)
