"""“May I share this?” without any case data, the same answer again by its reference, and “why do I see this?”.

A question is codes only, so it stands in the page's address: it can be kept, sent to a colleague, and asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from rilon.domain.handling import Readers, Tlp
from rilon.domain.kinds import KINDS
from rilon.domain.legal import INSTRUMENTS, Instrument
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import Action
from rilon.domain.rules import STRICTNESS, Consent, Finding
from rilon.domain.share import Answer, CellSays, Condition, Says, Share
from rilon.domain.values import Purpose, Sensitivity, Urgency
from rilon.errors import InvalidError, RilonError
from rilon.web.render import AnyRequest, page, wants_part
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

_SEVERAL = ("members", "sections", "purposes")
_ONE = ("kind", "urgency", "tlp", "readers", "consent")


@dataclass(frozen=True, slots=True)
class Alike:
    """Members for whom the whole answer is the same, with their cells; a page says it once."""

    members: tuple[str, ...]
    cells: tuple[CellSays, ...]
    says: Says


@get("/may-i-share", opt=needs(Action.PREVIEW))
async def may_i_share(request: AnyRequest, services: Node) -> Response[str]:
    """The question, and its answer as soon as it is whole."""
    form = _form(request)
    answer, fault = None, None
    if form["kind"]:
        try:
            answer = await services.explain.may_share(caller_of(request), _question(form))
        except RilonError as error:
            fault = error
    if wants_part(request):
        return page(request, services, "answer.html", **_told(answer), fault=fault)
    directory = await services.directory.current()
    return page(
        request,
        services,
        "share.html",
        **_told(answer),
        fault=fault,
        form=form,
        families=[(f, list(kinds)) for f, kinds in groupby(sorted(KINDS.values(), key=_place), key=lambda k: k.family)],
        members=[MEMBERS[m] for m in directory.peers],
        sections=tuple(Sensitivity),
        purposes=tuple(Purpose),
        tlps=tuple(Tlp),
        urgencies=tuple(Urgency),
        readers=tuple(Readers),
        consents=tuple(Consent),
    )


@get("/explained", opt=needs(Action.USE))
async def explained(request: AnyRequest, services: Node) -> Response[str]:
    """The answer of a reference, as it was: the officer's own, or any for an auditor."""
    found = await services.explain.again(caller_of(request), request.query_params.get("reference", ""))
    if isinstance(found, Answer):
        return page(request, services, "explained.html", **_told(found), fault=None)
    return page(request, services, "why.html", sight=found)


@get("/items/{origin:str}/{item:uuid}/why", opt=needs(Action.READ_BOARD))
async def why(origin: FromPath[str], item: FromPath[UUID], request: AnyRequest, services: Node) -> Response[str]:
    """What the caller sees of an item and why; absent and not for them are told alike."""
    return page(request, services, "why.html", sight=await services.explain.why(caller_of(request), origin, item))


def _form(request: AnyRequest) -> dict[str, Any]:
    """The address's query as the form that made it."""
    query = request.query_params
    return {name: query.get(name, "") for name in (*_ONE, "everyone")} | {
        n: [v for v in query.getall(n, []) if v] for n in _SEVERAL
    }


def _question(form: dict[str, Any]) -> Share:
    """Raises InvalidError: ``share.value``: a choice that the page does not offer."""
    given = {name: form[name] for name in (*_ONE, *_SEVERAL) if form[name]}
    try:
        return msgspec.convert(given | {"everyone": form["everyone"] == "yes"}, Share)
    except msgspec.ValidationError:
        raise InvalidError("share.value", "Something of it is none of what can be chosen.") from None


def _place(kind: Any) -> tuple[str, str]:
    return kind.family, kind.name


def _told(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"answer": None}
    return {
        "answer": answer,
        "groups": alike(answer.cells),
        "conditions": _conditions(answer.cells),
        "laws": _laws(f for c in answer.cells for f in c.findings),
        "ordered_findings": strictest_first,
    }


def alike(cells: Sequence[CellSays]) -> list[Alike]:
    """Members with the same answer together; the strictest first."""
    found: dict[tuple[CellSays, ...], list[str]] = {}
    for member, own in groupby(sorted(cells, key=lambda c: c.recipient), key=lambda c: c.recipient):
        found.setdefault(tuple(msgspec.structs.replace(c, recipient="any") for c in own), []).append(member)
    order = list(Says).index
    groups = [Alike(tuple(m), c, max((x.says for x in c), key=order)) for c, m in found.items()]
    return sorted(groups, key=lambda g: -order(g.says))


def strictest_first(findings: Iterable[Finding]) -> list[Finding]:
    """What decides stands above what agrees."""
    return sorted(findings, key=lambda f: -STRICTNESS[f.effect])


def _conditions(cells: Sequence[CellSays]) -> list[Condition]:
    return list(dict.fromkeys(condition for cell in cells for condition in cell.conditions))


def _laws(findings: Iterable[Finding]) -> list[Instrument]:
    """Each instrument that was cited, once; a Member's own laws stand with their findings."""
    return [INSTRUMENTS[basis] for basis in dict.fromkeys(f.basis for f in findings) if basis in INSTRUMENTS]


HANDLERS = (may_i_share, explained, why)
