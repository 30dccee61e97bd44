"""What pages send: forms and the small JSON of passkeys, read with limits before anything is done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from rilon.errors import MalformedError
from rilon.web.again import sent

MAX_FIELDS: Final = 2000
T = TypeVar("T", bound=msgspec.Struct)


async def read_form(request: Any) -> dict[str, list[str]]:
    """A form's values by name, in the order they came.

    Raises:
        MalformedError: ``form.malformed``: no form, not UTF-8, or more fields than any page has.
    """
    if request.content_type[0] != "application/x-www-form-urlencoded":
        raise no_form()
    form = sent(request.scope).form = parse_form(await request.body())
    return form


def parse_form(body: bytes) -> dict[str, list[str]]:
    """The same of a form that came another way.

    Raises:
        MalformedError: ``form.malformed``.
    """
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise no_form() from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return found


def one(form: Mapping[str, Sequence[str]], name: str) -> str:
    """A value that stands once; "" when it is not there. Raises MalformedError when it stands twice."""
    values = form.get(name, [""])
    if len(values) != 1:
        raise no_form()
    return values[0]


def hexed(form: Mapping[str, Sequence[str]], name: str) -> bytes:
    """Bytes that stand once, in hexadecimal. Raises MalformedError."""
    try:
        return bytes.fromhex(one(form, name))
    except ValueError:
        raise no_form() from None


async def read_json(request: Any, form: type[T]) -> T:
    """A JSON body as a struct.

    Raises:
        MalformedError: ``form.malformed``.
    """
    if request.content_type[0] != "application/json":
        raise no_form()
    try:
        return msgspec.json.decode(await request.body(), type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise no_form() from None


def no_form() -> MalformedError:
    """What is said of everything that no page of ours sends."""
    return MalformedError("form.malformed", "That form cannot be read.", fix="Load the page again.")
