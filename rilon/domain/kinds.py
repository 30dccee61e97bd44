"""The kinds of alert: one table, kind -> field -> value type, section, required (``data/kinds.json``).

A draft is a flat mapping of fields. The table puts each value into the section of its sensitivity; a summary holds no
person, by type. A section's content is one format byte, then MessagePack with sorted keys: one content, one encoding.
What another Member's node sealed is read as strictly as a draft. Who may have a section is the rule book's to say.

Nodes of different age read each other's sections: a field is never renamed, retyped, moved or made required later, and
a table with more fields is a new ``FORMAT``, which an older node shows as newer than itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct, structs

from rilon.domain.data import Table, read
from rilon.domain.fields import FIELD_TYPES, FieldType, read_value, set_type
from rilon.domain.handling import STATED, Caveat, Handling, Pap, Tlp, default_review
from rilon.domain.values import Code, Sensitivity, Urgency
from rilon.errors import FatalError, InvalidError, MalformedError, RilonError, raise_all

Fields = dict[str, object]
"""Values by field name, canonical and JSON-like."""

Content = dict[Sensitivity, Fields]
"""What an item says, by section; sections without a value are absent."""


FORMAT = b"\x01"
"""First byte of a section's content; another one is of a format newer than this node."""

MAX_CONTENT_BYTES = 28 * 1024
"""Largest content of one section. Longer papers are attachments."""

MAX_PROBLEMS = 50
"""No answer lists more; a form with more is no form."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind.

    Attributes:
        section: sensitivity of the section its value lies in.
        required: a draft without it is refused; ``null`` counts as given where the type says unknown.
    """

    name: str
    type: FieldType
    section: Sensitivity
    required: bool

    def __post_init__(self) -> None:
        """Refuse a table that would put a person where everybody entitled to the board reads."""
        if self.type.personal and self.section is Sensitivity.SUMMARY:
            raise FatalError("kinds.person-in-summary", f"{self.name} holds persons and cannot lie in a summary.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of alert.

    Attributes:
        family, name, about: its place in the list, and what officers read.
        tlp, pap, urgency, caveats: defaults; an author may be stricter. A stated caveat (``NOT_TO``) must be filled.
        retention_days: default time it is kept.
        personal_data: how personal it is: ``none`` ... ``personal_high``, ``special``.
        subjects: roles of the persons it is about; empty for none.
        graded: it must come with a grade.
        exercise: refused outside an exercise network.
        any_of: groups of fields of which at least one must be given.
        fields: by name.
    """

    code: str
    family: str
    name: str
    about: str
    tlp: Tlp
    pap: Pap
    urgency: Urgency
    caveats: frozenset[Caveat]
    retention_days: int
    personal_data: str
    subjects: frozenset[str]
    graded: bool
    exercise: bool
    any_of: tuple[tuple[str, ...], ...]
    fields: Mapping[str, Field]

    def handling(self, at: datetime, until: datetime | None = None) -> Handling:
        """The default marks of an item made at an instant; ``until``: a version it corrects ends then, so does this."""
        expires_at = at + timedelta(days=self.retention_days)
        expires_at = expires_at if until is None else min(expires_at, until)
        return Handling(
            tlp=self.tlp,
            pap=self.pap,
            caveats=self.caveats - STATED,
            review_by=default_review(at, expires_at),
            expires_at=expires_at,
        )

    def section(self, sensitivity: Sensitivity) -> Mapping[str, Field]:
        """The fields of one section."""
        return {name: field for name, field in self.fields.items() if field.section is sensitivity}

    def check_stated(self, handling: Handling) -> None:
        """Refuse marks that leave out a list this kind must state.

        Raises:
            InvalidError: ``handling.not-to-missing``: an allegation against officials must not reach their own desk.
        """
        if Caveat.NOT_TO in self.caveats and not handling.not_to:
            raise InvalidError(
                "handling.not-to-missing",
                f"{self.name} must say whom it must not reach.",
                field="handling.not_to",
                fix="Name the State concerned under NOT_TO.",
            )

    def protect(self, handling: Handling, content: Content) -> Handling:
        """Keep out the States that somebody in the content may have fled from (non-refoulement).

        Returns:
            The marks, with those States added, and with ``NO_ORIGIN_STATE`` where one is not known.
        """
        persons = [p for f in self.fields.values() if f.type.name == "persons" for p in _persons(content, f)]
        codes = [p.get("nationalities", []) for p in persons if p.get("possible_international_protection")]
        states = frozenset(c.lower() for found in codes for c in found if not c.startswith("XX"))
        unknown = any(not found or any(c.startswith("XX") for c in found) for found in codes)
        flag = frozenset({Caveat.NO_ORIGIN_STATE} if unknown else ())
        return structs.replace(
            handling, no_origin_states=handling.no_origin_states | states, caveats=handling.caveats | flag
        )


def _persons(content: Content, field: Field) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", content.get(field.section, {}).get(field.name, []))


class _FieldRow(Struct, array_like=True, forbid_unknown_fields=True):
    type: str
    section: Sensitivity
    required: bool = False


class _KindRow(Struct, forbid_unknown_fields=True, kw_only=True):
    family: Code
    name: str
    about: str
    tlp: Tlp
    pap: Pap
    urgency: Urgency
    retention: str
    personal_data: Code
    fields: dict[Code, _FieldRow]
    caveats: frozenset[Caveat] = frozenset()
    subjects: frozenset[Code] = frozenset()
    graded: bool = False
    exercise: bool = False
    any_of: tuple[tuple[str, ...], ...] = ()


class _File(Struct, forbid_unknown_fields=True):
    retention_days: dict[str, int]
    codes: dict[str, tuple[str, ...]]
    common: dict[Code, _FieldRow]
    kinds: dict[Code, _KindRow]


def _load() -> dict[str, Kind]:
    file = read("kinds", _File)
    types = {**FIELD_TYPES, **{t.name: t for name, codes in file.codes.items() for t in _code_types(name, codes)}}
    return {code: _kind(code, row, file, types) for code, row in file.kinds.items()}


def _code_types(name: str, codes: tuple[str, ...]) -> tuple[FieldType, FieldType]:
    one: Any = Literal[codes]
    choices = ", ".join(codes)
    return (
        FieldType(f"code:{name}", one, personal=False, fix=f"Choose one of {choices}."),
        FieldType(f"codes:{name}", set_type(one, len(codes)), personal=False, fix=f"Choose some of {choices}."),
    )


def _kind(code: str, row: _KindRow, file: _File, types: Mapping[str, FieldType]) -> Kind:
    rows = {**row.fields, **{name: r for name, r in file.common.items() if name not in row.fields}}
    marks = structs.asdict(row)
    del marks["retention"]
    marks["fields"] = {name: Field(name, types[r.type], r.section, r.required) for name, r in rows.items()}
    return Kind(code=code, retention_days=file.retention_days[row.retention], **marks)


KINDS: Mapping[str, Kind] = Table(_load)
"""Every kind of alert by code."""


def kind(code: str) -> Kind:
    """Look a kind up.

    Raises:
        InvalidError: ``kind.unknown``.
    """
    if found := KINDS.get(code):
        return found
    raise InvalidError("kind.unknown", "There is no such kind of alert.", field="kind", fix="Choose one of the list.")


def parse_fields(code: str, draft: Mapping[str, object], *, now: datetime) -> Content:
    """Read an officer's draft strictly, and put every value into the section it belongs to.

    Args:
        code: the kind.
        draft: JSON-like values by field name.
        now: the current instant, aware; what was seen cannot lie after it.

    Returns:
        The content, less revealing sections first.

    Raises:
        RilonError: one problem, or all of them (``invalid.several``): ``kind.unknown``,
            ``field.unknown``, ``field.missing``, ``field.value``, ``time.future``, ``text.*``, ``country.unknown``,
            ``nationality.unknown``, ``member.unknown``, ``identifier.unknown``, ``content.too-large``.
    """
    found = kind(code)
    values, problems = _read(draft, found.fields, now)
    problems += _missing(draft, found)
    raise_all(problems[:MAX_PROBLEMS])
    content = {
        sensitivity: {name: values[name] for name in found.section(sensitivity) if name in values}
        for sensitivity in Sensitivity
    }
    content = {sensitivity: fields for sensitivity, fields in content.items() if fields}
    for fields in content.values():
        encode_content(fields)  # refuses what is too large now, not when it is sealed
    return content


def _read(
    draft: Mapping[str, object], fields: Mapping[str, Field], now: datetime | None
) -> tuple[Fields, list[RilonError]]:
    values: Fields = {}
    problems: list[RilonError] = []
    for name, raw in draft.items():
        try:
            values[name] = read_value(_field(name, fields).type, raw, field=name, now=now)
        except RilonError as problem:
            problems.append(problem)
            if len(problems) >= MAX_PROBLEMS:
                break
    return values, problems


def _field(name: str, fields: Mapping[str, Field]) -> Field:
    if found := fields.get(name):
        return found
    shown = name if _CODE.fullmatch(name) else "with a name that is none"
    fix = f"The fields are {', '.join(sorted(fields))}."
    raise InvalidError("field.unknown", f"There is no field {shown} here.", field=shown, fix=fix)


def _missing(draft: Mapping[str, object], found: Kind) -> list[RilonError]:
    absent = [f for f in found.fields.values() if f.required and f.name not in draft]
    problems: list[RilonError] = [_lacks(f.name, f.type.fix, found) for f in absent]
    bare = [group for group in found.any_of if not any(name in draft for name in group)]
    return problems + [_lacks(group[0], f"Give at least one of {', '.join(group)}.", found) for group in bare]


def _lacks(name: str, fix: str, found: Kind) -> InvalidError:
    return InvalidError("field.missing", f"{found.code} needs {name}.", field=name, fix=fix)


def encode_content(fields: Fields) -> bytes:
    """Encode one section's values, canonical as ``parse_fields`` made them.

    Raises:
        InvalidError: ``content.too-large``.
    """
    raw = FORMAT + msgspec.msgpack.encode(fields, order="deterministic")
    if len(raw) > MAX_CONTENT_BYTES:
        size = len(raw) // 1024
        message = f"One section holds {MAX_CONTENT_BYTES // 1024} KiB at most; this one has {size}."
        raise InvalidError("content.too-large", message, fix="Shorten it, or attach the long part as a file.")
    return raw


def newer(code: str, raw: bytes) -> bool:
    """Whether a section's content is newer than this node: of a kind, or in a format, that it does not know yet."""
    return code not in KINDS or raw[:1] > FORMAT


def decode_content(code: str, sensitivity: Sensitivity, raw: bytes) -> Fields:
    """Read one section's content strictly: size, form, fields of this kind and section, and the one encoding.

    Args:
        code: the kind, from the manifest.
        sensitivity: the section's, from its leaf.
        raw: the plaintext of the section, without padding.

    Raises:
        MalformedError: ``content.too-large``, ``content.format`` (newer than this node), ``content.unreadable``,
            ``content.not-canonical``, or ``text.*``.
        RilonError: one problem or all of them, as in ``parse_fields``.
    """
    found = kind(code)
    fields = found.section(sensitivity)
    values, problems = _read(unpack_content(raw), fields, None)
    problems += [_lacks(f.name, f.type.fix, found) for f in fields.values() if f.required and f.name not in values]
    raise_all(problems[:MAX_PROBLEMS])
    if encode_content(values) != raw:
        raise MalformedError("content.not-canonical", "The content has a second encoding.")
    return values


def unpack_content(raw: bytes) -> Fields:
    """The fields of content that ``decode_content`` has accepted before.

    Raises:
        MalformedError: ``content.too-large``, ``content.format`` or ``content.unreadable``.
    """
    if len(raw) > MAX_CONTENT_BYTES:
        raise MalformedError("content.too-large", "The content is larger than any section may be.")
    if raw[:1] != FORMAT:
        raise MalformedError("content.format", "The content is of a format this node does not know.")
    try:
        return msgspec.msgpack.decode(raw[1:], type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError("content.unreadable", "The content cannot be read.") from error
