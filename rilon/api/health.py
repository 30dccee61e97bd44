"""Whether the process lives, and whether it can serve: for whoever watches it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from litestar import Response, get

from rilon.api.access import PUBLIC, Node
from rilon.domain.values import Value
from rilon.errors import UnavailableError
from rilon.front.services import Check

CHECK_TIMEOUT_S: Final = 2.0


class Alive(Value, frozen=True):
    """The process answers."""

    alive: bool = True


class Part(Value, frozen=True):
    """A part of the node, and what is wrong with it in one sentence, or ""."""

    name: str
    ok: bool
    sentence: str


class Ready(Value, frozen=True):
    """Whether all parts work."""

    ready: bool
    parts: tuple[Part, ...]


@get("/health", opt=PUBLIC)
async def health() -> Alive:
    """Say that the process answers."""
    return Alive()


@get("/ready", opt=PUBLIC)
async def ready(services: Node) -> Response[Ready]:
    """Say whether the database, the log, the keyring, the views and the hub work; 503 with sentences otherwise."""
    parts = tuple(await asyncio.gather(*(_look(name, check) for name, check in services.checks.items())))
    well = all(part.ok for part in parts)
    return Response(Ready(well, parts), status_code=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


async def _look(name: str, check: Check) -> Part:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            sentence = await check()
    except TimeoutError:
        sentence = f"It did not answer within {CHECK_TIMEOUT_S:g} seconds."
    except UnavailableError as error:
        sentence = error.message
    return Part(name, not sentence, sentence)


HANDLERS = (health, ready)
