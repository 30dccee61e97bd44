"""``rilon pictures``: in numbers what the pictures on the pages show."""

from __future__ import annotations

import rich_click as click

from rilon.domain.values import Urgency
from rilon.node.commands.common import Api, answer, api_options, json_option
from rilon.node.commands.items import ITEM, Ref, located
from rilon.node.commands.show import show_links, show_network, show_times


@click.group()
def pictures() -> None:
    """Say in numbers what the pictures show."""


@pictures.command()
@click.option(
    "--months", default=12, show_default=True, type=click.IntRange(1, 24), help="This month and those before."
)
@click.option("--urgency", type=click.Choice([*map(str, Urgency)]), help="Only what is so urgent.")
@api_options
@json_option
def times(api: Api, months: int, urgency: str | None, as_json: bool) -> None:
    """Say how long items take to each Member's board, and people to decide.

    Half took no longer than the median, nine of ten no longer than the other. Late: not acknowledged, or not decided,
    in the time that the urgency allows.
    """
    answer(api.get("pictures/times", months=months, urgency=urgency), show_times, as_json=as_json)


@pictures.command()
@click.option("--days", default=28, show_default=True, type=click.IntRange(1, 92), help="Today and those before.")
@api_options
@json_option
def network(api: Api, days: int, as_json: bool) -> None:
    """Say how each link did, day by day.

    Behind: a line has waited for its receipt for more than an hour; out of reach: for more than a day.
    """
    answer(api.get("pictures/network", days=days), show_network, as_json=as_json)


@pictures.command()
@click.argument("item", type=ITEM)
@api_options
@json_option
def links(api: Api, item: Ref, as_json: bool) -> None:
    """Say what belongs to an item.

    What it is made of or what is made of it, where it went, who answered, to whom it was referred: facts that this
    node recorded, about items that your board shows.
    """
    answer(api.get(f"pictures/links/{located(api, item)}"), show_links, as_json=as_json)
