"""Every command that a page of the documentation shows exists, with every option it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich_click as click

from rilon.node.cli import COMMANDS, load

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
_SHOWN = re.compile(r"^(rilon [^\n#]+)|`(rilon [^`]+)`", re.MULTILINE)


def shown(text: str) -> Iterator[list[str]]:
    """The words behind ``rilon`` in blocks and in the text; ``a|b`` is said of several subcommands."""
    for found in _SHOWN.finditer(text):
        words = shlex.split(found[1] or found[2])[1:]
        if words and not words[0].startswith("-") and "…" not in words:
            several = next((w for w in words if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", w)), "")
            yield from ([one if w == several else w for w in words] for one in several.split("|"))


def missing(words: list[str]) -> str:
    """What of a command is not there; "" when all is."""
    name, *rest = words
    if name not in COMMANDS:
        return name
    command = load(name)
    while isinstance(command, click.Group) and rest:
        if rest[0] not in command.commands:
            return f"{name} {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
    return next((w for w in rest if w.startswith("--") and w.partition("=")[0] not in known), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_exist(page: Path) -> None:
    wrong = {" ".join(words): missing(words) for words in shown(page.read_text(encoding="utf-8"))}
    assert {text: what for text, what in wrong.items() if what} == {}


def test_something_that_is_not_there_is_noticed() -> None:
    told = [
        missing(words) for words in shown("rilon serv\nrilon link nonsense x\n`rilon board --nonsense`\nrilon board")
    ]
    assert told == ["serv", "link nonsense", "--nonsense", ""]
    assert len(list(shown("`rilon hub init|add-member`"))) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
