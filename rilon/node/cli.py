"""The command line: ``rilon``. It starts fast, because a command's code is imported when that command is run.

Exit codes: 0 ok · 1 refused, or a check failed · 2 used wrongly · 3 something cannot be reached, so try again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import rich_click as click
from click.exceptions import Exit, NoSuchCommand

from rilon.domain.mends import mend
from rilon.errors import FatalError, RilonError, UnavailableError
from rilon.node.system import collect_seldom

WORK, DECIDE, OVERSEE, NODE = "Alerts", "Decisions", "Oversight", "Nodes"

COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "alert": (WORK, "alerts:alert", "Post, list, show, answer, correct and withdraw alerts."),
        "preview": (WORK, "alerts:preview", "Say who would get a draft, and why; nothing is stored."),
        "may-i-share": (WORK, "explain:may_i_share", "Ask whether something may be shared, without any case data."),
        "why": (WORK, "explain:why", "Ask why you see an item, or not all of it."),
        "board": (WORK, "board:board", "Show the board of this Member, and go on showing it."),
        "deliveries": (WORK, "board:deliveries", "Say how far an alert has come, country by country."),
        "notices": (WORK, "notices:notices", "Say how you are told outside the pages that something came."),
        "task": (WORK, "teams:task", "Say who takes care of an item, and watch items."),
        "team": (WORK, "teams:team", "Make teams of officers, across desks and agencies."),
        "approve": (DECIDE, "approve:approve", "List what waits for approval; sign, cut, return or refuse it."),
        "onward": (
            DECIDE,
            "onward:onward",
            "Ask an originator for more of an item, or answer who asks: nothing is ever passed on without.",
        ),
        "rules": (DECIDE, "rules:rules", "Show the sharing rules; draft, try and sign new ones."),
        "officer": (DECIDE, "officers:officer", "Enrol officers; their tokens and approval keys."),
        "circle": (DECIDE, "circles:circle", "Convene, read, change, leave and close circles of Members."),
        "link": (DECIDE, "links:link", "Introduce, verify and watch other Members' nodes."),
        "history": (OVERSEE, "audit:history", "Read the events of the log."),
        "replay": (OVERSEE, "audit:replay", "Show the board as it was."),
        "openings": (
            OVERSEE,
            "audit:openings",
            "Count who opened what and for which purpose; mark what is unusual.",
        ),
        "pictures": (OVERSEE, "pictures:pictures", "Say in numbers what the pictures show."),
        "verify": (OVERSEE, "verify:verify", "Check the whole log: hashes, signatures and links."),
        "init": (NODE, "init:init", "Make a node: its keys, its log, its first focal points."),
        "serve": (NODE, "serve:serve", "Run the node of this home."),
        "keys": (NODE, "keys:keys", "This node's keys: turn them, and begin a new log after a restore."),
        "doctor": (NODE, "doctor:doctor", "Look for what is wrong with a node, and say what to do."),
        "hub": (NODE, "hub:hub", "Run the courier that connects the nodes."),
        "import": (NODE, "imports:import_", "Import files as alerts."),
        "demo": (NODE, "demo:demo", "Run six nodes on this machine, and a short story."),
        "version": (NODE, "version:version", "Say which version this is."),
    }
)
"""Command -> where it stands in the help, where its code is, and what it does. A test holds the docstrings to it."""

EXIT_REFUSED: Final = 1
EXIT_UNREACHABLE: Final = 3
FAULT: Final = "internal"


class Cli(click.RichGroup):
    """A group that knows its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """What help and completion need of a command: its name and its line."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        panel, _, line = COMMANDS[cmd_name]
        return click.RichCommand(name=cmd_name, short_help=line, panel=panel)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run, imported now."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except NoSuchCommand:  # said without what was meant: it looks among commands that are imported
            raise NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx) from None
        return name, load(name) if name and command else command, rest

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; whatever ends it early is told in a sentence, with an exit code and never a traceback."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, Exit, click.Abort, BrokenPipeError):
            raise
        except (Exception, BaseExceptionGroup) as error:
            if ctx.params["debug"]:
                raise
            found = told(error)
            complain(found)
            ctx.exit(EXIT_UNREACHABLE if isinstance(found, UnavailableError) else EXIT_REFUSED)


def load(name: str) -> click.Command:
    """Import a command of the table."""
    module, _, attribute = COMMANDS[name][1].partition(":")
    found = getattr(import_module(f"rilon.node.commands.{module}"), attribute)
    assert isinstance(found, click.Command)
    return found


def complain(error: RilonError) -> None:
    """Say on stderr what is wrong and what would mend it: every problem, if there are several."""
    for problem in getattr(error, "problems", (error,)):
        place = f"{problem.field}: " if problem.field else ""
        click.echo(f"{place}{problem.message} [{problem.code}]", err=True)
        if fix := problem.fix or mend(problem.code):
            click.echo(f"  → {fix}", err=True)


def told(error: BaseException) -> RilonError:
    """The error to tell: ours as it is, the system's in its words, anything else as a fault of this program."""
    if isinstance(error, BaseExceptionGroup):
        found = [told(each) for each in error.exceptions]
        return next((each for each in found if each.code != FAULT), found[0])
    if isinstance(error, RilonError):
        return error
    if isinstance(error, OSError):
        return RilonError("system", f"{error.filename or 'The system'}: {error.strerror or type(error).__name__}.")
    fix = "Run it again as `rilon --debug ...`, and send what it says to the maintainers."
    return FatalError(FAULT, f"This program is at fault ({type(error).__name__}).", fix=fix)


@click.group(
    cls=Cli,
    context_settings={"auto_envvar_prefix": "RILON", "help_option_names": ["-h", "--help"]},
    epilog="Every option can also be set by a variable: RILON_URL, RILON_HOME, RILON_BOARD_JSON … See docs/cli.md.",
)
@click.option("--debug", is_flag=True, help="Show where a fault of this program is.")
def cli(debug: bool) -> None:
    """RILON: warn other Members of the Bali Process, inside the law of each State."""
    del debug  # Cli.invoke reads it


def main() -> None:
    """The entry point ``rilon``."""
    collect_seldom()
    try:
        cli()
    except BrokenPipeError:  # ``rilon history | head``
        sys.stderr.close()
        sys.exit(EXIT_REFUSED)


if __name__ == "__main__":
    main()
