"""Text scripts: a person's commands and what they are told.

    # words for whoever reads it
    th-officer$ rilon alert post --kind DOC-FRAUD ...     a command, by a persona of the demo; nobody's by plain ``$``
    th-{token}$ rilon board                               the same, by whoever has this token
    id-officer$? rilon board                              the same, again and again until it is told what is expected
    {item}                                                a line of stdout; a {name} is found once, and then the same
    {_}                                                   any word
    ! Corrected.                                          a line of stderr
    ...                                                   any lines
    [1]                                                   the exit code, when it is not 0

Blanks in a row count as one, because columns are as wide as what stands in them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

_NAME = re.compile(r"\{([a-z_]+)\}")
PATIENCE_S = 20.0


@dataclass
class Step:
    """One command and what it is expected to say."""

    line: int
    who: str
    command: str
    patient: bool
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    code: int = 0


@dataclass(frozen=True)
class Said:
    """What a command said."""

    out: str
    err: str
    code: int


Run = Callable[[str, str], Said]


def parse(text: str) -> Iterator[Step]:
    """The steps of a script."""
    step: Step | None = None
    for number, line in enumerate(text.splitlines(), 1):
        begins = re.fullmatch(r"([a-z0-9-]*|[a-z]+-\{[a-z]+\})\$(\??) (.*)", line)
        if begins:
            if step:
                yield step
            step = Step(number, begins[1], begins[3], bool(begins[2]))
        elif step and (code := re.fullmatch(r"\[(\d)\]", line)):
            step.code = int(code[1])
        elif step and line.strip() and not line.startswith("#"):
            (step.err if line.startswith("! ") else step.out).append(line.removeprefix("! "))
    if step:
        yield step


def play(text: str, run: Run, names: dict[str, str]) -> None:
    """Run every step and compare."""
    for step in parse(text):
        command = _NAME.sub(lambda m: names.get(m[1], m[0]), step.command)
        end = time.monotonic() + PATIENCE_S
        said, trouble = _try(step, command, run, names)
        while trouble and step.patient and time.monotonic() < end:
            time.sleep(0.1)
            said, trouble = _try(step, command, run, names)
        if trouble:
            shown = f"line {step.line}: {command}\n{trouble}\n--- stdout\n{said.out}--- stderr\n{said.err}"
            pytest.fail(shown, pytrace=False)


def _try(step: Step, command: str, run: Run, names: dict[str, str]) -> tuple[Said, str]:
    said, found = run(_NAME.sub(lambda m: names.get(m[1], m[0]), step.who), command), dict(names)
    try:
        _compare(step.out, said.out, found)
        _compare(step.err, said.err, found)
        assert said.code == step.code, f"exit code {said.code}, not {step.code}"
    except AssertionError as error:
        return said, str(error)
    names |= found
    return said, ""


def _compare(expected: list[str], said: str, names: dict[str, str]) -> None:
    """Match line by line; ``...`` skips as few lines as it can."""
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    at, skipping = 0, False
    for wanted in expected:
        if wanted.strip() == "...":
            skipping = True
            continue
        pattern = _pattern(" ".join(wanted.split()), names)
        while skipping and at < len(lines) and not pattern.fullmatch(lines[at]):
            at += 1
        assert at < len(lines), f"missing: {wanted}"
        found = pattern.fullmatch(lines[at])
        assert found, f"expected: {wanted}\nbut said: {lines[at]}"
        names |= found.groupdict()
        at, skipping = at + 1, False
    assert skipping or at == len(lines), f"not expected: {lines[at]}"


def _pattern(wanted: str, names: dict[str, str]) -> re.Pattern[str]:
    parts: list[str] = []
    rest = 0
    for name in _NAME.finditer(wanted):
        known = names.get(name[1])
        word = r"\S+" if name[1] == "_" else rf"(?P<{name[1]}>\S+)"
        parts += [re.escape(wanted[rest : name.start()]), re.escape(known) if known else word]
        rest = name.end()
    return re.compile("".join(parts) + re.escape(wanted[rest:]))
