"""``rilon verify``: check a node's log by its rows and public keys alone, while the node runs or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import rich_click as click

from rilon.audit.verify import Report
from rilon.domain.words import words
from rilon.node.commands.common import answer_json, home_option, json_option, note, progress, say, table
from rilon.node.config import home_of
from rilon.node.core import World, database
from rilon.node.examine import examine

COUNTS = ("events", "statements", "approvals", "lines", "receipts", "texts")


@click.command()
@home_option
@click.option("--database-url", metavar="URL", help="Check this database instead of the home's.")
@json_option
@click.pass_context
def verify(ctx: click.Context, home: Path | None, database_url: str | None, as_json: bool) -> None:
    """Check the whole log: hashes, signatures and links.

    It needs no passphrase. Compare the fingerprint it tells with the printed one: everything hangs from that key.
    """
    report = asyncio.run(_verify(home, database_url))
    if as_json:
        answer_json(_plain(report))
    else:
        _show(report)
    if not report.sound:
        ctx.exit(1)


async def _verify(home: Path | None, database_url: str | None) -> Report:
    with progress("Events", None) as advance:
        if database_url:
            return await examine(database_url, advance)
        found = home_of(home)
        async with database(found, found.read(), World()) as (dsn, _):
            return await examine(dsn, advance)


def _plain(report: Report) -> dict[str, Any]:
    return {
        "sound": report.sound,
        "member": report.member,
        "fingerprint": words(report.fingerprint),
        "size": report.size,
        "root": report.root.hex(),
        "proved": report.proved,
        "newer": report.newer,
        "findings": [{"position": f.position, "code": f.code, "message": f.message} for f in report.findings],
    }


def _show(report: Report) -> None:
    say(f"Log of {report.member.upper() or 'nobody'}: {report.size} events, root {report.root.hex()}")
    say(f"Root key: {' '.join(words(report.fingerprint))}")
    say("Checked: " + ", ".join(f"{report.proved.get(name, 0)} {name}" for name in COUNTS))
    if report.newer:
        note(f"{report.newer} events are of a newer program: counted, not judged.")
    if report.sound:
        say("Sound: nothing was changed, and every signature holds.")
        return
    rows = [(f.position or "-", f.code, f.message) for f in report.findings]
    table(("POSITION", "CODE", "WHAT IS WRONG"), rows, "")
    note(f"{len(rows)} findings: this log is not what was stored. Stop the node, keep the disk, restore a backup.")
