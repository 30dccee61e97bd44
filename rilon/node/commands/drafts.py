"""A draft from a file, from options, or from both: the options win."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import rich_click as click

from rilon.domain.values import Urgency
from rilon.errors import MalformedError

LIMIT_BYTES = 256 * 1024
"""As the API's: larger than any honest draft."""


def draft_options(command: Callable[..., None]) -> Callable[..., None]:
    """A draft: the command gets it as ``draft``, JSON-like, as the API reads it."""

    @click.argument("file", required=False, metavar="[FILE]", type=click.Path(allow_dash=True, dir_okay=False))
    @click.option("--kind", metavar="KIND", help="Kind of alert, such as DOC-FRAUD.")
    @click.option(
        "--field",
        "fields",
        multiple=True,
        metavar="NAME=TEXT",
        help="A field's text; NAME:=JSON for a number or a list. May come several times.",
    )
    @click.option("--to", metavar="MEMBERS", help="Whom it is for: th,id …, a circle by its name, or everyone.")
    @click.option("--readers", metavar="READERS", help="Who may read it there: entitled, agency:CODE, desk:CODE …")
    @click.option("--home", metavar="READERS", help="Who may read it at this node.  [default: by its TLP]")
    @click.option("--rescue", multiple=True, metavar="MEMBER=DESK", help="A rescue desk there, when a life is at risk.")
    @click.option("--source", "sources", multiple=True, metavar="MEMBER/ID", help="An item it is made of.")
    @click.option("--handling", multiple=True, metavar="MARK=TEXT", help="A mark, such as tlp=TLP:AMBER; also :=JSON.")
    @click.option("--grade", metavar="SCHEME,SOURCE,INFORMATION", help="Such as admiralty_6x6,B,2.")
    @click.option("--urgency", type=click.Choice([*map(str, Urgency)]), help="How fast to act.")
    @wraps(command)
    def with_draft(file: str | None, **rest: Any) -> None:
        names = ("kind", "fields", "to", "readers", "home", "rescue", "sources", "handling", "grade", "urgency")
        command(draft=draft_of(file, **{name: rest.pop(name) for name in names}), **rest)

    return with_draft


def draft_of(
    file: str | None,
    kind: str | None,
    fields: Sequence[str],
    to: str | None,
    readers: str | None,
    home: str | None,
    rescue: Sequence[str],
    sources: Sequence[str],
    handling: Sequence[str],
    grade: str | None,
    urgency: str | None,
) -> dict[str, Any]:
    """Put a draft together; what is wrong with it is the node's to say.

    Raises:
        MalformedError: ``draft.file``: no JSON object. UsageError: an option cannot be read.
    """
    draft = read_file(file) if file else {}
    if not (file or kind):
        raise click.UsageError("Give a FILE, or --kind and --field.")
    draft |= {"kind": kind} if kind else {}
    draft |= {"urgency": urgency} if urgency else {}
    draft["fields"] = draft.get("fields", {}) | dict(map(_pair, fields))
    if sources:
        draft["sources"] = [dict(zip(("origin", "item"), s.split("/", 1), strict=False)) for s in sources]
    if handling:
        draft["handling"] = draft.get("handling", {}) | dict(map(_pair, handling))
    if grade:
        draft["grade"] = _grade(grade)
    audience = draft.get("audience", {}) | (_audience(to) if to else {})
    named = {"readers": readers, "home": home}
    if rescue:
        audience["rescue"] = audience.get("rescue", {}) | dict(map(_pair, rescue))
    draft["audience"] = audience | {name: text.split(",") for name, text in named.items() if text}
    return draft


def read_file(name: str) -> dict[str, Any]:
    """The JSON object of a file, or of stdin for ``-``.

    Raises:
        MalformedError: ``draft.file``.
    """
    try:
        raw = sys.stdin.buffer.read(LIMIT_BYTES + 1) if name == "-" else Path(name).read_bytes()
        found = json.loads(raw) if len(raw) <= LIMIT_BYTES else None
    except OSError as error:
        raise MalformedError("draft.file", f"{name} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise MalformedError("draft.file", f"{name} is no JSON object.", fix="docs/cli.md shows how one looks.")
    return found


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.rstrip(":"):
        raise click.UsageError(f"“{text}” is not NAME=TEXT or NAME:=JSON.")
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], json.loads(value)
    except ValueError:
        raise click.UsageError(f"“{text}” is not NAME:=JSON.") from None


def _grade(text: str) -> dict[str, str]:
    scheme, *codes = text.split(",")
    if not 1 <= len(codes) <= 2:  # noqa: PLR2004  a scheme may grade the information only
        raise click.UsageError("A grade is SCHEME,SOURCE,INFORMATION, such as admiralty_6x6,B,2.")
    return dict(zip(("information", "source"), reversed(codes), strict=False)) | {"scheme": scheme}


def _audience(to: str) -> dict[str, Any]:
    names = [name.strip() for name in to.lower().split(",")]
    circle = next((n for n in names if "." in n), "")
    members = [n for n in names if n not in {"everyone", circle}]
    return {"everyone": "everyone" in names, "members": members} | ({"circle": circle} if circle else {})
