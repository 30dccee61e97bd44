"""The pages as one ASGI application: routes, guard, refusals in words, and the content policy of every answer."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Litestar, Response
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from rilon.errors import FatalError, RilonError
from rilon.front.problems import INTERNAL, Problem, Refusals, of_error, of_http, respond
from rilon.front.services import Services
from rilon.web import (
    acts,
    chains,
    circles,
    decide,
    files,
    guide,
    inbox,
    items,
    keys,
    links,
    live,
    measures,
    outbox,
    overview,
    past,
    peers,
    people,
    pictures,
    provider,
    reach,
    rules,
    share,
    signin,
    teams,
    tongue,
    write,
)
from rilon.web.again import sent, shown_again
from rilon.web.faults import Fault, named
from rilon.web.language import gettext, speaking
from rilon.web.render import AnyRequest, page, wants_part
from rilon.web.sentences import plainly
from rilon.web.sessions import CLEAR, Doorkeeper, SignedOutError

MAX_BODY_BYTES: Final = 256 * 1024
PACKED: Final = 5
"""Of gzip: the form of an alert, 45 kB, takes 0.8 ms so and 2.4 ms by the slowest way, which makes it 1 % smaller."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; worker-src 'self'; trusted-types htmx"
)
"""Nothing inline, nothing from elsewhere, nothing evaluated, nowhere framed."""
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (
        b"permissions-policy",
        b"publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=()",
    ),
    (b"x-frame-options", b"DENY"),
)

HANDLERS: Final = (
    *signin.HANDLERS,
    *provider.HANDLERS,
    *inbox.HANDLERS,
    *items.HANDLERS,
    *write.HANDLERS,
    *outbox.HANDLERS,
    *share.HANDLERS,
    *decide.HANDLERS,
    *overview.HANDLERS,
    *links.HANDLERS,
    *people.HANDLERS,
    *rules.HANDLERS,
    *circles.HANDLERS,
    *reach.HANDLERS,
    *teams.HANDLERS,
    *acts.HANDLERS,
    *files.HANDLERS,
    *peers.HANDLERS,
    *guide.HANDLERS,
    *keys.HANDLERS,
    *past.HANDLERS,
    *pictures.HANDLERS,
    *measures.HANDLERS,
    *chains.HANDLERS,
    *live.HANDLERS,
    *tongue.HANDLERS,
)


def create_pages(services: Services) -> ASGIApp:
    """The pages without the edge around them."""

    async def provide_services() -> Services:
        return services

    async def provide_door() -> Doorkeeper:
        return door

    async def provide_album() -> pictures.Album:
        return album

    album = pictures.Album(services)
    packed = CompressionConfig(backend="gzip", gzip_compress_level=PACKED, exclude=["^/live"], minimum_size=500)
    door, refusals = Doorkeeper(services), _Refusals(services)
    app = Litestar(
        list(HANDLERS),
        guards=[door.admit],
        dependencies={
            "services": Provide(provide_services),
            "door": Provide(provide_door),
            "album": Provide(provide_album),
        },
        exception_handlers={
            SignedOutError: refusals.signed_out,
            RilonError: refusals.error,
            HTTPException: refusals.http,
            Exception: refusals.unforeseen,
        },
        request_max_body_size=MAX_BODY_BYTES,
        compression_config=packed,
        openapi_config=None,
        logging_config=None,
    )
    return speaking(_with_policy(shown_again(app)))


def _with_policy(app: ASGIApp) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await app(scope, receive, tell)

    return guarded


class _Refusals:
    """What a person reads when something is refused."""

    def __init__(self, services: Services) -> None:
        self._services, self._plain = services, Refusals(services.fatal)

    def signed_out(self, request: AnyRequest, error: SignedOutError) -> Response[Any]:
        """Lead to sign-in; what is open in the browser goes there as a whole, and what it keeps of an ended session."""
        clear = CLEAR if error.ended else {}
        if wants_part(request):
            return Response("", status_code=HTTPStatus.UNAUTHORIZED, headers={"hx-redirect": "/sign-in", **clear})
        if request.method == "GET" and request.url.path not in {"/live", "/outbox/key"}:
            return Redirect("/sign-in", status_code=303, headers=clear)
        return self._show(request, of_http(HTTPException(status_code=401)), clear)

    def error(self, request: AnyRequest, error: RilonError) -> Response[Any]:
        """What RILON refuses on purpose."""
        if isinstance(error, FatalError):
            return self._plain.error(request, error)
        found, form = of_error(error), sent(request.scope)
        if form.error is None:  # of the form itself, not of a page that was asked for it
            form.error, form.status = error, found.status
        return self._show(request, found, told=named(error))

    def http(self, request: AnyRequest, error: HTTPException) -> Response[Any]:
        """What the framework refuses."""
        if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.unforeseen(request, error)
        return self._show(request, of_http(error), error.headers)

    def unforeseen(self, request: AnyRequest, error: Exception) -> Response[Any]:
        """Everything else; the log gets its place in the program, the person gets no more than that it happened."""
        self._plain.unforeseen(request, error)
        return self._show(request, INTERNAL)

    def _show(
        self, request: AnyRequest, found: Problem, headers: Any = None, told: Sequence[Fault] = ()
    ) -> Response[Any]:
        if request.headers.get("content-type", "").startswith(("application/json", "application/cbor", files.UPLOAD)):
            return respond(_in_words(found, told), headers)
        facts: dict[str, Any] = {"found": found, "told": told, "written": sent(request.scope).written}
        shown = page(request, self._services, "refused.html", status=found.status, **facts)
        shown.headers.update(headers or {})
        return shown


def _in_words(found: Problem, told: Sequence[Fault]) -> Problem:
    """A refusal in the reader's language, for what the page's program shows as it is."""
    detail = " ".join(_line(each) for each in told) or plainly(found.detail)
    fix = "" if told else plainly(found.fix)
    return msgspec.structs.replace(found, title=gettext(found.title), detail=detail, fix=fix, problems=())


def _line(told: Fault) -> str:
    name = f"{told.label}: " if told.label else ""
    return f"{name}{plainly(told.message)} {plainly(told.fix)}".strip()
