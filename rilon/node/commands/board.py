"""``rilon board`` and ``rilon deliveries``: what has come, and how far what went has come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import rich_click as click

from rilon.domain.values import Urgency
from rilon.errors import NotFoundError, UnavailableError
from rilon.node.client import NodeClient
from rilon.node.commands.common import Api, answer, answer_json, api_options, json_option, note, say
from rilon.node.commands.items import ITEM, Ref
from rilon.node.commands.show import plain, show_board, show_deliveries, when

AGAIN_S: Final = 3.0
STATES: Final = ("live", "superseded", "withdrawn", "closed")

quiet_option = click.option("--quiet", is_flag=True, help="Show no titles: for a screen that others see.")
limit_option = click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200), help="Most rows.")


@click.command()
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind; may come several times.")
@click.option("--urgency", "urgencies", multiple=True, type=click.Choice([*map(str, Urgency)]))
@click.option("--from", "origins", multiple=True, metavar="MEMBER", help="Only items of this Member.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES))
@click.option("--own/--others", default=None, help="Only this Member's own items, or only others'.")
@click.option("--review-due", is_flag=True, help="Only what should have been looked at again by now.")
@click.option("--words", metavar="WORDS", help="All of them stand in the summary.")
@click.option("--since", type=click.DateTime(), help="What came from this day or time on (UTC).")
@limit_option
@quiet_option
@click.option("--follow", is_flag=True, help="Go on showing what comes, until Ctrl-C.")
@api_options
@json_option
def board(
    api: Api,
    kinds: Sequence[str],
    urgencies: Sequence[str],
    origins: Sequence[str],
    states: Sequence[str],
    own: bool | None,
    review_due: bool,
    words: str | None,
    since: datetime | None,
    limit: int,
    quiet: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Show the board of this Member, and go on showing it."""
    wanted = {
        "kind": [kind.upper() for kind in kinds],
        "urgency": list(urgencies),
        "origin": [origin.lower() for origin in origins],
    }
    found = api.get(
        "board",
        **wanted,
        state=list(states),
        own=None if own is None else str(own).lower(),
        review_due="true" if review_due else None,
        words=words,
        since=since.replace(tzinfo=UTC).isoformat() if since else None,
        limit=limit,
    )
    if as_json and not follow:
        answer_json(found)
    elif not as_json:
        show_board(found, quiet=quiet)
    if follow:
        newest = max((row["position"] for row in found["rows"]), default=None)
        with suppress(KeyboardInterrupt):
            asyncio.run(_follow(api, newest, wanted, quiet=quiet, as_json=as_json))


@click.command()
@click.argument("item", type=ITEM)
@api_options
@json_option
def deliveries(api: Api, item: Ref, as_json: bool) -> None:
    """Say how far an alert has come, country by country."""
    found = api.get(f"deliveries/{item.id}")
    answer(found, show_deliveries, as_json=as_json)


async def notices(node: NodeClient, after: int | None) -> AsyncIterator[dict[str, Any]]:
    """Notices for ever: a stream that ends is opened again after the last one it told."""
    while True:
        with suppress(UnavailableError):
            async for line in node.notices(after):
                if line.startswith("data:"):
                    told = json.loads(line[5:])
                    after = told["position"]
                    yield told
        await asyncio.sleep(AGAIN_S)


async def _follow(
    api: Api, after: int | None, wanted: Mapping[str, Sequence[str]], *, quiet: bool, as_json: bool
) -> None:
    async with api.open() as node:
        note("Listening …")
        async for told in notices(node, after):
            if any(values and told.get(name) not in values for name, values in wanted.items()):
                continue
            if as_json:
                say(json.dumps(told))
            else:
                say(_line(told, "" if quiet else await _title(node, told)))


def _line(told: Mapping[str, Any], title: str) -> str:
    item = f"{told['origin']}/{told['item']}" if "item" in told else told.get("circle") or told["origin"].upper()
    facts = (when(told["at"]), told["about"], told.get("kind"), told.get("urgency"), item, title)
    return "  ".join(fact for fact in facts if fact)


async def _title(node: NodeClient, told: Mapping[str, Any]) -> str:
    """The title, read as any officer reads it; a notice itself holds none."""
    try:
        row = await node.get(f"items/{told['origin']}/{told['item']}", after=told["position"])
    except (KeyError, NotFoundError, UnavailableError):
        return ""  # it is about a link, or the item is over already, or the node is just going
    return plain((row["summary"] or {}).get("title", ""))
