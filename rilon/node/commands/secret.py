"""Passphrases: from a file, or asked for without showing them; never from the command line itself."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from rilon.errors import RefusedError
from rilon.node.commands.common import ask
from rilon.node.config import first_line, passphrase

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose first line is the key's passphrase.  [default: asked for]",
)


def read_passphrase(file: Path | None, label: str, *, twice: bool = False) -> str:
    """A passphrase of one's own.

    Raises:
        RefusedError: ``cli.passphrase-file``: it cannot be read, or is empty. UsageError: nobody can be asked.
    """
    if file is None:
        return ask(label, "--passphrase-file", secret=True, twice=twice)
    return first_line(file, "cli.passphrase-file", "passphrase file")


def node_passphrase(*, new: bool = False) -> str:
    """The keyring's passphrase: from the environment (``RILON_PASSPHRASE_FILE``), or asked for.

    Args:
        new: it is being chosen, so it is asked for twice.
    """
    try:
        return passphrase()
    except RefusedError as error:
        if error.code != "config.no-passphrase":
            raise
    return ask("Passphrase of the keyring", "RILON_PASSPHRASE_FILE", secret=True, twice=new)
