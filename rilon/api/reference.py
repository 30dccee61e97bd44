"""Reference data that forms are made of: the kinds of alert and the Members."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from litestar import get
from msgspec import structs

from rilon.api.access import Node, needs
from rilon.domain.fields import FieldType
from rilon.domain.handling import Caveat, Pap, Tlp
from rilon.domain.kinds import KINDS, Kind
from rilon.domain.members import MEMBERS, Member
from rilon.domain.permissions import Action
from rilon.domain.values import Code, Sensitivity, Urgency, Value


class FieldShown(Value, frozen=True):
    """A field of a kind: its type by name, and the section its value goes into."""

    type: str
    section: Sensitivity
    required: bool


class KindShown(Value, frozen=True, kw_only=True):
    """A kind of alert, with its defaults; see ``rilon.domain.kinds.Kind``."""

    family: Code
    name: str
    about: str
    tlp: Tlp
    pap: Pap
    urgency: Urgency
    caveats: tuple[Caveat, ...]
    retention_days: int
    personal_data: Code
    graded: bool
    exercise: bool
    any_of: tuple[tuple[str, ...], ...]
    fields: dict[str, FieldShown]


class TypeShown(Value, frozen=True):
    """A type of value: whether it can hold a person, what to write, and its JSON Schema."""

    personal: bool
    fix: str
    schema: dict[str, Any]


class KindTable(Value, frozen=True):
    """All kinds by code, and the types of their fields by name."""

    kinds: dict[str, KindShown]
    types: dict[str, TypeShown]


class MemberShown(Member, frozen=True, kw_only=True):
    """A Member, and its standing in this node's directory: ``verified``, ``unverified``, ``revoked`` or ``absent``."""

    standing: Code


@get("/kinds", opt=needs(Action.USE))
async def read_kinds() -> KindTable:
    """List the kinds of alert: what each field holds, in which section it lies, and what is required."""
    return kind_table()


@get("/members", opt=needs(Action.USE))
async def read_members(services: Node) -> list[MemberShown]:
    """List the Members, and which of them run a node that things are sealed to."""
    directory = await services.directory.current()
    return [MemberShown(**structs.asdict(m), standing=directory.standing(m.id)) for m in MEMBERS.values()]


@cache
def kind_table() -> KindTable:
    """The table, made once."""
    types = {f.type.name: f.type for kind in KINDS.values() for f in kind.fields.values()}
    return KindTable({c: _kind(k) for c, k in KINDS.items()}, {n: _type(t) for n, t in sorted(types.items())})


def _kind(kind: Kind) -> KindShown:
    return KindShown(
        family=kind.family,
        name=kind.name,
        about=kind.about,
        tlp=kind.tlp,
        pap=kind.pap,
        urgency=kind.urgency,
        caveats=tuple(sorted(kind.caveats)),
        retention_days=kind.retention_days,
        personal_data=kind.personal_data,
        graded=kind.graded,
        exercise=kind.exercise,
        any_of=kind.any_of,
        fields={n: FieldShown(f.type.name, f.section, f.required) for n, f in kind.fields.items()},
    )


def _type(of: FieldType) -> TypeShown:
    return TypeShown(of.personal, of.fix, msgspec.json.schema(of.type, schema_hook=_text_schema))


def _text_schema(cls: type) -> dict[str, Any]:
    """The shapes' own kinds of text are strings, said in a sentence."""
    return {"type": "string", "description": cls.__doc__ or cls.__name__}


HANDLERS = (read_kinds, read_members)
