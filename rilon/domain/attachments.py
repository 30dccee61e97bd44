"""Attachments: the photos and texts of an item, in its one section of sensitivity ``attachment``.

All files of an item lie in one section, so that the matrix has one column for them, and a grant, a recall or an erasure
takes them together. Only types of which nothing but pixels or characters is left after cleaning are carried
(``clean`` of the port ``Cleaner``); names are content, and sealed with it. Bytes of another node are read as strictly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rilon.domain.text import check_text
from rilon.domain.values import Value
from rilon.errors import InvalidError, MalformedError

FORMAT: Final = b"\x01"
"""First byte of the section; another one is of a format newer than this node."""
MAX_FILES: Final = 8
MAX_FILE_BYTES: Final = 10 * 1024 * 1024
"""Largest file, as it comes and after cleaning."""
MAX_BYTES: Final = 15 * 1024 * 1024
"""Most of all files of an item: with names and padding they stay below what a section holds."""
NAME_CHARACTERS: Final = 80

EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "text/plain": ".txt", "text/csv": ".csv"}
"""Every type that is carried, and how the name of such a file ends."""

IMAGES: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
"""How images begin that are read; and WebP, which begins with its length."""

_ACTIVE: Final = ((b"%PDF-", "PDF"), (b"<svg", "SVG"), (b"<html", "HTML"), (b"<!doctype", "HTML"), (b"<?xml", "XML"))
_KNOWN: Final = (
    (b"PK\x03\x04", "ZIP"),
    (b"\xd0\xcf\x11\xe0", "Office"),
    (b"MZ", "EXE"),
)
_HEAD_BYTES: Final = 1024
"""PDF readers look this far for a beginning, and so do we."""

TEXT_CHARACTERS: Final = 1_000_000

_FORMULA: Final = re.compile(
    r"""((?:^|[,;|\t])[ "]*)([=@\uff1d\uff0b\uff0d\uff20]|[+-](?![\d .()-]*"?(?:[,;|\t]|$)))""", re.MULTILINE
)
"""A cell that begins as a formula does, whatever separates cells there; plain signed numbers are left alone.

Spreadsheets differ in what they take for a separator, so every one of them begins a cell here (OWASP, CSV injection).
"""

_UNSAFE: Final = re.compile(r'[/\\:*?"<>|\t\n]+')
_FIX: Final = "Send photos as JPEG, PNG, WebP or GIF, and words as plain text or CSV; turn a PDF's pages into images."


class File(Value, frozen=True):
    """One attached file, cleaned.

    Attributes:
        name: safe for every file system, ending as its type does.
        type: one of ``EXTENSIONS``.
    """

    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS)]
    type: str
    data: bytes

    def __repr__(self) -> str:
        """Neither name nor bytes: both are content."""
        return f"File({self.type})"


def sniff(data: bytes) -> str:
    """What bytes are, by the bytes alone: the name of an image format, or "" for what may be text.

    Raises:
        InvalidError: ``attachment.type``: something that can act when it is opened, or is not known.
    """
    for magic, name in IMAGES.items():
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    head = data[:_HEAD_BYTES].lower()
    found = [what for mark, what in _ACTIVE if mark.lower() in head]
    found += [what for mark, what in _KNOWN if data.startswith(mark)]
    if found:
        raise InvalidError("attachment.type", f"A file of this type is not taken ({found[0]}).", field="file", fix=_FIX)
    return ""


def clean_text(name: str, data: bytes, *, received: bool = False) -> File:
    """A text as a file: UTF-8 in its one form. Where the name says CSV, cells that a spreadsheet would run are quoted.

    Raises:
        InvalidError: ``attachment.type``: it is no text. MalformedError: ``text.*``.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidError("attachment.type", "A file of this type is not taken.", field="file", fix=_FIX) from None
    text = check_text(text, max_chars=TEXT_CHARACTERS, received=received)
    if not name.lower().endswith(".csv"):
        return File(safe_name(name, "text/plain"), "text/plain", text.encode())
    return File(safe_name(name, "text/csv"), "text/csv", _FORMULA.sub(r"\1'\2", text).encode())


def safe_name(name: str, media_type: str) -> str:
    """A name that is safe everywhere: no folder, no control or hidden character, no leading dot, the type's ending.

    Raises:
        MalformedError: ``text.*``: the name deceives.
    """
    last = re.split(r"[/\\]", name)[-1] or "file"
    stem = _UNSAFE.sub("_", check_text(last, max_chars=4 * NAME_CHARACTERS, lines=False))
    ending = EXTENSIONS[media_type]
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}\Z", "", stem).strip(". ")[: NAME_CHARACTERS - len(ending)].strip(". ")
    return (stem or "file") + ending


def encode(files: Sequence[File]) -> bytes:
    """The content of the section.

    Raises:
        InvalidError: ``attachment.too-many`` or ``attachment.too-large``.
    """
    if len(files) > MAX_FILES:
        raise InvalidError("attachment.too-many", f"An item carries {MAX_FILES} files.", field="attachments")
    if any(len(f.data) > MAX_FILE_BYTES for f in files) or sum(len(f.data) for f in files) > MAX_BYTES:
        raise too_large()
    return FORMAT + msgspec.msgpack.encode(list(files), order="deterministic")


def too_large() -> InvalidError:
    """More than is carried."""
    message = f"One file may have {MAX_FILE_BYTES >> 20} MiB, all of an item {MAX_BYTES >> 20} MiB."
    return InvalidError("attachment.too-large", message, field="attachments", fix="Send smaller images, or fewer.")


def newer(raw: bytes) -> bool:
    """Whether the content is in a format that this node does not know yet."""
    return raw[:1] > FORMAT


def decode(raw: bytes) -> tuple[File, ...]:
    """Read the content strictly: sizes, types, safe names, and the one encoding.

    Raises:
        MalformedError: ``attachment.content``: it is not what an honest node sealed.
    """
    try:
        files = msgspec.msgpack.decode(raw[1:], type=tuple[File, ...])
        sound = raw[:1] == FORMAT and files and encode(files) == raw and all(map(_is_sound, files))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidError, MalformedError):
        sound = False
    if not sound:
        raise MalformedError("attachment.content", "The attachments are not what an honest node seals.")
    return files


def _is_sound(file: File) -> bool:
    """The name is one that this program would give, the type is carried, and the bytes begin as they must."""
    if file.type not in EXTENSIONS or safe_name(file.name, file.type) != file.name:
        return False
    image = f"image/{sniff(file.data).lower()}"
    if file.type.startswith("image/"):
        return image == file.type
    return image == "image/" and clean_text(file.name, file.data, received=True) == file
