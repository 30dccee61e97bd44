"""Passphrases: from a file, or asked for without showing them; never from the command line itself."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from rilon.crypto import approval
from rilon.crypto.approval import ApprovalKey
from rilon.errors import RefusedError
from rilon.node.commands.common import ask
from rilon.node.config import Home, first_line, home_of, passphrase

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose first line is the key's passphrase.  [default: asked for]",
)

approval_key_option = click.option(
    "--approval-key",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="RILON_APPROVAL_KEY",
    help="Your approval key (rilon officer enrol-key).",
)


def given_key(file: Path | None) -> Path:
    """The file of the caller's own approval key. Raises RefusedError ``approval.no-key``: none is given."""
    if file is None:
        fix = "Make one: rilon officer enrol-key. Then give --approval-key, or set RILON_APPROVAL_KEY."
        raise RefusedError("approval.no-key", "No approval key is given.", fix=fix)
    return file


def unlock_approval_key(file: Path, passphrase_file: Path | None) -> ApprovalKey:
    """The caller's own key, opened for one signature. Raises RefusedError ``approval.passphrase``."""
    return approval.unlock(file.read_bytes(), read_passphrase(passphrase_file, "Passphrase of your approval key"))


def read_passphrase(file: Path | None, label: str, *, twice: bool = False) -> str:
    """A passphrase of one's own.

    Raises:
        RefusedError: ``cli.passphrase-file``: it cannot be read, or is empty. UsageError: nobody can be asked.
    """
    if file is None:
        return ask(label, "--passphrase-file", secret=True, twice=twice)
    return first_line(file, "cli.passphrase-file", "passphrase file")


def home_and_passphrase(given: Path | None) -> tuple[Home, str]:
    """A node's home, and what opens its keyring: nobody is asked for the passphrase of a node that is not there.

    Raises:
        RefusedError: ``config.no-home``. MalformedError: ``config.file``. Else see ``node_passphrase``.
    """
    home = home_of(given)
    home.read()
    return home, node_passphrase()


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
