"""The one check that every text from outside meets: what a person may write, and how much of it.

A text is brought to one form (NFC, line feeds, no blanks around it), so that equal words are equal bytes. Refused is
what has no place in a sentence and is used to deceive: controls, characters that reorder or hide what follows
(Unicode TR 36), private-use and non-characters, lone surrogates.
"""

from __future__ import annotations

import re
import unicodedata

from rilon.errors import MalformedError

_LINES_ONLY = re.compile("[\n\t]")

_REFUSED: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("text.control", "control characters", re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufff9-\ufffb]")),
    ("text.bidi", "characters that reverse the order of others", re.compile("[\u202a-\u202e\u2066-\u2069]")),
    ("text.hidden", "invisible tag characters", re.compile("[\U000e0000-\U000e007f]")),
    ("text.surrogate", "half of a character", re.compile("[\ud800-\udfff]")),
    (
        "text.private",
        "private-use or non-characters",
        re.compile(
            "[\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff"
            + "".join(chr(plane << 16 | low) for plane in range(16) for low in (0xFFFE, 0xFFFF))
            + "]"
        ),
    ),
)


def check_text(text: str, *, max_chars: int, lines: bool = True, received: bool = False) -> str:
    """Bring a text to its one form, or say what is wrong with it.

    Args:
        text: as it came.
        max_chars: limit in characters of the normal form, and four times that in bytes of UTF-8.
        lines: whether line feeds and tabs are allowed.
        received: it comes from another node, whose Unicode tables may be newer than ours: characters that are
            unassigned *here* are let through, because refusing them would lose the alert and they deceive nobody.

    Returns:
        The text in NFC, with line feeds as line ends and no blanks around it.

    Raises:
        MalformedError: ``text.control``, ``.bidi``, ``.hidden``, ``.surrogate``, ``.private``, ``.unassigned``,
            ``.lines``, ``.too-long``, ``.blank``.
    """
    if len(text) > 4 * max_chars:  # before any work on it: normalising is linear, but so is an attacker's patience
        raise _too_long(max_chars)
    text = text.replace("\r\n", "\n")  # what browsers send from a text area
    _check_characters(text, received=received)
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise MalformedError("text.blank", "The text is empty.", fix="Write something, or leave the field out.")
    if not lines and _LINES_ONLY.search(text):
        raise MalformedError("text.lines", "Only one line fits here.", fix="Write it without line breaks and tabs.")
    if len(text) > max_chars or len(text.encode()) > 4 * max_chars:
        raise _too_long(max_chars)
    return text


def _check_characters(text: str, *, received: bool) -> None:
    for code, held, pattern in _REFUSED:
        if found := pattern.search(text):
            raise _refused(code, held, found.group())
    if not received and not text.isascii():
        for character in text:
            if unicodedata.category(character) == "Cn":
                raise _refused("text.unassigned", "characters that do not exist", character)


def _refused(code: str, held: str, character: str) -> MalformedError:
    message = f"The text holds {held} (U+{ord(character):04X})."
    return MalformedError(code, message, fix="Remove them; typing the text again instead of pasting it helps.")


def _too_long(max_chars: int) -> MalformedError:
    return MalformedError("text.too-long", f"The text is too long: {max_chars} characters fit.", fix="Shorten it.")
