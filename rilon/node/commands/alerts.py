"""``rilon alert`` and ``rilon preview``: what an officer does with alerts, own ones and those of others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from rilon.domain.clocks import Pause
from rilon.domain.holding import REPLIES
from rilon.domain.recall import GROUNDS
from rilon.domain.values import Purpose, Sensitivity
from rilon.errors import InvalidError
from rilon.node.commands.board import limit_option, quiet_option
from rilon.node.commands.common import (
    Api,
    answer,
    answer_json,
    api_options,
    ask,
    json_option,
    key_option,
    note,
    say,
    table,
)
from rilon.node.commands.drafts import draft_options
from rilon.node.commands.files import attach_option, save
from rilon.node.commands.items import ITEM, Ref, located
from rilon.node.commands.show import show_board, show_item, show_matrix, show_replies, show_section

LIMIT_CHARACTERS = 8000


@click.command()
@draft_options
@click.option("--corrects", type=ITEM, metavar="ITEM", help="It would be a correction of this alert of ours.")
@click.option("--keep-attachments", is_flag=True, help="Keep the files of the version in force.")
@api_options
@attach_option
@json_option
def preview(api: Api, draft: dict[str, Any], corrects: Ref | None, keep_attachments: bool, as_json: bool) -> None:
    """Say who would get a draft, and why; nothing is stored."""
    draft |= {"keep_attachments": True} if keep_attachments else {}
    found = api.post(f"alerts/preview?corrects={corrects.id}" if corrects else "alerts/preview", draft)
    answer(found, show_matrix, as_json=as_json)


@click.group()
def alert() -> None:
    """Post, list, show, answer, correct and withdraw alerts."""


@alert.command()
@draft_options
@key_option
@api_options
@attach_option
@json_option
def post(api: Api, draft: dict[str, Any], key: str | None, as_json: bool) -> None:
    """Post an alert: what the rules allow leaves at once, what they ask waits for approval."""
    placed = api.post("alerts", draft, key=key)
    if as_json:
        answer_json(placed)
    else:
        say(placed["id"])


@alert.command()
@click.argument("item", type=ITEM)
@draft_options
@click.option("--keep-attachments", is_flag=True, help="Keep the files of the version in force.")
@click.option("--extension", metavar="TEXT", help="Why it is to be kept longer than before; it stays here, sealed.")
@key_option
@api_options
@attach_option
def correct(
    api: Api, item: Ref, draft: dict[str, Any], keep_attachments: bool, extension: str | None, key: str | None
) -> None:
    """Replace what an alert says; every holder learns at once that the old version is superseded."""
    draft |= {"keep_attachments": True} if keep_attachments else {}
    draft |= {"extension": extension} if extension else {}
    api.send("PUT", f"alerts/{item.id}", draft, key=key)
    note("Corrected.")


@alert.command()
@click.argument("item", type=ITEM)
@click.option("--reason", help="Why; it stays at this node, sealed.  [default: asked for]")
@key_option
@api_options
def withdraw(api: Api, item: Ref, reason: str | None, key: str | None) -> None:
    """Take an alert back: every holder marks it withdrawn."""
    words = words_of(reason, "Reason", "--reason")
    api.post(f"alerts/{item.id}/withdraw", {"reason": words}, key=key)
    note("Withdrawn.")


@alert.command()
@click.argument("item", type=ITEM)
@click.option("--from", "members", multiple=True, metavar="MEMBER", help="Only from this Member; else from all.")
@click.option("--section", type=click.Choice([*map(str, Sensitivity)]), help="Only this section; else all of it.")
@click.option("--ground", required=True, type=click.Choice(GROUNDS), help="Why, as a code.")
@click.option("--reason", help="Why, in words; they stay at this node, sealed.  [default: asked for]")
@key_option
@api_options
def recall(
    api: Api,
    item: Ref,
    members: Sequence[str],
    section: str | None,
    ground: str,
    reason: str | None,
    key: str | None,
) -> None:
    """Take back what was granted: every holder destroys the keys; `rilon deliveries` says who has."""
    order = {"ground": ground, "reason": words_of(reason, "Reason", "--reason"), "sensitivity": section}
    body = order | {"members": [m.lower() for m in members] or None}
    api.post(f"items/{located(api, item)}/recall", body, key=key)
    note("Recalled: red until each holder's receipt says that it is destroyed.")


@alert.command()
@click.argument("item", type=ITEM)
@click.option("--section", type=click.Choice([*map(str, Sensitivity)]), help="Only this section; else all of it.")
@click.option("--ground", required=True, type=click.Choice(GROUNDS), help="Why, as a code.")
@click.option("--reason", help="Why, in words; they stay at this node, sealed.  [default: asked for]")
@key_option
@api_options
def erase(api: Api, item: Ref, section: str | None, ground: str, reason: str | None, key: str | None) -> None:
    """Destroy an alert's keys before its time, here and at every holder; nobody can undo it."""
    order = {"ground": ground, "reason": words_of(reason, "Reason", "--reason"), "sensitivity": section}
    api.post(f"items/{located(api, item)}/erase", order, key=key)
    note("Erased here; `rilon deliveries` says which holder has destroyed it.")


@alert.command()
@click.argument("item", type=ITEM)
@click.option("--outcome", required=True, metavar="CODE", help="What came of it, as a code.")
@key_option
@api_options
def close(api: Api, item: Ref, outcome: str, key: str | None) -> None:
    """End an alert's work with an outcome."""
    api.post(f"alerts/{item.id}/close", {"outcome": outcome}, key=key)
    note("Closed.")


@alert.command("open")
@click.argument("item", type=ITEM)
@click.option("--section", default="summary", show_default=True, type=click.Choice([*map(str, Sensitivity)]))
@click.option("--purpose", required=True, type=click.Choice([*map(str, Purpose)]), help="Why you read it.")
@click.option("--save", "folder", type=click.Path(file_okay=False, path_type=Path), help="A folder for the files.")
@api_options
@json_option
def open_(api: Api, item: Ref, section: str, purpose: str, folder: Path | None, as_json: bool) -> None:
    """Read a section of an item for a purpose; above the summary that is recorded, and its originator learns of it."""
    section = Sensitivity.ATTACHMENT if folder else section
    place = located(api, item)
    opened = api.post(f"items/{place}/open", {"sensitivity": section, "purpose": purpose})
    if folder:
        save(api, place, opened, purpose, folder)
    answer(opened, show_section, as_json=as_json)


@alert.command()
@click.argument("item", type=ITEM)
@key_option
@api_options
def acknowledge(api: Api, item: Ref, key: str | None) -> None:
    """Tell an item's originator that somebody here has seen it and acts."""
    api.post(f"items/{located(api, item)}/acknowledge", key=key)
    note("Acknowledged.")


@alert.command()
@click.argument("item", type=ITEM)
@click.option("--why", required=True, type=click.Choice([why.value for why in Pause]), help="What hinders the answer.")
@key_option
@api_options
def pause(api: Api, item: Ref, why: str, key: str | None) -> None:
    """Tell the asker why a request's answer takes longer; its clock stands still at both ends."""
    api.post(f"items/{located(api, item)}/pause", {"why": why}, key=key)
    note("Its clock stands still.")


@alert.command()
@click.argument("item", type=ITEM)
@key_option
@api_options
def resume(api: Api, item: Ref, key: str | None) -> None:
    """Let a request's clock run on."""
    api.post(f"items/{located(api, item)}/resume", key=key)
    note("Its clock runs on.")


@alert.command()
@click.argument("item", type=ITEM)
@click.argument("text", required=False)
@click.option("--kind", required=True, type=click.Choice(REPLIES), help="What the answer is.")
@key_option
@api_options
def reply(api: Api, item: Ref, text: str | None, kind: str, key: str | None) -> None:
    """Answer an item's originator; the TEXT (- for stdin) travels sealed."""
    body = {"kind": kind, "text": words_of(text, "Text", "TEXT")}
    api.post(f"items/{located(api, item)}/reply", body, key=key)
    note("Answered.")


@alert.command()
@click.argument("item", type=ITEM)
@click.option(
    "--readers", required=True, metavar="READERS", help="agency:CODE, desk:AGENCY:DESK, officer:ID, entitled."
)
@key_option
@api_options
def refer(api: Api, item: Ref, readers: str, key: str | None) -> None:
    """Say who of this Member needs to know an item; focal points always do."""
    named = [reader.strip() for reader in readers.split(",")]
    api.post(f"items/{located(api, item)}/refer", {"readers": named}, key=key)
    note("Referred.")


@alert.command()
@click.argument("item", type=ITEM)
@key_option
@api_options
def admit(api: Api, item: Ref, key: str | None) -> None:
    """Give one of our items to members of its circle who joined since, if the chair has admitted them."""
    api.post(f"alerts/{item.id}/admit", key=key)
    note("Judged for them: what is allowed is on its way, what must be asked waits for approval.")


@alert.command("list")
@limit_option
@quiet_option
@api_options
@json_option
def list_(api: Api, limit: int, quiet: bool, as_json: bool) -> None:
    """List this Member's own alerts; `rilon board` shows others' too."""
    found = api.get("board", own="true", limit=limit)
    if as_json:
        answer_json(found)
    else:
        show_board(found, quiet=quiet)


@alert.command()
@click.argument("item", type=ITEM)
@api_options
@json_option
def show(api: Api, item: Ref, as_json: bool) -> None:
    """Show an item as the board knows it, with its summary and what was answered from here."""
    found = api.get(f"items/{located(api, item)}")
    answer(found, show_item, as_json=as_json)


@alert.command()
@click.argument("item", type=ITEM)
@api_options
@json_option
def replies(api: Api, item: Ref, as_json: bool) -> None:
    """Read what other Members have answered to one of our alerts."""
    found = api.get(f"replies/{item.id}")
    answer(found, show_replies, as_json=as_json)


@alert.command()
@click.argument("kind", required=False)
@api_options
@json_option
def kinds(api: Api, kind: str | None, as_json: bool) -> None:
    """List the kinds of alert, or the fields of one KIND."""
    found = api.get("kinds")
    chosen = {k: v for k, v in found["kinds"].items() if kind is None or k == kind.upper()}
    if not chosen:
        fix = "`rilon alert kinds` lists them."
        raise InvalidError("kind.unknown", "There is no such kind of alert.", field="kind", fix=fix)
    if as_json:
        answer_json(found | {"kinds": chosen})
    elif kind is None:
        table(("KIND", "URGENCY", "TLP", "WHAT IT IS FOR"), [_kind(*row) for row in chosen.items()], "No kinds.")
    else:
        fields = [row for each in chosen.values() for row in each["fields"].items()]
        table(
            ("FIELD", "SECTION", "NEEDED", "TYPE", "WHAT TO WRITE"),
            [_field(found, *row) for row in fields],
            "It has no fields.",
        )


def words_of(text: str | None, label: str, option: str) -> str:
    """What a person writes: as given, from stdin for ``-``, or asked for."""
    if text == "-":
        return sys.stdin.read(LIMIT_CHARACTERS + 1)
    return text if text is not None else ask(label, option)


def _kind(code: str, kind: dict[str, Any]) -> tuple[str, ...]:
    return code, kind["urgency"], kind["tlp"], kind["about"]


def _field(found: dict[str, Any], name: str, field: dict[str, Any]) -> tuple[str, ...]:
    needed = "yes" if field["required"] else ""
    return name, field["section"], needed, field["type"], found["types"][field["type"]]["fix"]
