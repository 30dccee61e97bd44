"""``rilon hub``: the courier that connects the nodes. It sees accounts, sizes and times, never a word."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rich_click as click
from msgspec import to_builtins

from rilon.network.hub_home import HubSettings, Tls
from rilon.node.commands.common import answer_json, confirm, json_option, note, say, stopping, table
from rilon.node.hub_server import init_hub, open_hub, running_hub

_path = click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("~/.rilon-hub"),
    show_default=True,
    envvar="RILON_HUB",
    callback=lambda _ctx, _param, path: path.expanduser(),
    help="The hub's folder.",
)
_file = click.Path(exists=True, dir_okay=False, resolve_path=True)
_port = click.IntRange(1, 65535)


@click.group()
def hub() -> None:
    """Run the courier that connects the nodes."""


@hub.command()
@_path
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens; elsewhere than here with TLS.")
@click.option("--port", default=4222, show_default=True, type=_port)
@click.option("--monitor-port", default=8222, show_default=True, type=_port, help="Health, on this machine only.")
@click.option("--leaf-port", type=_port, help="For nodes that keep a nats-server of their own.")
@click.option("--tls", type=_file, nargs=3, metavar="CERT KEY CA", help="Certificate, its key, and the authority.")
def init(
    path: Path, host: str, port: int, monitor_port: int, leaf_port: int | None, tls: tuple[str, str, str] | None
) -> None:
    """Make a hub: its keys and its configuration."""
    found = Tls(*tls) if tls else None
    if found is None and host not in {"127.0.0.1", "::1", "localhost"}:
        raise click.UsageError("A hub that others reach needs --tls.")
    settings = HubSettings(host=host, port=port, monitor_port=monitor_port, leaf_port=leaf_port, tls=found)
    made = init_hub(path, settings)
    say(made.home.url)
    note(
        f"Take {made.home.path / 'keys' / 'operator.seed'} offline; it is not needed to run the hub.",
        "Next: rilon hub add-member MEMBER, and rilon hub serve.",
    )


@hub.command("add-member")
@click.argument("member")
@click.option("--leaf", is_flag=True, help="It connects through a nats-server of its own.")
@_path
def add_member(member: str, leaf: bool, path: Path) -> None:
    """Let a MEMBER in, or renew its credentials: prints the file to hand over, which is a secret."""
    adding = open_hub(path).add_member(member.lower(), connection="LEAFNODE" if leaf else "STANDARD")
    say(str(asyncio.run(adding)))


@hub.command()
@click.argument("member")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_path
def revoke(member: str, yes: bool, path: Path) -> None:
    """Shut a MEMBER out at once; what waits for it is destroyed."""
    confirm(f"Shut {member.upper()} out?", "--yes", given=yes)
    asyncio.run(open_hub(path).revoke(member.lower()))
    note(f"{member.upper()} is out.")


@hub.command()
@_path
@json_option
def members(path: Path, as_json: bool) -> None:
    """List who is in, and who was."""
    found = open_hub(path).members()
    if as_json:
        answer_json([to_builtins(m) for m in found])
        return
    rows = [(m.member.upper(), f"{m.since:%Y-%m-%d}", f"{m.revoked:%Y-%m-%d}" if m.revoked else "") for m in found]
    table(("MEMBER", "SINCE", "REVOKED"), rows, "Nobody is in.")


@hub.command()
@_path
def serve(path: Path) -> None:
    """Run the hub until it is told to stop (Ctrl-C, SIGTERM)."""
    asyncio.run(_serve(path))


async def _serve(path: Path) -> None:
    found = open_hub(path)
    stopped = stopping()
    async with running_hub(found):
        note(f"The hub answers at {found.home.url}. Ctrl-C stops it.")
        await stopped.wait()
