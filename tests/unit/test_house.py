"""The house keeps its own rules: short functions, short modules, one number for one decision."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADRS = ROOT / "docs" / "adr"
MODULES = sorted(p for folder in ("rilon", "bench", "web") for p in (ROOT / folder).rglob("*.py"))
FUNCTION_LINES = 50
MODULE_LINES = 400


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Every function of a module, and how many lines it has without its decorators."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_functions_are_short() -> None:
    found = [(p.name, *f) for p in MODULES for f in functions(p.read_text())]
    assert len(found) > 1000
    assert not [f for f in found if f[-1] > FUNCTION_LINES]


def test_modules_are_short() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in MODULES}
    assert {name for name, lines in lengths.items() if lines > MODULE_LINES} == set()


def test_every_decision_has_a_number_of_its_own_and_a_line_in_the_list() -> None:
    names = [p.name for p in sorted(ADRS.glob("[0-9]*.md"))]
    assert len({name[:4] for name in names}) == len(names)
    listed = re.findall(r"^\| \[\d{4}\]\((.+?)\)", (ADRS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == names
    assert [name for name in names if not (ADRS / name).read_text().startswith(f"# {name[:4]} ")] == []


def test_what_names_a_decision_names_one_that_there_is() -> None:
    there = {p.name[:4] for p in ADRS.glob("[0-9]*.md")}
    files = [*MODULES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {n for p in files for n in re.findall(r"\badr/(\d{4})", p.read_text())}
    assert named <= there


def test_nothing_stands_twice_in_the_changelog_or_the_list_of_decisions() -> None:
    lines = [*(ROOT / "CHANGELOG.md").read_text().splitlines(), *(ADRS / "README.md").read_text().splitlines()]
    openings = Counter(" ".join(line.split()[:8]) for line in lines if line.startswith(("- ", "| [")))
    assert [opening for opening, times in openings.items() if times > 1] == []  # as a union merge leaves them


def test_every_library_that_is_imported_is_declared() -> None:
    """What comes along with another library only goes with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["embedded"]
    declared = {re.split(r"[^\w-]", each)[0] for each in asked} | {"rilon"}
    sources = (p.read_text() for p in (ROOT / "rilon").rglob("*.py"))
    imported = {n for source in sources for n in re.findall(r"^\s*(?:import|from) (\w+)", source, re.MULTILINE)}
    dists = packages_distributions()
    brought = {name: {dist.lower() for dist in dists[name]} for name in imported & dists.keys()}
    assert brought["click"] == {"click"}
    assert {name for name, of in brought.items() if not of & declared} == set()


def placed() -> Iterator[str]:
    """What the tables of ARCHITECTURE.md name; a bare name stands in the folder of the one before it."""
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        folder = ""
        for name in re.findall(r"`([\w/*.-]+(?:\.\w+|/))`", line) if line.startswith("| ") else ():
            yield name if "/" in name else f"{folder}{name}"
            folder = name[: name.rindex("/") + 1] if "/" in name else folder


def there(name: str) -> set[Path]:
    """The files of a name, a pattern or a folder."""
    wanted = f"{name}*" if name.endswith("/") else name
    return {path for base in (ROOT / "rilon", ROOT) for path in base.glob(wanted)}


def test_every_module_has_its_place_and_every_place_is_there() -> None:
    names = list(placed())
    assert [name for name in names if not there(name)] == []
    known = set().union(*map(there, names))
    modules = {path for path in (ROOT / "rilon").rglob("*.py") if path.name != "__init__.py"}
    assert {path.relative_to(ROOT).as_posix() for path in modules - known} == set()
