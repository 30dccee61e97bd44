"""docs/cli.md says what there is: every command, no option that does not exist, and a draft that would be taken."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest

from rilon.domain.kinds import parse_fields
from rilon.node.cli import COMMANDS, cli, load
from tests.fakes.drafts import NOW
from tests.unit.cli.test_cli import EVERY

DOC = (Path(__file__).parents[3] / "docs" / "cli.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOC, re.DOTALL)
LINES = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.startswith("rilon ")]


def table() -> str:
    """The list at the end of the page, as the commands describe themselves."""
    rows = []
    for path, command in EVERY.items():
        if not isinstance(command, click.Group):
            words = " ".join((command.help or "").split("\n\n")[0].split())
            rows.append(f"| `rilon {' '.join(path)}` | {words} |")
    return "\n".join(["| command | does |", "|---|---|", *rows])


def test_the_list_is_whole() -> None:
    assert DOC.partition("## All commands\n")[2].strip() == table()


@pytest.mark.parametrize("line", LINES)
def test_every_example_can_be_typed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Path, "convert", lambda self, value, *_: self.coerce_path_result(value))
    monkeypatch.setattr(click.File, "convert", lambda _self, value, *_: value)
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = load(words.pop(0))
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    try:
        command.make_context("rilon", words)
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.format_message()}")


def test_the_draft_is_one() -> None:
    (draft,) = [json.loads(text) for kind, text in BLOCKS if kind == "json"]
    found: dict[Any, Any] = parse_fields(draft["kind"], draft["fields"], now=NOW)
    assert found


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("rilon alert post --kind")])
def test_a_post_without_a_file_has_all_that_its_kind_needs(line: str) -> None:
    words = shlex.split(line, comments=True)
    given = dict(text.split("=", 1) for option, text in pairwise(words) if option == "--field")
    assert parse_fields(words[words.index("--kind") + 1], given, now=NOW)


def test_the_page_names_every_group() -> None:
    assert set(re.findall(r"`rilon ([a-z][a-z-]*)", DOC)) == set(COMMANDS)
    assert cli.name == "cli"
