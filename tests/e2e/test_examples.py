"""Nothing is done by API or command line that no example shows; and each example runs: a script, or docs/api.md."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tests.e2e.examples import declared, operation, operations
from tests.e2e.script import parse
from tests.unit.api.test_docs import BLOCKS
from tests.unit.cli.test_cli import EVERY

TESTS = Path(__file__).parents[1]
SCRIPTS = [path.read_text("utf-8") for path in Path(__file__).parent.glob("*.txt")]
COMMANDS = {" ".join(path) for path, command in EVERY.items() if not isinstance(command, click.Group)}

ELSEWHERE = {
    "init": "integration/test_node_commands.py",
    "doctor": "integration/test_node_commands.py",
    "serve": "integration/test_node_commands.py",
    "demo": "e2e/test_demo.py",
    "keys list": "integration/test_node_commands.py",
    "keys rotate": "integration/test_node_commands.py",
    "keys renew-log": "integration/test_node_commands.py",
    "hub init": "integration/test_node_commands.py",
    "hub add-member": "integration/test_node_commands.py",
    "hub revoke": "integration/test_node_commands.py",
    "hub members": "integration/test_node_commands.py",
    "hub serve": "integration/test_mishaps.py",
    "link introduce": "integration/test_node_commands.py",
    "link add": "integration/test_node_commands.py",
    "link words": "integration/test_node_commands.py",
    "link verify": "integration/test_node_commands.py",
    "link reset": "e2e/test_reset.py",
    "officer unbind": "integration/test_provider_logout.py",
}
"""Commands whose example is a test of its own: what makes, joins and serves nodes."""

APART = {
    "listen": "unit/api/test_notices.py",
    "verify_peer": "unit/api/test_commands.py",
    "reset_link": "unit/api/test_commands.py",
    "read_fork": "unit/api/test_commands.py",
    "unbind_account": "integration/test_provider.py",
    "health": "unit/api/test_access.py",
    "ready": "unit/api/test_access.py",
    "read_schema": "unit/api/test_schema.py",
    "read_members": "unit/api/test_refusals.py",
    "read_disclosure": "unit/api/test_commands.py",
}
"""Operations likewise."""


def shown() -> set[str]:
    """The operations that an example of docs/api.md sends, and that are done."""
    found = set()
    for request, answer in zip(BLOCKS[::2], BLOCKS[1::2], strict=True):
        method, path = request.strip().splitlines()[0].split(" ")
        if answer.strip().startswith("2"):
            found.add(operation(method, path.partition("?")[0]))
    return found


def typed() -> set[str]:
    """The commands that some script types, and that are done."""
    lines = [step.command.split()[1:] for text in SCRIPTS for step in parse(text) if step.code == 0]
    return {name for words in lines for name in (" ".join(words[:2]), words[0]) if name in COMMANDS}


def test_every_command_is_typed_in_a_script_that_runs() -> None:
    assert COMMANDS - typed() == set(ELSEWHERE)


def test_every_operation_is_called_by_an_example_that_runs() -> None:
    said = frozenset[str]().union(*map(declared, SCRIPTS))
    assert said <= operations().keys()
    assert operations().keys() - said - shown() == set(APART)


def test_what_is_shown_elsewhere_is_shown_there() -> None:
    for name, path in ELSEWHERE.items():
        assert name.rpartition(" ")[2] in (TESTS / path).read_text("utf-8"), f"{name} in {path}"
    for name, path in APART.items():
        last = re.sub(r"\{\w+\}", "", operations()[name][1]).rstrip("/").rpartition("/")[2]
        assert last in (TESTS / path).read_text("utf-8"), f"{name} in {path}"
