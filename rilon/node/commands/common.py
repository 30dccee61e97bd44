"""What the commands share: where the node is, who asks, and how answers are written.

Answers go to stdout, everything else to stderr. A terminal gets tables; a pipe gets one row a line, and ``--json`` the
API's own words. Text of other people is never read as markup.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import httpx
import rich_click as click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from rilon.errors import RefusedError
from rilon.node.client import NodeClient, Query, answered
from rilon.node.config import token_of

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="RILON_HOME",
    help="The node's folder.  [default: ~/.rilon]",
)
key_option = click.option(
    "--key", metavar="KEY", help="Idempotency key: with one key a command is done once, however often it is sent."
)

EXERCISE = "EXERCISE EXERCISE EXERCISE: nothing here is real."


class Watermark:
    """Says once that a node is of an exercise, before whatever else it says."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, answer: httpx.Response) -> None:
        """Look at an answer."""
        if answer.headers.get("rilon-world") == "exercise" and not self._said:
            self._said = True
            note(EXERCISE)


class Api:
    """The node's API, a request at a time."""

    def __init__(self, url: str, token_file: Path | None) -> None:
        self._url, self._token_file, self._mark = url, token_file, Watermark()

    def open(self) -> NodeClient:
        """A client of one's own, for what takes longer than a request.

        Raises:
            RefusedError: ``auth.token-missing``.
        """
        return NodeClient(self._url, token_of(self._token_file), self._mark)

    def get(self, path: str, **query: Query) -> Any:
        """Read."""

        async def read() -> Any:
            async with self.open() as node:
                return await node.get(path, **query)

        return asyncio.run(read())

    def send(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        """Command, once per idempotency key."""

        async def command() -> Any:
            async with self.open() as node:
                return answered(await node.command(method, path, body, key=key))

        return asyncio.run(command())

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """``send`` a POST."""
        return self.send("POST", path, body, key=key)

    def upload(self, path: str, data: bytes, **headers: str) -> Any:
        """Send bytes."""

        async def send() -> Any:
            async with self.open() as node:
                return await node.upload(path, data, {name.replace("_", "-"): text for name, text in headers.items()})

        return asyncio.run(send())

    def download(self, path: str, body: object = None) -> bytes:
        """Ask for bytes."""

        async def read() -> bytes:
            async with self.open() as node:
                return await node.download(path, body)

        return asyncio.run(read())


def api_options(command: Callable[..., None]) -> Callable[..., None]:
    """Where the node answers and whose token is sent: the command gets an ``api``."""

    @click.option(
        "--node",
        "url",
        envvar="RILON_URL",
        default="http://localhost:8400",
        show_default=True,
        metavar="URL",
        help="Where the node answers.",
    )
    @click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="RILON_TOKEN_FILE",
        help="A file with your token; else RILON_TOKEN holds it.",
    )
    @wraps(command)
    def with_api(url: str, token_file: Path | None, **rest: Any) -> None:
        command(api=Api(url, token_file), **rest)

    return with_api


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a person how far it has come, on stderr, and wipe it away at the end; a pipe sees nothing.

    Args:
        total: None: not known.
    """
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as shown:
        task = shown.add_task(label, total=total)
        yield lambda n: shown.advance(task, n)


def stopping() -> asyncio.Event:
    """What is set by SIGINT or SIGTERM. Call it in a running loop."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def say(*lines: str) -> None:
    """Write lines to stdout."""
    for line in lines:
        click.echo(line)


def note(*lines: str) -> None:
    """Write lines to stderr: what a person should know, and a pipe should not."""
    for line in lines:
        click.echo(line, err=True)


def answer_json(data: Any) -> None:
    """Write the whole answer as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def answer(data: Any, show: Callable[[Any], None], *, as_json: bool) -> None:
    """Write an answer as JSON, or as people read it."""
    if as_json:
        answer_json(data)
    else:
        show(data)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Write rows under their columns, or the sentence for none."""
    found = [[str(cell) for cell in row] for row in rows]
    if not found:
        note(empty)
        return
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        say(*_unfolded([list(columns), *found]))
        return
    drawn = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for row in found:
        drawn.add_row(*map(Text, row))
    console.print(drawn)


def _unfolded(rows: list[list[str]]) -> list[str]:
    """One line a row, columns aligned: what ``grep`` and ``cut`` are made for."""
    cells = [[cell.replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def may_ask() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(label: str, option: str, *, secret: bool = False, twice: bool = False) -> str:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is none; the option would have said it.
    """
    if not may_ask():
        raise click.UsageError(f"Nobody can be asked here: give {option}.")
    answer: str = click.prompt(label, hide_input=secret, confirmation_prompt=twice, err=True)
    return answer


def confirm(question: str, option: str, *, given: bool) -> None:
    """Go on only with a yes.

    Raises:
        UsageError: nobody can be asked. RefusedError: ``cli.declined``.
    """
    if given:
        return
    if not may_ask():
        raise click.UsageError(f"Nobody can be asked here: give {option}.")
    if not click.confirm(question, err=True):
        raise RefusedError("cli.declined", "Nothing was done.")
