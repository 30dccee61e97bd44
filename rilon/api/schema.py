"""The API's own description: OpenAPI 3.1, made from the handlers and from the very types that read and write.

Schemas come from msgspec, which also validates by them, so nested patterns and limits are said as they are enforced
(Litestar's own generator leaves out those of list items).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args, get_origin
from uuid import UUID

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.routes import HTTPRoute
from msgspec import structs

from rilon.api.access import ACTION, KEY_HEADER, KEY_PATTERN, PUBLIC
from rilon.api.examples import ANSWERS, BODIES
from rilon.domain.permissions import PERMISSIONS
from rilon.front.problems import MEDIA_TYPE, TITLES, Problem

BINARY: Final = "application/octet-stream"
REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {"$ref": "#/components/responses/Problem"}
_READ: Final = (401, 403, 404, 422, 429, 500, 503)
_WRITTEN: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)

_ABOUT: Final = """JSON for every action of a node.

Every request but the public ones carries a bearer token; every command an Idempotency-Key, under which it is done once.
Errors are problems (RFC 9457). Bytes are base64, instants RFC 3339 in UTC. See docs/api.md.
"""

Operation = dict[str, Any]


@get("/openapi.json", opt=PUBLIC)
async def read_schema(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Describe this API (OpenAPI 3.1)."""
    state = request.app.state
    if "openapi" not in state:
        state["openapi"] = msgspec.json.encode(describe(request.app))
    return Response(state["openapi"], media_type="application/json")


def describe(api: Litestar) -> dict[str, Any]:
    """The whole description, in one order."""
    schemas = _Schemas()
    paths: dict[str, dict[str, Operation]] = {}
    for path, method, handler in sorted(_operations(api), key=lambda o: o[:2]):
        paths.setdefault(path, {})[method.lower()] = _operation(path, method, handler, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "RILON", "version": "1", "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "rilon_<officer>_<id>_<secret>"}
            },
            "responses": {
                "Problem": {"description": "Why not.", "content": {MEDIA_TYPE: {"schema": schemas.of(Problem)}}}
            },
            "schemas": schemas.components(),
        },
    }


class _Schemas:
    """JSON Schemas of types, shared by name."""

    def __init__(self) -> None:
        self._types: dict[str, Any] = {}

    def of(self, cls: Any) -> dict[str, Any]:
        """The schema of a type; what it refers to stands among the components."""
        (found,), components = msgspec.json.schema_components([cls], schema_hook=_hook, ref_template=REF)
        self._types |= components
        plain: dict[str, Any] = _plain(found)
        return plain

    def components(self) -> dict[str, Any]:
        return {name: _plain(schema) for name, schema in sorted(self._types.items())}


def _hook(cls: type) -> dict[str, Any]:
    """What has no schema of its own: a value of a kind's field."""
    if cls is object:
        return {"description": "What the kind of alert says (GET /v1/kinds)."}
    raise TypeError(cls)


def _plain(schema: Any) -> Any:
    """A schema whose patterns are ECMA's, as Python's anchors are not; and whose words every Python indents alike."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(inner) for key, inner in schema.items()}
    if isinstance(pattern := plain.get("pattern"), str):
        plain["pattern"] = re.sub(r"\\Z$", "$", re.sub(r"^\\A", "^", pattern))
    if isinstance(words := plain.get("description"), str):
        plain["description"] = inspect.cleandoc(words)
    return plain


def _operations(api: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in api.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                yield from ((route.path_format, m, handler) for m in handler.http_methods if m != "OPTIONS")


def _operation(path: str, method: str, handler: HTTPRouteHandler, schemas: _Schemas) -> Operation:
    name = handler.handler_name
    summary, _, more = inspect.cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    takes = handler.parsed_fn_signature.parameters
    told: Operation = {
        "operationId": name,
        "tags": [handler.fn.__module__.rpartition(".")[2]],
        "summary": summary.rstrip("."),
        "parameters": [*_places(path, takes), *_asked(takes, schemas), *_headers(takes)],
        "responses": _responses(handler, schemas, method),
    }
    if more:
        told["description"] = more
    if handler.opt.get("raw"):
        told["requestBody"] = {"required": True, "content": {BINARY: {}}}
    if "data" in takes:
        content = {"schema": schemas.of(takes["data"].annotation)} | _example(BODIES.get(name))
        told["requestBody"] = {"required": True, "content": {"application/json": content}}
    return told | _who(handler)


def _who(handler: HTTPRouteHandler) -> Operation:
    action = handler.opt.get(ACTION)
    if action is None:
        return {"security": []}
    return {"x-rilon-action": action, "x-rilon-roles": sorted(PERMISSIONS[action])}


def _places(path: str, takes: Mapping[str, Any]) -> Iterator[Operation]:
    for name in re.findall(r"\{(\w+)\}", path):
        schema = {"type": "string"} | ({"format": "uuid"} if takes[name].annotation is UUID else {})
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _asked(takes: Mapping[str, Any], schemas: _Schemas) -> Iterator[Operation]:
    if "asked" not in takes:
        return
    form = takes["asked"].annotation
    for field in structs.fields(form):
        schema = {} if field.required or field.default in {None, ()} else {"default": field.default}
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schemas.of(field.type) | schema,
        }


def _headers(takes: Mapping[str, Any]) -> Iterator[Operation]:
    if "key" in takes:
        schema = {"type": "string", "pattern": KEY_PATTERN}
        yield {"name": KEY_HEADER, "in": "header", "required": True, "schema": schema}
    if "file_name" in takes:
        named = {"type": "string", "maxLength": 1024}
        yield {"name": "Rilon-File-Name", "in": "header", "required": True, "schema": named}
    if "last_event_id" in takes:
        schema = {"type": "string", "pattern": "^[0-9]{1,18}$"}
        yield {"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema}


def _responses(handler: HTTPRouteHandler, schemas: _Schemas, method: str) -> Operation:
    status = handler.status_code
    refused: Iterable[int] = _WRITTEN if method != "GET" else _READ
    if handler.opt.get("public"):
        refused = (422, 429, 500)
    told = {str(status): _answer(handler, schemas)}
    return told | {str(refusal): _PROBLEM for refusal in refused if refusal in TITLES}


def _answer(handler: HTTPRouteHandler, schemas: _Schemas) -> Operation:
    returns = handler.parsed_fn_signature.return_type.annotation
    if returns is Stream:
        about = "Server-sent events: `notice`, each with its position as id and a Notice as data; comments as pings."
        return {"description": about, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    if get_origin(returns) is Response:
        (returns,) = get_args(returns)
    if handler.media_type == BINARY:
        return {"description": "The bytes.", "content": {BINARY: {}}}
    schema = {"type": "object"} if returns is bytes else schemas.of(returns)
    content = {"schema": schema} | _example(ANSWERS.get(handler.handler_name))
    return {"description": "Done." if schema else "", "content": {"application/json": content}}


def _example(example: Any) -> Operation:
    return {} if example is None else {"example": example}


HANDLERS = (read_schema,)
