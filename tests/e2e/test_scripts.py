"""Every script of this folder, played against real nodes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk
from tests.e2e.examples import declared, operation
from tests.e2e.script import play

SOON = timedelta(seconds=12)
"""After so long, what a script posts until then is over."""
SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.real
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
async def test_script(script: Path, desk: Desk) -> None:
    soon = (datetime.now(UTC) + SOON).isoformat(timespec="seconds")
    names = {"folder": str(desk.folder), "here": str(Path(__file__).parent), "soon": soon}
    desk.calls.clear()
    text = script.read_text("utf-8")
    await asyncio.to_thread(play, text, desk.run, names)
    missed = declared(text) - {operation(*call) for call in desk.calls}
    assert not missed, "it says that it calls these"
