"""Drafts from files and options, and how items are named."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import pytest

from rilon.errors import MalformedError
from rilon.node.commands.drafts import LIMIT_BYTES, draft_of
from rilon.node.commands.items import ITEM, Ref

ID = UUID("01a204f4-5239-7a83-bc35-f1f4e9d78492")


def draft(file: str | None = None, **options: Any) -> dict[str, Any]:
    none: dict[str, Any] = {
        "kind": None,
        "fields": (),
        "to": None,
        "readers": None,
        "home": None,
        "rescue": (),
        "sources": (),
        "handling": (),
        "grade": None,
        "urgency": None,
    }
    return draft_of(file, **none | options)


def test_options_alone_make_a_draft() -> None:
    made = draft(
        kind="INC-FATAL",
        fields=("title=A = b", "dead:=3", 'place:={"name": "x"}', "missing:=null"),
        to="ID, everyone",
        readers="agency:navy,desk:d1",
        rescue=("id=desk:navy:rescue",),
        handling=("tlp=TLP:AMBER",),
        grade="admiralty_6x6,B,2",
        urgency="high",
    )
    assert made["audience"].pop("rescue") == {"id": "desk:navy:rescue"}
    assert made == {
        "kind": "INC-FATAL",
        "urgency": "high",
        "fields": {"title": "A = b", "dead": 3, "place": {"name": "x"}, "missing": None},
        "handling": {"tlp": "TLP:AMBER"},
        "grade": {"scheme": "admiralty_6x6", "source": "B", "information": "2"},
        "audience": {"everyone": True, "members": ["id"], "readers": ["agency:navy", "desk:d1"]},
    }


def test_a_grade_without_a_source() -> None:
    assert draft(kind="X", grade="iom_mmp,4")["grade"] == {"scheme": "iom_mmp", "information": "4"}


def test_options_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "draft.json"
    text = {
        "kind": "A",
        "fields": {"a": 1, "b": 2},
        "audience": {"members": ["th"], "readers": ["desk:x"]},
        "court": "no",
    }
    path.write_text(json.dumps(text))
    made = draft(str(path), kind="B", fields=("b=3",), to="id")
    assert made == {
        "kind": "B",
        "fields": {"a": 1, "b": "3"},
        "audience": {"members": ["id"], "everyone": False, "readers": ["desk:x"]},
        "court": "no",
    }


def test_a_draft_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"kind": "A"}')))
    assert draft("-") == {"kind": "A", "fields": {}, "audience": {}}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff", b'{"a": ' + b"[" * 100_000, b" " * (LIMIT_BYTES + 1) + b"{}"]
)
def test_what_is_no_draft_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "draft.json"
    path.write_bytes(content)
    with pytest.raises(MalformedError, match=r"draft\.file"):
        draft(str(path))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kind": "A", "fields": ("title",)},
        {"kind": "A", "fields": ("=x",)},
        {"kind": "A", "fields": (":=1",)},
        {"kind": "A", "fields": ("a:=x",)},
        {"kind": "A", "grade": "admiralty_6x6"},
        {"kind": "A", "grade": "a,b,c,d"},
    ],
)
def test_options_that_say_nothing(options: dict[str, Any]) -> None:
    with pytest.raises(click.UsageError):
        draft(**options)


@pytest.mark.parametrize(("text", "origin"), [(str(ID), ""), (ID.hex, ""), (f"th/{ID}", "th"), (f"IOM/{ID}", "iom")])
def test_items_by_name(text: str, origin: str) -> None:
    found = ITEM.convert(text, None, None)
    assert found == Ref(ID, origin)
    assert ITEM.convert(str(found), None, None) == found


@pytest.mark.parametrize("text", ["", "x", f"t/{ID}", f"../{ID}", f"th/{ID}/x", f"t1/{ID}", "th/"])
def test_what_names_no_item(text: str) -> None:
    with pytest.raises(click.BadParameter):
        ITEM.convert(text, None, None)
