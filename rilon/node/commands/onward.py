"""``rilon onward``: ask an originator for more, and answer who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rich_click as click

from rilon.domain.onward import REFUSALS
from rilon.domain.values import Sensitivity
from rilon.node.commands.alerts import words_of
from rilon.node.commands.common import Api, answer_json, api_options, json_option, key_option, note, table
from rilon.node.commands.items import ITEM, Ref, located
from rilon.node.commands.show import when


@click.group()
def onward() -> None:
    """Ask an originator for more of an item, or answer who asks: nothing is ever passed on without."""


@onward.command()
@click.argument("item", type=ITEM)
@click.argument("reason", required=False)
@click.option("--for", "member", metavar="MEMBER", help="A third Member that should get it; without: this one.")
@click.option("--section", "sections", multiple=True, required=True, type=click.Choice([*map(str, Sensitivity)]))
@click.option("--court", is_flag=True, help="For use in court.")
@key_option
@api_options
def ask(
    api: Api, item: Ref, reason: str | None, member: str | None, sections: Sequence[str], court: bool, key: str | None
) -> None:
    """Ask an item's originator; the REASON (- for stdin) travels sealed."""
    wanted = {"member": member.lower() if member else None, "sections": sorted(set(sections)), "court": court}
    body = wanted | {"reason": words_of(reason, "Reason", "REASON")}
    api.post(f"items/{located(api, item)}/ask", body, key=key)
    note("Asked. The answer comes to: rilon onward asked.")


@onward.command()
@click.argument("item", type=ITEM)
@api_options
@json_option
def asked(api: Api, item: Ref, as_json: bool) -> None:
    """Read what was asked about an item: by us, of another Member's; by its holders, of ours."""
    found = api.get(f"items/{located(api, item)}/asked" if item.origin else f"approvals/{item.id}/asked")
    if as_json:
        answer_json(found)
    else:
        columns = ("ASKED", "BY", "FOR", "SECTIONS", "COURT", "OUTCOME", "QUESTION", "RULES", "REASON")
        table(columns, [_row(each) for each in found], "Nothing was asked.")


@onward.command()
@click.argument("item", type=ITEM)
@click.argument("question")
@key_option
@api_options
def grant(api: Api, item: Ref, question: str, key: str | None) -> None:
    """Say yes to a QUESTION (the start of its name): it waits to be signed with `rilon approve`."""
    api.post(f"approvals/{item.id}/asked/{_named(api, item, question)}/grant", key=key)
    note("Drafted. Sign it: rilon approve.")


@onward.command()
@click.argument("item", type=ITEM)
@click.argument("question")
@click.option("--why", required=True, type=click.Choice(REFUSALS), help="The asker is told this.")
@key_option
@api_options
def refuse(api: Api, item: Ref, question: str, why: str, key: str | None) -> None:
    """Say no to a QUESTION (the start of its name)."""
    api.post(f"approvals/{item.id}/asked/{_named(api, item, question)}/refuse", {"why": why}, key=key)
    note("Refused.")


def _named(api: Api, item: Ref, start: str) -> str:
    """A question's whole name. Raises UsageError: none, or several, begin so."""
    found = [each["id"] for each in api.get(f"approvals/{item.id}/asked") if each["id"].startswith(start.lower())]
    if len(found) != 1:
        raise click.UsageError(f"{len(found)} questions about this item begin with “{start}”.")
    return str(found[0])


def _row(asked: dict[str, Any]) -> tuple[str, ...]:
    rules = " ".join(f"{cell['sensitivity']}:{cell['effect']}" for cell in asked["cells"])
    court, sections = "yes" if asked["court"] else "", ",".join(asked["sections"])
    facts = when(asked["at"]), asked["asker"].upper(), asked["member"].upper(), sections, court
    return *facts, asked["outcome"], asked["id"][:12], rules, asked["reason"] or "-"
