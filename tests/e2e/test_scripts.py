"""Every script of this folder, played against real nodes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk
from tests.e2e.script import play

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.real
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
async def test_script(script: Path, desk: Desk) -> None:
    names = {"folder": str(desk.folder), "here": str(Path(__file__).parent)}
    await asyncio.to_thread(play, script.read_text("utf-8"), desk.run, names)
