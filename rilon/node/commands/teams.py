"""``rilon team`` and ``rilon task``: who works together, and who takes care of what."""

from __future__ import annotations

import re
from typing import Final

import rich_click as click

from rilon.node.commands.common import Api, answer_json, api_options, json_option, key_option, note, table
from rilon.node.commands.items import ITEM, Ref, located

_KEEPER: Final = re.compile(r"(officer|team):[0-9a-f]{32}")
_TO = click.argument("to", metavar="TO")


@click.group()
def team() -> None:
    """Make teams of officers, across desks and agencies."""


@team.command("list")
@api_options
@json_option
def list_(api: Api, as_json: bool) -> None:
    """List your teams and who is in them; a focal point sees all."""
    found = api.get("teams")
    if as_json:
        answer_json(found)
        return
    rows = [
        (
            each["id"].replace("-", ""),
            each["name"] or "-",
            ", ".join(m["name"] or m["officer"] for m in each["members"]),
        )
        for each in found
    ]
    table(("TEAM", "NAME", "OFFICERS"), rows, "You are in no team.")


@team.command()
@click.argument("name")
@key_option
@api_options
@json_option
def form(api: Api, name: str, key: str | None, as_json: bool) -> None:
    """Make a team of nobody yet."""
    made = api.post("teams", {"name": name}, key=key)
    if as_json:
        answer_json(made)
    else:
        note(f"Formed: {made['id'].replace('-', '')}. Take officers in: rilon team add.")


@team.command()
@click.argument("team_id", metavar="TEAM", type=click.UUID)
@click.argument("officer", type=click.UUID)
@key_option
@api_options
def add(api: Api, team_id: object, officer: object, key: str | None) -> None:
    """Take an officer into a team."""
    api.post(f"teams/{team_id}/members", {"officer": str(officer).replace("-", "")}, key=key)
    note("Taken in.")


@team.command()
@click.argument("team_id", metavar="TEAM", type=click.UUID)
@click.argument("officer", type=click.UUID)
@key_option
@api_options
def remove(api: Api, team_id: object, officer: object, key: str | None) -> None:
    """Let an officer go from a team."""
    api.send("DELETE", f"teams/{team_id}/members/{officer}", key=key)
    note("Gone.")


@team.command()
@click.argument("team_id", metavar="TEAM", type=click.UUID)
@key_option
@api_options
def dissolve(api: Api, team_id: object, key: str | None) -> None:
    """End a team; what it had is nobody's then."""
    api.send("DELETE", f"teams/{team_id}", key=key)
    note("Dissolved.")


@click.group()
def task() -> None:
    """Say who takes care of an item, and watch items."""


@task.command("list")
@click.option("--of", type=click.Choice(["mine", "team", "watching"]), default="mine", show_default=True)
@api_options
@json_option
def tasks(api: Api, of: str, as_json: bool) -> None:
    """List what awaits you, and why."""
    found = api.get("tasks", of=of)
    if as_json:
        answer_json(found)
        return
    rows = []
    for each in found:
        whys = ["given to you"] * each["mine"] + ["given to your team"] * bool(each["teams"])
        rows.append((f"{each['origin']}/{each['item']}", ", ".join(whys + ["you watch it"] * each["watching"])))
    table(("ITEM", "WHY"), rows, "Nothing awaits you.")


@task.command()
@click.argument("item", type=ITEM)
@api_options
@json_option
def show(api: Api, item: Ref, as_json: bool) -> None:
    """Say who takes care of an item."""
    found = api.get(f"items/{located(api, item)}/task")
    if as_json:
        answer_json(found)
    else:
        table(("TAKES CARE",), [(each,) for each in found["keepers"]], "Nobody takes care of it.")


@task.command()
@click.argument("item", type=ITEM)
@_TO
@key_option
@api_options
def assign(api: Api, item: Ref, to: str, key: str | None) -> None:
    """Give an item TO “me”, officer:ID or team:ID."""
    api.post(f"items/{located(api, item)}/assign", {"to": _keeper(api, to)}, key=key)
    note("Given.")


@task.command()
@click.argument("item", type=ITEM)
@_TO
@key_option
@api_options
def unassign(api: Api, item: Ref, to: str, key: str | None) -> None:
    """Take an item from “me”, officer:ID or team:ID."""
    api.post(f"items/{located(api, item)}/unassign", {"to": _keeper(api, to)}, key=key)
    note("Taken.")


@task.command()
@click.argument("item", type=ITEM)
@click.option("--stop", is_flag=True, help="Watch it no more.")
@key_option
@api_options
def watch(api: Api, item: Ref, stop: bool, key: str | None) -> None:
    """Watch an item."""
    api.post(f"items/{located(api, item)}/{'unwatch' if stop else 'watch'}", key=key)
    note("Not watched any more." if stop else "Watched.")


def _keeper(api: Api, said: str) -> str:
    """Raises UsageError."""
    if said == "me":
        return f"officer:{api.get('me')['officer']}"
    found = said.replace("-", "")
    if not _KEEPER.fullmatch(found):
        raise click.UsageError(f"“{said}” names nobody: write me, officer:ID or team:ID.")
    return found
