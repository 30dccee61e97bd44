"""``rilon circle``: closed groups of Members, with a charter, a chair and an end."""

from __future__ import annotations

from typing import Any

import rich_click as click

from rilon.node.commands.common import (
    Api,
    answer_json,
    api_options,
    json_option,
    key_option,
    note,
    say,
    table,
)
from rilon.node.commands.drafts import read_file

_circle = click.argument("circle", metavar="CIRCLE")
_file = click.argument("file", metavar="FILE", type=click.Path(allow_dash=True, dir_okay=False))


@click.group()
def circle() -> None:
    """Convene, read, change, leave and close circles of Members."""


@circle.command("list")
@api_options
@json_option
def list_(api: Api, as_json: bool) -> None:
    """List the circles that this Member is in."""
    found = api.get("circles")
    if as_json:
        answer_json(found)
        return
    rows = [(c["circle"], c["kind"], c["state"], c["chair"].upper(), _day(c["ends"]), c["name"]) for c in found]
    table(("CIRCLE", "KIND", "STATE", "CHAIR", "ENDS", "NAME"), rows, "This Member is in no circle.")


@circle.command()
@_circle
@api_options
@json_option
def show(api: Api, circle: str, as_json: bool) -> None:
    """Show a circle: what it is for, who is in it, until when, and who signed it."""
    found = api.get(f"circles/{circle}")
    if as_json:
        answer_json(found)
        return
    say(*_lines(found))


@circle.command()
@_file
@key_option
@api_options
def convene(api: Api, file: str, key: str | None) -> None:
    """Convene the circle that FILE describes; a consultation waits for the other co-chair."""
    done = api.post("circles", read_file(file), key=key)
    say(done["circle"])


@circle.command()
@_circle
@_file
@click.option("--version", type=click.IntRange(1), required=True, help="The version that you read and changed.")
@key_option
@api_options
def change(api: Api, circle: str, file: str, version: int, key: str | None) -> None:
    """Write the next version of a charter: FILE holds all of it. Who is no longer named is out."""
    api.post(f"circles/{circle}/change", {"version": version, "charter": read_file(file)}, key=key)
    note(f"Version {version + 1} is on its way to the members.")


@circle.command()
@_circle
@key_option
@api_options
def consent(api: Api, circle: str, key: str | None) -> None:
    """Sign a consultation as the other co-chair; then its members are told."""
    api.post(f"circles/{circle}/consent", key=key)
    note("Signed. It is active once the chair's node has your signature.")


@circle.command()
@_circle
@key_option
@api_options
def leave(api: Api, circle: str, key: str | None) -> None:
    """Leave a circle: its charter is destroyed here, and its chair tells the others. What you hold you keep."""
    api.post(f"circles/{circle}/leave", key=key)
    note("Left. Only its chair can bring this Member in again.")


@circle.command()
@_circle
@click.option("--outcome", required=True, metavar="TEXT", help="What came of it; its members read it, nobody else.")
@key_option
@api_options
def close(api: Api, circle: str, outcome: str, key: str | None) -> None:
    """Close a circle before its end, with a note on what came of it."""
    api.post(f"circles/{circle}/close", {"outcome": outcome}, key=key)
    note("Closed.")


def _lines(found: dict[str, Any]) -> list[str]:
    facts = {
        "circle": found["circle"],
        "kind": found["kind"],
        "state": f"{found['state']}, version {found['version']}, until {_day(found['ends'])}",
        "chair": found["chair"].upper(),
        "signed by": _names(found["signed_by"]),
        "members": _names(found["members"]),
        "admitted": _names(found["admitted"]) or "nobody to older items",
        "purpose": found["purpose"],
        "themes": ", ".join(found["themes"]),
    }
    told = [f"{name:10} {value}" for name, value in facts.items()]
    outcome = ["", f"Outcome: {found['outcome']}"] if found["outcome"] else []
    return [found["name"], *told, "", found["charter"], *outcome]


def _names(members: list[str]) -> str:
    return ", ".join(m.upper() for m in members)


def _day(instant: str) -> str:
    return instant[:10]
