"""Pages out of templates: one environment, autoescaped, strict about what is missing; and the frame every page has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any, Final, TypeVar

import jinja2
from litestar import Request, Response

from rilon.app.access_desk import Present
from rilon.domain.conditions import in_words
from rilon.domain.permissions import Action, Caller
from rilon.front.services import Services
from rilon.web import forms, language, sentences, words
from rilon.web.again import sent
from rilon.web.done import told
from rilon.web.language import LANGUAGES, mark, spoken

HTML: Final = "text/html"
NAV: Final = (
    ("/inbox", mark("Inbox"), Action.READ_BOARD),
    ("/new", mark("New alert"), Action.POST),
    ("/may-i-share", mark("May I share?"), Action.PREVIEW),
    ("/approvals", mark("Approvals"), Action.SEE_APPROVALS),
    ("/deliveries", mark("Deliveries"), Action.SEE_DELIVERIES),
    ("/circles", mark("Circles"), Action.SEE_CIRCLES),
    ("/pictures", mark("Pictures"), Action.READ_BOARD),
    ("/past", mark("The past"), Action.REPLAY),
)
"""Path, words, and what somebody must be allowed to see it."""
MANAGE: Final = (
    ("/network", mark("Network"), Action.SEE_LINKS),
    ("/people", mark("People"), Action.SEE_OFFICERS),
    ("/rules", mark("Rule book"), Action.SEE_RULES),
    ("/keys", mark("Keys and terms"), Action.SEE_LINKS),
)
"""The same, of what is looked after now and then; it stands together behind one word."""

AnyRequest = Request[Any, Any, Any]
Content = TypeVar("Content", str, bytes)


@cache
def environment() -> jinja2.Environment:
    """The one environment. A template's words pass ``_``; sentences of the rules and of refusals pass ``said``."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("rilon.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals |= {
        "word": words.word,
        "human": words.human,
        "member_name": words.member_name,
        "kind_name": words.kind_name,
        "country_name": words.country_name,
        "title_of": words.title,
        "spelled": words.spelled,
        "ordered": words.ordered,
        "article": words.article,
        "instrument": words.instrument_name,
        "shown": forms.shown,
        "touched": forms.touched,
        "when": language.when,
        "age": language.age,
        "took": language.took,
        "said": sentences.said,
        "obliged": in_words,
        "asset": asset,
    }
    return env


def home(caller: Caller) -> str:
    """The first page somebody may see."""
    return next(path for path, _, action in (*NAV, *MANAGE, ("/me", "", Action.USE)) if caller.may(action))


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
        "nav": [(p, language.gettext(w)) for p, w, action in NAV if caller and caller.may(action)],
        "managed": [(p, language.gettext(w)) for p, w, action in MANAGE if caller and caller.may(action)],
        "language": spoken(),
        "languages": LANGUAGES.values(),
        "here": _here(request) if status < HTTPStatus.BAD_REQUEST else "/",
        "told": told(template, request.query_params.get("done", "")),
        "path": request.url.path,
        "part": part(request),
        "now": services.clock.now(),
        "may": lambda action: caller is not None and caller.may(Action[action]),
    }
    text, form = render(template, frame | more), sent(request.scope)
    if form.error and status < HTTPStatus.BAD_REQUEST:
        text, status = form.into(text, lambda found: render("again.html", frame | {"faults": found})), form.status
    return Response(text, status_code=status, media_type=HTML)


def saved(name: str, content: Content, media_type: str) -> Response[Content]:
    """A file that a browser keeps and does not show."""
    kept = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=kept)


def _here(request: AnyRequest) -> str:
    """Where to come back to; what was sent has no address of its own."""
    if request.method != "GET":
        return "/"
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.url.path}?{query}" if query else request.url.path


def wants_part(request: AnyRequest) -> bool:
    """Whether htmx asked, for a part of the page that is open already."""
    return request.headers.get("hx-request") == "true"


def part(request: AnyRequest) -> str:
    """The id of the one part of an open page that htmx takes out of the answer; "" where it takes all."""
    return request.headers.get("hx-target", "").partition("#")[2] if wants_part(request) else ""
