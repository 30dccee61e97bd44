"""Pages out of templates: one environment, autoescaped, strict about what is missing; and the frame every page has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from litestar import Request, Response

from rilon.app.access_desk import Present
from rilon.domain.permissions import Action, Caller
from rilon.front.services import Services
from rilon.web import forms, words

HTML: Final = "text/html; charset=utf-8"
NAV: Final = (
    ("/inbox", "Inbox", Action.READ_BOARD),
    ("/new", "New alert", Action.POST),
    ("/may-i-share", "May I share?", Action.PREVIEW),
    ("/approvals", "Approvals", Action.SEE_APPROVALS),
    ("/deliveries", "Deliveries", Action.SEE_DELIVERIES),
    ("/network", "Network", Action.SEE_LINKS),
    ("/people", "People", Action.SEE_OFFICERS),
    ("/rules", "Rule book", Action.SEE_RULES),
    ("/past", "The past", Action.REPLAY),
)
"""Path, words, and what somebody must be allowed to see it."""

AnyRequest = Request[Any, Any, Any]


@cache
def environment() -> jinja2.Environment:
    """The one environment. Texts pass ``_`` and ``trans`` so that catalogues can translate them."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("rilon.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    env.globals |= {
        "word": words.word,
        "human": words.human,
        "member_name": words.member_name,
        "kind_name": words.kind_name,
        "title_of": words.title,
        "lines": words.lines,
        "ordered": words.ordered,
        "article": words.article,
        "instrument": words.instrument_name,
        "shown": forms.shown,
        "when": words.when,
        "age": words.age,
        "asset": asset,
    }
    return env


def home(caller: Caller) -> str:
    """The first page somebody may see."""
    return next(path for path, _, action in (*NAV, ("/me", "", Action.USE)) if caller.may(action))


@cache
def static(name: str) -> bytes:
    """A built asset. Raises FileNotFoundError."""
    return resources.files("rilon.web").joinpath("static", name).read_bytes()


@cache
def asset(name: str) -> str:
    """The address of an asset, which changes with its content, so that browsers keep it for ever."""
    return f"/static/{name}?v={hashlib.sha256(static(name)).hexdigest()[:16]}"


def render(template: str, context: Mapping[str, Any]) -> str:
    """A template as text."""
    return environment().get_template(template).render(context)


def page(
    request: AnyRequest,
    services: Services,
    template: str,
    *,
    status: int = 200,
    **more: Any,
) -> Response[str]:
    """A whole page, or with htmx just what it asked for."""
    present: Present | None = request.scope.get("user")
    caller = present.caller if present else None
    frame = {
        "me": services.me,
        "world": services.world,
        "soft": services.soft_keys is not None,
        "caller": caller,
        "nav": [(p, w) for p, w, action in NAV if caller and caller.may(action)],
        "path": request.url.path,
        "now": services.clock.now(),
        "may": lambda action: caller is not None and caller.may(Action[action]),
    }
    text = render(template, frame | more)
    return Response(text, status_code=status, media_type=HTML)


def wants_part(request: AnyRequest) -> bool:
    """Whether htmx asked, for a part of the page that is open already."""
    return request.headers.get("hx-request") == "true"
