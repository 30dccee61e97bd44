"""Properties of the reference domain: reading is strict and total, one content has one encoding, marks only tighten."""

from __future__ import annotations

import string
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rilon.domain.compose import compose
from rilon.domain.fields import IDENTIFIERS
from rilon.domain.handling import STATED, Caveat, Handling, Pap, Tlp, parse_handling
from rilon.domain.kinds import KINDS, Kind, decode_content, encode_content, parse_fields
from rilon.domain.members import COUNTRIES, MEMBERS
from rilon.domain.shapes import SubjectRole, bounds
from rilon.domain.text import check_text
from rilon.domain.values import Purpose, Sensitivity
from rilon.errors import InvalidError, MalformedError, RefusedError, RilonError
from tests.fakes.drafts import DRAFTS, NOW, example

kinds = st.sampled_from([k for k in KINDS.values() if not k.exercise])
printable = st.characters(exclude_categories=["Cs", "Co", "Cn", "Cc", "Zl", "Zp", "Cf"])
lines = st.text(printable, min_size=1, max_size=40).filter(str.strip)
texts = st.lists(lines, min_size=1, max_size=4).map("\n".join)
counts = st.integers(0, 10**8)
bands = st.tuples(counts, counts).map(sorted).map(lambda b: {"low": b[0], "high": b[1]})
past_instants = st.datetimes(datetime(1950, 1, 1), NOW.replace(tzinfo=None)).map(lambda d: d.isoformat() + "Z")  # noqa: DTZ001
past_dates = st.dates(datetime(1950, 1, 1, tzinfo=UTC).date(), NOW.date()).flatmap(
    lambda d: st.sampled_from([f"{d:%Y}", f"{d:%Y-%m}", f"{d:%Y-%m-%d}"])
)
whens = past_instants | past_dates
countries = st.sampled_from(sorted(COUNTRIES))
nationalities = countries | st.sampled_from(["XXA", "XXB", "XXC", "XXX"])
points = st.fixed_dictionaries({"lat": st.floats(-90, 90) | st.integers(-90, 90), "lon": st.floats(-180, 180)})
places = st.fixed_dictionaries({"name": lines}, optional={"country": countries, "point": points})


def identifiers(codes: list[str]) -> st.SearchStrategy[Any]:
    one = st.fixed_dictionaries({"type": st.sampled_from(codes), "value": lines}, optional={"issuer": countries})
    return st.lists(one, min_size=1, max_size=3)


def sets(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=1, max_size=4)


persons = st.fixed_dictionaries(
    {"role": st.sampled_from(list(SubjectRole)).map(str)},
    optional={
        "name": lines,
        "aliases": st.lists(lines, max_size=2),
        "birth": past_dates,
        "nationalities": st.lists(nationalities, max_size=3),
        "identifiers": identifiers(list(IDENTIFIERS)),
        "note": texts,
        "possible_international_protection": st.booleans(),
    },
)
consents = st.fixed_dictionaries(
    {"given": st.booleans()},
    optional={"purposes": sets(st.sampled_from(list(Purpose)).map(str)), "guardian": lines, "recorded_at": whens},
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "line": lines,
    "text": texts,
    "personal_line": lines,
    "personal_text": texts,
    "tokens": st.lists(lines, min_size=1, max_size=3),
    "boolean": st.booleans(),
    "count": counts | st.none(),
    "estimate": bands,
    "amount": bands.map(lambda b: b | {"currency": "THB"}),
    "date": past_dates,
    "instant": past_instants,
    "when": whens,
    "moment": whens,
    "period": whens.map(lambda w: {"start": w}),
    "place": places,
    "sighting": st.fixed_dictionaries({"at": whens, "place": places}),
    "country": countries,
    "countries": sets(countries),
    "nationalities": sets(nationalities),
    "members": sets(st.sampled_from(sorted(MEMBERS))),
    "languages": sets(st.sampled_from(["th", "zh-Hant", "fil"])),
    "digest": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "objects": identifiers([c for c, k in IDENTIFIERS.items() if not k.personal]),
    "identifiers": identifiers(list(IDENTIFIERS)),
    "persons": st.lists(persons, min_size=1, max_size=3),
    "consent": consents,
    "contact": st.fixed_dictionaries({"method": lines}, optional={"details": texts}),
    "url": st.sampled_from(["https://example.org/a?b=c", "http://example.org"]),
}


def values(kind: Kind, name: str) -> st.SearchStrategy[Any]:
    of_type = kind.fields[name].type
    if of_type.name.startswith("code"):
        codes = st.sampled_from(of_type.fix.split(" of ")[1].rstrip(".").split(", "))
        return sets(codes) if of_type.name.startswith("codes") else codes
    return VALUES[of_type.name]


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Kind, dict[str, Any]]:
    """A valid draft of any kind: what it requires, and some of what it may have."""
    kind = draw(kinds)
    always = {f.name for f in kind.fields.values() if f.required} | {group[0] for group in kind.any_of}
    names = always | draw(st.sets(st.sampled_from(sorted(kind.fields)), max_size=5))
    return kind, {name: draw(values(kind, name)) for name in draw(st.permutations(sorted(names)))}


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(drafts())
def test_a_valid_draft_comes_apart_into_sections_and_nothing_is_lost(draft: tuple[Kind, dict[str, Any]]) -> None:
    kind, fields = draft
    content = parse_fields(kind.code, fields, now=NOW)
    placed = [(name, sensitivity) for sensitivity, found in content.items() for name in found]
    assert sorted(placed) == sorted((name, kind.fields[name].section) for name in fields)


@given(drafts())
def test_reading_is_idempotent_and_encoding_is_one(draft: tuple[Kind, dict[str, Any]]) -> None:
    kind, fields = draft
    content = parse_fields(kind.code, fields, now=NOW)
    flat = {name: value for found in content.values() for name, value in found.items()}
    assert parse_fields(kind.code, flat, now=NOW) == content
    for sensitivity, found in content.items():
        raw = encode_content(found)
        assert encode_content(dict(reversed(found.items()))) == raw
        assert decode_content(kind.code, sensitivity, raw) == found


@given(st.sampled_from(sorted(DRAFTS)), st.data())
def test_changed_bytes_are_refused_or_are_the_one_encoding_of_what_they_say(code: str, data: st.DataObject) -> None:
    content = parse_fields(code, example(code)["fields"], now=NOW)
    sensitivity = data.draw(st.sampled_from(list(content)))
    raw = bytearray(encode_content(content[sensitivity]))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(raw[: data.draw(st.integers(0, len(raw)))]) if data.draw(st.booleans()) else bytes(raw)
    try:
        found = decode_content(code, sensitivity, changed)
    except RilonError:
        return
    assert encode_content(found) == changed


@given(kinds, st.sampled_from(list(Sensitivity)), st.binary(max_size=200), junk)
def test_no_bytes_do_worse_than_be_refused(kind: Kind, sensitivity: Sensitivity, raw: bytes, value: Any) -> None:
    try:
        packed = msgspec.msgpack.encode(value)
    except (OverflowError, UnicodeEncodeError):
        packed = b""
    for attempt in (raw, b"\x01" + raw, b"\x01" + packed):
        try:
            assert encode_content(decode_content(kind.code, sensitivity, attempt)) == attempt
        except RilonError as refusal:
            assert refusal.code  # noqa: PT017


@given(kinds, st.data())
def test_no_draft_does_worse_than_be_refused_with_code_field_and_fix(kind: Kind, data: st.DataObject) -> None:
    names = st.sampled_from(sorted(kind.fields)) | st.text(max_size=5)
    draft = data.draw(st.dictionaries(names, junk, max_size=5))
    try:
        parse_fields(kind.code, draft, now=NOW)
    except RilonError as refusal:
        for problem in refusal.problems if isinstance(refusal, InvalidError) else (refusal,):
            assert problem.code
            assert problem.fix
            assert problem.field or problem.code == "content.too-large"


@given(drafts(), st.sampled_from("\0\x1b\u202e\u2066\ue000\ufffe\ud800\U000e0041"), st.data())
def test_a_deceiving_character_is_found_wherever_it_hides(
    draft: tuple[Kind, dict[str, Any]], character: str, data: st.DataObject
) -> None:
    kind, fields = draft
    worded = [n for n in fields if kind.fields[n].type.name in {"line", "text", "personal_line", "personal_text"}]
    assume(worded)
    name = data.draw(st.sampled_from(worded))
    cut = data.draw(st.integers(0, len(fields[name])))
    bad = fields | {name: fields[name][:cut] + character + fields[name][cut:]}
    with pytest.raises(MalformedError) as caught:
        parse_fields(kind.code, bad, now=NOW)
    assert caught.value.field == name


@given(st.text(max_size=60), st.booleans())
def test_checked_text_is_normal_and_checking_again_changes_nothing(text: str, lines: bool) -> None:
    try:
        checked = check_text(text, max_chars=50, lines=lines)
    except MalformedError:
        return
    assert check_text(checked, max_chars=50, lines=lines) == checked
    assert unicodedata.is_normalized("NFC", checked)
    assert 0 < len(checked) <= 50
    assert not any(unicodedata.category(c) in {"Cs", "Co", "Cn"} for c in checked)
    assert not set(checked) & {chr(c) for c in (*range(32), *range(0x202A, 0x202F), *range(0x2066, 0x206A))} - {
        "\n",
        "\t",
    }


@given(whens, whens)
def test_a_time_in_any_precision_is_a_span_in_order(one: str, other: str) -> None:
    first, last = bounds(one)
    assert first <= last
    assert last - first < timedelta(days=367)
    if one < other[: len(one)]:
        assert first < bounds(other)[1]


members = st.frozensets(st.sampled_from(["th", "my", "id", "cn", "hk", "iom"]), min_size=1)
instants = st.integers(1, 900).map(lambda days: NOW + timedelta(days=days)) | st.none()
handlings = st.builds(
    Handling,
    tlp=st.sampled_from(Tlp),
    pap=st.sampled_from(Pap),
    caveats=st.frozensets(st.sampled_from(sorted(set(Caveat) - STATED))),
    rel_to=members | st.none(),
    not_to=members | st.just(frozenset()),
    no_origin_states=members | st.just(frozenset()),
    purposes=st.frozensets(st.sampled_from(list(Purpose)[:4]), min_size=1) | st.none(),
    embargo_until=instants,
    review_by=instants,
    expires_at=instants,
    classification=st.integers(0, 4),
)


def joined(*parts: Handling) -> Handling | None:
    """Composed from the left; None when nobody may have it."""
    made = parts[0]
    for part in parts[1:]:
        try:
            made = compose(made, part).handling
        except RefusedError:
            return None
    return made


@given(handlings)
def test_composition_is_idempotent(one: Handling) -> None:
    assert compose(one, one).handling == one
    assert compose(one, one).because == ()


@given(handlings, handlings)
def test_composition_is_commutative(one: Handling, other: Handling) -> None:
    assert joined(one, other) == joined(other, one)


@given(handlings, handlings, handlings)
def test_composition_is_associative(a: Handling, b: Handling, c: Handling) -> None:
    right = joined(b, c)
    assert joined(a, b, c) == (None if right is None else joined(a, right))


def looser(made: Handling, part: Handling) -> list[str]:
    """What the composed marks would let through that a part does not."""
    days = [
        ("review", made.review_by, part.review_by),
        ("expiry", made.expires_at, part.expires_at),
    ]
    loose = [name for name, got, limit in days if limit is not None and (got is None or got > limit)]
    loose += [m for m in MEMBERS if part.bars(m) and not made.bars(m)]
    loose += [code for code in part.codes if code not in made.codes]
    checks = {
        "tlp": list(Tlp).index(made.tlp) <= list(Tlp).index(part.tlp),
        "pap": list(Pap).index(made.pap) <= list(Pap).index(part.pap),
        "purposes": part.purposes is None or (made.purposes is not None and made.purposes <= part.purposes),
        "embargo": part.embargo_until is None or (made.embargo_until or NOW) >= part.embargo_until,
        "classification": made.classification >= part.classification,
    }
    return loose + [name for name, tight in checks.items() if not tight]


@given(handlings, handlings)
def test_composition_never_loosens_and_says_what_it_changed(one: Handling, other: Handling) -> None:
    made = joined(one, other)
    assume(made is not None)
    assert made is not None
    assert looser(made, one) == []
    assert looser(made, other) == []
    differing = [n for n in Handling.__struct_fields__ if getattr(one, n) != getattr(other, n)]
    assert len(compose(one, other).because) == len(differing)


@given(st.dictionaries(st.sampled_from(Handling.__struct_fields__) | st.text(string.ascii_letters), junk, max_size=4))
def test_no_marks_do_worse_than_be_refused(draft: dict[str, Any]) -> None:
    base = KINDS["INC-FATAL"].handling(NOW)
    try:
        parse_handling(draft, base=base, at=NOW)
    except RilonError as refusal:
        for problem in refusal.problems if isinstance(refusal, InvalidError) else (refusal,):
            assert problem.code
            assert problem.field
            assert problem.fix


@given(handlings)
def test_marks_survive_the_log(one: Handling) -> None:
    raw = msgspec.json.encode(one, order="deterministic")
    assert msgspec.json.decode(raw, type=Handling) == one
