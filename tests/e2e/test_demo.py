"""``rilon demo`` as it is typed: six nodes in processes of their own, the whole story, and nothing left running.

It takes a minute, for it makes six databases: ``make test-all`` runs it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers import open_dir

pytestmark = [pytest.mark.real, pytest.mark.long]
PROGRAM = str(Path(sys.executable).with_name("rilon"))
LIMIT_S = 400
"""For a slow machine beside other work; the process ends long before."""
READY = "Ctrl-C stops everything"
EVERYBODY = ["TH", "ID", "MY", "BD", "IOM", "RSO"]


def demo(folder: Path, *words: str) -> list[str]:
    return [PROGRAM, "demo", "--path", str(folder / "demo"), *words]


def interrupted(folder: Path, waiting_for: str, made: str = "said") -> str:
    """What it says when somebody types Ctrl-C as soon as it has said that: all of the terminal's processes hear it.

    Args:
        made: a file of the folder that must be there as well.
    """
    said = folder / "said"
    with said.open("wb") as out:
        running = subprocess.Popen(demo(folder), stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        end = time.monotonic() + LIMIT_S
        while not (waiting_for in said.read_text() and (folder / made).exists()) and time.monotonic() < end:
            assert running.poll() is None, said.read_text()
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(LIMIT_S) == 0, said.read_text()
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
    assert waiting_for in said.read_text()
    return said.read_text()


def processes_of(folder: Path) -> Iterator[str]:
    """Processes that work in the folder or were told of it: a database's own name themselves anew."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in words or str(folder) in str((process / "cwd").readlink()):
                yield words


def addresses(said: str) -> list[tuple[str, str]]:
    return re.findall(r"^(\w+) answers at (http://\S+)$", said, re.MULTILINE)


def test_the_story_is_told_once_and_ctrl_c_leaves_nothing_running() -> None:
    with open_dir() as folder:
        begun = interrupted(folder, "Making a hub and 6 nodes", "demo/th/keyring.rilon")
        assert not addresses(begun)
        assert not list(processes_of(folder))
        said = interrupted(folder, READY)
        assert re.findall(r"^(\d+)\. ", said, re.MULTILINE) == [str(n) for n in range(1, 11)]
        assert re.findall(r"^   (\w+) +sound: ", said, re.MULTILINE) == EVERYBODY
        assert dict(re.findall(r"^   (ID|MY): (\w+)$", said, re.MULTILINE)) == {"ID": "acknowledged", "MY": "acted"}
        told = re.search(r"stands on the boards of ([A-Z, ]+) already", said)
        shown = re.findall(r"^   (\w+) .*MAR-DISTRESS from BD", said, re.MULTILINE)
        assert told is not None
        assert set(told[1].split(", ")) == set(shown) - {"BD"} != set(), "says where it went, and no more"
        assert not [log for log in folder.glob("demo/**/node.log") if "Warning" in log.read_text()]
        assert [member for member, _ in addresses(said)] == EVERYBODY
        assert not list(processes_of(folder))
        again = subprocess.run(demo(folder, "--exit"), capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "Going on where it was." in again.stdout
        assert not re.findall(r"^\d+\. ", again.stdout, re.MULTILINE)
        assert addresses(again.stdout) == addresses(said)
        assert not list(processes_of(folder))
