"""Every example of the specifications runs: what a reader copies is what the code does."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

SPEC = Path(__file__).parents[2] / "docs" / "spec"


@pytest.mark.parametrize("page", sorted(SPEC.glob("*.md")), ids=lambda page: page.name)
def test_the_examples_of_a_specification_hold(page: Path) -> None:
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed == 0


def test_the_specifications_of_items_have_examples() -> None:
    for name in ("encoding", "statements", "directory", "circles", "items", "releases", "rules"):
        assert ">>> " in (SPEC / f"{name}.md").read_text(encoding="utf-8")


def test_the_index_names_every_chapter_and_every_file_of_vectors() -> None:
    index = (SPEC / "README.md").read_text(encoding="utf-8")
    chapters = {page.name for page in SPEC.glob("*.md")} - {"README.md"}
    assert {name for name in chapters if f"[{name}]({name})" in index} == chapters
    vectors = {file.stem for file in Path(__file__).parent.glob("*.json")}
    assert {name for name in vectors if f"`{name}`" in index} == vectors
