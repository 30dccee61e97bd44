"""The past, for auditors: what this node held at any moment, who could see it by the rules of that day, and who did.

Read only, and no content: kinds, marks, sections and ids. The views are folded from the log by the live code.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import msgspec
from litestar import Response, get
from msgspec import structs

from rilon.audit.history import HistoryLine, history
from rilon.audit.replay import Held, Past
from rilon.domain.permissions import Action
from rilon.errors import InvalidError
from rilon.front.services import Services
from rilon.projections.officers import Enrolled
from rilon.web.pictures import as_file
from rilon.web.render import AnyRequest, page, saved, wants_part
from rilon.web.sessions import needs
from rilon.web.signin import Node

PAGE = 50
_DIGITS = 15
_HEAD: Final = (
    *("origin", "item", "version", "kind", "tlp", "urgency", "state", "basis", "posted"),
    *("what", "officer", "sections", "purpose", "at", "as_of_position", "as_of"),
)


@get("/past", opt=needs(Action.REPLAY))
async def past(request: AnyRequest, services: Node) -> Response[str]:
    """A moment of the past: by its place in the log, or by its time in UTC."""
    query, size = request.query_params, (await services.log.head()).size
    found, officers, seen_by = await _asked(request, services)
    told = await history(services.log, found.position - 1, 1) if found.position else []
    rows, following = _held(found, seen_by, _cursor(query.get("before", "")))
    more: dict[str, Any] = {
        "at": found.position,
        "moment": found.at,
        "event": told[0] if told else None,
        "facts": _facts(told[0]) if told else {},
        "rows": rows,
        "next": following,
        "seen_by": seen_by,
        "officers": officers,
        "size": size,
    }
    return page(request, services, "moment.html" if wants_part(request) else "past.html", **more)


@get("/past.csv", opt=needs(Action.REPLAY))
async def past_table(request: AnyRequest, services: Node) -> Response[str]:
    """All that was held at that moment: a line for each item, for each officer who could see it, for each opening."""
    found, _, seen_by = await _asked(request, services)
    rows = (row for held in _all(found, seen_by, services.me) for row in _rows(held))
    return as_file("past", [_HEAD, *((*row, found.position, found.at.isoformat()) for row in rows)])


@get("/past.jsonl", opt=needs(Action.REPLAY))
async def past_lines(request: AnyRequest, services: Node) -> Response[str]:
    """The same for programs: a line for each item, as ``GET /v1/replay/board`` tells it."""
    found, _, seen_by = await _asked(request, services)
    lines = (msgspec.json.encode(held).decode() + "\n" for held in _all(found, seen_by, services.me))
    return saved("past.jsonl", "".join(lines), "application/jsonl")


async def _asked(request: AnyRequest, services: Services) -> tuple[Past, list[Enrolled], str]:
    """The moment that is asked for, its officers, and which of them is looked through, if any."""
    query, size = request.query_params, (await services.log.head()).size
    found = await services.replays.at(_moment(query.get("at", ""), query.get("time", ""), size))
    officers = sorted(found.officers(), key=lambda o: o.ref)
    return found, officers, query.get("by", "") if query.get("by") in {o.ref for o in officers} else ""


def _all(past: Past, seen_by: str, me: str) -> Iterator[Held]:
    """What the page shows, with all its older pages."""
    for held in past.held():
        if _seen(held, seen_by):
            yield structs.replace(
                held,
                origin=held.origin or me,
                seen_by=tuple(s for s in held.seen_by if seen_by in {"", s.officer}),
                opened=tuple(o for o in held.opened if seen_by in {"", o.officer}),
            )


def _rows(held: Held) -> Iterator[tuple[object, ...]]:
    of = (held.origin, held.item, held.version, held.kind, held.tlp, held.urgency, held.state, held.basis)
    yield (*of, held.at.isoformat(), "held", "", "", "", "")
    for s in held.seen_by:
        yield (*of, held.at.isoformat(), "could open", s.officer, " ".join(s.sensitivities), "", "")
    for o in held.opened:
        yield (*of, held.at.isoformat(), "opened", o.officer, o.sensitivity, o.purpose, o.at.isoformat())


def _held(past: Past, seen_by: str, before: int | None) -> tuple[list[Held], int | None]:
    """A page of what was held, or of what one officer could see of it, and where the next begins.

    Looked at until the page is full: an auditor who reads that somebody could see nothing more may rely on it.
    """
    rows = list(islice((h for h in _before(past, before) if _seen(h, seen_by)), PAGE + 1))
    return rows[:PAGE], rows[PAGE - 1].position if len(rows) > PAGE else None


def _before(past: Past, before: int | None) -> Iterator[Held]:
    while held := past.held(before, PAGE):
        yield from held
        before = held[-1].position


def _seen(held: Held, by: str) -> bool:
    """Whether an officer could see it; "": whoever."""
    return not by or any(s.officer == by for s in held.seen_by)


def _cursor(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _moment(at: str, time: str, size: int) -> int | datetime:
    """Raises InvalidError: ``replay.position``, ``replay.time``."""
    if time:
        try:
            return datetime.fromisoformat(time).replace(tzinfo=UTC)
        except ValueError:
            raise InvalidError("replay.time", "That is no time.", field="time", fix="As in 2026-05-03T10:00.") from None
    if at and not (at.isascii() and at.isdigit() and len(at) <= _DIGITS and int(at) > 0):
        raise InvalidError("replay.position", "There is no such place in the log.", field="at", fix="Move the slider.")
    return int(at) if at else size


def _facts(line: HistoryLine) -> dict[str, str]:
    """An event's fields on one line each, as short as a person reads."""
    return {name: _short(value) for name, value in line.facts.items()}


def _short(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{value.hex()[:16]}…"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return str(value)


HANDLERS = (past, past_table, past_lines)
