"""The demo from start to end: make what is missing, run it, tell the story once, and stay until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from rilon.node.config import write_private
from rilon.node.core import database
from rilon.node.demo.processes import running_nodes
from rilon.node.demo.story import Story
from rilon.node.demo.world import DemoWorld, enterable
from rilon.node.examine import examine
from rilon.node.hub_server import open_hub, running_hub

Say = Callable[[str], None]

BANNER = """This is a demo: an exercise network on this machine, invented people, passphrases and tokens in plain files.
Nothing of it is fit for real data."""


async def run_demo(path: Path, say: Say, *, exit_after: bool) -> None:
    """Run the demo in a folder until Ctrl-C, or until its story is told.

    Args:
        path: the folder; a second start goes on where the first one was.
        say: takes each line of what happens.
        exit_after: end with the story.

    Raises:
        UnavailableError: a part cannot be started, with what to do about it.
    """
    begun, world = time.monotonic(), DemoWorld(enterable(path))
    say(BANNER)
    say(f"It lives in {world.path}.")
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await _until_done_or(stopped, _make(world, say))
    if stopped.is_set():
        return
    async with running_hub(open_hub(world.hub)), running_nodes(world, say):
        await _until_done_or(stopped, _tell(world, say))
        if stopped.is_set():
            return
        say(f"\nReady after {time.monotonic() - begun:.0f} s.")
        if not exit_after:
            _how_to_go_on(world, say)
            await _links(world, say)
            await stopped.wait()


async def _until_done_or(stopped: asyncio.Event, job: object) -> None:
    """Do a job to its end, or drop it at Ctrl-C."""
    working = asyncio.ensure_future(job)  # type: ignore[call-overload]
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        working.cancel()
        await asyncio.wait({working})
    elif working.exception():
        raise working.exception()


async def _make(world: DemoWorld, say: Say) -> None:
    if world.state.founded:
        say("Going on where it was.")
        return
    names = ", ".join(m.upper() for m in world.members)
    say(f"Making a hub and {len(world.members)} nodes ({names}), each with a Postgres and keys of its own ...")
    await world.make_homes()
    await world.found_all()


async def _tell(world: DemoWorld, say: Say) -> None:
    if world.state.story_told:
        return
    await Story(world, say).tell()
    await _prove(world, say)
    await _courier(world, say)
    world.state.story_told = True
    world.save()


async def _prove(world: DemoWorld, say: Say) -> None:
    """Check every log by its rows and public keys alone, as an auditor would, beside the running nodes."""
    say("9. Each log proves itself, with public keys only:")
    for member in world.members:
        home = world.home(member)
        async with database(home, home.read(), world.world) as (dsn, _):
            report = await examine(dsn)
        verdict = "sound" if report.sound else f"{len(report.findings)} findings"
        signatures = report.proved.get("statements", 0) + report.proved.get("approvals", 0)
        say(f"   {member.upper():<4} {verdict}: {report.size} events, {signatures} signed statements and approvals")


async def _courier(world: DemoWorld, say: Say) -> None:
    """What passed through the hub: counts and bytes, and greetings, which are signed and not sealed (links.md)."""
    async with httpx.AsyncClient() as client:
        seen = (await client.get(f"http://127.0.0.1:{world.state.monitor_port}/varz")).json()
    size = f"{seen['in_msgs']} messages, {seen['in_bytes'] / 1024:.0f} KiB"
    say(f"10. The courier saw {size}: greetings with the nodes' public keys, and ciphertext.")


async def _links(world: DemoWorld, say: Say) -> None:
    """The pages, and a way in for everybody; each link works once, and a start makes new ones."""
    lines = []
    for member in world.members:
        lines += [f"{member} {name} {link}" for name, link in (await world.invite(member)).items()]
    write_private(world.path / "links", "\n".join([*lines, ""]).encode())
    say(f"\nThe pages: {world.url('th')}   (each link opens once; those of all countries stand in {world.path}/links)")
    for member, name, link in (line.split() for line in lines):
        if member == "th":
            say(f"   {_PEOPLE[name]:<38} {link}")
    there = next(link for member, name, link in map(str.split, lines) if (member, name) == ("id", "officer"))
    say("Open each in a private window of its own. In five minutes: the officer writes an alert for Indonesia,")
    say("focal-1 approves it, and Indonesia's officer reads, acknowledges and answers:")
    say(f"   {'Indonesia, officer':<38} {there}")


_PEOPLE = {
    "officer": "officer: writes and reads",
    "focal-1": "focal-1: approves with the demo key",
    "focal-2": "focal-2: approves with the demo key",
    "focal-3": "focal-3: approves with what they join by",
    "protection": "protection officer: victims, children",
    "auditor": "auditor: the past, deliveries, links",
    "administrator": "administrator: links, people, keys",
}


def _how_to_go_on(world: DemoWorld, say: Say) -> None:
    tokens = world.path / "tokens"
    tokens.mkdir(exist_ok=True, mode=0o700)
    for member in world.members:
        for name, persona in world.state.personas[member].items():
            write_private(tokens / f"{member}-{name}", persona.token.encode())
    th = f"--node {world.url('th')} --token-file {tokens}"
    say(f'\nGo on by hand, in another terminal, after: export PATH="{Path(sys.executable).parent}:$PATH"')
    say(f"   rilon board {th}/th-officer")
    say(f"   rilon board --node {world.url('id')} --token-file {tokens}/id-officer --follow")
    say(f"   rilon verify --home {world.home('th').path}")
    say(f"   rilon import incidents FILE.csv --demo {world.path}")
    say("Ctrl-C stops everything; the next start goes on from here.")
