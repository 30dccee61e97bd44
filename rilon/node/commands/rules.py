"""``rilon rules``: this Member's own law and policy, as its node applies it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from rilon.domain.book_file import parse_book
from rilon.node.commands.common import Api, answer_json, api_options, json_option, key_option, note, say
from rilon.node.commands.show import VERDICTS


@click.group()
def rules() -> None:
    """Show the sharing rules, or publish new ones."""


@rules.command()
@api_options
@json_option
def show(api: Api, as_json: bool) -> None:
    """Show the rule book in force, in sentences."""
    book = api.get("rules")
    if as_json:
        answer_json(book)
        return
    say(f"Rule book {book['version']} of {book['member'].upper()}: the most restrictive rule wins, none means ask.")
    for rule in book["rules"]:
        basis = f" [{rule['basis']}]" if rule.get("basis") else ""
        say("", f"{rule['id']}: {VERDICTS[rule['effect']]}. {rule['because']}{basis}", f"  when {_when(rule['when'])}")


@rules.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--after", type=int, help="The version it was written from.  [default: the one in force]")
@key_option
@api_options
def publish(api: Api, file: Path, after: int | None, key: str | None) -> None:
    """Put the rules of FILE (TOML) in force; what waits for approval is judged by them."""
    current = api.get("rules")
    version = (current["version"] if after is None else after) + 1
    book = parse_book(file.read_bytes(), current["member"], version)
    body = {"version": version, "rules": [msgspec.to_builtins(rule) for rule in book.rules]}
    api.post("rules", body, key=key)
    note(f"Rule book {version} is in force: {len(book.rules)} rules.")


def _when(when: dict[str, Any]) -> str:
    given = [f"{name} {', '.join(sorted(values))}" for name, values in when.items() if values]
    return "; ".join(given) or "always"
