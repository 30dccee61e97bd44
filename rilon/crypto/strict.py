"""Deterministic CBOR (RFC 8949 §4.2) and nothing else: the one door through which bytes from outside come in.

The reader knows seven things (integers of 64 bits, byte strings, text, arrays, maps, true/false, null) and builds
nothing else, ever: a tag, float, bignum or indefinite length is refused at its first byte, before a library could
make a regex, a Decimal or a self-referencing list of it. Length claims are checked against the bytes that are there
and against an item budget before anything is allocated. One value has one encoding, so a digest names one value.

On top of it stands the one way to turn maps into values: a :class:`Record` is a frozen struct whose field names are
the map's text keys. All fields are required, unknown ones are refused, and lengths and patterns stand in the types.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, Final, TypeVar

import cbor2
import msgspec
from msgspec import Meta

from rilon.errors import MalformedError

ITEMS: Final = 4096
"""Default budget: how many data items (keys count too) one document may hold."""

DEPTH: Final = 8
"""Default nesting: a top-level array or map has depth 1."""

Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Code = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}\Z")]
"""A closed, language-neutral code: no spaces, so no sentence fits in."""
MemberCode = Annotated[str, Meta(pattern=r"\A[a-z]{2,12}\Z")]
OfficerCode = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
"""Opaque officer id, 32 lower-case hex digits, no name."""
Instant = Annotated[int, Meta(ge=0, le=253_402_300_799)]
"""Whole seconds since 1970-01-01T00:00:00Z, at most the end of the year 9999 (what datetime can hold)."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything that is written as a map with exactly known text keys.

    Subclasses give no field a default: an absent field and a default one would be two encodings of one value. A
    ``__post_init__`` that raises ValueError refuses combinations which types cannot express.
    """


T = TypeVar("T")


def dumps(value: Any) -> bytes:
    """Deterministic CBOR of plain values (the seven kinds :func:`loads` knows; tuples count as arrays)."""
    return cbor2.dumps(value, canonical=True)


def loads(data: bytes, *, limit: int, items: int = ITEMS, depth: int = DEPTH) -> Any:
    """Read one deterministic CBOR document, or refuse it cleanly.

    Args:
        data: all bytes of the document.
        limit: most bytes accepted.
        items: most data items accepted.
        depth: deepest nesting accepted.

    Raises:
        MalformedError: ``cbor.size``, ``cbor.depth``, ``cbor.items``, ``cbor.type``, ``cbor.truncated``,
            ``cbor.trailing``, ``cbor.utf8``, ``cbor.range``, ``cbor.duplicate-key`` or ``cbor.not-deterministic``.
    """
    if len(data) > limit:
        raise MalformedError("cbor.size", f"More than {limit} bytes.")
    reader = _Reader(data, items)
    value = reader.value(depth)
    if reader.at != len(data):
        raise MalformedError("cbor.trailing", "Bytes follow the end of the value.")
    return value


def encode(record: msgspec.Struct) -> bytes:
    """Write a record as a deterministic map."""
    return dumps(msgspec.to_builtins(record, builtin_types=(bytes,)))


def decode(data: bytes, form: type[T], *, limit: int, items: int = ITEMS, depth: int = DEPTH) -> T:
    """Read a document and hold it against its form.

    Raises:
        MalformedError: the codes of :func:`loads`, or ``cbor.shape``.
    """
    return shape(loads(data, limit=limit, items=items, depth=depth), form)


def shape(value: Any, form: type[T]) -> T:
    """Hold plain values against a form: a :class:`Record`, or any type msgspec knows.

    Raises:
        MalformedError: ``cbor.shape``, with the field at fault. The message never quotes a value.
    """
    try:
        # builtin_types stops msgspec from reading text as base64 where bytes are meant: a second encoding.
        return msgspec.convert(value, form, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise MalformedError("cbor.shape", "These bytes do not have the form they claim.", field=_path(error)) from None


def ordered(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Insist that an array that stands for a set is sorted and without repeats: one set, one encoding.

    Raises:
        ValueError: it is not; inside a ``__post_init__`` this becomes ``cbor.shape``.
    """
    if not all(a < b for a, b in pairwise(values)):
        raise ValueError("not sorted or not distinct")
    return values


def _path(error: msgspec.ValidationError) -> str:
    found = re.search(r"- at `\$\.([A-Za-z0-9_.\[\]]{1,64})`", str(error))
    return found[1] if found else ""


def _refuse(code: str, message: str) -> MalformedError:
    return MalformedError(f"cbor.{code}", message)


class _Reader:
    """One pass over the bytes. Recursion is bounded by ``depth``, work by ``items`` and by the bytes there are."""

    __slots__ = ("at", "data", "items")

    def __init__(self, data: bytes, items: int) -> None:
        self.data, self.at, self.items = data, 0, items

    def value(self, depth: int) -> Any:
        """The next value; ``depth`` more levels may open."""
        self.items -= 1
        if self.items < 0:
            raise _refuse("items", "Too many items.")
        initial = self._take(1)[0]
        return _READ[initial >> 5](self, initial & 31, depth)

    def _take(self, count: int) -> bytes:
        start, self.at = self.at, self.at + count
        if self.at > len(self.data):
            raise _refuse("truncated", "The bytes end too early.")
        return self.data[start : self.at]

    def _argument(self, info: int) -> int:
        """The number in a head (RFC 8949 §3), shortest form only."""
        if info < _ONE_BYTE:
            return info
        if info > _EIGHT_BYTES:
            raise _refuse("not-deterministic", "An indefinite length or a reserved head.")
        number = int.from_bytes(self._take(1 << (info - _ONE_BYTE)), "big")
        if number < _SHORTEST[info]:
            raise _refuse("not-deterministic", "A number is longer than it need be.")
        return number

    def unsigned(self, info: int, _: int) -> int:
        return self._argument(info)

    def negative(self, info: int, _: int) -> int:
        number = -1 - self._argument(info)
        if number < -(1 << 63):
            raise _refuse("range", "An integer is out of range.")
        return number

    def octets(self, info: int, _: int) -> bytes:
        return self._take(self._argument(info))

    def text(self, info: int, _: int) -> str:
        try:
            return self._take(self._argument(info)).decode()
        except UnicodeDecodeError:
            raise _refuse("utf8", "Text is not UTF-8.") from None

    def _open(self, info: int, depth: int, each: int) -> int:
        """Members of an array or map, refused before any is read when they cannot all be there."""
        if depth <= 0:
            raise _refuse("depth", "Nested too deep.")
        count = self._argument(info)
        if count * each > self.items:
            raise _refuse("items", "Too many items.")
        return count

    def array(self, info: int, depth: int) -> list[Any]:
        return [self.value(depth - 1) for _ in range(self._open(info, depth, 1))]

    def mapping(self, info: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        last = b""
        for _ in range(self._open(info, depth, 2)):
            start = self.at
            key = self._key()
            raw = self.data[start : self.at]
            if raw <= last:
                code = "duplicate-key" if raw == last else "not-deterministic"
                raise _refuse(code, "The keys of a map are repeated or not in order.")
            last, found[key] = raw, self.value(depth - 1)
        return found

    def _key(self) -> int | str:
        """Text, or an integer up to 23 (COSE headers): of these, all known orderings of keys agree."""
        key = self.value(0)
        if isinstance(key, str) or (type(key) is int and 0 <= key < _ONE_BYTE):
            return key
        raise _refuse("type", "A map has a key that is neither text nor a small number.")

    def tag(self, _: int, __: int) -> Any:
        raise _refuse("type", "Tags are not read.")

    def simple(self, info: int, _: int) -> bool | None:
        if info not in _SIMPLE:
            raise _refuse("type", "Floats and other simple values are not read.")
        return _SIMPLE[info]


_ONE_BYTE: Final = 24
_EIGHT_BYTES: Final = 27
_SHORTEST: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
_SIMPLE: Final = {20: False, 21: True, 22: None}
_READ: Final[tuple[Callable[[_Reader, int, int], Any], ...]] = (
    _Reader.unsigned,
    _Reader.negative,
    _Reader.octets,
    _Reader.text,
    _Reader.array,
    _Reader.mapping,
    _Reader.tag,
    _Reader.simple,
)
