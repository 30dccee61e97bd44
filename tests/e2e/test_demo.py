"""``rilon demo --exit`` as it is typed: six nodes in processes of their own, the whole story, and nothing left running.

It takes a minute, for it makes six databases: ``make test-all`` runs it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import open_dir

pytestmark = [pytest.mark.real, pytest.mark.long]
PROGRAM = str(Path(sys.executable).with_name("rilon"))
LIMIT_S = 400
"""For a slow machine beside other work; the process ends long before."""


def typed(*words: str) -> str:
    """What a command says; it must end well."""
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_story_is_told_to_its_end_and_once() -> None:
    with open_dir() as folder:
        said = typed("demo", "--path", str(folder / "demo"), "--exit")
        assert re.findall(r"^(\d+)\. ", said, re.MULTILINE) == [str(n) for n in range(1, 11)]
        assert (
            len(re.findall(r"^   \w+ +sound: ", said, re.MULTILINE)) == len(re.findall(r"answers at http", said)) == 6
        )
        assert "all of it ciphertext" in said
        again = typed("demo", "--path", str(folder / "demo"), "--exit")
        assert "Going on where it was." in again
        assert not re.findall(r"^\d+\. ", again, re.MULTILINE)
