"""The command line as a whole: it starts light, is described once, and ends with a sentence and an exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from rilon.domain.mends import mend
from rilon.errors import (
    ConflictError,
    FatalError,
    InvalidError,
    MalformedError,
    NotFoundError,
    ProofError,
    RefusedError,
    RilonError,
    UnavailableError,
)
from rilon.node import cli as module
from rilon.node.cli import COMMANDS, cli, load

HEAVY = ("litestar", "asyncpg", "cryptography", "nats", "httpx", "eventsourcing", "uvicorn", "msgspec", "asyncio")

READ = (
    ("alert", "list"),
    ("alert", "show"),
    ("alert", "open"),
    ("alert", "replies"),
    ("alert", "kinds"),
    ("approve",),
    ("board",),
    ("deliveries",),
    ("doctor",),
    ("history",),
    ("hub", "members"),
    ("link", "list"),
    ("officer", "list"),
    ("preview",),
    ("replay",),
    ("rules", "show"),
    ("verify",),
    ("version",),
)


def all_commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from all_commands(inner, (*path, name))


EVERY = {path: found for name in COMMANDS for path, found in all_commands(load(name), (name,))}


def run(*words: str, **env: str) -> Result:
    return CliRunner().invoke(cli, words, env={"RILON_TOKEN": None, **env})


def test_help_imports_nothing_that_only_a_command_needs() -> None:
    script = "import sys; from rilon.node.cli import cli; cli(['--help'], standalone_mode=False); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = set(said.splitlines()[-1].split())
    assert "rilon.node.cli" in loaded
    assert not loaded & set(HEAVY)
    light = {"rilon.node", "rilon.node.cli", "rilon.node.system", "rilon.errors", "rilon.domain", "rilon.domain.mends"}
    assert not {name for name in loaded if name.startswith("rilon.")} - light


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_described_alike_in_the_list_and_by_itself(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert (command.help or "").partition("\n")[0] == COMMANDS[name][2]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_says_what_it_does_and_takes_options_that_say_so(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    assert command.help
    shown = run(*path, "--help")
    assert shown.exit_code == 0
    assert " ".join(path) in " ".join(shown.stdout.split())


@pytest.mark.parametrize("path", READ, ids=" ".join)
def test_every_reading_command_speaks_json(path: tuple[str, ...]) -> None:
    assert any("--json" in parameter.opts for parameter in EVERY[path].params)


def test_version() -> None:
    assert run("version").stdout.startswith("rilon ")
    assert set(json.loads(run("version", "--json").stdout)) == {"rilon", "python"}


def test_completion_needs_no_command_imported() -> None:
    env = os.environ | {"_RILON_COMPLETE": "bash_complete", "COMP_WORDS": "rilon of", "COMP_CWORD": "1"}
    said = subprocess.run(
        [sys.executable, "-c", "from rilon.node.cli import cli; cli(prog_name='rilon')"],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    ).stdout
    assert said.split() == ["plain,officer"]


def test_completion_goes_into_groups() -> None:
    env = {"_RILON_COMPLETE": "bash_complete", "COMP_WORDS": "rilon alert ac", "COMP_CWORD": "2"}
    assert CliRunner().invoke(cli, [], env=env, prog_name="rilon").stdout.split() == ["plain,acknowledge"]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("bord",), "'board'"),
        (("oficer", "list"), "'officer'"),
        (("alert", "lst"), "'list'"),
        (("board", "--limt", "3"), "'--limit'"),
    ],
)
def test_what_is_typed_wrongly_is_told_what_was_meant(words: tuple[str, ...], meant: str) -> None:
    said = run(*words, COLUMNS="200")
    assert said.exit_code == 2
    assert re.search(rf"Did you mean .*{meant}", said.stderr)


def test_what_resembles_nothing_is_told_no_name() -> None:
    said = run("xyzzy")
    assert (said.exit_code, "No such command 'xyzzy'" in said.stderr, "mean" in said.stderr) == (2, True, False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError("a.b", "No."), 1),
        (ConflictError("a.b", "No."), 1),
        (NotFoundError("a.b", "No."), 1),
        (MalformedError("a.b", "No."), 1),
        (InvalidError("a.b", "No."), 1),
        (ProofError("a.b", "No."), 1),
        (FatalError("a.b", "No."), 1),
        (UnavailableError("a.b", "No."), 3),
        (ExceptionGroup("", [ValueError("secret"), ExceptionGroup("", [UnavailableError("a.b", "No.")])]), 3),
    ],
)
def test_what_is_refused_is_a_sentence_a_code_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    said = failing(monkeypatch, error)
    assert (said.exit_code, said.stdout, said.stderr) == (code, "", "No. [a.b]\n")


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *options: str) -> Result:
    @click.command()
    def version() -> None:
        raise error

    monkeypatch.setattr(module, "load", lambda _: version)
    return run(*options, "version")


def test_every_problem_is_told_with_its_field_and_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    problems: list[RilonError] = [
        InvalidError("one.x", "First.", field="title", fix="Mend it."),
        RefusedError("two.y", "Second."),
    ]
    said = failing(monkeypatch, InvalidError("invalid.several", "2 things are wrong.", problems=problems))
    assert said.stderr == "title: First. [one.x]\n  → Mend it.\nSecond. [two.y]\n"


def test_a_fault_of_the_program_is_no_traceback_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said = failing(monkeypatch, KeyError("a secret"))
    assert said.exit_code == 1
    assert "[internal]" in said.stderr
    assert "secret" not in said.stderr
    assert isinstance(failing(monkeypatch, KeyError("x"), "--debug").exception, KeyError)


def test_the_systems_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = failing(monkeypatch, PermissionError(13, "Permission denied", "/some/file"))
    assert (said.exit_code, said.stderr) == (1, f"/some/file: Permission denied. [system]\n  → {mend('system')}\n")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("alert",),
        ("alert", "post", "--urgency", "soon", "--kind", "X"),
        ("alert", "open", "x/y", "--purpose", "training_exercise"),
        ("approve", "--refuse", "no"),
        ("board", "--limit", "0"),
        ("board", "--since", "yesterday"),
        ("import", "incidents", os.devnull),
        ("init",),
        ("replay", "--as-of", "yesterday"),
        ("officer", "token", "not-an-id", "--role", "officer"),
        ("officer", "add", "Somebody", "--agency", "a", "--desk", "d", "--role", "king"),
    ],
)
def test_wrong_use_is_exit_code_2(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where no demo lives, which an import would take for its nodes
    assert run(*words).exit_code == 2


def test_options_come_from_the_environment_too() -> None:
    said = run("board", RILON_URL="http://localhost:1", RILON_TOKEN="x")
    assert said.exit_code == 3
    assert "http://localhost:1" in said.stderr
    assert run("board", RILON_BOARD_LIMIT="0").exit_code == 2


def test_nobody_is_asked_where_nobody_sits() -> None:
    said = run("link", "verify", "id", RILON_TOKEN="x")
    assert said.exit_code == 2
    assert "--words" in said.stderr
