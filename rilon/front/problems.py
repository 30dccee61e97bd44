"""Every refusal as a problem (RFC 9457): one shape, one place where errors become answers.

What does not exist and what is not for the caller are one and the same answer, byte for byte. No value that came in
is quoted back, and an error that nobody foresaw says nothing but that it happened.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct

from rilon.domain.mends import mend
from rilon.domain.misread import misread
from rilon.errors import FatalError, InvalidError, NotFoundError, RilonError

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:rilon:"
RETRY_AFTER_S: Final = 2
"""When to come again after a 503: a database that restarts is back by then, or is not coming back by itself."""

log = logging.getLogger("rilon.front")

AnyRequest = Request[Any, Any, Any]


class Fault(Struct, frozen=True, omit_defaults=True):
    """One of several things that are wrong."""

    code: str
    detail: str
    field: str = ""
    fix: str = ""


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457.

    Attributes:
        type: ``urn:rilon:`` and a stable code. detail: one sentence for a person.
        field: the input field at fault, as a dotted path. fix: what would make it work.
        problems: each thing that is wrong, when there are several.
    """

    type: str
    title: str
    status: int
    detail: str
    field: str = ""
    fix: str = ""
    problems: tuple[Fault, ...] = ()

    @property
    def code(self) -> str:
        """The stable code."""
        return self.type.removeprefix(TYPE_PREFIX)


TITLES: Final[Mapping[int, str]] = {
    400: "This cannot be read",
    401: "Who you are is not known",
    403: "This is refused",
    404: "Not found",
    405: "Not that way",
    409: "Something came first",
    413: "Too large",
    415: "Not of a kind that is read here",
    422: "Something is wrong with it",
    429: "Too often",
    500: "Something went wrong",
    503: "Not just now",
}
"""One title a status, for people; programs go by ``type``."""


def problem(status: int, code: str, detail: str, field: str = "", fix: str = "") -> Problem:
    """A problem with the title its status has everywhere."""
    return Problem(f"{TYPE_PREFIX}{code}", TITLES[status], status, detail, field, fix)


NOT_FOUND: Final = problem(404, NotFoundError().code, NotFoundError().message)
"""Absent, of another world, not for you, no such route: told alike."""

INTERNAL: Final = problem(500, "internal", "Something went wrong here. It was noted; nothing more is known.")

MALFORMED: Final = problem(400, "http.malformed", "The request cannot be read.")
TOO_MANY: Final = problem(429, "http.too-many", "Too many requests.", "", "Wait as long as Retry-After says.")

_NO_TOKEN: Final = problem(
    401, "auth.token", "This token is not valid.", "", "Send a valid one: Authorization: Bearer rilon_..."
)
_METHOD: Final = problem(
    405, "http.method", "This cannot be done so.", "", "The Allow header names the methods that can."
)
_TOO_LARGE: Final = problem(
    413, "http.too-large", "The request is larger than any honest one.", "", "Send less than 256 KiB."
)
_NO_JSON: Final = problem(415, "http.media-type", "This is not JSON.", "", "Send Content-Type: application/json.")

_HTTP: Final[Mapping[int, Problem]] = {
    p.status: p for p in (_NO_TOKEN, NOT_FOUND, _METHOD, _TOO_LARGE, _NO_JSON, TOO_MANY)
}
"""What Litestar refuses before any desk is asked."""


def of_error(error: RilonError) -> Problem:
    """The problem that tells an error."""
    if isinstance(error, NotFoundError):
        return NOT_FOUND
    found = problem(error.status, error.code, error.message, error.field, error.fix)
    if isinstance(error, InvalidError) and len(error.problems) > 1:
        faults = tuple(Fault(p.code, p.message, p.field, p.fix) for p in error.problems)
        return msgspec.structs.replace(found, problems=faults)
    return found


def of_http(error: HTTPException) -> Problem:
    """The problem that tells what Litestar refused; its own words are dropped, for they quote the request."""
    return _HTTP.get(error.status_code, MALFORMED)


def mended(found: Problem) -> Problem:
    """The same, with what would mend it wherever the refusal did not say so itself."""
    faults = tuple(msgspec.structs.replace(each, fix=each.fix or mend(each.code)) for each in found.problems)
    return msgspec.structs.replace(found, fix=found.fix or mend(found.code), problems=faults)


def encode(found: Problem) -> bytes:
    """The body of the answer."""
    return msgspec.json.encode(found)


def respond(found: Problem, headers: Mapping[str, str] | None = None) -> Response[Problem]:
    """The answer."""
    return Response(found, status_code=found.status, media_type=MEDIA_TYPE, headers=headers)


class Refusals:
    """The exception handlers of the API.

    Args:
        fatal: told of a state that is unknown, so that the process ends.
    """

    def __init__(self, fatal: Callable[[FatalError], None]) -> None:
        self._fatal = fatal

    def error(self, request: AnyRequest, error: RilonError) -> Response[Problem]:
        """What RILON refuses on purpose."""
        if isinstance(error, FatalError):
            self._fatal(error)
            return self.unforeseen(request, error)
        again = {"retry-after": str(RETRY_AFTER_S)} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None
        return respond(mended(of_error(error)), again)

    def http(self, request: AnyRequest, error: HTTPException) -> Response[Problem]:
        """What Litestar refuses."""
        if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.unforeseen(request, error)
        return respond(mended(of_http(error)), error.headers)

    def unforeseen(self, request: AnyRequest, error: Exception) -> Response[Problem]:
        """Everything else: the edge is the only place that meets it.

        The log gets its class, route and place in the program: a message or a value could be what somebody wrote.
        """
        route = request.scope.get("path_template", "?")
        log.error("%s in %s %s at %s", type(error).__name__, request.method, route, _place(error))
        return respond(mended(INTERNAL))


def _place(error: Exception) -> str:
    """Where it was raised, as ``module.py:line``, innermost first; never what was in the variables."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def explain(error: msgspec.ValidationError, form: Any, part: str) -> InvalidError:
    """What a validation found, without the value it found it in.

    Args:
        form: the type that was asked for. part: ``body`` or ``query``.
    """
    found = misread(error, form)
    fix = found.fix or "The API's description says what belongs here."
    return InvalidError(f"{part}.{found.what}", found.message, field=found.field, fix=fix)
