"""The kind table: every kind is valid, nothing personal lies in a summary, and a bad draft is told everything wrong."""

from __future__ import annotations

import typing
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rilon.domain import kinds as module
from rilon.domain.fields import FIELD_TYPES
from rilon.domain.handling import Caveat, check_handling, parse_handling
from rilon.domain.kinds import (
    FORMAT,
    KINDS,
    MAX_CONTENT_BYTES,
    MAX_PROBLEMS,
    Field,
    Kind,
    decode_content,
    encode_content,
    kind,
    parse_fields,
)
from rilon.domain.shapes import Consent, Contact, Identifier, Person, PersonalLine, PersonalText, Url
from rilon.domain.values import Sensitivity
from rilon.errors import FatalError, InvalidError, MalformedError, RilonError
from tests.fakes.drafts import NOW, example
from tests.golden import golden

PERSONAL = {Person, Identifier, Consent, Contact, PersonalLine, PersonalText, Url}
EVERY_KIND = pytest.mark.parametrize("code", list(KINDS))


def problems(code: str, fields: dict[str, Any]) -> dict[str, RilonError]:
    """The problems of a draft by field."""
    with pytest.raises(RilonError) as caught:
        parse_fields(code, fields, now=NOW)
    found = caught.value.problems if isinstance(caught.value, InvalidError) else (caught.value,)
    return {p.field: p for p in found}


def within(shape: Any) -> set[Any]:
    """Every class a type is made of, however deep."""
    parts = set().union(*(within(a) for a in typing.get_args(shape)), set())
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        parts |= set().union(*(within(hint) for hint in typing.get_type_hints(shape, include_extras=True).values()))
    return parts | ({shape} if isinstance(shape, type) else set())


def test_there_are_34_kinds_and_a_linkage_request_is_none() -> None:
    assert len(KINDS) == 34
    assert "LINK-REQ" not in KINDS
    assert [k.code for k in KINDS.values() if k.exercise] == ["EXERCISE"]


@EVERY_KIND
def test_no_field_of_a_summary_can_hold_a_person_by_its_type(code: str) -> None:
    for field in kind(code).section(Sensitivity.SUMMARY).values():
        assert not within(field.type.type) & PERSONAL, f"{code}.{field.name} is of type {field.type.name}"


def test_a_value_type_says_truly_whether_it_can_hold_a_person() -> None:
    for value_type in FIELD_TYPES.values():
        assert value_type.personal is bool(within(value_type.type) & PERSONAL), value_type.name


@EVERY_KIND
def test_who_is_a_child_victim_or_source_is_in_a_section_of_that_name(code: str) -> None:
    fields = kind(code).fields
    assert {fields[n].section for n in ("victims", "children", "source_note")} == {"victim", "child", "source"}
    assert all(f.section is Sensitivity.SOURCE for n, f in fields.items() if n.startswith("source_"))
    if code == "VIC-CHILD":
        assert all(f.section is Sensitivity.CHILD for f in fields.values() if f.required)


def test_the_table_refuses_a_person_in_a_summary() -> None:
    with pytest.raises(FatalError, match="person-in-summary"):
        Field("persons", FIELD_TYPES["persons"], Sensitivity.SUMMARY, required=False)


@EVERY_KIND
def test_the_example_of_a_kind_is_valid_and_says_what_the_kind_demands(code: str) -> None:
    found, draft = kind(code), example(code)
    content = parse_fields(code, draft["fields"], now=NOW)
    handling = parse_handling(draft.get("handling", {}), base=found.handling(NOW), at=NOW)
    found.check_stated(handling)
    assert not found.graded or "grade" in draft
    assert {name for fields in content.values() for name in fields} == set(draft["fields"])
    assert list(content) == [s for s in Sensitivity if s in content]
    for sensitivity, fields in content.items():
        assert all(found.fields[name].section is sensitivity for name in fields)
        assert decode_content(code, sensitivity, encode_content(fields)) == fields


@EVERY_KIND
def test_each_required_field_is_missed(code: str) -> None:
    draft = example(code)["fields"]
    for name in [f.name for f in kind(code).fields.values() if f.required]:
        found = problems(code, {k: v for k, v in draft.items() if k != name})
        assert found[name].code == "field.missing"
        assert found[name].fix


@EVERY_KIND
def test_default_marks_are_valid(code: str) -> None:
    handling = kind(code).handling(NOW)
    check_handling(handling, at=NOW)
    assert handling.expires_at == NOW + timedelta(days=kind(code).retention_days)
    assert handling.review_by is not None
    assert NOW < handling.review_by < handling.expires_at


@pytest.mark.parametrize(
    ("code", "lacking", "said"),
    [("MAR-VESSEL", ["vessels", "description"], "vessels"), ("OP-ACTION", ["task"], "task")],
)
def test_one_of_several_fields_must_be_given(code: str, lacking: list[str], said: str) -> None:
    found = problems(code, {k: v for k, v in example(code)["fields"].items() if k not in lacking})
    assert found[said].code == "field.missing"
    assert "at least one of" in found[said].fix


INC = example("INC-FATAL")["fields"]
DISTRESS = example("MAR-DISTRESS")["fields"]

BAD_VALUES = [
    ("INC-FATAL", {"dead": -1}, "dead", "field.value"),
    ("INC-FATAL", {"dead": 1.5}, "dead", "field.value"),
    ("INC-FATAL", {"dead": True}, "dead", "field.value"),
    ("INC-FATAL", {"dead": "1"}, "dead", "field.value"),
    ("INC-FATAL", {"dead": 10**30}, "dead", "field.value"),
    ("INC-FATAL", {"cause": []}, "cause", "field.value"),
    ("INC-FATAL", {"cause": ["plague"]}, "cause[0]", "field.value"),
    ("INC-FATAL", {"date": "2026-02-30"}, "date", "field.value"),
    ("INC-FATAL", {"date": "2026-13"}, "date", "field.value"),
    ("INC-FATAL", {"date": "0000"}, "date", "field.value"),
    ("INC-FATAL", {"date": "2026-05-03T01:00:00Z"}, "date", "field.value"),
    ("INC-FATAL", {"date": "2026-05-05"}, "date", "time.future"),
    ("INC-FATAL", {"date": 2026}, "date", "field.value"),
    ("INC-FATAL", {"source": "x" * 4001}, "source", "text.too-long"),
    ("INC-FATAL", {"route": "one\ntwo"}, "route", "text.lines"),
    ("INC-FATAL", {"source": "a\u202eb"}, "source", "text.bidi"),
    ("INC-FATAL", {"source": "a\0b"}, "source", "text.control"),
    ("INC-FATAL", {"place": {}}, "place", "field.value"),
    ("INC-FATAL", {"place": {"country": "QQ"}}, "place.country", "country.unknown"),
    ("INC-FATAL", {"place": {"country": "th"}}, "place.country", "country.unknown"),
    ("INC-FATAL", {"place": {"name": "a\u2066b"}}, "place.name", "text.bidi"),
    ("INC-FATAL", {"place": {"point": {"lat": 91, "lon": 0}}}, "place.point.lat", "field.value"),
    ("INC-FATAL", {"place": {"point": {"lat": 0, "lon": -181}}}, "place.point.lon", "field.value"),
    ("INC-FATAL", {"place": {"point": {"lat": float("nan"), "lon": 0}}}, "place.point.lat", "field.value"),
    ("INC-FATAL", {"place": {"point": {"lat": 1}}}, "place.point.lon", "field.missing"),
    ("INC-FATAL", {"place": {"name": "x", "secret": 1}}, "place", "field.value"),
    ("INC-FATAL", {"nationalities": ["XXD"]}, "nationalities[0]", "nationality.unknown"),
    ("INC-FATAL", {"persons": [{"role": "villain"}]}, "persons[0].role", "field.value"),
    ("INC-FATAL", {"persons": [{"role": "witness", "birth": "2030"}]}, "persons[0].birth", "time.future"),
    ("INC-FATAL", {"identifiers": [{"type": "shoe_size", "value": "9"}]}, "identifiers[0].type", "identifier.unknown"),
    ("INC-FATAL", {"identifiers": [{"type": "phone", "value": " "}]}, "identifiers[0].value", "text.blank"),
    ("INC-FATAL", {"title": None}, "title", "field.value"),
    ("INC-FATAL", {"title": [[[[[[[[]]]]]]]]}, "title", "field.value"),
    ("MAR-DISTRESS", {"persons_estimate": {"low": 5, "high": 4}}, "persons_estimate", "field.value"),
    ("MAR-DISTRESS", {"rescue_authority_informed": 1}, "rescue_authority_informed", "field.value"),
    ("MAR-DISTRESS", {"observed_at": "2026-05-03T10:11:00Z"}, "observed_at", "time.future"),
    ("MAR-DISTRESS", {"observed_at": "2026-05-03T10:00:00"}, "observed_at", "field.value"),
    ("MAR-DISTRESS", {"vessels": [{"type": "phone", "value": "+999"}]}, "vessels[0].type", "identifier.unknown"),
    ("MAR-DEPARTURE", {"departure_window": {"start": "2026-05", "end": "2026-04"}}, "departure_window", "field.value"),
    ("CONSULT-ACT", {"invited": ["th", "atlantis"]}, "invited[1]", "member.unknown"),
    ("FIN-FLOW", {"amount_band": {"currency": "THB", "low": 2, "high": 1}}, "amount_band", "field.value"),
    ("OSINT-FIND", {"url": "javascript:alert(1)"}, "url", "field.value"),
    ("OSINT-FIND", {"content_hash": "AB" * 32}, "content_hash", "field.value"),
    ("OSINT-FIND", {"captured_at": "2026-05-03"}, "captured_at", "field.value"),
    ("CAMPAIGN-INFO", {"languages": ["../etc"]}, "languages[0]", "field.value"),
]


@pytest.mark.parametrize(("code", "change", "field", "said"), BAD_VALUES)
def test_a_bad_value_is_refused_with_its_path_and_what_would_fix_it(
    code: str, change: dict[str, Any], field: str, said: str
) -> None:
    found = problems(code, example(code)["fields"] | change)
    assert {field: said} == {path: p.code for path, p in found.items()}
    assert found[field].fix


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026", "2026"),
        ("2026-05", "2026-05"),
        ("2026-05-03", "2026-05-03"),
        ("2026-05-04", "2026-05-04"),  # tomorrow here is today in Kiribati
        ("2026-05-03T10:09:00Z", "2026-05-03T10:09:00Z"),
        ("2026-05-03t08:30:15.5z", "2026-05-03T08:30:15Z"),
        ("2026-05-03T08:30+07:00", "2026-05-03T01:30:00Z"),
    ],
)
def test_a_time_keeps_its_precision_and_becomes_utc(written: str, kept: str) -> None:
    content = parse_fields("MAR-DISTRESS", DISTRESS | {"observed_at": written}, now=NOW.replace(hour=11))
    assert content[Sensitivity.SUMMARY]["observed_at"] == kept


def test_unknown_is_kept_as_unknown_and_never_becomes_zero() -> None:
    content = parse_fields("INC-FATAL", INC | {"missing": None, "dead": 0}, now=NOW)
    assert content[Sensitivity.SUMMARY]["missing"] is None
    assert content[Sensitivity.SUMMARY]["dead"] == 0


def test_distress_needs_no_position() -> None:
    """A caller who does not know where the boat is must not be refused."""
    fields = DISTRESS | {"place": {"name": "somewhere west of Ranong"}, "persons_estimate": {}}
    assert parse_fields("MAR-DISTRESS", fields, now=NOW)[Sensitivity.SUMMARY]["persons_estimate"] == {}


def test_every_problem_is_told_at_once() -> None:
    found = problems("MAR-DISTRESS", {"title": "a\u202eb", "place": {}, "zz": 1, "condition": "x", "bad name\n": 1})
    assert {path: p.code for path, p in found.items()} == {
        "title": "text.bidi",
        "place": "field.value",
        "zz": "field.unknown",
        "with a name that is none": "field.unknown",
        "observed_at": "field.missing",
        "persons_estimate": "field.missing",
        "rescue_authority_informed": "field.missing",
    }


def test_a_flood_of_problems_is_cut() -> None:
    with pytest.raises(InvalidError) as caught:
        parse_fields("GOOD-PRACTICE", {f"x{i}": i for i in range(10_000)}, now=NOW)
    assert len(caught.value.problems) == MAX_PROBLEMS


def test_what_was_written_is_not_repeated_by_the_problem() -> None:
    """Errors are logged, and what stands in a field may be personal."""
    secret = "Mister-Canary"
    for bad in ({"persons": [{"role": secret}]}, {"persons": [{secret: 1}]}, {"date": secret}, {"url": secret}):
        code = "OSINT-FIND" if "url" in bad else "INC-FATAL"
        with pytest.raises(RilonError) as caught:
            parse_fields(code, example(code)["fields"] | bad, now=NOW)
        assert secret not in f"{caught.value} {caught.value.field}"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidError, match=r"kind\.unknown"):
        parse_fields("LINK-REQ", {}, now=NOW)


def test_too_much_for_one_section_is_refused_before_anything_is_sealed() -> None:
    person = {"role": "witness", "note": "ด" * 10_000}
    with pytest.raises(InvalidError, match=r"content\.too-large"):
        parse_fields("INC-FATAL", INC | {"persons": [person] * 5}, now=NOW)


def test_a_stateless_person_is_marked_whatever_was_ticked() -> None:
    for given in (
        {"nationalities": ["MM", "XXA"], "possible_international_protection": False},
        {"identifiers": [{"type": "protection_id", "value": "EX-1"}]},
    ):
        content = parse_fields("INC-FATAL", INC | {"persons": [{"role": "witness"} | given]}, now=NOW)
        assert content[Sensitivity.NOMINAL]["persons"][0]["possible_international_protection"] is True  # type: ignore[index]


@pytest.mark.parametrize(
    ("nationalities", "states", "unknown"), [(["MM"], {"mm"}, False), (["MM", "XXA"], {"mm"}, True), ([], set(), True)]
)
def test_the_state_somebody_may_have_fled_is_kept_out(
    nationalities: list[str], states: set[str], unknown: bool
) -> None:
    victim = {"role": "victim", "nationalities": nationalities, "possible_international_protection": True}
    other = {"role": "witness", "nationalities": ["TH"]}
    found = kind("TIP-RECRUIT")
    draft = example("TIP-RECRUIT")["fields"] | {"victims": [victim], "persons": [other]}
    handling = found.protect(found.handling(NOW), parse_fields("TIP-RECRUIT", draft, now=NOW))
    assert handling.no_origin_states == states
    assert (Caveat.NO_ORIGIN_STATE in handling.caveats) is unknown


def test_an_allegation_must_say_whom_it_must_not_reach() -> None:
    found = kind("CORRUPT-FACIL")
    with pytest.raises(InvalidError, match="not-to-missing"):
        found.check_stated(found.handling(NOW))


@EVERY_KIND
@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "content.format"),
        (b"\x02\x80", "content.format"),
        (FORMAT, "content.unreadable"),
        (FORMAT + b"\x90", "content.unreadable"),
        (FORMAT + b"\x80\x00", "content.unreadable"),
        (FORMAT + b"\x81\xa1\xff\x00", "content.unreadable"),
        (FORMAT + b"\x81\x01\x00", "content.unreadable"),
        (FORMAT + b"\x81\xa1x" + b"\x91" * 20_000, "content.unreadable"),
        (bytes(MAX_CONTENT_BYTES + 1), "content.too-large"),
    ],
)
def test_received_content_that_cannot_be_read_is_refused(code: str, raw: bytes, said: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_content(code, Sensitivity.SUMMARY, raw)
    assert caught.value.code == said


def packed(fields: dict[str, Any]) -> bytes:
    return FORMAT + msgspec.msgpack.encode(fields, order="deterministic")


@pytest.mark.parametrize(
    "second",
    [
        {"title": " x "},
        {"title": "e\u0301"},
        {"place": {"name": "x", "country": None}},
        {"place": {"point": {"lat": 1, "lon": 2.0}}},
        {"observed_at": "2026-05-03T10:00:00+00:00"},
    ],
)
def test_a_second_encoding_of_the_same_content_is_refused(second: dict[str, Any]) -> None:
    required = {"practice": "x", "evidence": "y", "title": "z"}
    with pytest.raises(MalformedError, match="not-canonical"):
        decode_content("GOOD-PRACTICE", Sensitivity.SUMMARY, packed(required | second))


def test_doubled_keys_are_refused() -> None:
    raw = packed({"practice": "x", "evidence": "y", "title": "z"})
    doubled = FORMAT + b"\x84" + raw[2:] + b"\xa5title\xa1z"
    with pytest.raises(MalformedError, match="not-canonical"):
        decode_content("GOOD-PRACTICE", Sensitivity.SUMMARY, doubled)


def test_received_fields_of_another_section_or_missing_ones_are_refused() -> None:
    required = {"practice": "x", "evidence": "y", "title": "z"}
    with pytest.raises(InvalidError, match=r"field\.unknown"):
        decode_content("GOOD-PRACTICE", Sensitivity.SUMMARY, packed(required | {"narrative": "who"}))
    with pytest.raises(InvalidError, match=r"field\.missing"):
        decode_content("GOOD-PRACTICE", Sensitivity.SUMMARY, packed({"title": "z", "practice": "x"}))


def test_what_only_a_newer_node_knows_is_read_when_it_comes_from_one() -> None:
    """Clocks, Unicode versions and lists differ between nodes; an alert must not be lost to that."""
    newer = {
        "title": "\u0378",
        "situation": "x",
        "affected_states": ["QQ"],
        "invited": ["atlantis"],
        "opens": "2026-05-03",
        "closes": "2026-05-04",
        "observed_at": "2099",
    }
    assert decode_content("CONSULT-ACT", Sensitivity.SUMMARY, packed(newer)) == newer
    assert set(problems("CONSULT-ACT", newer)) == {"title", "affected_states[0]", "invited[0]", "observed_at"}


def row(found: Kind, field: Field) -> str:
    cells = (found.code, field.name, field.type.name, field.section.value, "required" if field.required else "")
    return " | ".join(f"{c:<{w}}" for c, w in zip(cells, (16, 25, 22, 8, 8), strict=True)).rstrip(" |")


def test_golden_kinds() -> None:
    rows = [row(k, f) for k in KINDS.values() for f in k.fields.values()]
    golden.check("kinds.txt", "kind | field | type | section | required\n\n" + "\n".join(rows) + "\n")


def test_the_module_loads_its_table_once() -> None:
    assert module.KINDS["EXERCISE"] is kind("EXERCISE")
