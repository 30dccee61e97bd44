"""What is wrong with data that does not fit its type: where, what belongs there, and never what stood there.

The decoder's own words quote what was written, which may be sealed, and speak of types. None of them is passed on: what
is not known here is told in one general sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import inspect

MAX_CODES: Final = 40
"""How many codes are told; a longer list is looked up."""

_PLACE: Final = re.compile(r" - at `(key` in `)?\$\.?(?P<path>[A-Za-z0-9_.\[\]-]{0,200})`\Z")
_TOML: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_STEP: Final = re.compile(r"[^.\[\]]+|\.\.\.")
_KEY: Final = "key"
_KINDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "bytes": "base64",
    "datetime": "an instant",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Misread:
    """What is wrong with one value.

    Attributes:
        path: to the value; to what holds it, of one that is missing or unknown; "" for the whole.
        message: one sentence. fix: what would mend it, one sentence, or "".
        what: ``value``, ``missing`` or ``unknown``.
        name: of the field that is missing; of one that is unknown if it could be one: still words from outside.
        codes: those that belong there, where they are few.
    """

    path: str
    message: str
    fix: str = ""
    what: str = "value"
    name: str = ""
    codes: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The path with the name."""
        return f"{self.path}.{self.name}".strip(".")


def misread(error: msgspec.ValidationError, form: Any) -> Misread:
    """Tell what a conversion found.

    Args:
        error: of ``msgspec.convert`` or a ``decode``.
        form: the type that was asked for.
    """
    text = str(error)
    place = _PLACE.search(text)
    path, text = (place["path"], text[: place.start()]) if place else ("", text.partition(" - at `")[0])
    if isinstance(error.__cause__, ValueError):  # of a type of ours, in words of ours
        return Misread(path, f"{error.__cause__}.")
    if text.startswith("Invalid enum value"):
        steps = _STEP.findall(path) + ([_KEY] if place and place[1] else [])
        return _no_code(path, _codes(inspect.type_info(form), steps))
    told = ((tell, shape.fullmatch(text)) for shape, tell in _TOLD)
    return next((tell(path, found) for tell, found in told if found), Misread(path, "This is not what belongs here."))


def _no_code(path: str, codes: Iterable[str]) -> Misread:
    choices = tuple(sorted(set(codes)))
    few = choices if len(choices) <= MAX_CODES else ()
    fix = f"One of {', '.join(few)}." if few else ""
    return Misread(path, "This is none of the codes that belong here.", fix, codes=few)


def _codes(kind: inspect.Type, steps: Sequence[str]) -> Iterable[str]:
    """The codes that a type allows at the end of a path."""
    if isinstance(kind, inspect.Metadata):
        return _codes(kind.type, steps)
    if isinstance(kind, inspect.UnionType):
        return [code for each in kind.types for code in _codes(each, steps)]
    if steps:
        inner = _inner(kind, steps[0])
        return _codes(inner, steps[1:]) if inner else ()
    if isinstance(kind, inspect.EnumType):
        return [str(each.value) for each in kind.cls]
    return [str(each) for each in kind.values] if isinstance(kind, inspect.LiteralType) else ()


def _inner(kind: inspect.Type, step: str) -> inspect.Type | None:
    if isinstance(kind, inspect.StructType):
        return next((field.type for field in kind.fields if field.encode_name == step), None)
    if isinstance(kind, inspect.DictType):
        return kind.key_type if step == _KEY else kind.value_type
    found = getattr(kind, "item_type", None)
    return found if isinstance(found, inspect.Type) else None


def _absent(path: str, found: re.Match[str]) -> Misread:
    return Misread(path, f"The field {found[1]} is missing.", "Give it.", "missing", found[1])


def _strange(path: str, found: re.Match[str]) -> Misread:
    if name := found[1]:
        return Misread(path, "There is no such field here.", "Leave it out.", "unknown", name)
    return Misread(path, "There is a field with a name that is none.", "Leave it out.", "unknown")


def _other(path: str, found: re.Match[str]) -> Misread:
    wanted = " or ".join(_KINDS.get(each, "something else") for each in found[1].split(" | "))
    return Misread(
        path, f"This is {_KINDS.get(found[2], 'something else')}, where {wanted} belongs.", f"Give {wanted}."
    )


def _beyond(path: str, found: re.Match[str]) -> Misread:
    """A number beyond its bounds."""
    side, number = _SIDES[found[1]], found[2].removesuffix(".0")
    return Misread(path, f"The number must be {side} {number}.", f"Give {side} {number}.")


_SIDES: Final = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}


def _long(path: str, found: re.Match[str]) -> Misread:
    """A text or list that is too long or too short."""
    kind, side, number = found.groups()
    what, each, shorten, fill = _LENGTHS.get(kind, ("list", "values", "Leave some out.", "Fill or omit it."))
    if side == "<=":
        return Misread(path, f"The {what} is too long: {number} {each} fit.", shorten)
    if number == "1":
        return Misread(path, f"The {what} is empty.", fill)
    return Misread(path, f"The {what} must have {'at least ' * (side == '>=')}{number} {each}.", f"Give {number}.")


_LENGTHS: Final = {
    "str": ("text", "characters", "Shorten it.", "Write it."),
    "bytes": ("text", "bytes", "Shorten it.", "Write it."),
}


def _formed(path: str, found: re.Match[str]) -> Misread:
    form = found[1].replace("\\\\", "\\").removeprefix("\\A").removeprefix("^").removesuffix("\\Z").removesuffix("$")
    return Misread(path, "This is not in the form that belongs here.", f"The form is `{form}`.")


def _as(message: str, fix: str) -> Callable[[str, re.Match[str]], Misread]:
    return lambda path, _: Misread(path, message, fix)


_INSTANT: Final = _as("This is no instant.", "Write it as 2026-05-03T10:00:00Z.")
_TOLD: Final[Sequence[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Misread]]]] = [
    (re.compile(shape, re.DOTALL), tell)
    for shape, tell in (
        (r"Object missing required field `([A-Za-z][A-Za-z0-9_-]{0,63})`", _absent),
        (r"Object contains unknown field `(?:([A-Za-z][A-Za-z0-9_-]{0,63})`|.*)", _strange),
        (r"Expected `([a-z| ]+)`, got `([a-z]+)`", _other),
        (r"Expected `(?:int|float)` ([<>]=?) (-?[0-9.]+)", _beyond),
        (r"Expected `(\w+)` of length (<=|>=|)\s?(\d+).*", _long),
        (r"Expected `str` matching regex '(.*)'", _formed),
        (r"Invalid RFC3339 encoded datetime|Expected `datetime` .*", _INSTANT),
        (r"Invalid RFC3339 encoded date", _as("This is no day.", "Write it as 2026-05-03.")),
        (r"Invalid UUID", _as("This is no id.", "Give the id as it was told to you.")),
        (r"Invalid base64 encoded string", _as("This is no base64.", "Encode it again.")),
    )
]
"""What the decoder says -> what is said instead. Only names of our own types and fields, and bounds, are taken over."""


def broken_toml(error: Exception) -> tuple[str, str]:
    """Where a TOML reader stopped, as ``line 3`` or "", and half a sentence: its own words quote the file.

    Args:
        error: a ``msgspec.DecodeError``, or a ``ValueError`` that it lets through.
    """
    if isinstance(error, UnicodeDecodeError):
        return "", "it is not in UTF-8"
    if not isinstance(error, msgspec.DecodeError):  # of Python's own, which reads no whole number of 4300 digits
        return "", "a number is too long"
    if place := _TOML.search(str(error)):
        return f"line {place[1]}", f"line {place[1]}, column {place[2]}, is no TOML"
    return "", "something is not closed, is missing or stands twice"
