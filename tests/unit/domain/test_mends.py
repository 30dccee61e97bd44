"""Every problem that the product can tell says what would mend it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rilon.domain.mends import MENDS, mend
from rilon.errors import NotFoundError

ROOT = Path(__file__).parents[3] / "rilon"
CODE = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z-]*)?")
OTHER = {"ValueError", "TypeError", "AssertionError", "KeyError", "OSError"}


@cache
def unmended() -> frozenset[str]:
    """The codes of all refusals that say no fix where they are made; of one that is put together, how it begins."""
    return frozenset(code for path in ROOT.rglob("*.py") for code in _codes(ast.parse(path.read_text("utf-8"))))


def _codes(module: ast.Module) -> Iterator[str]:
    named = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        if (at := _place(call)) is None or len(call.args) <= at or _fixed(call):
            continue
        given = call.args[at]
        code = named.get(given.id, given) if isinstance(given, ast.Name) else given
        first = code.values[0] if isinstance(code, ast.JoinedStr) else code
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.fullmatch(first.value):
            yield first.value


def _place(call: ast.Call) -> int | None:
    """Which argument is a code: the first of an error, the second of a problem."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return 1 if name == "problem" else 0 if name.endswith("Error") and name not in OTHER else None


def _fixed(call: ast.Call) -> bool:
    positions = 5 if _place(call) else 99
    return len(call.args) >= positions or any(each.arg == "fix" for each in call.keywords)


def test_the_codes_are_found() -> None:
    assert {"json.depth", "json.malformed", "command.key-reused", "http.host", "alert.", "release.newer"} <= unmended()
    assert "auth.token-missing" not in unmended(), "says its own"


def test_every_problem_has_what_mends_it() -> None:
    assert sorted(code for code in unmended() if not mend(code)) == []


def test_no_row_is_there_for_nothing() -> None:
    needed = unmended() | {NotFoundError().code} | {code.partition(".")[0] for code in unmended() if code not in MENDS}
    assert sorted(set(MENDS) - needed) == []


def test_each_is_a_sentence() -> None:
    assert [text for text in MENDS.values() if not re.fullmatch(r"[A-Z].*[.?]", text)] == []
