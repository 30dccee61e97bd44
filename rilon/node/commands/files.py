"""Files on this machine that go to a node or come from it: attachments, read whole and written safely."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import rich_click as click

from rilon.domain.attachments import MAX_FILE_BYTES, too_large
from rilon.errors import RefusedError
from rilon.node.commands.common import Api, note

PRIVATE = 0o600


def attach_option(command: Callable[..., None]) -> Callable[..., None]:
    """``--attach FILE``: files are uploaded before the draft, which then names them. Stands below ``api_options``."""

    @click.option(
        "--attach",
        "attached",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A photo or text to attach. May come several times.",
    )
    @wraps(command)
    def with_files(api: Api, draft: dict[str, Any], attached: Sequence[Path], **rest: Any) -> None:
        if attached:
            draft["attachments"] = [*draft.get("attachments", ()), *(upload(api, path) for path in attached)]
        command(api=api, draft=draft, **rest)

    return with_files


def upload(api: Api, path: Path) -> str:
    """Upload a file; its ticket. Raises InvalidError: it is too large, or the node does not take it."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise too_large()
    answer = api.upload("attachments", path.read_bytes(), Rilon_File_Name=quote(path.name, safe=""))
    return str(answer["ticket"])


def save(api: Api, item: str, opened: dict[str, Any], purpose: str, folder: Path) -> None:
    """Save every file of an opened section of attachments, in a folder; none that is there is written over.

    Raises:
        RefusedError: ``cli.exists``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(opened["fields"]["files"], 1):
        data = api.download(f"items/{item}/attachments/{number}", {"purpose": purpose})
        name = f"{number}-{Path(file['name']).name}"
        write_new(folder / name, data)
        note(f"Saved {folder / name}.")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads. Raises RefusedError ``cli.exists``."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise RefusedError("cli.exists", f"{path} is there already.", fix="Choose another place.") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
