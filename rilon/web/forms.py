"""Forms made of the types that values are read by: what a kind's fields hold says what is asked, and how it is read.

A form has one widget for each value; names are paths (``f.place.country``, ``f.identifiers.0.value``). What is left
empty is left out, so that only the desk says what is missing, with the same words as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Final, Literal

from msgspec import inspect

from rilon.domain import shapes
from rilon.domain.fields import IDENTIFIERS, FieldType
from rilon.domain.kinds import Kind
from rilon.domain.values import Sensitivity
from rilon.web.language import _, gettext, mark
from rilon.web.words import country_code, human

Shape = Literal[
    "line", "text", "number", "choice", "choices", "tick", "yes-no", "list", "tokens", "group", "rows", "country"
]
Form = Mapping[str, Sequence[str]]

MOST_ROWS: Final = 100
AT_ONCE: Final = 3
"""Values of a compound that are asked for at once; the others stand behind "More"."""
PREFIX: Final = "f"

_HINTS: Final[dict[type, str]] = {
    shapes.When: mark("2026-05-03T10:00Z, 2026-05-03, 2026-05 or 2026"),
    shapes.Moment: mark("2026-05-03T10:00Z, 2026-05-03, 2026-05 or 2026; may lie ahead"),
    shapes.Date: mark("2026-05-03, 2026-05 or 2026"),
    shapes.Instant: "2026-05-03T10:00Z",
    shapes.Url: "https://…",
}
_CODES: Final = {"admin": "TH-10", "locode": "THBKK"}
"""Examples of the codes that a place may have."""
_SELDOM: Final = frozenset({*_CODES, "radius_km"})
_LONG: Final = (shapes.Text, shapes.PersonalText)


@dataclass(frozen=True, slots=True)
class Widget:
    """What asks for one value.

    Attributes:
        name: path from the form's root. label: in words.
        shape: how it looks. options: of a choice. parts: of a group or of one row.
    """

    name: str
    label: str
    shape: Shape
    required: bool = False
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    parts: tuple[Widget, ...] = ()
    more: dict[str, str] = field(default_factory=dict)


def shown(inner: Sequence[Widget]) -> tuple[Widget, ...]:
    """Of a compound, what is asked at once: what must be filled, and a few short ones."""
    wanted = [w for w in inner if w.required]
    short = [w for w in inner if not w.required and w.shape not in {"group", "rows"} and _last(w) not in _SELDOM]
    return tuple(w for w in inner if w in wanted + short[: max(0, AT_ONCE - len(wanted))])


def touched(widgets: Iterable[Widget], form: Form, faults: Mapping[str, object]) -> bool:
    """Whether one of them holds something, or is at fault: it must not stand behind what is closed."""
    held = {name for name, given in form.items() if any(given)} | set(faults)
    return any(name == w.name or name.startswith(f"{w.name}.") for w in widgets for name in held)


def _last(widget: Widget) -> str:
    return widget.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Part:
    """The fields of one section."""

    sensitivity: Sensitivity
    widgets: tuple[Widget, ...]

    @property
    def required(self) -> bool:
        """Whether something in it must be filled."""
        return any(w.required for w in self.widgets)

    @property
    def first(self) -> tuple[Widget, ...]:
        """What is asked at once: what must be filled, and what everybody reads if it is short."""
        plain = self.sensitivity is Sensitivity.SUMMARY
        return tuple(w for w in self.widgets if w.required or (plain and w.shape not in {"group", "rows"}))

    @property
    def rest(self) -> tuple[Widget, ...]:
        """What may be added."""
        return tuple(w for w in self.widgets if w not in self.first)


def parts(kind: Kind) -> tuple[Part, ...]:
    """The form of a kind, section by section, what must be filled first."""
    found = []
    for sensitivity in Sensitivity:
        fields = sorted(kind.section(sensitivity).values(), key=lambda f: (f.name != "title", not f.required))
        if fields:
            made = tuple(of_field(f.name, f.type, required=f.required or f.name == "title") for f in fields)
            found.append(Part(sensitivity, made))
    return tuple(found)


def of_field(name: str, kind: FieldType, *, required: bool) -> Widget:
    """The widget of a field."""
    made = _widget(f"{PREFIX}.{name}", human(name), _type_info(kind.type), required=required)
    plain = made.shape in {"line", "number", "tokens", "list"} and not made.hint
    return (
        msgspec_replace(made, hint=gettext(kind.fix)) if plain and kind.name not in {"line", "personal_line"} else made
    )


@cache
def _type_info(kind: Any) -> inspect.Type:
    """What a field's type is made of, which takes longer to find out than to show."""
    return inspect.type_info(kind)


def msgspec_replace(widget: Widget, **changes: Any) -> Widget:
    """A widget with changes."""
    names = ("name", "label", "shape", "required", "hint", "options", "parts", "more")
    return Widget(**{n: getattr(widget, n) for n in names} | changes)


def _widget(name: str, label: str, info: inspect.Type, *, required: bool) -> Widget:
    info = _bare(info)
    if isinstance(info, inspect.CustomType):
        return _words(name, label, info.cls, required=required)
    if isinstance(info, inspect.StructType):
        inner = tuple(_widget(f"{name}.{f.name}", human(f.name), f.type, required=f.required) for f in info.fields)
        return Widget(name, label, "group", required, parts=inner)
    if isinstance(info, inspect.ListType | inspect.SetType | inspect.FrozenSetType | inspect.VarTupleType):
        return _several(name, label, _bare(info.item_type), required=required)
    if isinstance(info, inspect.EnumType | inspect.LiteralType):
        return Widget(name, label, "choice", required, options=_options(info))
    if isinstance(info, inspect.BoolType):
        return Widget(name, label, "yes-no" if required else "tick", required)
    shape: Shape = "number" if isinstance(info, inspect.IntType | inspect.FloatType) else "line"
    return Widget(name, label, shape, required, hint=_CODES.get(name.rpartition(".")[2], ""))


def _bare(info: inspect.Type) -> inspect.Type:
    """A type without "or nothing" around it."""
    if isinstance(info, inspect.Metadata):
        return _bare(info.type)
    if isinstance(info, inspect.UnionType):
        return _bare(next(t for t in info.types if not isinstance(t, inspect.NoneType)))
    return info


def _words(name: str, label: str, cls: type, *, required: bool) -> Widget:
    if cls in _LONG:
        return Widget(name, label, "text", required)
    if cls is shapes.Country:
        return Widget(name, label, "country", required, hint=_("Its name, or two letters such as TH"))
    if cls in {shapes.IdentifierType, shapes.ThingType}:
        fit = {c: k for c, k in IDENTIFIERS.items() if cls is shapes.IdentifierType or not k.personal}
        return Widget(name, label, "choice", required, options=tuple((c, gettext(k.name)) for c, k in fit.items()))
    return Widget(name, label, "line", required, hint=gettext(_HINTS[cls]) if cls in _HINTS else "")


def _several(name: str, label: str, item: inspect.Type, *, required: bool) -> Widget:
    if isinstance(item, inspect.StructType):
        row = _widget(f"{name}.0", label, item, required=required)
        return Widget(name, label, "rows", required, parts=row.parts)
    if isinstance(item, inspect.EnumType | inspect.LiteralType):
        return Widget(name, label, "choices", required, options=_options(item))
    if isinstance(item, inspect.CustomType) and item.cls in {shapes.Line, shapes.PersonalLine}:
        return Widget(name, label, "tokens", required, hint=_("One on each line."))
    return Widget(name, label, "list", required, hint=_("Codes, with blanks between."))


def _options(info: inspect.EnumType | inspect.LiteralType) -> tuple[tuple[str, str], ...]:
    codes = [m.value for m in info.cls] if isinstance(info, inspect.EnumType) else list(info.values)
    return tuple((str(c), human(str(c.value if isinstance(c, Enum) else c))) for c in codes)


def read(kind: Kind, form: Form) -> dict[str, Any]:
    """The fields of a draft out of a form; judging them is the desk's."""
    found = {}
    for part in parts(kind):
        for widget in part.widgets:
            value = _value(widget, form)
            if value is not None:
                found[widget.name.removeprefix(f"{PREFIX}.")] = value
    return found


def fill(kind: Kind, fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """The form that holds these fields: what :func:`read` gives them back from."""
    found: dict[str, list[str]] = {}
    for part in parts(kind):
        for widget in part.widgets:
            _fill(widget, fields.get(widget.name.removeprefix(f"{PREFIX}.")), found)
    return found


def _fill(widget: Widget, value: Any, form: dict[str, list[str]]) -> None:
    if value is None:
        return
    if widget.shape == "group":
        for part in widget.parts:
            _fill(part, value.get(part.name.rpartition(".")[2]), form)
    elif widget.shape == "rows":
        for at, inner in enumerate(value):
            for part in row(widget, at):
                _fill(part, inner.get(part.name.rpartition(".")[2]), form)
    elif widget.shape == "choices":
        form[widget.name] = [str(each) for each in value]
    elif widget.shape in {"tick", "yes-no"}:
        form[widget.name] = ["yes" if value else "no"]
    elif widget.shape in {"tokens", "list"}:
        form[widget.name] = [("\n" if widget.shape == "tokens" else " ").join(map(str, value))]
    else:
        form[widget.name] = [str(value)]


def _value(widget: Widget, form: Form) -> Any:
    """A widget's value; None when nothing was filled in."""
    if widget.shape == "group":
        return _group(widget.parts, form)
    if widget.shape == "rows":
        return [row for row in _rows(widget, form) if row] or None
    given = [text.strip() for text in form.get(widget.name, ()) if text.strip()]
    if not given:
        return None
    if widget.shape == "choices":
        return given
    return _plain(widget.shape, given[0])


def _plain(shape: Shape, text: str) -> Any:
    if shape == "tokens":
        return [line.strip() for line in text.split("\n") if line.strip()]
    if shape == "list":
        return text.replace(",", " ").split()
    if shape in {"tick", "yes-no"}:
        return text == "yes"
    if shape == "country":
        return country_code(text)
    return _number(text) if shape == "number" else text


def _number(text: str) -> int | float | str:
    """A number if it is one; else the text, for the desk to refuse in its words."""
    for read_as in (int, float):
        try:
            return read_as(text)
        except ValueError:
            continue
    return text


def _group(inner: Sequence[Widget], form: Form) -> dict[str, Any] | None:
    found = {w.name.rpartition(".")[2]: v for w in inner if (v := _value(w, form)) is not None}
    return found or None


def _rows(widget: Widget, form: Form) -> Iterator[dict[str, Any] | None]:
    for at in range(min(count(widget, form), MOST_ROWS)):
        yield _group(row(widget, at), form)


def count(widget: Widget, form: Form) -> int:
    """How many rows a form holds; one empty one at least."""
    start = f"{widget.name}."
    ats = [n[len(start) :].partition(".")[0] for n in form if n.startswith(start)]
    return max((int(at) + 1 for at in ats if at.isascii() and at.isdigit() and len(at) <= 3), default=1)  # noqa: PLR2004


def row(widget: Widget, at: int) -> tuple[Widget, ...]:
    """The widgets of one row."""
    return tuple(_moved(part, f"{widget.name}.0.", f"{widget.name}.{at}.") for part in widget.parts)


def _moved(widget: Widget, old: str, new: str) -> Widget:
    inner = tuple(_moved(part, old, new) for part in widget.parts)
    return msgspec_replace(widget, name=new + widget.name.removeprefix(old), parts=inner)
