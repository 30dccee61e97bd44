"""What comes in, read strictly and once: JSON bodies and query strings become frozen structs, or a clear refusal.

Litestar's own conversion is lenient (``"5"`` is a number, the last of two equal keys wins, unknown query parameters are
ignored). A command's idempotency is judged by the meaning of its body, and an approver's words are evidence, so none of
this will do here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from msgspec import Struct

from rilon.domain.permissions import Caller
from rilon.errors import InvalidError, MalformedError
from rilon.front.problems import explain

MAX_BODY_BYTES: Final = 256 * 1024
"""Largest body: two sections at their largest. Longer papers are attachments."""

RAW: Final[dict[str, Any]] = {"raw": True}
"""``opt`` of a handler that reads the body by itself, as it comes."""

MAX_BAG_BODY_BYTES: Final = 28 * 1024 * 1024
"""Largest body that brings a courier bag: 20 MiB in base64."""

MAX_RULES_BODY_BYTES: Final = 1280 * 1024
"""Largest body that brings a rule file: 512 KiB, were every character escaped. What is over that is told its line."""

MAX_DEPTH: Final = 16
"""Deepest nesting of a body; a person with aliases inside a field inside a draft needs 6."""

T = TypeVar("T", bound=Struct)


class ApiRequest(Request[Caller, None, State]):
    """A request whose ``json()`` is the handler's struct, strictly read."""

    async def json(self) -> Any:
        """The body as the type that the handler declares for ``data``.

        Raises:
            HTTPException: 415: not declared as JSON. MalformedError: ``json.*``. InvalidError: ``body.*``.
        """
        if self.content_type[0] != "application/json":
            raise HTTPException(status_code=415)
        field = self.route_handler.parsed_data_field
        assert field is not None
        raw = await self.body()
        parse_json(raw)
        try:
            return msgspec.json.decode(raw, type=field.annotation)
        except msgspec.ValidationError as error:
            raise explain(error, field.annotation, "body") from None

    async def canonical_body(self) -> bytes:
        """The body's meaning as bytes: equal for equal JSON, however it was spaced and ordered; empty for none."""
        raw = await self.body()
        return msgspec.json.encode(parse_json(raw), order="deterministic") if raw else b""


def parse_json(raw: bytes) -> Any:
    """Read JSON that has one meaning only.

    Raises:
        MalformedError: ``json.malformed``, ``json.depth`` or ``json.repeated``.
    """
    try:
        found = msgspec.json.decode(raw)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MalformedError("json.malformed", "This is not JSON.") from None
    _check_depth(found)
    json.loads(raw, object_pairs_hook=_unique)
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _within(outer)]
    if level:
        raise _too_deep()


def _within(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> MalformedError:
    return MalformedError("json.depth", f"The JSON is nested deeper than {MAX_DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object with two values for one key: two readers of it would read two things."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise MalformedError("json.repeated", "An object has two values for one key.", fix="Keep one of them.")


def reads(form: type[T]) -> Provide:
    """A dependency that reads the query string as a struct; a handler takes it as ``asked``."""

    async def asked(request: Request[Any, Any, Any]) -> T:
        return parse_query(request.query_params.multi_items(), form)

    return Provide(asked)


def parse_query(pairs: Iterable[tuple[str, str]], form: type[T]) -> T:
    """Read query parameters as a struct; a field that holds several values may come several times.

    Raises:
        InvalidError: ``query.*``. MalformedError: ``query.repeated``.
    """
    several = {f.encode_name for f in msgspec.structs.fields(form) if f.default_factory is tuple or f.default == ()}
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in several:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise MalformedError("query.repeated", "A parameter stands twice.", fix="Keep one of them.")
        else:
            found[name] = value
    try:
        return msgspec.convert(found, form, strict=False)
    except msgspec.ValidationError as error:
        raise explain(error, form, "query") from None


async def check_parts(request: Request[Any, Any, Any]) -> None:
    """Refuse what a route does not take, and the absence of what it needs.

    Raises:
        InvalidError: ``query.unknown``, ``body.unexpected`` or ``body.absent``.
    """
    takes = request.route_handler.parsed_fn_signature.parameters
    if "asked" not in takes and request.scope["query_string"]:
        raise InvalidError("query.unknown", "This takes no query.", fix="Leave it out.")
    if request.route_handler.opt.get("raw"):
        return
    if bool(await request.body()) != ("data" in takes):
        if "data" in takes:
            raise InvalidError("body.absent", "This needs a body.", fix="Send JSON.")
        raise InvalidError("body.unexpected", "This takes no body.", fix="Leave it out.")
