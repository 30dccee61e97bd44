"""``rilon board --follow`` as a process of its own: it tells what comes, and ends in peace."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk

pytestmark = pytest.mark.real

HERE = Path(__file__).parent
TITLE = "Fictional title that is followed"


@asynccontextmanager
async def following(desk: Desk, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    demo = desk.nodes["id"].demo
    env = os.environ | {"RILON_URL": demo.url("id"), "RILON_TOKEN": demo.persona("id", "officer").token}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rilon.node.cli", "board", "--follow", *options, stdout=pipe, stderr=pipe, env=env
    )
    try:
        assert process.stderr
        while b"Listening" not in await process.stderr.readline():
            pass
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def post(desk: Desk) -> str:
    command = f'rilon alert post {HERE}/fraud.json --field "title={TITLE}"'
    said = await asyncio.to_thread(desk.run, "th-officer", command)
    assert said.code == 0, said.err
    return said.out.strip()


async def heard(process: asyncio.subprocess.Process, words: str) -> str:
    """The line that names these words."""
    assert process.stdout
    async with asyncio.timeout(30):
        while words not in (line := (await process.stdout.readline()).decode()):
            assert line, "it ended"
    return line


async def ends(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        assert await process.wait() == 0
    assert process.stderr
    assert b"Traceback" not in await process.stderr.read()


async def test_what_comes_is_told_with_its_title(desk: Desk) -> None:
    async with following(desk) as process:
        item = await post(desk)
        line = await heard(process, f"th/{item}")
        assert "item.received" in line
        assert "DOC-FRAUD" in line
        assert TITLE in line
        await ends(process)


async def test_a_screen_that_others_see_shows_no_title(desk: Desk) -> None:
    async with following(desk, "--quiet") as process:
        item = await post(desk)
        assert TITLE not in await heard(process, f"th/{item}")
        await ends(process)


async def test_only_what_is_wanted_is_told(desk: Desk) -> None:
    async with following(desk, "--kind", "SCAM-MO") as other, following(desk, "--kind", "doc-fraud") as process:
        await heard(process, await post(desk))
        await ends(other)
        assert other.stdout
        assert TITLE.encode() not in await other.stdout.read()
        await ends(process)


async def test_programs_get_a_notice_a_line(desk: Desk) -> None:
    async with following(desk, "--json") as process:
        item = await post(desk)
        told = json.loads(await heard(process, item))
        assert (told["about"], told["origin"], told["kind"]) == ("item.received", "th", "DOC-FRAUD")
        await ends(process)
