"""The API as one ASGI application: its routes, its guard, its refusals; and around it the edge."""

from __future__ import annotations

from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from rilon.api import (
    alerts,
    approvals,
    attachments,
    audit,
    board,
    circles,
    explain,
    health,
    items,
    links,
    notices,
    officers,
    onward,
    pictures,
    reach,
    recalls,
    reference,
    rules,
    schema,
    teams,
)
from rilon.api.access import Gate, provide_caller, provide_key
from rilon.api.requests import MAX_BODY_BYTES, ApiRequest, check_parts
from rilon.errors import RilonError
from rilon.front.edge import Edge
from rilon.front.problems import Refusals
from rilon.front.services import Services

PREFIX: Final = "/v1"

HANDLERS: Final = (
    *alerts.HANDLERS,
    *attachments.HANDLERS,
    *approvals.HANDLERS,
    *board.HANDLERS,
    *pictures.HANDLERS,
    *circles.HANDLERS,
    *items.HANDLERS,
    *recalls.HANDLERS,
    *onward.HANDLERS,
    *links.HANDLERS,
    *rules.HANDLERS,
    *explain.HANDLERS,
    *officers.HANDLERS,
    *audit.HANDLERS,
    *reference.HANDLERS,
    *notices.HANDLERS,
    *reach.HANDLERS,
    *teams.HANDLERS,
    *health.HANDLERS,
    *schema.HANDLERS,
)


def create_app(services: Services) -> ASGIApp:
    """The application to serve."""
    return Edge(create_api(services), services.clock, services.hosts, services.world)


def create_api(services: Services) -> Litestar:
    """The API without its edge."""

    async def provide_services() -> Services:
        return services

    refusals = Refusals(services.fatal)
    return Litestar(
        [Router(PREFIX, route_handlers=HANDLERS)],
        guards=[Gate(services).admit],
        before_request=check_parts,
        dependencies={
            "services": Provide(provide_services),
            "caller": Provide(provide_caller),
            "key": Provide(provide_key),
        },
        exception_handlers={
            RilonError: refusals.error,
            HTTPException: refusals.http,
            Exception: refusals.unforeseen,
        },
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )
